import WebRTC

@testable import Routing

/// What happens to a cluster.
extension ClusterSimulation {
    enum Fault: CaseIterable {
        case cut, heal, isolate, partition, kill, restart, publisher, publication, drain
    }

    private var origins: [SimulatedNode] { nodes.filter(\.plan.isOrigin) }

    /// Faults at random moments until then.
    func disturb(until end: Duration) {
        let pause = random(.milliseconds(50), .seconds(3))
        guard now + pause < end else { return }
        time.after(pause) { [self] in
            if let fault = Fault.allCases.randomElement(using: &random) { perform(fault) }
            disturb(until: end)
        }
    }

    private func perform(_ fault: Fault) {
        lastFault = now
        guard let node = nodes.randomElement(using: &random) else { return }
        switch fault {
        case .cut:
            if let other = node.watched.randomElement(using: &random) { cut(node.index, other.index) }
        case .heal:
            let broken = nodes.indices.flatMap { a in nodes.indices.filter { a < $0 && isCut[a][$0] }.map { (a, $0) } }
            for (a, b) in broken where Bool.random(using: &random) { heal(a, b) }
        case .isolate:
            for other in nodes where Int.random(in: 0..<4, using: &random) > 0 { cut(node.index, other.index) }
        case .partition:
            let region = node.plan.region
            for a in nodes where a.plan.region == region {
                for b in nodes where b.plan.isOrigin && b.plan.region != region { cut(a.index, b.index) }
            }
        case .kill:
            if node.isAlive { kill(node) }
        case .restart:
            for dead in nodes where !dead.isAlive { restart(dead) }
        case .publisher:
            guard let name = plan.broadcasts.randomElement(using: &random) else { return }
            let live = origins.filter { $0.publishing[name]?.isLive == true }
            if let origin = live.randomElement(using: &random) {
                endPublication(name, at: origin, inOrder: Bool.random(using: &random))
            } else if let origin = origins.filter(\.isAlive).randomElement(using: &random) {
                publish(name, at: origin)
            }
        case .publication:
            // Perhaps besides one that is live.
            if let name = plan.broadcasts.randomElement(using: &random),
                let origin = origins.filter(\.isAlive).randomElement(using: &random)
            {
                publish(name, at: origin)
            }
        case .drain:
            if node.isAlive { setDraining(!node.isDraining, node) }
        }
    }

    /// The last of the faults leaves somebody to publish what nobody publishes, and now and then a cluster in order.
    func settleDown() {
        lastFault = now
        if Int.random(in: 0..<3, using: &random) == 0 { mend() }
        for name in plan.broadcasts where Int.random(in: 0..<5, using: &random) > 0 { revive(name) }
    }

    /// Everything works again.
    func mend() {
        for a in nodes.indices { for b in nodes.indices where a < b { heal(a, b) } }
        for node in nodes {
            if !node.isAlive { restart(node) }
            if node.isDraining { setDraining(false, node) }
        }
    }

    func revive(_ name: String) {
        guard !origins.contains(where: { $0.publishing[name]?.isLive == true }) else { return }
        if let origin = origins.filter(\.isAlive).randomElement(using: &random) { publish(name, at: origin) }
    }

    func cut(_ a: Int, _ b: Int) {
        guard a != b, !isCut[a][b] else { return }
        note("CUT \(nodes[a].plan.name) \(nodes[b].plan.name)")
        (isCut[a][b], isCut[b][a]) = (true, true)
        cuts[a][b] += 1
        cuts[b][a] = cuts[a][b]
        cutAt[a * nodes.count + b] = now
        cutAt[b * nodes.count + a] = now
        starveStreams(between: a, b)
    }

    func heal(_ a: Int, _ b: Int) {
        guard isCut[a][b] else { return }
        note("HEAL \(nodes[a].plan.name) \(nodes[b].plan.name)")
        (isCut[a][b], isCut[b][a]) = (false, false)
        reviveStreams(between: a, b, outage: now - (cutAt[a * nodes.count + b] ?? now))
    }

    func restart(_ node: SimulatedNode) {
        note("RESTART \(node.plan.name)")
        start(node)
        for (follower, _) in followers[node.index] { resumeProbes(nodes[follower], of: node.index) }
    }

    func setDraining(_ isDraining: Bool, _ node: SimulatedNode) {
        note("\(node.plan.name) drains: \(isDraining)")
        node.isDraining = isDraining
        tellFollowersOfReadiness(node)
    }
}
