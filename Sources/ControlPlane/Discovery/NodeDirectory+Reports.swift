package import Routing

/// What others ask.
extension NodeDirectory {
    /// nil: no such node is known.
    package func internalURL(of name: String) -> String? { entries.values.first { $0.name == name }?.url }

    /// One of the nodes above has answered lately.
    package var isAnyReachable: Bool {
        entries.values.contains { $0.kind == .above && $0.health.isReachable && $0.facts?.node != node.name }
    }

    /// Nodes above, best first; then peers and others by name.
    package var observations: [Observation] {
        let rest = entries.values.filter { $0.kind != .above }.sorted { $0.name < $1.name }
        return (ordered() + rest.filter { $0.kind == .peer } + rest.filter { $0.kind == .other }).map(\.observation)
    }

    /// Pairs of processes with one name that were found so far.
    package var nameConflicts: UInt64 { claims.count }

    /// Two processes have this name, as far as is known now.
    package func isContested(_ name: String) -> Bool { claims.isContested(name, now: now) }

    package func snapshot() -> Counters {
        var result = counters
        for state in UpstreamHealth.State.allCases {
            result.states[state] = entries.values.count { $0.kind == .above && $0.health.state == state }
        }
        for stream in streams where stream.value.isUp {
            result.streams[entries[stream.key]?.kind ?? .other, default: 0] += 1
            result.announcements += stream.value.names.count
        }
        return result
    }

    /// Nodes above, by state; then as the topology lists them; then DNS priority, this node's own region, and
    /// round-trip time in steps, so that noise changes nothing. Without addresses that turned out to be this node's.
    func ordered() -> [DirectoryEntry] {
        let mine = node.region
        let key = { (entry: DirectoryEntry) -> (UpstreamHealth.State, Int, Int, Int, Int) in
            let state = max(entry.health.state, entry.isHinted ? .up : .suspect)
            return (state, entry.order, entry.priority, entry.region == mine ? 0 : 1, entry.steps)
        }
        return entries.values.filter { $0.kind == .above && ($0.listed != nil || $0.facts?.node != node.name) }
            .map { (key($0), $0) }
            .sorted { $0.0 != $1.0 ? $0.0 < $1.0 : $0.1.position < $1.1.position }.map(\.1)
    }

    // MARK: - Where else to go

    package enum Audience: Sendable {
        case viewers, publishers
    }

    /// Ready nodes that take what this one does not, best first: its region, then the nearest, then the least loaded.
    package func alternatives(for audience: Audience) -> [NodeFacts] {
        let all = entries.values.compactMap(\.publicFacts).filter { facts in
            facts.ready && facts.node != node.name && !facts.url.isEmpty
                && (audience == .viewers ? facts.viewers : facts.role == Topology.Role.origin.rawValue)
        }
        var seen: Set<String> = []
        let sorted = topology.sorted(all, near: node.region).filter { seen.insert($0.node).inserted }
        guard audience == .viewers else { return sorted }
        // An edge has every broadcast, an origin only its own.
        let edges = sorted.filter { $0.role == Topology.Role.edge.rawValue }
        return edges.isEmpty ? sorted : edges
    }

    /// The public URL of an origin for a publisher; nil: none is known.
    ///
    /// - Parameter preferring: the node that has the publisher's broadcast. It is taken unless it cannot.
    package func origin(preferring: String?) -> String? {
        let ready = alternatives(for: .publishers)
        if let preferring {
            if let known = ready.first(where: { $0.node == preferring }) { return known.url }
            // Not asked yet how it is.
            if let entry = entries.values.first(where: { $0.name == preferring }), entry.health.roundTrip == nil,
                entry.health.state != .down, let facts = entry.publicFacts, facts.role == Topology.Role.origin.rawValue,
                !facts.url.isEmpty
            {
                return facts.url
            }
        }
        if let best = ready.first { return best.url }
        if let listed = topology.listedOrigin(above: node) { return listed.publicListener.url }
        let known = entries.values.compactMap(\.publicFacts)
            .filter { $0.role == Topology.Role.origin.rawValue && !$0.url.isEmpty }
        return topology.sorted(known, near: node.region).first?.url
    }
}

extension Topology {
    /// Nodes of `region` first, then by distance, by load, and by name.
    fileprivate func sorted(_ nodes: [NodeFacts], near region: String) -> [NodeFacts] {
        let here = self.region(named: region)?.location
        let key = { (facts: NodeFacts) -> (Double, Double, String) in
            if facts.region == region { return (-1, facts.load, facts.node) }
            guard let here, let there = self.region(named: facts.region)?.location else {
                return (.infinity, facts.load, facts.node)
            }
            return (here.distance(to: there), facts.load, facts.node)
        }
        return nodes.map { (key($0), $0) }.sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// The first origin among the nodes above `node`, however far.
    fileprivate func listedOrigin(above node: Node) -> Node? {
        var seen: Set<String> = [node.name]
        var next = [node]
        while !next.isEmpty {
            let current = next.removeFirst()
            if current.role == .origin { return current }
            for name in current.upstream.nodes where seen.insert(name).inserted {
                if let above = self.node(named: name) { next.append(above) }
            }
        }
        return nil
    }
}
