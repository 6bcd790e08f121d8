// Keys, packets, and libsrtp2 as the second opinion on everything we seal or open.

import CSRTP

@testable import WebRTC

/// Hexadecimal, spaces ignored.
func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.filter { !$0.isWhitespace }.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

extension SeededGenerator {
    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 24) } }
}

/// Both ends of a made-up DTLS handshake.
func makeMaterial(_ profile: SRTPProfile, seed: UInt64 = 1) -> (local: SRTPKeyingMaterial, remote: SRTPKeyingMaterial) {
    var random = SeededGenerator(seed: seed)
    let local = SRTPKeyingMaterial(
        profile: profile, localKey: random.bytes(profile.keyLength), localSalt: random.bytes(profile.saltLength),
        remoteKey: random.bytes(profile.keyLength), remoteSalt: random.bytes(profile.saltLength))
    let remote = SRTPKeyingMaterial(
        profile: profile, localKey: local.remoteKey, localSalt: local.remoteSalt, remoteKey: local.localKey,
        remoteSalt: local.localSalt)
    return (local, remote)
}

/// An RTP packet before sealing.
struct PlainRTP {
    var header: [UInt8]
    var payload: [UInt8]
    var padding = 0
    var rolloverCounter: UInt64 = 0

    var index: UInt64 { rolloverCounter << 16 | UInt64(header[2]) << 8 | UInt64(header[3]) }
    /// What must come out at the far end.
    var whole: [UInt8] {
        header + payload + (padding == 0 ? [] : [UInt8](repeating: 0, count: padding - 1) + [UInt8(padding)])
    }

    /// - Parameter extensionWords: length of the header extension, nil for none.
    init(
        sequence: UInt16, rolloverCounter: UInt64 = 0, ssrc: UInt32 = 0xCAFE_BABE, payload: [UInt8], padding: Int = 0,
        extensionWords: Int? = nil
    ) {
        header = [0x80 | (padding > 0 ? 0x20 : 0) | (extensionWords == nil ? 0 : 0x10), 96]
        header += [UInt8(sequence >> 8), UInt8(sequence & 0xFF), 0x12, 0x34, 0x56, 0x78]
        header += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: ssrc >> $0) }
        if let extensionWords {
            header += [0xBE, 0xDE, UInt8(extensionWords >> 8), UInt8(extensionWords & 0xFF)]
            header += (0..<extensionWords * 4).map { UInt8(truncatingIfNeeded: $0) }
        }
        (self.payload, self.padding, self.rolloverCounter) = (payload, padding, rolloverCounter)
    }

    /// - Parameter prefix: so many bytes of the payload lie behind the header already.
    func sealed(by session: SRTPSession, prefix: Int = 0) -> [UInt8] {
        var packet = room(overhead: session.overhead)
        packet.replaceSubrange(header.count..<header.count + prefix, with: payload[..<prefix])
        let rest = Array(payload[prefix...])
        let length = unsafe packet.withUnsafeMutableBytes { target in
            unsafe rest.withUnsafeBytes { source in
                unsafe session.sealRTP(
                    at: target.baseAddress!, headerLength: header.count, prefixLength: prefix,
                    payload: source.baseAddress ?? UnsafeRawPointer(target.baseAddress!),
                    payloadLength: rest.count, padding: padding, index: index)
            }
        }
        return checked(packet, length)
    }

    func sealed(by sealer: borrowing RTPSealer) -> [UInt8] {
        var packet = room(overhead: sealer.tagLength)
        let length = unsafe packet.withUnsafeMutableBytes { target in
            unsafe payload.withUnsafeBytes { source in
                unsafe sealer.seal(
                    at: target.baseAddress!, headerLength: header.count,
                    payload: source.baseAddress ?? UnsafeRawPointer(target.baseAddress!),
                    payloadLength: payload.count, padding: padding, index: index)
            }
        }
        return checked(packet, length)
    }

    /// One byte more than needed, to see that it is left alone.
    private func room(overhead: Int) -> [UInt8] {
        header + [UInt8](repeating: 0xEE, count: payload.count + padding + overhead + 1)
    }

    private func checked(_ packet: [UInt8], _ length: Int) -> [UInt8] {
        precondition(length == packet.count - 1 && packet.last == 0xEE, "sealing writes exactly the packet")
        return Array(packet.dropLast())
    }
}

