import WebRTC

@testable import Routing

/// Relay requests, and the table of sessions as far as it matters here.
extension ClusterSimulation {
    static let hold = Duration.seconds(30)
    static let linger = Duration.seconds(10)
    static let consent = Duration.seconds(30)
    /// A session that does not get connected is closed by its server.
    static let halfOpen = Duration.seconds(10)
    /// A relay that brings nothing takes over after this from one that brings nothing either.
    private static let idle = Duration.seconds(2)

    func perform(_ action: RelayRouter.Action, at node: SimulatedNode) {
        switch action {
        case .ask(let name, let attempt, let neighbour, let waiting, let timeout):
            ask(node, name, attempt, neighbour, waiting, timeout)
        case .drop(let name, let attempt):
            guard let relay = node.sources[attempt] else { return }
            closeAtClient(relay)
            if node.current[name] === relay {
                node.current[name] = nil
                hold(node, name)
            }
        case .verify(_, let attempt):
            node.sources[attempt]?.verifyAt = now
        case .settled(let name, let outcome):
            settled(node, name, outcome)
        case .over(let name):
            closeBroadcast(node, name)
        }
    }

    // MARK: - Asking

    private func ask(
        _ node: SimulatedNode, _ name: String, _ attempt: RelayRouter.Attempt, _ neighbour: Neighbour,
        _ waiting: [String], _ timeout: Duration
    ) {
        guard let target = indexes[neighbour.id] else { return fail("\(neighbour) is asked, who is nobody") }
        if timeout <= .zero || waiting.last != node.plan.name { fail("\(node.plan.name) asks in a wrong way") }
        node.asks[attempt] = name
        let request = SimulatedNode.Request(
            name: name, attempt: attempt, client: node.index, clientLife: node.life, waiting: waiting)
        at(node, after: timeout) { [self] in
            guard node.asks.removeValue(forKey: attempt) != nil else { return }
            refused(node, name, attempt, .unavailable("timeout"), by: target)
        }
        transmit(between: node.index, target) { [self] in
            if nodes[request.client].life == request.clientLife { receive(request, at: nodes[target]) }
        }
    }

    private func refused(
        _ node: SimulatedNode, _ name: String, _ attempt: RelayRouter.Attempt, _ setback: RelayRouter.Setback,
        by target: Int
    ) {
        if case .unavailable = setback { doubt(node, target) }
        route(node) { $0.refused(name, attempt, setback, now: now) }
    }

    private func receive(_ request: SimulatedNode.Request, at server: SimulatedNode) {
        guard server.isAlive else { return refuse(request, from: server, .unavailable("connection refused")) }
        if server.isDraining, !isWatchable(server, request.name) {
            return refuse(request, from: server, .unavailable("draining"))
        }
        if let setback = server.router.objection(to: request.waiting, for: request.name) {
            return refuse(request, from: server, setback)
        }
        if isWatchable(server, request.name) { return accept(request, at: server) }
        if server.plan.isOrigin { return refuse(request, from: server, .notLive(retryAfter: 2)) }
        server.requests.append(request)
        route(server) { $0.want(request.name, waiting: request.waiting, now: now) }
    }

    func isWatchable(_ node: SimulatedNode, _ name: String) -> Bool {
        if node.plan.isOrigin { return node.publishing[name]?.isOpen == true }
        guard node.router.canServe(name, now: now) else { return false }
        return node.current[name] != nil || node.sources.values.contains { $0.name == name && $0.isOpenAtClient }
    }

    private func refuse(_ request: SimulatedNode.Request, from server: SimulatedNode, _ setback: RelayRouter.Setback) {
        answer(request, from: server) { [self] client in
            guard client.asks.removeValue(forKey: request.attempt) != nil else { return }
            refused(client, request.name, request.attempt, setback, by: server.index)
        }
    }

    /// Something comes back to the node that asked, if packets pass.
    private func answer(
        _ request: SimulatedNode.Request, from server: SimulatedNode, _ body: @escaping (SimulatedNode) -> Void
    ) {
        let client = nodes[request.client]
        transmit(between: client.index, server.index) {
            if client.isAlive, client.life == request.clientLife { body(client) }
        }
    }

