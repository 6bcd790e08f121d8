/// Whether this node should get traffic, and if not, why: what `GET /readyz` answers. A plain value; its owner sets the
/// facts, `state` draws the conclusion.
package struct Readiness: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        case ready
        /// Listeners or workers are not up yet.
        case starting
        case draining
        /// An edge that reaches none of its upstreams.
        case noOriginReachable
        /// The named limit of `limits` is reached.
        case overloaded(limit: String)
    }

    package var isStarted = false
    package var isDraining = false
    /// Always true on an origin.
    package var originReachable = true
    /// The key of the limit that is reached, as in the topology.
    package var reachedLimit: String?

    package init() {}

    package var state: State {
        if !isStarted { return .starting }
        if isDraining { return .draining }
        if !originReachable { return .noOriginReachable }
        return reachedLimit.map { .overloaded(limit: $0) } ?? .ready
    }

    /// 200 or 503.
    package var status: Int { state == .ready ? 200 : 503 }

    /// The body, `application/json`.
    package var json: String {
        switch state {
        case .ready: #"{"ready":true}"#
        case .starting: Self.notReady("starting", "listeners or media workers are not up yet")
        case .draining: Self.notReady("draining", "the node takes no new sessions")
        case .noOriginReachable: Self.notReady("no_origin_reachable", "no upstream answers")
        case .overloaded(let limit): Self.notReady("overloaded", "limit \(StructuredLog.escaped(limit)) is reached")
        }
    }

    private static func notReady(_ reason: String, _ detail: String) -> String {
        #"{"ready":false,"reason":"\#(reason)","detail":"\#(detail)"}"#
    }
}
