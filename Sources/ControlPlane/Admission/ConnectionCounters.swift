internal import Synchronization

/// What became of connections apart from answered requests, for `/metrics`.
package final class ConnectionCounters: Sendable {
    package enum Event: String, CaseIterable, Sendable {
        /// Closed: no request came in `request_timeout`.
        case noRequest = "no_request"
        /// Answered 408: its body did not come in `request_timeout`.
        case lateRequest = "late_request"
        /// Answered 400 and closed: not HTTP.
        case malformed
        /// Closed or kept waiting: no descriptor was left for it.
        case noDescriptor = "no_descriptor"
    }

    private let counts = Mutex<[ListenerKind: [Event: UInt64]]>([:])

    package init() {}

    func count(_ event: Event, on listener: ListenerKind) {
        counts.withLock { $0[listener, default: [:]][event, default: 0] += 1 }
    }

    var all: [ListenerKind: [Event: UInt64]] { counts.withLock { $0 } }
}
