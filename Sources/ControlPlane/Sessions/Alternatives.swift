package import Routing

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
}
