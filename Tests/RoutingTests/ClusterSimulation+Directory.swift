import WebRTC

@testable import Routing

/// What every node's directory does: probes, and streams of announcements.
extension ClusterSimulation {
    static let heartbeatTimeout = Duration.seconds(2)

    // MARK: - Probes

    func probe(_ node: SimulatedNode, _ watched: SimulatedNode.Watched) {
        guard !watched.isBeingProbed else { return }
        watched.isBeingProbed = true
        at(node, after: max(.zero, watched.health.nextProbe - now)) { [self] in
            let there = nodes[watched.index]
            let roundTrip = latency(node.index, there.index) * 2
            if isCut[node.index][there.index] {
                at(node, after: .seconds(1)) { [self] in probed(node, watched, .silent) }
            } else {
                at(node, after: roundTrip) { [self] in
                    let isAnswered = there.isAlive && !isCut[node.index][there.index]
                    if isAnswered { say(node, watched, isReady: !there.isDraining) }
                    probed(
                        node, watched,
                        !isAnswered
                            ? .silent
                            : there.isDraining ? .notReady(roundTrip: roundTrip) : .ready(roundTrip: roundTrip))
                }
            }
        }
    }

    private func probed(_ node: SimulatedNode, _ watched: SimulatedNode.Watched, _ outcome: UpstreamHealth.Outcome) {
        watched.isBeingProbed = false
        let isAlone = !node.watched.contains { $0 !== watched && $0.health.isReachable }
        watched.health.record(
            outcome, now: now, isAlone: isAlone, jitter: Double.random(in: 0...1, using: &random))
        tellNeighbours(node)
        // As long as nothing happens to the neighbour or the link the next probe says the same.
        if watched.health.state != .up { probe(node, watched) }
    }

    /// Something has happened to the neighbour or the link: the probes that were left out go on.
    func resumeProbes(_ node: SimulatedNode, of other: Int) {
        for watched in node.watched where watched.index == other && !watched.isBeingProbed {
            at(node, after: random(.zero, .milliseconds(1_250))) { [self] in probe(node, watched) }
        }
    }

    func doubt(_ node: SimulatedNode, _ other: Int) {
        for watched in node.watched where watched.index == other {
            watched.health.doubt(now: now)
            probe(node, watched)
        }
        tellNeighbours(node)
    }

    private func say(_ node: SimulatedNode, _ watched: SimulatedNode.Watched, isReady: Bool) {
        guard watched.isReady != isReady else { return }
        watched.isReady = isReady
        tellNeighbours(node)
    }

    /// Tells the router, if anything in the list has changed.
    func tellNeighbours(_ node: SimulatedNode) {
        let sorted = node.watched.enumerated().sorted {
            ($0.element.health.state, $0.offset) < ($1.element.health.state, $1.offset)
        }
        let list = sorted.map { _, watched in
            let plan = nodes[watched.index].plan
            return Neighbour(
                id: plan.url, name: plan.name, kind: watched.kind, state: watched.health.state,
                isReady: watched.isReady)
        }
        guard list != node.lastNeighbours else { return }
        node.lastNeighbours = list
        route(node) { $0.apply(.neighbours(list), now: now) }
    }

    // MARK: - Streams

    /// Connects, asks, gets the snapshot.
    func follow(_ node: SimulatedNode, _ watched: SimulatedNode.Watched) {
        watched.epoch += 1
        (watched.isFollowed, watched.servedBy, watched.held) = (false, nil, [])
        let epoch = watched.epoch
        let there = nodes[watched.index]
        at(node, after: latency(node.index, there.index) * 3) { [self] in
            guard watched.epoch == epoch else { return }
            guard !isCut[node.index][there.index] else {
                return at(node, after: .seconds(1)) { [self] in followAgain(node, watched, epoch) }
            }
            guard there.isAlive else { return followAgain(node, watched, epoch) }
            watched.servedBy = there.life
            deliver(.snapshot(there.plan.url, there.router.announcements), node, watched)
        }
    }

    private func followAgain(_ node: SimulatedNode, _ watched: SimulatedNode.Watched, _ epoch: Int) {
        guard watched.epoch == epoch else { return }
        watched.epoch += 1
        let again = watched.epoch
        let pause = watched.backOff * Double.random(in: 0.5...1, using: &random)
        watched.backOff = min(watched.backOff * 2, .seconds(2))
        at(node, after: pause) { [self] in
            if watched.epoch == again { follow(node, watched) }
        }
    }

