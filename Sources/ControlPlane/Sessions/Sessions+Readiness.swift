/// What this node says of itself.
extension Sessions {
    /// Whether it should get traffic, as far as the table can tell. Whether a node above answers, the directory knows.
    package var readiness: Readiness {
        let limits = topology.limits
        var readiness = Readiness()
        readiness.isDraining = draining
        if tally.count(.viewer) >= limits.viewers {
            readiness.reachedLimit = "viewers"
        } else if tally.all >= limits.sessions {
            readiness.reachedLimit = "sessions"
        } else if tally.opening.values.contains(where: { $0 >= limits.sessionsHalfOpen }) {
            readiness.reachedLimit = "sessions_half_open"
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
