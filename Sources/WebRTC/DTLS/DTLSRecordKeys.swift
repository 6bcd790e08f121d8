internal import COpenSSL

/// What protects the records of one association in both directions, as OpenSSL agreed on it.
struct DTLSRecordKeys {
    enum Suite {
        case aes128GCM, aes256GCM, chaCha20

        var keyLength: Int { self == .aes128GCM ? 16 : 32 }
        /// GCM sends the other eight bytes of its nonce along (RFC 5288 §3), ChaCha20 none (RFC 7905 §2).
        var ivLength: Int { self == .chaCha20 ? 12 : 4 }
        var explicitNonceLength: Int { self == .chaCha20 ? 0 : 8 }
        /// What sealing adds to a fragment: explicit nonce and tag.
        var overhead: Int { explicitNonceLength + 16 }
        fileprivate var digest: String { self == .aes256GCM ? "SHA384" : "SHA256" }

        init?(_ cipher: OpaquePointer) {
            switch unsafe SSL_CIPHER_get_cipher_nid(cipher) {
            case NID_aes_128_gcm: self = .aes128GCM
            case NID_aes_256_gcm: self = .aes256GCM
            case NID_chacha20_poly1305: self = .chaCha20
            default: return nil
            }
        }
    }

    struct Direction {
        var key: [UInt8]
        var iv: [UInt8]
    }

    let suite: Suite
    let ours: Direction
    let theirs: Direction

    /// Of an association whose handshake is done (RFC 5246 §6.3); nil when OpenSSL does not say what it agreed on.
    init?(_ ssl: OpaquePointer, isClient: Bool) {
        guard let cipher = unsafe SSL_get_current_cipher(ssl), let suite = unsafe Suite(cipher),
            let session = unsafe SSL_get_session(ssl)
        else { return nil }
        var master = unsafe Self.read(48) { unsafe SSL_SESSION_get_master_key(session, $0, $1) }
        defer { unsafe OPENSSL_cleanse(&master, master.count) }
        let randoms =
            unsafe Self.read(32) { unsafe SSL_get_server_random(ssl, $0, $1) }
            + Self.read(32) { unsafe SSL_get_client_random(ssl, $0, $1) }
        let (key, iv) = (suite.keyLength, suite.ivLength)
        var block = [UInt8](repeating: 0, count: 2 * (key + iv))
        defer { unsafe OPENSSL_cleanse(&block, block.count) }
        guard master.count == 48, randoms.count == 64,
            unsafe shim_tls1_prf(
                suite.digest, master, master.count, "key expansion", randoms, randoms.count, &block, block.count) == 1
        else { return nil }
        let client = Direction(key: Array(block[..<key]), iv: Array(block[2 * key..<2 * key + iv]))
        let server = Direction(key: Array(block[key..<2 * key]), iv: Array(block[(2 * key + iv)...]))
        self.suite = suite
        (ours, theirs) = isClient ? (client, server) : (server, client)
    }

    private static func read(_ most: Int, _ get: (UnsafeMutablePointer<UInt8>?, Int) -> Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
            count = unsafe min(most, get(buffer.baseAddress, most))
        }
    }
}

extension DTLSRecordKeys.Direction {
    /// Seals or opens one fragment (RFC 5246 §6.2.3.3); nil: not genuine. It is done a few times in an association's life,
    /// so nothing is kept ready for it.
    ///
    /// - Parameters:
    ///   - number: epoch and sequence number, 64 bits.
    ///   - nonce: the explicit part of GCM's; ChaCha20 makes its own of the number.
    ///   - tag: nil to seal: it is appended to the result.
    func apply(
        _ suite: DTLSRecordKeys.Suite, _ bytes: some Collection<UInt8>, content: DTLSRecord.Content, number: UInt64,
        nonce: some Collection<UInt8>, tag: [UInt8]?
    ) -> [UInt8]? {
        guard let context = unsafe EVP_CIPHER_CTX_new() else { return nil }
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        let algorithm =
            switch suite {
            case .aes128GCM: unsafe EVP_aes_128_gcm()
            case .aes256GCM: unsafe EVP_aes_256_gcm()
            case .chaCha20: unsafe EVP_chacha20_poly1305()
            }
        let numberBytes = number.networkOrder
        let whole = suite == .chaCha20 ? zip(iv, [0, 0, 0, 0] + numberBytes).map { $0 ^ $1 } : iv + nonce
        let length = UInt16(truncatingIfNeeded: bytes.count)
        let header = numberBytes + [content.rawValue, 0xFE, 0xFD, UInt8(length >> 8), UInt8(length & 0xFF)]
        let isSealing = tag == nil
        var (output, written) = (Array(bytes), Int32(0))
        var mark = tag ?? [UInt8](repeating: 0, count: 16)
        guard unsafe EVP_CipherInit_ex2(context, algorithm, key, whole, isSealing ? 1 : 0, nil) == 1,
            unsafe isSealing || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, &mark) == 1,
            unsafe EVP_CipherUpdate(context, nil, &written, header, Int32(header.count)) == 1,
            unsafe EVP_CipherUpdate(context, &output, &written, Array(bytes), Int32(output.count)) == 1,
            unsafe EVP_CipherFinal_ex(context, nil, &written) == 1,
            unsafe !isSealing || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, &mark) == 1
        else { return nil }
        return isSealing ? output + mark : output
    }
}

extension UInt64 {
    fileprivate var networkOrder: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: self >> (56 - 8 * UInt64($0))) } }
}
