internal import COpenSSL

/// The cipher of one direction of SRTP or SRTCP, keyed once; per packet only the IV is set.
@safe struct SessionCipher: ~Copyable {
    enum Purpose { case seal, open }

    let context: OpaquePointer
    let isAEAD: Bool
    /// GCM tag, or HMAC-SHA1 cut to 80 bits.
    let tagLength: Int

    private let purpose: Purpose
    /// The session salt as a number, its first byte in the highest bits of `saltHigh`.
    private let saltHigh: UInt64
    private let saltLow: UInt64
    private let iv: UnsafeMutablePointer<UInt64>

    /// - Returns: nil when OpenSSL lacks the cipher.
    init?(_ keys: SRTPSessionKeys, _ purpose: Purpose) {
        precondition(keys.cipherKey.count == keys.profile.keyLength && keys.salt.count == keys.profile.saltLength)
        guard let context = unsafe EVP_CIPHER_CTX_new() else { return nil }
        let algorithm =
            switch keys.profile {
            case .aeadAES128GCM: unsafe EVP_aes_128_gcm()
            case .aeadAES256GCM: unsafe EVP_aes_256_gcm()
            case .aes128CMHMACSHA1_80: unsafe EVP_aes_128_ctr()
            }
        let direction: Int32 = purpose == .seal ? 1 : 0
        guard unsafe EVP_CipherInit_ex2(context, algorithm, keys.cipherKey, nil, direction, nil) == 1 else {
            unsafe EVP_CIPHER_CTX_free(context)
            return nil
        }
        unsafe self.context = context
        self.purpose = purpose
        isAEAD = keys.profile != .aes128CMHMACSHA1_80
        tagLength = isAEAD ? 16 : 10
        saltHigh = keys.salt[0..<8].reduce(0) { $0 << 8 | UInt64($1) }
        let low = keys.salt[8...].reduce(0) { $0 << 8 | UInt64($1) }
        // 96 bits fill the IV of GCM exactly; 112 bits leave the last 16 of a counter block for the block number.
        saltLow = isAEAD ? low << 32 : low << 16
        unsafe iv = .allocate(capacity: 2)
        unsafe iv.initialize(repeating: 0, count: 2)
    }

    deinit {
        unsafe EVP_CIPHER_CTX_free(context)
        unsafe iv.deallocate()
    }

    /// Makes the context ready for one packet; false when OpenSSL refuses.
    ///
    /// GCM (RFC 7714 §8.1), 12 bytes:  `00 00 | SSRC (4) | ROC (4) | SEQ (2)` XOR salt.
    ///
    /// CM (RFC 3711 §4.1.1), 16 bytes: `00 00 00 00 | SSRC (4) | ROC (4) | SEQ (2) | block (2)` XOR salt.
    ///
    /// SRTCP has its 31-bit index in the place of these 48 bits (RFC 7714 §9.1, RFC 3711 §4.1.1).
    borrowing func begin(ssrc: UInt32, index: UInt64) -> Bool {
        let index = index & 0xFFFF_FFFF_FFFF
        if isAEAD {
            unsafe iv[0] = (saltHigh ^ (UInt64(ssrc) << 16 | index >> 32)).bigEndian
            unsafe iv[1] = (saltLow ^ index << 32).bigEndian
        } else {
            unsafe iv[0] = (saltHigh ^ UInt64(ssrc)).bigEndian
            unsafe iv[1] = (saltLow ^ index << 16).bigEndian
        }
        return unsafe purpose == .seal
            ? EVP_EncryptInit_ex2(context, nil, nil, iv, nil) == 1
            : EVP_DecryptInit_ex2(context, nil, nil, iv, nil) == 1
    }
}
