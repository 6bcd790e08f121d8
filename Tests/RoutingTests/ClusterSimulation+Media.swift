@testable import Routing

/// What flows, and what the workers notice of it.
extension ClusterSimulation {
    private static let step = Duration.milliseconds(100)
    static let silence = Duration.seconds(2)
    private static let unreachable = Duration.seconds(1)
    private static let verified = Duration.milliseconds(400)

    func tick() {
        time.after(Self.step) { [self] in tick() }
        if isTicking {
            for node in nodes where node.isAlive && node.router.nextDeadline.map({ $0 > now }) ?? true {
                route(node) { $0.advance(now: now) }
            }
        }
        if relays.isEmpty && !isQuiet { return }
        var (flows, media): ([String: [Publication?]], [String: [Publication?]]) = ([:], [:])
        for name in plan.broadcasts {
            flows[name] = self.flows(of: name)
            media[name] = self.flows(of: name, now: now)
        }
        for relay in relays {
            watchFromClient(relay, flows: media)
            watchFromServer(relay)
        }
        relays.removeAll { !isOpen($0) }
        check(flows)
    }

    /// The publication that comes to each node, if its publisher sends; with `now` only if he does at this moment. Without,
    /// a relay that is up and waits for the first picture to take over with counts as well: no picture is missed.
    func flows(of name: String, now: Duration? = nil) -> [Publication?] {
        flows(of: name, to: nodes.indices, now: now)
    }

    func flows(of name: String, to targets: Range<Int>, now: Duration?) -> [Publication?] {
        var known: [Publication??] = Array(repeating: nil, count: nodes.count)
        func flow(to index: Int) -> Publication? {
            if let known = known[index] { return known }
            // Whoever comes by here again meanwhile has gone round in a circle.
            known[index] = .some(nil)
            let node = nodes[index]
            guard node.isAlive else { return nil }
            var result: Publication?
            if let publishing = node.publishing[name] {
                let isSending = now.map(publishing.isSending) ?? publishing.isLive
                result = isSending ? publishing.publication : nil
            } else {
                let current = node.current[name]
                if let current, current.isOpenAtServer, canPass(current) { result = flow(to: current.server) }
                if now == nil, result == nil, let next = waiting(name, at: node) { result = flow(to: next.server) }
            }
            known[index] = .some(result)
            return result
        }
        return targets.map { flow(to: $0) }
    }

    /// The relay that is up and takes over with the first picture.
    private func waiting(_ name: String, at node: SimulatedNode) -> SimulatedRelay? {
        node.sources.values.filter { $0.name == name && $0.isConnected && $0.isOpenAtServer && canPass($0) }
            .max { $0.attempt.rawValue < $1.attempt.rawValue }
    }

    private func isOpen(_ relay: SimulatedRelay) -> Bool {
        let isClient = relay.isOpenAtClient && nodes[relay.client].life == relay.clientLife
        let isServer = relay.isOpenAtServer && nodes[relay.server].life == relay.serverLife
        return isClient || isServer
    }

    private func watchFromClient(_ relay: SimulatedRelay, flows: [String: [Publication?]]) {
        let client = nodes[relay.client]
        guard relay.isConnected, relay.isOpenAtClient, client.life == relay.clientLife else { return }
        if canPass(relay), relay.isOpenAtServer {
            relay.brokenSince = nil
            if relay.isReportedUnreachable { report(relay, isUnreachable: false) }
        } else {
            let since = relay.brokenSince ?? now
            relay.brokenSince = since
            let verified = relay.verifyAt.map { max($0, since) + Self.verified }
            let due = min(since + Self.unreachable, verified ?? since + Self.unreachable)
            if due <= now, !relay.isReportedUnreachable { report(relay, isUnreachable: true) }
            if since + Self.consent <= now { return lostAtClient(relay, inOrder: false) }
        }
        let isFlowing = client.current[relay.name] === relay && flows[relay.name]?[relay.client] != nil
        if isFlowing {
            relay.lastMedia = now
            // A worker says so with the first packet, and speaks of silence only after that.
            if !relay.hasFlowed { route(client) { $0.setSilent(false, relay.name, relay.attempt, now: now) } }
            relay.hasFlowed = true
        }
        guard relay.hasFlowed else { return }
        let isSilent = now - relay.lastMedia >= Self.silence
        guard isSilent != relay.isReportedSilent, relay.isOpenAtClient else { return }
        relay.isReportedSilent = isSilent
        note("\(client.plan.name): \(relay.name) \(isSilent ? "silent" : "flows")")
        route(client) { $0.setSilent(isSilent, relay.name, relay.attempt, now: now) }
    }

    private func report(_ relay: SimulatedRelay, isUnreachable: Bool) {
        relay.isReportedUnreachable = isUnreachable
        relay.verifyAt = nil
        note("\(nodes[relay.client].plan.name): \(relay.name) \(isUnreachable ? "unreachable" : "reachable")")
        route(nodes[relay.client]) { $0.setReachable(!isUnreachable, relay.name, relay.attempt, now: now) }
    }

    private func watchFromServer(_ relay: SimulatedRelay) {
        let (server, client) = (nodes[relay.server], nodes[relay.client])
        guard relay.isOpenAtServer, server.life == relay.serverLife else { return }
        if !relay.isConnected {
            if relay.opened + Self.halfOpen <= now { closeAtServer(relay) }
            return
        }
        let isHeard =
            relay.isOpenAtClient && client.isAlive && client.life == relay.clientLife
            && !isCut[relay.client][relay.server]
        if isHeard { relay.lastHeard = now }
        if relay.lastHeard + Self.consent <= now { forgetAtServer(relay) }
    }
}
