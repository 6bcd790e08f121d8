import Forwarding
import Logging
import MediaPlane
import Routing
import WebRTC

/// Broadcasts from other nodes. `RelayRouter` decides who is asked and which relay feeds; this is what it decides done.
extension Sessions {
    /// More broadcasts than this that nobody has announced are not being looked for at once.
    static let maximumSearches = 256

    /// A relay that a neighbour has agreed to.
    struct UpstreamRelay {
        let attempt: RelayRouter.Attempt
        let session: UpstreamSession
    }

    /// Waits until the broadcast has a source, or it is clear that there is none. Everybody who wants it meanwhile waits
    /// for the same search.
    ///
    /// Names that nobody has announced may be anybody's invention: whoever waits for one takes no place from those who wait
    /// for a broadcast that there is.
    ///
    /// - Parameter waiting: names of the nodes that wait for us to answer; empty for a person.
    func pull(
        _ name: String, waiting: [String], as purpose: SessionPurpose, from network: ClientNetwork?
    ) async throws(Refusal) {
        let isAnnounced = names[name] != nil || router.newestPublication(of: name) != nil
        if names[name] == nil { try admitBroadcast() }
        if !isAnnounced, waiters[name] == nil {
            guard searches.count < Self.maximumSearches else { throw Refusal(.waitingRequests, .full) }
        }
        var place: HeldPlace?
        if purpose == .viewer { place = try hold(isAnnounced ? .halfOpenViewers : .waitingRequests, for: network) }
        defer { withExtendedLifetime(place) {} }
        if !isAnnounced { searches.insert(name) }
        if waiters[name] == nil { beginnings[name] = .current }
        let refusal = await withCheckedContinuation { waiter in
            waiters[name, default: []].append(waiter)
            router.want(name, waiting: waiting, now: clock)
            route()
        }
        if let refusal { throw refusal }
    }

    /// Does what the router wants done, and tells those who follow us what is new. Little of it comes of the request
    /// that happens to be answered.
    func route() {
        HTTPRequestID.$current.withValue(nil) {
            var actions = router.takeActions()
            while !actions.isEmpty {
                for action in actions { perform(action) }
                actions = router.takeActions()
            }
            tellFollowers(router.takeChanges())
        }
    }

    private func perform(_ action: RelayRouter.Action) {
        switch action {
        case .ask(let name, let attempt, let neighbour, let waiting, let timeout):
            ask(neighbour, for: name, attempt, waiting: waiting, timeout: timeout)
        case .drop(_, let attempt):
            if let session = relays.first(where: { $0.value.attempt == attempt })?.key {
                abandon(session)
            }
        case .verify(_, let attempt):
            guard let session = relays.first(where: { $0.value.attempt == attempt })?.key,
                let record = sessions[session]
            else { return }
            media.workers[record.worker].send(.verify(session))
        case .settled(let name, let outcome):
            settled(name, outcome)
        case .over(let name):
            if let id = names[name] { closeBroadcast(id, reason: .sourceGone) }
        }
    }

    private func settled(_ name: String, _ outcome: RelayRouter.Outcome) {
        var refusal: Refusal?
        if case .notFound(let setback) = outcome {
            refusal = Refusal(setback)
            switch setback {
            case .notLive: break
            case .loop, .unacceptable, .unavailable:
                counters.relayFailures += 1
                complain(of: name, setback)
            }
            // Without viewers that are held there is nobody to look again for.
            if names[name] == nil { router.release(name) }
        }
        searches.remove(name)
        beginnings[name] = nil
        for waiter in waiters.removeValue(forKey: name) ?? [] { waiter.resume(returning: refusal) }
    }

    /// Once a second at most: with a dead origin every wanted broadcast is looked for again and again.
    private func mayComplain() -> Bool {
        guard clock - lastComplaint >= .seconds(1) else { return false }
        lastComplaint = clock
        return true
    }

