internal import COpenSSL

/// What a TLS server of ours accepts: TLS 1.2 and 1.3, its certificate, and clients without a certificate or, where it has an
/// authority, with one of that.
@safe final class TLSServerContext {
    let context: OpaquePointer

    init(_ material: PeerTrust.Material) throws(PeerTrust.Failure) {
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { preconditionFailure("out of memory") }
        unsafe self.context = context
        unsafe precondition(shim_ssl_ctx_configure_tls_server(context) == 1, "OpenSSL 3 has TLS 1.2")
        if let ca = material.ca { try use(authorities: ca) }
        try use(certificates: material.certificate)
        try use(key: material.key)
        ERR_clear_error()
    }

    deinit { unsafe SSL_CTX_free(context) }

    private func use(authorities pem: [UInt8]) throws(PeerTrust.Failure) {
        // A wrong certificate ends the handshake; none is for the routes to judge.
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        let store = unsafe SSL_CTX_get_cert_store(context)
        // As libcurl does it: any certificate of the file may end a chain.
        unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        let count = try unsafe forEachCertificate(of: pem, .ca) { certificate, _ in
            unsafe X509_STORE_add_cert(store, certificate) == 1 && SSL_CTX_add_client_CA(context, certificate) == 1
        }
        guard count > 0 else { throw .init(part: .ca, reason: "holds no certificate in PEM") }
    }

    private func use(certificates pem: [UInt8]) throws(PeerTrust.Failure) {
        let count = try unsafe forEachCertificate(of: pem, .certificate) { certificate, index in
            unsafe index == 0
                ? SSL_CTX_use_certificate(context, certificate) == 1
                : shim_ssl_ctx_add_chain(context, certificate) == 1
        }
        guard count > 0 else { throw .init(part: .certificate, reason: "holds no certificate in PEM") }
    }

    private func use(key pem: Secret) throws(PeerTrust.Failure) {
        let key = unsafe withReader(of: pem.bytes) { reader in
            // No terminal is asked for a pass phrase.
            unsafe PEM_read_bio_PrivateKey(reader, nil, { _, _, _, _ in -1 }, nil)
        }
        defer { unsafe EVP_PKEY_free(key) }
        guard unsafe key != nil else { throw .init(part: .key, reason: "holds no key in PEM without a pass phrase") }
        guard unsafe SSL_CTX_use_PrivateKey(context, key) == 1, unsafe SSL_CTX_check_private_key(context) == 1 else {
            throw .init(part: .key, reason: "is not the key of the certificate")
        }
    }

    /// A file that is cut short in the middle of one is not good as far as it goes: clients would miss what is missing.
    ///
    /// - Returns: how many there were; at most 100 are looked at.
    private func forEachCertificate(
        of pem: [UInt8], _ part: PeerTrust.Failure.Part, _ body: (OpaquePointer, Int) -> Bool
    ) throws(PeerTrust.Failure) -> Int {
        var (count, isGood) = (0, true)
        ERR_clear_error()
        unsafe withReader(of: pem) { reader in
            while isGood, count < 100, let certificate = unsafe PEM_read_bio_X509(reader, nil, nil, nil) {
                defer { unsafe X509_free(certificate) }
                isGood = unsafe body(certificate, count)
                count += 1
            }
        }
        guard isGood else { throw .init(part: part, reason: "certificate \(count): \(TLSError.take())") }
        let end = ERR_GET_REASON(ERR_peek_last_error())
        guard count == 100 || end == PEM_R_NO_START_LINE else {
            throw .init(part: part, reason: "certificate \(count + 1): \(TLSError.take())")
        }
        return count
    }

    private func withReader<Result>(of pem: [UInt8], _ body: (OpaquePointer?) -> Result) -> Result {
        unsafe pem.withUnsafeBytes { bytes in
            let reader = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count))
            defer { unsafe BIO_free(reader) }
            return unsafe body(reader)
        }
    }
}

/// OpenSSL's own words for what went wrong.
struct TLSError: Error, CustomStringConvertible {
    var description: String

    /// The oldest error of this thread's queue, which is the cause; empties the queue.
    static func take() -> TLSError {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let text = unsafe ERR_reason_error_string(code) else {
            return TLSError(description: "closed during the handshake")
        }
        return TLSError(description: unsafe String(cString: text))
    }
}
