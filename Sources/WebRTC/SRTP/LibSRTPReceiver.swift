internal import COpenSSL
internal import CSRTP

/// Opens a peer's RTP by libsrtp2, whose session is made when the first packet comes.
@safe final class LibSRTPReceiver {
    private let profile: SRTPProfile
    /// Master key and salt until the session has them.
    private var keyAndSalt: [UInt8]
    private var session: srtp_t?

    /// - Returns: nil when the lengths do not fit, or libsrtp2 lacks the profile.
    init?(_ profile: SRTPProfile, key: [UInt8], salt: [UInt8]) {
        guard key.count == profile.keyLength, salt.count == profile.saltLength, Self.supported.contains(profile)
        else { return nil }
        (self.profile, keyAndSalt) = (profile, key + salt)
    }

    deinit {
        if let session = unsafe session { unsafe srtp_dealloc(session) }
        unsafe OPENSSL_cleanse(&keyAndSalt, keyAndSalt.count)
    }

    /// Opens the first `length` bytes, at least a header and a tag, in place.
    @unsafe func open(_ packet: UnsafeMutableRawPointer, _ length: Int) -> SRTPSession.Opened {
        if unsafe session == nil {
            unsafe session = Self.makeSession(profile, &keyAndSalt)
        }
        guard let session = unsafe session else { return .dropped(.srtpAuthentication) }
        var count = Int32(length)
        switch unsafe srtp_unprotect(session, packet, &count) {
        case srtp_err_status_ok: return .packet(length: Int(count))
        case srtp_err_status_replay_fail, srtp_err_status_replay_old: return .dropped(.srtpReplay)
        default: return .dropped(.srtpAuthentication)
        }
    }

    /// libsrtp2 wants one call per process before any other.
    static let libraryIsReady = srtp_init() == srtp_err_status_ok

    /// Tried once, so that a handshake fails where its media could not be opened later.
    private static let supported = Set(
        SRTPProfile.allCases.filter { profile in
            guard libraryIsReady else { return false }
            var key = [UInt8](repeating: 0, count: profile.keyLength + profile.saltLength)
            guard let session = unsafe makeSession(profile, &key) else { return false }
            unsafe srtp_dealloc(session)
            return true
        })

    private static func makeSession(_ profile: SRTPProfile, _ keyAndSalt: inout [UInt8]) -> srtp_t? {
        var policy = unsafe srtp_policy_t()
        switch profile {
        case .aeadAES128GCM:
            unsafe srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
            unsafe srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp)
        case .aeadAES256GCM:
            unsafe srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp)
            unsafe srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp)
        case .aes128CMHMACSHA1_80:
            unsafe srtp_crypto_policy_set_rtp_default(&policy.rtp)
            unsafe srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
        }
        unsafe policy.ssrc = srtp_ssrc_t(type: ssrc_any_inbound, value: 0)
        // A packet repeated without RTX may come a round trip late: 1 s at a thousand packets per second.
        unsafe policy.window_size = 1_024
        var session: srtp_t?
        let status = unsafe keyAndSalt.withUnsafeMutableBufferPointer { key in
            unsafe policy.key = key.baseAddress
            return unsafe srtp_create(&session, &policy)
        }
        return unsafe status == srtp_err_status_ok ? session : nil
    }
}