    private func complain(of name: String, _ setback: RelayRouter.Setback) {
        guard mayComplain() else { return }
        var fields: Logger.Metadata = ["broadcast": "\(name)", "reason": "\(setback)"]
        if let request = beginnings[name] { fields["request"] = "\(request)" }
        logger.notice("relay not possible", metadata: fields)
    }

    // MARK: - Asking

    private func ask(
        _ neighbour: Neighbour, for name: String, _ attempt: RelayRouter.Attempt, waiting: [String], timeout: Duration
    ) {
        let worker = placeOfRelay(of: name)
        // The relay gets a socket of its own, whose port nobody knows before it is opened: the offer has no candidates.
        var local = localTransport(worker: worker)
        local.candidates = []
        let offer = Negotiation.offer(
            receiving: [.audio, .video], encodings: NegotiatedTrack.maximumEncodings, local: local, using: &generator)
        // Without a request it is because a source was lost, and still something to be followed from node to node.
        let request = beginnings[name] ?? .generate()
        let isCold = hasNothing(of: name)
        asks[attempt] = Task {
            let outcome = await relayClient.ask(
                neighbour, for: name, attempt, offer: offer.description, waiting: waiting, isCold: isCold,
                request: request, timeout: timeout)
            asks[attempt] = nil
            HTTPRequestID.$current.withValue(request) {
                switch outcome {
                case .answered(let upstream, let sdp, let path):
                    let answer = RelayAnswer(
                        name: name, attempt: attempt, neighbour: neighbour, upstream: upstream, sdp: sdp, path: path)
                    accept(answer, to: offer, worker: worker, local: local)
                case .refused(let setback):
                    router.refused(name, attempt, setback, now: clock)
                case .unusable(let reason):
                    refuse(name, attempt, from: neighbour.name, because: reason)
                }
            }
            route()
        }
    }

    private func hasNothing(of name: String) -> Bool {
        guard let id = names[name], case .awaited? = broadcasts[id]?.source else { return names[name] == nil }
        return true
    }

    /// Where the broadcast is, or is to be: the answer takes a while, in which others are placed.
    private func placeOfRelay(of name: String) -> Int {
        if let id = names[name], let broadcast = broadcasts[id] { return broadcast.worker }
        let worker = placement.choose(sessions: tally.byWorker)
        placement.place(on: worker)
        return worker
    }

    private struct RelayAnswer {
        var name: String
        var attempt: RelayRouter.Attempt
        var neighbour: Neighbour
        var upstream: UpstreamSession
        var sdp: String
        var path: [String]
    }

    private func accept(_ answer: RelayAnswer, to offer: SessionDescription, worker: Int, local: LocalTransport) {
        guard !stopping, router.isAsking(answer.name, answer.attempt) else {
            return sayFarewell(to: answer.upstream, broadcast: answer.name)
        }
        let agreement: Agreement
        do {
            agreement = try Negotiation.accept(answer: try SessionDescription.parse(answer.sdp), to: offer)
        } catch {
            sayFarewell(to: answer.upstream, broadcast: answer.name)
            return refuse(answer.name, answer.attempt, from: answer.upstream.node, because: "\(error)")
        }
        // `worker` was chosen for a broadcast that has been placed elsewhere meanwhile.
        if let id = names[answer.name], let existing = broadcasts[id], existing.worker != worker {
            sayFarewell(to: answer.upstream, broadcast: answer.name)
            return router.refused(answer.name, answer.attempt, .unavailable("placed elsewhere"), now: clock)
        }
        let id = broadcast(named: answer.name, formats: Negotiation.formats(of: agreement), worker: worker)
        if broadcasts[id]?.isRead == false { broadcasts[id]?.leaveAt = .now + topology.linger }
        let record = open(.upstream, on: id, listener: .internal, agreement: agreement, local: local, mids: [])
        relays[record.id] = UpstreamRelay(attempt: answer.attempt, session: answer.upstream)
        router.answered(
            answer.name, answer.attempt, path: answer.path,
            description: announcement(of: id, publication: .init(started: 0, origin: answer.neighbour.name)),
            now: clock)
    }