    /// In order; while the link is cut it stays under way.
    private func deliver(
        _ event: DirectoryEvent, _ node: SimulatedNode, _ watched: SimulatedNode.Watched, late: Duration = .zero
    ) {
        guard !isCut[node.index][watched.index] else { return watched.held.append(event) }
        let epoch = watched.epoch
        watched.busyUntil = max(watched.busyUntil, now + late + latency(node.index, watched.index))
        at(node, after: watched.busyUntil - now) { [self] in
            guard watched.epoch == epoch else { return }
            if case .snapshot = event {
                (watched.isFollowed, watched.backOff) = (true, .milliseconds(100))
                say(node, watched, isReady: !nodes[watched.index].isDraining)
            }
            route(node) { $0.apply(event, now: now) }
        }
    }

    func tellFollowers(of node: SimulatedNode, _ changes: [RelayRouter.Change]) {
        guard !changes.isEmpty else { return }
        for change in changes {
            note("\(node.plan.name) says \(Self.brief(change))")
            for (index, entry) in followers[node.index] {
                let follower = nodes[index]
                guard follower.isAlive, follower.watched[entry].servedBy == node.life else { continue }
                switch change {
                case .announce(let announcement):
                    deliver(.announced(node.plan.url, announcement), follower, follower.watched[entry])
                case .withdraw(let name):
                    deliver(.withdrawn(node.plan.url, broadcast: name), follower, follower.watched[entry])
                }
            }
        }
    }

    private static func brief(_ change: RelayRouter.Change) -> String {
        switch change {
        case .announce(let said): "\(said.name) of \(said.publication.started) by \(said.path.joined(separator: ">"))"
        case .withdraw(let name): "no \(name)"
        }
    }

    func tellFollowersOfReadiness(_ node: SimulatedNode) {
        let isReady = !node.isDraining
        for (index, entry) in followers[node.index] {
            let follower = nodes[index]
            let watched = follower.watched[entry]
            resumeProbes(follower, of: node.index)
            guard follower.isAlive, watched.servedBy == node.life, !isCut[index][node.index] else { continue }
            at(follower, after: latency(index, node.index)) { [self] in say(follower, watched, isReady: isReady) }
        }
    }

    // MARK: - What breaks them

    private func lose(_ node: SimulatedNode, _ watched: SimulatedNode.Watched) {
        let wasFollowed = watched.isFollowed
        watched.isFollowed = false
        watched.servedBy = nil
        followAgain(node, watched, watched.epoch)
        if wasFollowed { route(node) { $0.apply(.lost(nodes[watched.index].plan.url), now: now) } }
    }

    /// Its process has ended: connections are reset where packets pass.
    func breakStreams(from dead: SimulatedNode) {
        for (index, entry) in followers[dead.index] where nodes[index].isAlive {
            let watched = nodes[index].watched[entry]
            resumeProbes(nodes[index], of: dead.index)
            let epoch = watched.epoch
            guard watched.servedBy != nil, !isCut[index][dead.index] else { continue }
            at(nodes[index], after: latency(index, dead.index)) { [self] in
                if watched.epoch == epoch { lose(nodes[index], watched) }
            }
        }
    }

    /// Nothing passes any more; it is noticed by the missing heartbeat.
    func starveStreams(between a: Int, _ b: Int) {
        for (here, there) in [(a, b), (b, a)] where nodes[here].isAlive {
            resumeProbes(nodes[here], of: there)
            for watched in nodes[here].watched where watched.index == there && watched.servedBy != nil {
                let (epoch, cut) = (watched.epoch, cuts[a][b])
                at(nodes[here], after: Self.heartbeatTimeout + latency(a, b)) { [self] in
                    if watched.epoch == epoch, cuts[a][b] == cut, isCut[a][b] { lose(nodes[here], watched) }
                }
            }
        }
    }

    /// Packets pass again: what was sent is sent again, when its timer says so.
    func reviveStreams(between a: Int, _ b: Int, outage: Duration) {
        for (here, there) in [(a, b), (b, a)] where nodes[here].isAlive {
            resumeProbes(nodes[here], of: there)
            for watched in nodes[here].watched where watched.index == there && watched.servedBy != nil {
                let late = random(.zero, min(outage, .milliseconds(1_500)))
                let epoch = watched.epoch
                if !nodes[there].isAlive || watched.servedBy != nodes[there].life {
                    at(nodes[here], after: late + latency(a, b)) { [self] in
                        if watched.epoch == epoch { lose(nodes[here], watched) }
                    }
                } else {
                    let held = watched.held
                    watched.held = []
                    for event in held { deliver(event, nodes[here], watched, late: late) }
                }
            }
        }
    }
}
