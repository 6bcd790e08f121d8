import Glibc
package import WebRTC

/// Why a worker could not be started.
package enum MediaPlaneError: Error, Equatable, CustomStringConvertible {
    /// A system call failed while `address` was being opened; `code` is its errno.
    case system(call: String, address: TransportAddress, code: Int32)
    /// The forwarding unit refused to start (certificate, OpenSSL).
    case unit(String)

    package var description: String {
        switch self {
        case .system(let call, let address, let code):
            return "\(call) failed for UDP \(address): \(unsafe String(cString: strerror(code)))"
        case .unit(let reason): return "the forwarding unit did not start: \(reason)"
        }
    }
}