    private func accept(_ request: SimulatedNode.Request, at server: SimulatedNode) {
        let formers = server.served.filter { $0.client == request.client && $0.name == request.name }
        // What was long on its way does not end what came of a later request.
        let isStale = formers.contains {
            $0.clientLife == request.clientLife && $0.attempt.rawValue > request.attempt.rawValue
        }
        if isStale { return refuse(request, from: server, .unavailable("a later request was answered")) }
        for former in formers { closeAtServer(former) }
        let relay = SimulatedRelay(
            name: request.name, attempt: request.attempt, client: request.client, clientLife: request.clientLife,
            server: server.index, serverLife: server.life, now: now)
        relay.isOpenAtClient = false
        relays.append(relay)
        server.served.append(relay)
        let path = server.router.path(of: request.name)
        answer(request, from: server) { [self] client in
            relay.isOpenAtClient = true
            client.sources[request.attempt] = relay
            let isLate = client.asks.removeValue(forKey: request.attempt) == nil
            if !isLate, client.heldUntil[request.name] == nil { hold(client, request.name) }
            route(client) { $0.answered(request.name, request.attempt, path: path, now: now) }
            connect(relay, after: latency(relay.client, relay.server) * 3)
        }
    }

    private func connect(_ relay: SimulatedRelay, after delay: Duration) {
        at(nodes[relay.client], after: delay) { [self] in
            guard relay.isOpenAtClient else { return }
            guard canPass(relay), relay.isOpenAtServer else { return connect(relay, after: .milliseconds(500)) }
            relay.isConnected = true
            route(nodes[relay.client]) { $0.connected(relay.name, relay.attempt, now: now) }
            takeOver(relay, since: now)
        }
    }

    /// With its first media; without any if nobody is there to take over from, or if neither brings anything for a while.
    private func takeOver(_ relay: SimulatedRelay, since: Duration) {
        let client = nodes[relay.client]
        guard relay.isOpenAtClient, client.life == relay.clientLife else { return }
        let former = client.current[relay.name].flatMap { $0.isReportedUnreachable ? nil : $0 }
        let isIdle = former?.isSending != true && since + Self.idle <= now
        guard former == nil || isIdle || isBringing(relay) else {
            return time.after(.milliseconds(50)) { [self] in takeOver(relay, since: since) }
        }
        let replaced = client.current[relay.name]
        relay.lastMedia = now
        client.current[relay.name] = relay
        client.heldUntil[relay.name] = .some(nil)
        if let replaced, replaced !== relay { closeAtClient(replaced) }
        note("\(client.plan.name) fed by \(nodes[relay.server].plan.name) (\(relay.name))")
        route(client) { $0.feeds(relay.name, relay.attempt, now: now) }
    }

    private func isBringing(_ relay: SimulatedRelay) -> Bool {
        canPass(relay) && flows(of: relay.name, to: relay.server..<relay.server + 1, now: now) != [nil]
    }

    func canPass(_ relay: SimulatedRelay) -> Bool {
        let server = nodes[relay.server]
        return !isCut[relay.client][relay.server] && server.isAlive && server.life == relay.serverLife
    }

    // MARK: - Settling

    private func settled(_ node: SimulatedNode, _ name: String, _ outcome: RelayRouter.Outcome) {
        if case .notFound = outcome, node.heldUntil[name] == nil { node.router.release(name) }
        let requests = node.requests.filter { $0.name == name }
        node.requests.removeAll { $0.name == name }
        for request in requests {
            switch outcome {
            case .notFound(let setback): refuse(request, from: node, setback)
            case .fed: settle(request, at: node)
            }
        }
        for viewer in (node.hoping.removeValue(forKey: name) ?? []).sorted() {
            answer(viewer, isFed: outcome == .fed, at: node)
        }
    }

