internal import COpenSSL

/// A self-signed certificate with its key, as plain bytes so that every worker can have a copy.
///
/// WebRTC certificates are trusted through their fingerprint in the SDP alone (RFC 8827 §6.5), so one that lives as long
/// as the process is enough.
package struct DTLSIdentity: Sendable {
    /// X.509, DER.
    package let certificate: [UInt8]
    /// PKCS #8 or the key type's own format, DER.
    package let privateKey: [UInt8]
    /// SHA-256 of `certificate`, for the SDP.
    package let fingerprint: Fingerprint

    /// A new ECDSA P-256 key and its certificate.
    package static func generate() throws(DTLSError) -> DTLSIdentity { try generate(.p256) }

    enum KeyKind { case p256, rsa2048 }

    static func generate(_ kind: KeyKind) throws(DTLSError) -> DTLSIdentity {
        let key: OpaquePointer? =
            switch kind {
            case .p256: unsafe shim_generate_p256()
            case .rsa2048: unsafe shim_generate_rsa(2048)
            }
        guard let key = unsafe key else { throw DTLSError(step: "generating a key") }
        defer { unsafe EVP_PKEY_free(key) }
        guard let certificate = unsafe X509_new() else { throw DTLSError(step: "making a certificate") }
        defer { unsafe X509_free(certificate) }
        guard unsafe fill(certificate, key: key) else { throw DTLSError(step: "signing a certificate") }

        guard let fingerprint = unsafe Fingerprint(.sha256, of: certificate) else {
            throw DTLSError(step: "hashing a certificate")
        }
        let certificateDER = unsafe encode { unsafe i2d_X509(certificate, $0) }
        let keyDER = unsafe encode { unsafe i2d_PrivateKey(key, $0) }
        guard let certificateDER, let keyDER else { throw DTLSError(step: "encoding a certificate") }
        return DTLSIdentity(certificate: certificateDER, privateKey: keyDER, fingerprint: fingerprint)
    }

    /// Names, dates and signature. The dates are fixed: nobody checks them, and the core reads no clock. The name is the
    /// one browsers use, so it tells nothing.
    private static func fill(_ certificate: OpaquePointer, key: OpaquePointer) -> Bool {
        var serial: UInt64 = 0
        guard unsafe RAND_bytes(&serial, 8) == 1, let name = unsafe X509_get_subject_name(certificate) else {
            return false
        }
        let subject = Array("WebRTC".utf8)
        return unsafe X509_set_version(certificate, 2) == 1
            && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1
            && ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), "20200101000000Z") == 1
            && ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "20491231235959Z") == 1
            && X509_set_pubkey(certificate, key) == 1
            && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, subject, Int32(subject.count), -1, 0) == 1
            && X509_set_issuer_name(certificate, name) == 1
            && X509_sign(certificate, key, EVP_sha256()) > 0
    }

    /// Runs one of OpenSSL's DER encoders twice: for the length, then for the bytes.
    private static func encode(_ encoder: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8]? {
        let length = Int(encoder(nil))
        guard length > 0 else { return nil }
        return unsafe [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            var end = buffer.baseAddress
            count = unsafe max(0, Int(encoder(&end)))
        }
    }
}

extension Fingerprint {
    /// Hash of a certificate, nil only when OpenSSL runs out of memory.
    init?(_ algorithm: Algorithm, of certificate: OpaquePointer) {
        let digest =
            switch algorithm {
            case .sha256: unsafe EVP_sha256()
            case .sha384: unsafe EVP_sha384()
            case .sha512: unsafe EVP_sha512()
            }
        var length: UInt32 = 0
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        guard unsafe X509_digest(certificate, digest, &bytes, &length) == 1 else { return nil }
        self.init(algorithm: algorithm, bytes: Array(bytes.prefix(Int(length))))
    }
}
