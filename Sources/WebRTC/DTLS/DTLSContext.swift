internal import COpenSSL

/// What all DTLS transports of one worker share: certificate, ciphers, SRTP profiles.
///
/// DTLS 1.2 with ephemeral keys and AEAD ciphers only, no renegotiation, no resumption. Both sides must show a
/// certificate; RSA is taken as well as ECDSA, for older clients.
@safe package final class DTLSContext {
    let context: OpaquePointer

    /// - Throws: when OpenSSL refuses the identity or lacks an algorithm.
    package convenience init(identity: DTLSIdentity) throws(DTLSError) {
        try self.init(identity: identity, profiles: SRTPProfile.allCases)
    }

    /// - Parameter profiles: what is offered and accepted, best first: the server's order decides.
    init(identity: DTLSIdentity, profiles: [SRTPProfile]) throws(DTLSError) {
        guard let context = unsafe SSL_CTX_new(DTLS_method()) else { throw DTLSError(step: "making a DTLS context") }
        unsafe self.context = context
        guard
            unsafe shim_ssl_ctx_configure_dtls12(context) == 1
                && SSL_CTX_set_cipher_list(context, Self.ciphers) == 1
                && shim_ssl_ctx_set_groups(context, "X25519:P-256") == 1
                // This one returns 0 for success.
                && SSL_CTX_set_tlsext_use_srtp(context, profiles.map(\.openSSLName).joined(separator: ":")) == 0
        else { throw DTLSError(step: "configuring DTLS") }
        try use(identity)
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        unsafe SSL_CTX_set_cert_verify_callback(context, { store, _ in unsafe acceptCertificate(store) }, nil)
    }

    deinit { unsafe SSL_CTX_free(context) }

    private static let ciphers = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ].joined(separator: ":")

    private func use(_ identity: DTLSIdentity) throws(DTLSError) {
        let certificate = unsafe identity.certificate.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            return unsafe d2i_X509(nil, &start, bytes.count)
        }
        defer { unsafe X509_free(certificate) }
        let key = unsafe identity.privateKey.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            return unsafe d2i_AutoPrivateKey(nil, &start, bytes.count)
        }
        defer { unsafe EVP_PKEY_free(key) }
        guard
            unsafe certificate != nil && key != nil && SSL_CTX_use_certificate(context, certificate) == 1
                && SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1
        else { throw DTLSError(step: "loading the DTLS identity") }
    }
}

/// Replaces OpenSSL's chain verification: trust comes from the fingerprint in the SDP (RFC 8122 §6.2), which the
/// transport of this handshake knows.
private func acceptCertificate(_ store: OpaquePointer?) -> Int32 {
    let ssl = unsafe OpaquePointer(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()))
    guard let transport = unsafe DTLSTransport.of(ssl), let certificate = unsafe X509_STORE_CTX_get0_cert(store),
        unsafe transport.verify(certificate)
    else {
        unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED)
        return 0
    }
    return 1
}

extension SRTPProfile {
    fileprivate var openSSLName: String {
        switch self {
        case .aeadAES128GCM: "SRTP_AEAD_AES_128_GCM"
        case .aeadAES256GCM: "SRTP_AEAD_AES_256_GCM"
        case .aes128CMHMACSHA1_80: "SRTP_AES128_CM_SHA1_80"
        }
    }
}
