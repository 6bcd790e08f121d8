internal import COpenSSL

/// OpenSSL could not make a key, certificate or context. Not caused by the network: configuration or memory.
package struct DTLSError: Error, Hashable, CustomStringConvertible {
    /// What was being done.
    package let step: String
    /// OpenSSL's own words, empty when it said nothing.
    package let reason: String

    package var description: String { reason.isEmpty ? step : "\(step): \(reason)" }

    /// Takes the oldest error from this thread's OpenSSL queue, which is the cause, and empties the queue.
    init(step: String) {
        self.step = step
        let code = ERR_get_error()
        reason = unsafe code == 0 ? "" : ERR_reason_error_string(code).map { unsafe String(cString: $0) } ?? "\(code)"
        ERR_clear_error()
    }
}