    /// The one who waited gets what he gets if he came now.
    private func settle(_ request: SimulatedNode.Request, at node: SimulatedNode) {
        if let setback = node.router.objection(to: request.waiting, for: request.name) {
            refuse(request, from: node, setback)
        } else if isWatchable(node, request.name) {
            accept(request, at: node)
        } else {
            refuse(request, from: node, .notLive(retryAfter: 2))
        }
    }

    // MARK: - Ends

    /// Held without a source, for a while.
    func hold(_ node: SimulatedNode, _ name: String) {
        let end = now + Self.hold
        node.heldUntil[name] = .some(end)
        at(node, after: Self.hold) { [self] in
            if node.heldUntil[name] == .some(.some(end)) { closeBroadcast(node, name) }
        }
        lingerIfUnused(node, name)
    }

    /// A broadcast that nobody uses is given up.
    func lingerIfUnused(_ node: SimulatedNode, _ name: String) {
        guard !node.plan.isOrigin, node.heldUntil[name] != nil, !node.isUsed(name) else { return }
        let turn = node.lingering[name, default: 0] + 1
        node.lingering[name] = turn
        at(node, after: Self.linger) { [self] in
            if node.lingering[name] == turn, !node.isUsed(name) { closeBroadcast(node, name) }
        }
    }

    /// Ends a broadcast with everything on it.
    func closeBroadcast(_ node: SimulatedNode, _ name: String) {
        note("\(node.plan.name) closes \(name)")
        node.heldUntil[name] = nil
        node.lingering[name, default: 0] += 1
        for relay in node.served where relay.name == name { closeAtServer(relay) }
        let sources = node.sources.values.filter { $0.name == name }
        for relay in sources.sorted(by: { $0.attempt.rawValue < $1.attempt.rawValue }) { closeAtClient(relay) }
        node.current[name] = nil
        for viewer in (node.watching.removeValue(forKey: name) ?? []).sorted() { retry(viewer) }
        let isWaitedFor = node.hoping[name] != nil || node.requests.contains { $0.name == name }
        route(node) { router in
            router.setOwn(nil, for: name, now: now)
            if !isWaitedFor { router.release(name) }
        }
    }

    /// The client is done with it, and says so.
    func closeAtClient(_ relay: SimulatedRelay) {
        guard relay.isOpenAtClient else { return }
        relay.isOpenAtClient = false
        nodes[relay.client].sources[relay.attempt] = nil
        guard relay.isOpenAtServer, canPass(relay) else { return }
        time.after(latency(relay.client, relay.server)) { [self] in forgetAtServer(relay) }
    }

    /// The server ends it, and says so.
    func closeAtServer(_ relay: SimulatedRelay) {
        forgetAtServer(relay)
        guard !isCut[relay.client][relay.server] else { return }
        time.after(latency(relay.client, relay.server)) { [self] in lostAtClient(relay, inOrder: true) }
    }

    func forgetAtServer(_ relay: SimulatedRelay) {
        guard relay.isOpenAtServer else { return }
        relay.isOpenAtServer = false
        let server = nodes[relay.server]
        guard server.life == relay.serverLife else { return }
        server.served.removeAll { $0 === relay }
        if server.isAlive { lingerIfUnused(server, relay.name) }
    }

    func lostAtClient(_ relay: SimulatedRelay, inOrder: Bool) {
        let client = nodes[relay.client]
        guard relay.isOpenAtClient, client.isAlive, client.life == relay.clientLife else { return }
        note("\(client.plan.name) loses \(relay.name) from \(nodes[relay.server].plan.name), in order \(inOrder)")
        relay.isOpenAtClient = false
        client.sources[relay.attempt] = nil
        if !inOrder, canPass(relay) {
            time.after(latency(relay.client, relay.server)) { [self] in forgetAtServer(relay) }
        }
        if client.current[relay.name] === relay {
            client.current[relay.name] = nil
            hold(client, relay.name)
        }
        route(client) { $0.lost(relay.name, relay.attempt, inOrder: inOrder, now: now) }
    }
}
