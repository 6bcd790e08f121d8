internal import COpenSSL

/// The server's side of one TLS connection over bytes that somebody else carries.
@safe final class TLSServerConnection {
    enum State {
        case handshaking, open
        /// The client said good-bye, or we did.
        case closed
        case failed(TLSError)
    }

    private(set) var state = State.handshaking
    /// The client showed a certificate that the deployment's authority has signed.
    private(set) var isPeerVerified = false

    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer

    init(_ context: TLSServerContext) {
        guard let ssl = unsafe SSL_new(context.context), let input = unsafe BIO_new(BIO_s_mem()),
            let output = unsafe BIO_new(BIO_s_mem())
        else { preconditionFailure("out of memory for a TLS connection") }
        unsafe (self.ssl, self.input, self.output) = (ssl, input, output)
        unsafe SSL_set_bio(ssl, input, output)
        unsafe SSL_set_accept_state(ssl)
    }

    deinit { unsafe SSL_free(ssl) }

    /// Takes what came from the network; returns what the client said. Ask `takeOutgoing` and `state` afterwards.
    func receive(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        guard bytes.count > 0, unsafe BIO_write(input, bytes.baseAddress, Int32(bytes.count)) > 0 else { return [] }
        if case .handshaking = state { handshake() }
        guard case .open = state else { return [] }
        return read()
    }

    private func handshake() {
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        guard result != 1 else {
            isPeerVerified = unsafe SSL_get0_peer_certificate(ssl) != nil && SSL_get_verify_result(ssl) == X509_V_OK
            state = .open
            return
        }
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: break
        default:
            let verification = unsafe SSL_get_verify_result(ssl)
            let error = TLSError.take()
            guard verification != X509_V_OK, let text = unsafe X509_verify_cert_error_string(verification) else {
                return state = .failed(error)
            }
            state = .failed(TLSError(description: unsafe "the client's certificate: " + String(cString: text)))
        }
    }

    private func read() -> [UInt8] {
        var plain: [UInt8] = []
        while true {
            ERR_clear_error()
            let end = plain.count
            // A record holds at most 16 KiB.
            plain.append(contentsOf: repeatElement(0, count: 16 << 10))
            let count = unsafe plain.withUnsafeMutableBytes { buffer in
                unsafe SSL_read(ssl, buffer.baseAddress! + end, 16 << 10)
            }
            plain.removeLast(plain.count - end - Int(max(0, count)))
            guard count <= 0 else { continue }
            switch unsafe SSL_get_error(ssl, count) {
            case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: break
            case SSL_ERROR_ZERO_RETURN: state = .closed
            default: state = .failed(TLSError.take())
            }
            return plain
        }
    }

    /// Takes what is to be said to the client. False: not connected (any more).
    func send(_ plain: UnsafeRawBufferPointer) -> Bool {
        guard case .open = state else { return false }
        guard plain.count > 0 else { return true }
        ERR_clear_error()
        // Into memory all of it always goes at once.
        return unsafe SSL_write(ssl, plain.baseAddress, Int32(plain.count)) == Int32(plain.count)
    }

    /// Queues a close_notify where there is something to close.
    func close() {
        guard case .open = state else { return }
        ERR_clear_error()
        unsafe _ = SSL_shutdown(ssl)
        state = .closed
    }

    /// What is to go to the network now.
    func takeOutgoing() -> [UInt8] {
        let pending = unsafe BIO_ctrl_pending(output)
        guard pending > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: pending) { buffer, count in
            count = unsafe max(0, Int(BIO_read(output, buffer.baseAddress, Int32(buffer.count))))
        }
    }
}