extension SRTPSession {
    /// Opens a copy: the plain packet, or nil and why.
    func open(_ packet: [UInt8], rtcp: Bool = false) -> (plain: [UInt8]?, drop: DropReason?) {
        var packet = packet
        let count = packet.count
        let opened = unsafe packet.withUnsafeMutableBytes { buffer in
            var span = unsafe MutableRawSpan(_unsafeBytes: buffer)
            return rtcp ? unprotectRTCP(&span, length: count) : unprotectRTP(&span, length: count)
        }
        switch opened {
        case .packet(let length): return (Array(packet.prefix(length)), nil)
        case .dropped(let reason): return (nil, reason)
        }
    }
}

/// A libsrtp2 session of one SSRC and direction, independent of `SRTPSession`.
@safe final class LibSRTP {
    private var session: srtp_t?

    init(
        _ profile: SRTPProfile, key: [UInt8], salt: [UInt8], inbound: Bool, ssrc: UInt32 = 0xCAFE_BABE,
        rolloverCounter: UInt32 = 0
    ) {
        precondition(LibSRTPReceiver.libraryIsReady, "libsrtp2 is initialised once, tests run side by side")
        var policy = unsafe srtp_policy_t()
        switch profile {
        case .aeadAES128GCM: unsafe srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
        case .aeadAES256GCM: unsafe srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp)
        case .aes128CMHMACSHA1_80: unsafe srtp_crypto_policy_set_rtp_default(&policy.rtp)
        }
        unsafe policy.rtcp = policy.rtp
        unsafe policy.ssrc = srtp_ssrc_t(type: ssrc_specific, value: ssrc)
        unsafe policy.window_size = 1_024
        unsafe policy.allow_repeat_tx = 1
        var keyAndSalt = key + salt
        let status = unsafe keyAndSalt.withUnsafeMutableBufferPointer {
            unsafe policy.key = $0.baseAddress
            return unsafe srtp_create(&session, &policy)
        }
        precondition(status == srtp_err_status_ok, "libsrtp2 knows the profile")
        if rolloverCounter > 0 {
            unsafe precondition(srtp_set_stream_roc(session, ssrc, rolloverCounter) == srtp_err_status_ok)
        }
    }

    deinit { unsafe _ = srtp_dealloc(session) }

    func protect(_ plain: [UInt8]) -> [UInt8]? {
        var packet = plain + [UInt8](repeating: 0, count: 64)
        var count = Int32(plain.count)
        return unsafe srtp_protect(session, &packet, &count) == srtp_err_status_ok
            ? Array(packet.prefix(Int(count))) : nil
    }

    func unprotect(_ sealed: [UInt8]) -> [UInt8]? {
        var packet = sealed
        var count = Int32(sealed.count)
        return unsafe srtp_unprotect(session, &packet, &count) == srtp_err_status_ok
            ? Array(packet.prefix(Int(count))) : nil
    }

    func protectRTCP(_ plain: [UInt8]) -> [UInt8]? {
        var packet = plain + [UInt8](repeating: 0, count: 64)
        var count = Int32(plain.count)
        return unsafe srtp_protect_rtcp(session, &packet, &count) == srtp_err_status_ok
            ? Array(packet.prefix(Int(count))) : nil
    }

    func unprotectRTCP(_ sealed: [UInt8]) -> [UInt8]? {
        var packet = sealed
        var count = Int32(sealed.count)
        return unsafe srtp_unprotect_rtcp(session, &packet, &count) == srtp_err_status_ok
            ? Array(packet.prefix(Int(count))) : nil
    }
}
