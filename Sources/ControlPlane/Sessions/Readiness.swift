package import Routing

/// Whether this node should get traffic, and if not, why: what `GET /readyz` answers. A plain value; its owner sets the
/// facts, `state` draws the conclusion.
package struct Readiness: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        case ready
        case draining
        /// An edge that reaches none of its upstreams.
        case noOriginReachable
        /// The named limit of `limits` is reached.
        case overloaded(limit: String)
    }

    package var isDraining = false
    /// Always true on an origin.
    package var originReachable = true
    /// The key of the limit that is reached, as in the topology.
    package var reachedLimit: String?

    package init() {}

    package var state: State {
        if isDraining { return .draining }
        if !originReachable { return .noOriginReachable }
        return reachedLimit.map { .overloaded(limit: $0) } ?? .ready
    }

    /// 200 or 503.
    package var status: Int { state == .ready ? 200 : 503 }

    /// Why not; nil: ready.
    package var obstacle: (reason: String, detail: String)? {
        switch state {
        case .ready: nil
        case .draining: ("draining", "the node takes no new sessions")
        case .noOriginReachable: ("no_origin_reachable", "no upstream answers")
        case .overloaded(let limit): ("overloaded", "limit \(limit) is reached")
        }
    }

    /// The body of `/readyz`.
    package struct Answer: Encodable, Sendable {
        package var facts: NodeFacts
        /// nil when ready.
        package var reason: String?
        package var detail: String?

        private enum CodingKeys: String, CodingKey {
            case reason, detail
        }

        package func encode(to encoder: any Encoder) throws {
            try facts.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encodeIfPresent(reason, forKey: .reason)
            try container.encodeIfPresent(detail, forKey: .detail)
        }
    }

    package func answer(with facts: NodeFacts) -> Answer {
        Answer(facts: facts, reason: obstacle?.reason, detail: obstacle?.detail)
    }
}
