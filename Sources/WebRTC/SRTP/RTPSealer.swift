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
    /// Bytes that sealing adds: GCM tag, or HMAC-SHA1 cut to 80 bits.
    let tagLength: Int

    private let isAEAD: Bool
    private let cipher: OpaquePointer
    /// The session salt as a number, its first byte in the highest bits of `saltHigh`.
    private let saltHigh: UInt64
    private let saltLow: UInt64
    private let iv: UnsafeMutablePointer<UInt64>
    /// GCM: how to ask OpenSSL for the tag, two entries.
    private let tagRequest: UnsafeMutablePointer<OSSL_PARAM>
    /// CM: SHA-1 after the inner and the outer HMAC key block, one working state, and room for a digest.
    private let hash: UnsafeMutablePointer<SHA_CTX>
    private let digest: UnsafeMutablePointer<UInt8>

    private static let digestLength = 20
    private static let blockLength = 64

    /// - Returns: nil when OpenSSL lacks the cipher.
    init?(_ keys: SRTPSessionKeys) {
        precondition(keys.cipherKey.count == keys.profile.keyLength && keys.salt.count == keys.profile.saltLength)
        guard let cipher = unsafe EVP_CIPHER_CTX_new() else { return nil }
        let algorithm =
            switch keys.profile {
            case .aeadAES128GCM: unsafe EVP_aes_128_gcm()
            case .aeadAES256GCM: unsafe EVP_aes_256_gcm()
            case .aes128CMHMACSHA1_80: unsafe EVP_aes_128_ctr()
            }
        guard unsafe EVP_EncryptInit_ex2(cipher, algorithm, keys.cipherKey, nil, nil) == 1 else {
            unsafe EVP_CIPHER_CTX_free(cipher)
            return nil
        }
        unsafe self.cipher = cipher
        isAEAD = keys.profile != .aes128CMHMACSHA1_80
        tagLength = isAEAD ? 16 : 10
        saltHigh = keys.salt[0..<8].reduce(0) { $0 << 8 | UInt64($1) }
        let low = keys.salt[8...].reduce(0) { $0 << 8 | UInt64($1) }
        // 96 bits fill the IV of GCM exactly; 112 bits leave the last 16 of a counter block for the block number.
        saltLow = isAEAD ? low << 32 : low << 16

        unsafe iv = .allocate(capacity: 2)
        unsafe iv.initialize(repeating: 0, count: 2)
        unsafe tagRequest = .allocate(capacity: 2)
        unsafe shim_gcm_tag_request(tagRequest, 16)
        unsafe hash = .allocate(capacity: 3)
        unsafe hash.initialize(repeating: SHA_CTX(), count: 3)
        unsafe digest = .allocate(capacity: Self.digestLength)
        unsafe digest.initialize(repeating: 0, count: Self.digestLength)
        prepareHMAC(key: keys.authenticationKey)
    }

    deinit {
        unsafe EVP_CIPHER_CTX_free(cipher)
        unsafe OPENSSL_cleanse(hash, 3 * MemoryLayout<SHA_CTX>.stride)
        unsafe iv.deallocate()
        unsafe tagRequest.deallocate()
        unsafe hash.deallocate()
        unsafe digest.deallocate()
    }

    /// RFC 2104: the two key blocks are the same for every packet, so they are hashed once.
    private func prepareHMAC(key: [UInt8]) {
        guard !key.isEmpty else { return }
        let padded = key + [UInt8](repeating: 0, count: Self.blockLength - key.count)
        unsafe precondition(
            shim_sha1_init(hash) == 1 && shim_sha1_update(hash, padded.map { $0 ^ 0x36 }, Self.blockLength) == 1
                && shim_sha1_init(hash + 1) == 1
                && shim_sha1_update(hash + 1, padded.map { $0 ^ 0x5C }, Self.blockLength) == 1,
            "SHA-1 cannot fail on plain memory")
    }

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
        setIV(ssrc: ssrc, index: index)
        var written: Int32 = 0
        var fine = unsafe EVP_EncryptInit_ex2(cipher, nil, nil, iv, nil) == 1
        if isAEAD {
            fine = unsafe EVP_EncryptUpdate(cipher, nil, &written, packet, Int32(headerLength)) == 1 && fine
        }
        var length = headerLength
        if prefixLength > 0 {
            let prefix = unsafe packet + length
            fine = unsafe EVP_EncryptUpdate(cipher, prefix, &written, prefix, Int32(prefixLength)) == 1 && fine
            length += prefixLength
        }
        if payloadLength > 0 {
            let plain = unsafe payload.assumingMemoryBound(to: UInt8.self)
            fine =
                unsafe EVP_EncryptUpdate(cipher, packet + length, &written, plain, Int32(payloadLength)) == 1 && fine
            length += payloadLength
        }
        if padding > 0 {
            let pad = unsafe packet + length
            unsafe pad.update(repeating: 0, count: padding)
            unsafe pad[padding - 1] = UInt8(padding)
            fine = unsafe EVP_EncryptUpdate(cipher, pad, &written, pad, Int32(padding)) == 1 && fine
            length += padding
        }
        if isAEAD {
            unsafe tagRequest.pointee.data = UnsafeMutableRawPointer(packet + length)
            fine =
                unsafe EVP_EncryptFinal_ex(cipher, packet + length, &written) == 1
                && EVP_CIPHER_CTX_get_params(cipher, tagRequest) == 1 && fine
        } else {
            unsafe authenticate(packet, length, rolloverCounter: UInt32(truncatingIfNeeded: index >> 16))
        }
        precondition(fine, "OpenSSL seals any packet with a keyed context")
        return length + tagLength
    }

    /// GCM (RFC 7714 §8.1), 12 bytes:  `00 00 | SSRC (4) | ROC (4) | SEQ (2)` XOR salt.
    ///
    /// CM (RFC 3711 §4.1.1), 16 bytes: `00 00 00 00 | SSRC (4) | ROC (4) | SEQ (2) | block (2)` XOR salt.
    private borrowing func setIV(ssrc: UInt32, index: UInt64) {
        let index = index & 0xFFFF_FFFF_FFFF
        if isAEAD {
            unsafe iv[0] = (saltHigh ^ (UInt64(ssrc) << 16 | index >> 32)).bigEndian
            unsafe iv[1] = (saltLow ^ index << 32).bigEndian
        } else {
            unsafe iv[0] = (saltHigh ^ UInt64(ssrc)).bigEndian
            unsafe iv[1] = (saltLow ^ index << 16).bigEndian
        }
    }

    /// Appends HMAC-SHA1 over packet and rollover counter, cut to 80 bits (RFC 3711 §4.2).
    private borrowing func authenticate(_ packet: UnsafeMutablePointer<UInt8>, _ length: Int, rolloverCounter: UInt32) {
        let (inner, outer, work) = unsafe (hash, hash + 1, hash + 2)
        var counter = rolloverCounter.bigEndian
        unsafe work.pointee = inner.pointee
        var fine =
            unsafe shim_sha1_update(work, packet, length) == 1 && shim_sha1_update(work, &counter, 4) == 1
            && shim_sha1_final(digest, work) == 1
        unsafe work.pointee = outer.pointee
        fine =
            unsafe shim_sha1_update(work, digest, Self.digestLength) == 1 && shim_sha1_final(digest, work) == 1 && fine
        precondition(fine, "SHA-1 cannot fail on plain memory")
        unsafe (packet + length).update(from: digest, count: tagLength)
    }
}
