internal import COpenSSL

/// Encrypts and authenticates outgoing RTP: the one cryptographic step that runs per packet and viewer.
///
/// Straight on OpenSSL with contexts that are keyed once; per packet only the IV is set. libsrtp2 is the oracle of its
/// tests but not its engine: Debian's costs 2.5 (GCM) to 5 times (CM) as much, and it guesses the packet index from its
/// own state, while a history that repeats old packets knows it.
///
/// All mutable state is memory that no Swift access rule watches: nothing here allocates, counts references or checks
/// exclusivity per packet. It depends on no state of an earlier packet, so the same input seals to the same bytes.
@safe struct RTPSealer: ~Copyable {
    private let cipher: SessionCipher
    private let authentication: PacketAuthentication
    /// GCM: how to ask OpenSSL for the tag, two entries.
    private let tagRequest: UnsafeMutablePointer<OSSL_PARAM>

    /// Bytes that sealing adds: GCM tag, or HMAC-SHA1 cut to 80 bits.
    var tagLength: Int { cipher.tagLength }

    /// - Returns: nil when OpenSSL lacks the cipher.
    init?(_ keys: SRTPSessionKeys) {
        guard let cipher = SessionCipher(keys, .seal) else { return nil }
        self.cipher = cipher
        authentication = PacketAuthentication(key: keys.authenticationKey)
        unsafe tagRequest = .allocate(capacity: 2)
        unsafe shim_gcm_tag_request(tagRequest, 16)
    }

    deinit { unsafe tagRequest.deallocate() }

    /// See `SRTPSession.sealRTP`.
    @unsafe borrowing func seal(
        at target: UnsafeMutableRawPointer, headerLength: Int, prefixLength: Int = 0, payload: UnsafeRawPointer,
        payloadLength: Int, padding: Int, index: UInt64
    ) -> Int {
        precondition(
            headerLength >= 12 && prefixLength >= 0 && payloadLength >= 0 && (0...255).contains(padding),
            "lengths of an RTP packet")
        let packet = unsafe target.assumingMemoryBound(to: UInt8.self)
        let ssrc = unsafe UInt32(bigEndian: target.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        var written: Int32 = 0
        var fine = cipher.begin(ssrc: ssrc, index: index)
        if cipher.isAEAD {
            fine = unsafe EVP_EncryptUpdate(cipher.context, nil, &written, packet, Int32(headerLength)) == 1 && fine
        }
        var length = headerLength
        if prefixLength > 0 {
            let prefix = unsafe packet + length
            fine = unsafe EVP_EncryptUpdate(cipher.context, prefix, &written, prefix, Int32(prefixLength)) == 1 && fine
            length += prefixLength
        }
        if payloadLength > 0 {
            let plain = unsafe payload.assumingMemoryBound(to: UInt8.self)
            fine =
                unsafe EVP_EncryptUpdate(cipher.context, packet + length, &written, plain, Int32(payloadLength)) == 1
                && fine
            length += payloadLength
        }
        if padding > 0 {
            let pad = unsafe packet + length
            unsafe pad.update(repeating: 0, count: padding)
            unsafe pad[padding - 1] = UInt8(padding)
            fine = unsafe EVP_EncryptUpdate(cipher.context, pad, &written, pad, Int32(padding)) == 1 && fine
            length += padding
        }
        if cipher.isAEAD {
            unsafe tagRequest.pointee.data = UnsafeMutableRawPointer(packet + length)
            fine =
                unsafe EVP_EncryptFinal_ex(cipher.context, packet + length, &written) == 1
                && EVP_CIPHER_CTX_get_params(cipher.context, tagRequest) == 1 && fine
        } else {
            // The rollover counter is authenticated, not sent (RFC 3711 §4.2).
            unsafe authentication.write(
                to: packet + length, of: packet, length, and: UInt32(truncatingIfNeeded: index >> 16))
        }
        precondition(fine, "OpenSSL seals any packet with a keyed context")
        return length + tagLength
    }
}
