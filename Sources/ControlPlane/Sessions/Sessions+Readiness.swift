package import Routing

/// What this node says of itself.
extension Sessions {
    /// Whether it should get traffic, as far as the table can tell. Whether a node above answers, the directory knows.
    package var readiness: Readiness {
        let limits = topology.limits
        var readiness = Readiness()
        readiness.isDraining = draining
        // Whoever sends offers and nothing else must not take the node out of a load balancer: half-open viewers do not
        // count.
        let halfOpen = tally.opening[.viewer, default: 0]
        if tally.count(.viewer) - halfOpen >= limits.viewers {
            readiness.reachedLimit = "viewers"
        } else if tally.all - halfOpen >= limits.sessions {
            readiness.reachedLimit = "sessions"
        }
        return readiness
    }

    package func facts(_ readiness: Readiness) -> NodeFacts {
        NodeFacts(
            node: node.name, role: node.role.rawValue, region: node.region, url: node.publicListener.url,
            viewers: node.viewers, ready: readiness.state == .ready, draining: readiness.isDraining,
            load: min(1, Double(tally.count(.viewer)) / Double(max(1, topology.limits.viewers))),
            instance: instance)
    }
}
