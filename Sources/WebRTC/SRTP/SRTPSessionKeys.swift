internal import COpenSSL

/// The keys that protect SRTP or SRTCP packets of one direction, derived from its master key (RFC 3711 §4.3, RFC 7714 §11).
struct SRTPSessionKeys {
    var profile: SRTPProfile
    var cipherKey: [UInt8]
    /// As long as the profile's master salt.
    var salt: [UInt8]
    /// HMAC-SHA1 key, empty under AEAD.
    var authenticationKey: [UInt8]

    init(profile: SRTPProfile, cipherKey: [UInt8], salt: [UInt8], authenticationKey: [UInt8]) {
        (self.profile, self.cipherKey) = (profile, cipherKey)
        (self.salt, self.authenticationKey) = (salt, authenticationKey)
    }

    /// What is protected: the first of its three key derivation labels (RFC 3711 §4.3.2).
    enum Use: UInt8 {
        case rtp = 0
        case rtcp = 3
    }

    /// - Returns: nil when the lengths do not fit the profile.
    init?(_ use: Use = .rtp, profile: SRTPProfile, masterKey: [UInt8], masterSalt: [UInt8]) {
        let first = use.rawValue
        let authentication = profile == .aes128CMHMACSHA1_80 ? 20 : 0
        guard masterKey.count == profile.keyLength, masterSalt.count == profile.saltLength,
            let cipherKey = Self.derive(first, profile.keyLength, masterKey, masterSalt),
            let authenticationKey = Self.derive(first + 1, authentication, masterKey, masterSalt),
            let salt = Self.derive(first + 2, profile.saltLength, masterKey, masterSalt)
        else { return nil }
        self.init(profile: profile, cipherKey: cipherKey, salt: salt, authenticationKey: authenticationKey)
    }

    /// AES in counter mode over zeros, from ((label ‖ 48 zero bits) XOR salt) · 2^16. Key derivation rate 0; a salt of 96
    /// bits is filled up with zeros on the right.
    static func derive(_ label: UInt8, _ length: Int, _ masterKey: [UInt8], _ masterSalt: [UInt8]) -> [UInt8]? {
        guard length > 0 else { return [] }
        var counter = masterSalt + [UInt8](repeating: 0, count: 16 - masterSalt.count)
        counter[7] ^= label
        guard let context = unsafe EVP_CIPHER_CTX_new() else { return nil }
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        let zeros = [UInt8](repeating: 0, count: length)
        var output = zeros
        var written: Int32 = 0
        let cipher = unsafe masterKey.count == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr()
        guard unsafe EVP_EncryptInit_ex2(context, cipher, masterKey, counter, nil) == 1,
            unsafe EVP_EncryptUpdate(context, &output, &written, zeros, Int32(length)) == 1
        else { return nil }
        return output
    }
}