    private func refuse(_ name: String, _ attempt: RelayRouter.Attempt, from node: String, because reason: String) {
        if mayComplain() {
            logger.warning(
                "relay answer not usable",
                metadata: [
                    "broadcast": "\(name)", "node": "\(node)",
                    "reason": "\(QuotedText.shown(reason, atMost: 200))",
                ])
        }
        router.refused(name, attempt, .unavailable("\(node): its answer is not usable"), now: clock)
    }

    // MARK: - Life of a relay

    /// What a worker says of a session, if that is a relay of ours.
    func followRelay(_ event: Event) {
        switch event {
        case .connected(let id, _, _):
            if let (name, relay) = relay(id) { router.connected(name, relay.attempt, now: clock) }
        case .feeds(let id, _):
            if let (name, relay) = relay(id) { router.feeds(name, relay.attempt, now: clock) }
        case .flowing(let id, _):
            if let (name, relay) = relay(id) { router.setSilent(false, name, relay.attempt, now: clock) }
        case .silent(let id, _):
            if let (name, relay) = relay(id) { router.setSilent(true, name, relay.attempt, now: clock) }
        case .unreachable(let id, _), .reachable(let id, _):
            guard let (name, relay) = relay(id) else { return }
            var isReachable = false
            if case .reachable = event { isReachable = true }
            logger.notice(
                isReachable ? "relay reachable again" : "relay unreachable",
                metadata: [
                    "broadcast": "\(name)", "upstream": "\(relay.session.node)", "request": "\(relay.session.request)",
                ])
            router.setReachable(isReachable, name, relay.attempt, now: clock)
        default: return
        }
        route()
    }

    private func relay(_ id: SessionID) -> (name: String, relay: UpstreamRelay)? {
        guard let record = sessions[id], let relay = relays[id] else { return nil }
        return (record.name, relay)
    }

    /// A relay's session has ended, for whatever reason but our own wish.
    func relayLost(_ record: SessionRecord, reason: CloseReason) {
        guard let relay = relays.removeValue(forKey: record.id) else { return }
        // Its end may not have come across: the node above must not go on sending to nobody.
        if reason != .peerClosed { sayFarewell(to: relay.session, broadcast: record.name) }
        router.lost(record.name, relay.attempt, inOrder: reason == .peerClosed, now: clock)
    }

    /// Ends a relay on our side.
    private func abandon(_ session: SessionID) {
        guard let record = sessions[session] else { return }
        close(session, reason: .requested)
        guard let broadcast = broadcasts[record.broadcast] else { return }
        switch broadcast.source {
        case .live(session): broadcasts[record.broadcast]?.source = .held(until: .now + topology.hold)
        case .awaited where broadcast.candidate == nil:
            broadcasts[record.broadcast]?.source = .held(until: .now + topology.hold)
        case .live, .held, .awaited: break
        }
    }

    /// A session that was closed on our side: if it was a relay, its other end hears of it.
    func forgetRelay(_ id: SessionID, of name: String) {
        guard let relay = relays.removeValue(forKey: id) else { return }
        sayFarewell(to: relay.session, broadcast: name)
    }

    /// Tells the node above that we are done, without making anybody wait for it.
    func sayFarewell(to upstream: UpstreamSession, broadcast: String) {
        guard farewells.count < Self.maximumFarewells else { return }
        let key = identifier()
        farewells[key] = Task {
            await relayClient.close(upstream, broadcast: broadcast)
            farewells[key] = nil
        }
    }

    /// More than this are not said at once: the other end notices without them, only later.
    private static let maximumFarewells = 1_024
}

extension Refusal {
    init(_ setback: RelayRouter.Setback) {
        switch setback {
        case .notLive(let retryAfter): self = .notLive(retryAfter: retryAfter)
        case .loop: self = .loop
        case .unacceptable, .unavailable: self = .noOrigin
        }
    }
}
