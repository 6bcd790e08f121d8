/// Which node somebody is sent to instead of this one.
package enum Alternatives {
    /// Ready nodes other than this one that take clients of a kind (`viewer` or `publisher`), the best first.
    package typealias Source = @Sendable (SessionPurpose) async -> [NodeFacts]

    /// Of `nodes`, best first, those of `region` take turns; without any, those of the best one's region.
    package static func choose(among nodes: [NodeFacts], region: String, turn: Int) -> NodeFacts? {
        guard let best = nodes.first else { return nil }
        let chosen = nodes.contains { $0.region == region } ? region : best.region
        let candidates = nodes.filter { $0.region == chosen }
        return candidates[turn % candidates.count]
    }

    /// What the topology alone says: whether those nodes are ready, or there at all, it does not know.
    package static func listed(in topology: Topology, besides node: Topology.Node) -> Source {
        { purpose in
            let others = topology.nodes.filter { other in
                other.name != node.name && (purpose == .publisher ? other.role == .origin : other.viewers)
            }
            let near = others.filter { $0.region == node.region }
            let far = others.filter { $0.region != node.region }
            return (near + far).map { other in
                NodeFacts(
                    node: other.name, role: other.role.rawValue, region: other.region, url: other.publicListener.url,
                    viewers: other.viewers, ready: true, draining: false, load: 0)
            }
        }
    }
}
