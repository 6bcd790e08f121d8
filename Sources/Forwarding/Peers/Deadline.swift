import WebRTC

/// When something is due, and what.
struct Deadline {
    private(set) var at: Instant
    private(set) var reason: DeadlineReason

    init(_ at: Instant, _ reason: DeadlineReason) { (self.at, self.reason) = (at, reason) }

    /// The earlier one counts.
    mutating func include(_ at: Instant, _ reason: DeadlineReason) {
        if at < self.at { self = Deadline(at, reason) }
    }
}

/// Why a session was woken.
package enum DeadlineReason: UInt8, CaseIterable, Sendable {
    /// ICE, DTLS, or no transport in time.
    case transport
    /// Receiver or sender reports.
    case report
    /// NACKs and transport-wide feedback.
    case feedback
    /// A keyframe is to be asked for.
    case keyframe
    /// The source may have fallen silent.
    case silence
    /// A publisher may have to take over.
    case succession
    /// What a viewer's link carries is tried, or he has said nothing of it for long.
    case link
}
