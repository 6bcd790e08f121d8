/// The last protocol events of one session, for its debug report and its close line. Bounded; nothing per media packet.
package struct ProtocolLog {
    package enum Event: Hashable, Sendable {
        case opened
        case remoteSelected(TransportAddress)
        case iceRestarted
        case candidatesAdded(Int)
        case handshakeStarted
        case connected(SRTPProfile)
        case flowing
        case silent
        case verifying
        case unreachable
        case reachable
        case keyframeRequestSent
        case keyframeRequestReceived
        case sinkStarted(MediaKind)
        case repairsExhausted
        /// The first of its packets thrown away for this reason.
        case discarding(DropReason)
        case bye
        case closed(CloseReason)
    }

    package static let capacity = 64
    private var events: [(at: Instant, event: Event)] = []
    private var oldest = 0

    package init() {}

    package mutating func append(_ event: Event, at now: Instant) {
        if events.count < Self.capacity {
            events.append((now, event))
        } else {
            events[oldest] = (now, event)
            oldest = (oldest + 1) % Self.capacity
        }
    }

    /// Oldest first.
    package var all: [(at: Instant, event: Event)] { Array(events[oldest...] + events[..<oldest]) }
}

extension ProtocolLog.Event: CustomStringConvertible {
    package var description: String {
        switch self {
        case .opened: "opened"
        case .remoteSelected(let address): "remote selected: \(address)"
        case .iceRestarted: "ICE restarted"
        case .candidatesAdded(let count): "candidates added: \(count)"
        case .handshakeStarted: "DTLS handshake started"
        case .connected(let profile): "connected: \(profile)"
        case .flowing: "media flows"
        case .silent: "no media for too long"
        case .verifying: "peer in doubt"
        case .unreachable: "peer unreachable"
        case .reachable: "peer reachable again"
        case .keyframeRequestSent: "keyframe request sent"
        case .keyframeRequestReceived: "keyframe request received"
        case .sinkStarted(let kind): "\(kind.rawValue) started"
        case .repairsExhausted: "too much lost to repair"
        case .discarding(let reason): "packets thrown away: \(reason)"
        case .bye: "RTCP BYE received"
        case .closed(let reason): "closed: \(reason.rawValue)"
        }
    }
}
