internal import COpenSSL
internal import CSRTP

/// SRTP and SRTCP of one `PeerConnection`, both directions (RFC 3711, RFC 7714).
///
/// libsrtp2 opens everything and seals RTCP; outgoing RTP, the hot path, is sealed by `RTPSealer`.
@safe package final class SRTPSession {
    package enum Opened: Hashable {
        /// The plain packet is the first `length` bytes.
        case packet(length: Int)
        /// `.srtpAuthentication`, `.srtpReplay`, or `.unknownStream` beyond `maximumSources`.
        case dropped(DropReason)
    }

    /// Inbound SSRCs per session, RTP and RTCP senders together. libsrtp2 keeps a list that it searches per packet and
    /// never shortens, so a peer must not choose its length. A publisher with simulcast and RTX needs about a dozen.
    package static let maximumSources = 64

    /// Bytes that sealing adds to an RTP packet: 16 under GCM, 10 under CM.
    package let overhead: Int

    private let inbound: srtp_t
    private let outbound: srtp_t
    private let sealer: RTPSealer
    private var sources: [UInt32] = []
    private var watch: SealingWatch?
    private let minimumRTCP: Int

    /// - Returns: nil when key lengths do not fit the profile, or a library lacks the algorithm.
    package init?(_ material: SRTPKeyingMaterial) {
        let profile = material.profile
        guard Self.libraryIsReady,
            let keys = SRTPSessionKeys(
                profile: profile, masterKey: material.localKey, masterSalt: material.localSalt),
            let sealer = RTPSealer(keys),
            material.remoteKey.count == profile.keyLength, material.remoteSalt.count == profile.saltLength,
            let inbound = unsafe Self.makeSession(
                profile, material.remoteKey + material.remoteSalt, ssrc_any_inbound)
        else { return nil }
        guard
            let outbound = unsafe Self.makeSession(
                profile, material.localKey + material.localSalt, ssrc_any_outbound)
        else {
            unsafe srtp_dealloc(inbound)
            return nil
        }
        overhead = sealer.tagLength
        // Header and sender SSRC, index, tag.
        minimumRTCP = 8 + 4 + sealer.tagLength
        self.sealer = sealer
        unsafe (self.inbound, self.outbound) = (inbound, outbound)
    }

    deinit {
        unsafe srtp_dealloc(inbound)
        unsafe srtp_dealloc(outbound)
    }

    // MARK: Inbound

    /// Opens the packet in the first `length` bytes, in place.
    package func unprotectRTP(_ bytes: inout MutableRawSpan, length: Int) -> Opened {
        guard length >= 12 + overhead, length <= bytes.byteCount else { return .dropped(.srtpAuthentication) }
        return open(&bytes, length, .rtp)
    }

    /// Opens the packet in the first `length` bytes, in place.
    package func unprotectRTCP(_ bytes: inout MutableRawSpan, length: Int) -> Opened {
        guard length >= minimumRTCP, length <= bytes.byteCount else { return .dropped(.srtpAuthentication) }
        return open(&bytes, length, .rtcp)
    }

    private enum Kind { case rtp, rtcp }

    private func open(_ bytes: inout MutableRawSpan, _ length: Int, _ kind: Kind) -> Opened {
        unsafe bytes.withUnsafeMutableBytes { buffer in
            let packet = buffer.baseAddress!
            let offset = kind == .rtp ? 8 : 4
            let source = unsafe UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            let isNew = !sources.contains(source)
            guard !isNew || sources.count < Self.maximumSources else { return .dropped(.unknownStream) }
            var count = Int32(length)
            let status =
                switch kind {
                case .rtp: unsafe srtp_unprotect(inbound, packet, &count)
                case .rtcp: unsafe srtp_unprotect_rtcp(inbound, packet, &count)
                }
            switch status {
            case srtp_err_status_ok:
                // Only what verified takes a place.
                if isNew { sources.append(source) }
                return .packet(length: Int(count))
            case srtp_err_status_replay_fail, srtp_err_status_replay_old: return .dropped(.srtpReplay)
            default: return .dropped(.srtpAuthentication)
            }
        }
    }

    // MARK: Outbound

    /// Seals a compound RTCP packet; nil when it is no RTCP.
    package func protectRTCP(_ plain: [UInt8]) -> [UInt8]? {
        guard plain.count >= 8, plain.count <= Int(UInt16.max) else { return nil }
        var packet = plain + [UInt8](repeating: 0, count: Int(SRTP_MAX_TRAILER_LEN) + 4)
        var count = Int32(plain.count)
        guard unsafe srtp_protect_rtcp(outbound, &packet, &count) == srtp_err_status_ok else { return nil }
        packet.removeLast(packet.count - Int(count))
        return packet
    }

    /// Seals one RTP packet into `target`, where its header (with extensions) already lies, and behind it what stands before
    /// `payload` in this packet alone (RFC 4588 §4, a rewritten payload descriptor): the header is authenticated, that prefix
    /// is encrypted in place, payload and padding behind it, the tag is appended. So nobody copies a payload.
    ///
    /// The same packet may be sealed again, to the same bytes. A *different* packet under the same SSRC and index would
    /// give the key away (RFC 7714 §8.1): whoever numbers packets must not do that.
    ///
    /// - Parameters:
    ///   - target: room for header, prefix, payload, padding and `overhead`; does not overlap `payload`.
    ///   - padding: bytes of RTP padding (RFC 3550 §5.1), 0...255; the caller has set the P bit when it is not 0.
    ///   - index: rollover counter << 16 | sequence number, 48 bits.
    /// - Returns: the length of the whole packet in bytes.
    @unsafe package func sealRTP(
        at target: UnsafeMutableRawPointer, headerLength: Int, prefixLength: Int = 0, payload: UnsafeRawPointer,
        payloadLength: Int, padding: Int, index: UInt64
    ) -> Int {
        let length = unsafe sealer.seal(
            at: target, headerLength: headerLength, prefixLength: prefixLength, payload: payload,
            payloadLength: payloadLength, padding: padding, index: index)
        if let watch {
            let ssrc = unsafe UInt32(bigEndian: target.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
            let tag = unsafe target.loadUnaligned(fromByteOffset: length - 8, as: UInt64.self)
            precondition(watch.accepts(ssrc: ssrc, index: index, tag: tag), "an index is used for one packet only")
        }
        return length
    }

    /// From now on a second, different packet under one index stops the process; for tests.
    package func watchSealing() { watch = SealingWatch() }

    // MARK: libsrtp2

    /// libsrtp2 wants one call per process before any other.
    static let libraryIsReady = srtp_init() == srtp_err_status_ok

    private static func makeSession(
        _ profile: SRTPProfile, _ keyAndSalt: [UInt8], _ direction: srtp_ssrc_type_t
    ) -> srtp_t? {
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
        unsafe policy.ssrc = srtp_ssrc_t(type: direction, value: 0)
        // A packet repeated without RTX may come a round trip late: 1 s at a thousand packets per second.
        unsafe policy.window_size = 1_024
        var session: srtp_t?
        var key = keyAndSalt
        let status = unsafe key.withUnsafeMutableBufferPointer { key in
            unsafe policy.key = key.baseAddress
            return unsafe srtp_create(&session, &policy)
        }
        unsafe OPENSSL_cleanse(&key, key.count)
        return unsafe status == srtp_err_status_ok ? session : nil
    }
}
