import Forwarding
package import Logging
package import MediaPlane
package import WebRTC

/// The node's one table of broadcasts and sessions.
///
/// Signalling calls in, worker events come in through `apply`, time through `advance`; commands go out to the workers by
/// value. Where a broadcast's media comes from is decided here: a publisher (this file) or a node above
/// (`Sessions+Relay.swift`).
package actor Sessions {
    /// An opened session, as the 201 tells it.
    package struct Opened: Sendable {
        package var resource: ResourceName
        package var etag: String
        package var answer: String
        /// Nodes that the media passes, this one last.
        package var path: [String] = []
    }

    /// A node that wants a relay.
    package struct AskingNode: Sendable {
        /// nil: another kind of client.
        package var name: String?
        /// Nodes that wait for the answer, the asking one last.
        package var waiting: [String]
    }

    let node: Topology.Node
    let topology: Topology
    /// Of this process; see `NodeFacts.instance`.
    let instance: String
    let media: MediaPlane
    /// Of the certificate that every worker shows.
    let fingerprint: Fingerprint
    let relayClient: RelayClient
    let logger: Logger

    var broadcasts: [BroadcastID: BroadcastRecord] = [:]
    var names: [String: BroadcastID] = [:]
    /// Sessions that count. One that we closed leaves at once for `closing`, until its worker confirms.
    var sessions: [SessionID: SessionRecord] = [:]
    var closing: [SessionID: SessionRecord] = [:]
    var resources: [ResourceName: SessionID] = [:]
    var tally: SessionTally
    /// From whom each broadcast comes.
    var router: RelayRouter
    /// Our sessions at other nodes.
    var relays: [SessionID: UpstreamRelay] = [:]
    /// Requests to other nodes under way.
    var asks: [RelayRouter.Attempt: Task<Void, Never>] = [:]
    /// Who waits for a broadcast to be found.
    var waiters: [String: [CheckedContinuation<Refusal?, Never>]] = [:]
    /// Nodes that follow our directory.
    var followers: [ObjectIdentifier: EventStream] = [:]
    /// DELETEs on their way to nodes above.
    var farewells: [UInt64: Task<Void, Never>] = [:]
    private let begin = ContinuousClock.now
    /// Of a relay that was not possible.
    var lastComplaint = Duration.seconds(-1)
    var viewerEvents = ViewerEventStreams()
    var drain: Drain
    /// Where clients of this node may go while it drains.
    var alternatives: Alternatives.Source = { _ in [] }
    /// Counts those who were sent elsewhere, so that other nodes take turns.
    var turn: UInt64 = 0
    private(set) var draining = false
    private(set) var stopping = false
    private var nextIdentifier: UInt64 = 1
    var generator = SystemRandomNumberGenerator()
    var counters = SessionCounters()

    package init(
        node: Topology.Node, topology: Topology, instance: String, media: MediaPlane, fingerprint: Fingerprint,
        relayClient: RelayClient, logger: Logger
    ) {
        (self.node, self.topology, self.instance) = (node, topology, instance)
        (self.media, self.fingerprint) = (media, fingerprint)
        (self.relayClient, self.logger) = (relayClient, logger)
        tally = SessionTally(workers: media.workers.count)
        router = RelayRouter(node: node.name, budget: topology.relayTimeout, seed: .random(in: 0...UInt64.max))
        drain = Drain(window: topology.drainWindow, deadline: topology.drainDeadline)
    }

    /// Whether this node gets its broadcasts from other nodes.
    var pullsBroadcasts: Bool { node.upstream != .none }

    /// The router's time.
    var clock: Duration { .now - begin }

    // MARK: - Publishing

    /// Opens a WHIP session. The broadcast is live once its media transport is up.
    package func publish(_ name: String, offer: SessionDescription) throws(Refusal) -> Opened {
        try refuseWhileDraining()
        try admit(.publisher)
        let existing = names[name].flatMap { broadcasts[$0] }
        if let existing, isTaken(existing), topology.onConflict == .reject { throw .alreadyLive }
        if existing == nil { try admitBroadcast() }
        let worker = existing?.worker ?? tally.leastLoadedWorker
        let local = localTransport(worker: worker)
        let answer: SessionDescription
        let agreement: Agreement
        do {
            (answer, agreement) = try Negotiation.answerPublisher(offer, local: local, using: &generator)
        } catch {
            throw .negotiation(error)
        }
        let id = broadcast(named: name, formats: Negotiation.formats(of: agreement), worker: worker)
        let record = open(
            .publisher, on: id, listener: .public, agreement: agreement, local: local, mids: Self.mids(of: offer))
        return Opened(resource: record.resource, etag: record.etag, answer: answer.description)
    }

    /// Whether somebody publishes the broadcast. One who crashed says no good-bye: his silence frees it, long before his
    /// consent expires. One who never got as far as a connection does not keep others, or his own next try, out.
    private func isTaken(_ broadcast: BroadcastRecord) -> Bool {
        guard let source = broadcast.liveSource else { return false }
        return sessions[source]?.isSilent != true
    }

    /// The broadcast that a source of these formats feeds: the one that has the name if there is anything in it for its
    /// viewers, else a new one, which takes the name at once or, from a live one, when its source is connected; viewers
    /// of the old one then end.
    func broadcast(named name: String, formats: [TrackFormat], worker: Int) -> BroadcastID {
        let existing = names[name].flatMap { broadcasts[$0] }
        if let existing, existing.canContinue(with: formats) {
            // A live one goes on as it is until its successor is connected, which changes the formats then.
            if existing.liveSource == nil, existing.formats != formats {
                broadcasts[existing.id]?.formats = formats
                media.workers[worker].send(.changeFormats(existing.id, formats))
            }
            return existing.id
        }
        let id = BroadcastID(rawValue: identifier())
        broadcasts[id] = BroadcastRecord(
            id: id, name: name, worker: worker, formats: formats,
            streamName: ResourceName.urlSafeText(of: generator.next()))
        media.workers[worker].send(.openBroadcast(id, tracks: formats))
        // One that is live goes on until its successor is connected.
        if existing?.liveSource == nil { names[name] = id }
        if let existing, existing.liveSource == nil { closeBroadcast(existing.id, reason: .incompatible) }
        return id
    }

    // MARK: - Watching

    /// Opens a WHEP session for a person or a node below. On a node that relays, the first one waits for the broadcast
    /// to be fetched.
    package func watch(
        _ name: String, offer: SessionDescription, as purpose: SessionPurpose, by asking: AskingNode? = nil
    ) async throws(Refusal) -> Opened {
        // A node that asks one that drains has nobody else to ask.
        if stopping || purpose != .relay || !isWatchable(name) { try refuseWhileDraining() }
        try admit(purpose)
        let waiting = asking?.waiting ?? []
        if let setback = router.objection(to: waiting, for: name) { throw Refusal(setback) }
        if pullsBroadcasts, !isWatchable(name) {
            try await pull(name, waiting: waiting)
            try refuseWhileDraining()
            try admit(purpose)
            if let setback = router.objection(to: waiting, for: name) { throw Refusal(setback) }
        }
        guard let id = names[name], let broadcast = broadcasts[id], isWatchable(name) else {
            throw .notLive(retryAfter: 2)
        }
        let local = localTransport(worker: broadcast.worker)
        let answer: SessionDescription
        let agreement: Agreement
        do {
            (answer, agreement) = try Negotiation.answerViewer(
                offer, broadcast: broadcast.formats, streamName: broadcast.streamName, local: local, using: &generator)
        } catch {
            throw .negotiation(error)
        }
        if let former = asking?.name { endFormerRelay(of: former, on: id) }
        let record = open(
            purpose, on: id, listener: purpose == .relay ? .internal : .public, agreement: agreement, local: local,
            mids: Self.mids(of: offer), node: asking?.name)
        return Opened(
            resource: record.resource, etag: record.etag, answer: answer.description, path: router.path(of: name))
    }

    /// A node needs a broadcast once. When it asks again it has forgotten the first relay, or lost it.
    private func endFormerRelay(of node: String, on id: BroadcastID) {
        for session in broadcasts[id]?.viewers ?? [] where sessions[session]?.node == node {
            close(session, reason: .replaced)
        }
    }

    /// A published broadcast when its source is up; a relayed one as soon as the node above has agreed.
    func isWatchable(_ name: String) -> Bool {
        guard let id = names[name], let broadcast = broadcasts[id] else { return false }
        guard pullsBroadcasts else { return broadcast.liveSource != nil }
        // A relay that brings nothing does not count: others have to say whether the broadcast is still live.
        return router.canServe(name, now: clock) && (broadcast.candidate != nil || broadcast.liveSource != nil)
    }

    // MARK: - Session resources

    /// The broadcast and purpose behind a resource, for authorisation; nil: not here, or not on this listener.
    package func find(
        _ resource: ResourceName, on listener: ListenerKind
    ) -> (broadcast: String, purpose: SessionPurpose, etag: String)? {
        guard let id = resources[resource], let record = sessions[id], record.listener == listener,
            record.purpose != .upstream
        else { return nil }
        return (record.name, record.purpose, record.etag)
    }

    package enum Patched: Sendable {
        case trickled
        /// The `trickle-ice-sdpfrag` with our new credentials, and the ETag of the new ICE session.
        case restarted(fragment: String, etag: String)
    }

    /// Trickle (RFC 9725 §4.3.2) or, with other credentials than before, ICE restart (§4.3.3).
    package func patch(
        _ resource: ResourceName, on listener: ListenerKind, ifMatch: IfMatch, fragment: ICEFragment
    ) throws(Refusal) -> Patched {
        guard let id = resources[resource], var record = sessions[id], record.listener == listener else {
            throw .unknownSession
        }
        guard ifMatch.matches(record.etag) else { throw .preconditionFailed }
        if let mid = fragment.mid, !record.mids.contains(mid) {
            throw .invalidFragment("the offer had no m-line with mid \(mid)")
        }
        let offered = fragment.ice
        let worker = media.workers[record.worker]
        guard offered != record.remoteICE else {
            if !fragment.candidates.isEmpty { worker.send(.addRemoteCandidates(id, fragment.candidates)) }
            return .trickled
        }
        // Both or neither (RFC 8839 §4.4.1.1.1): a half-changed pair is a mistake, and the old session goes on.
        guard offered.ufrag != record.remoteICE.ufrag, offered.password != record.remoteICE.password else {
            throw .invalidFragment("an ICE restart changes both ufrag and pwd")
        }
        let local = localTransport(worker: record.worker)
        worker.send(.restartICE(id, local: local.ice, remote: offered, remoteCandidates: fragment.candidates))
        (record.remoteICE, record.etag) = (offered, entityTag())
        sessions[id] = record
        return .restarted(
            fragment: Negotiation.fragment(local: local, agreement: record.agreement), etag: record.etag)
    }

    /// false: there is no such session (any more).
    package func delete(_ resource: ResourceName, on listener: ListenerKind) -> Bool {
        guard find(resource, on: listener) != nil, let id = resources[resource] else { return false }
        end(id, reason: .requested)
        return true
    }

    /// false: there is no such session.
    package func impair(_ resource: ResourceName, loss: Double) -> Bool {
        guard let id = resources[resource], let record = sessions[id] else { return false }
        media.workers[record.worker].send(.setImpairment(id, loss: loss))
        return true
    }

    // MARK: - Opening and closing

    func refuseWhileDraining() throws(Refusal) {
        if draining { throw .draining }
    }

    func admit(_ purpose: SessionPurpose) throws(Refusal) {
        let limits = topology.limits
        // Counted apart: viewers, who may be anybody, cannot keep out publishers and nodes, who show a token.
        if tally.opening[purpose, default: 0] >= limits.sessionsHalfOpen {
            throw .full("too many sessions are being set up")
        }
        if tally.all >= limits.sessions { throw .full("too many sessions") }
        let bound =
            switch purpose {
            case .publisher: limits.publishers
            case .viewer: limits.viewers
            case .relay: limits.relays
            case .upstream: Int.max
            }
        if tally.count(purpose) >= bound { throw .full("too many sessions of kind \(purpose.rawValue)") }
    }

    func admitBroadcast() throws(Refusal) {
        if broadcasts.count >= topology.limits.forwarding.broadcasts { throw .full("too many broadcasts") }
    }

    func open(
        _ purpose: SessionPurpose, on broadcastID: BroadcastID, listener: ListenerKind, agreement: Agreement,
        local: LocalTransport, mids: [String], node asking: String? = nil
    ) -> SessionRecord {
        guard var broadcast = broadcasts[broadcastID] else {
            preconditionFailure("a session is opened on a broadcast that exists")
        }
        let record = SessionRecord(
            id: SessionID(rawValue: identifier()), resource: .generate(node: node.name), purpose: purpose,
            listener: listener, broadcast: broadcastID, name: broadcast.name, worker: broadcast.worker, opened: .now,
            etag: entityTag(), agreement: agreement,
            remoteICE: agreement.remote.ice, mids: mids, node: asking)
        if purpose.direction == .source {
            if let older = broadcast.candidate { close(older, reason: .replaced) }
            broadcast.candidate = record.id
        } else {
            broadcast.viewers.insert(record.id)
            broadcast.leaveAt = nil
        }
        broadcasts[broadcastID] = broadcast
        sessions[record.id] = record
        resources[record.resource] = record.id
        tally.add(record)
        counters.opened[purpose, default: 0] += 1
        var parameters = SessionParameters(
            id: record.id,
            transport: TransportParameters(
                role: purpose == .upstream ? .client : .server, localICE: local.ice,
                remoteICE: agreement.remote.ice, remoteFingerprint: agreement.remote.fingerprint,
                remoteCandidates: agreement.remote.candidates, dtlsActive: agreement.remote.dtlsActive),
            broadcast: broadcastID, direction: purpose.direction, tracks: agreement.tracks)
        if purpose == .relay {
            parameters.consentTimeout = min(topology.limits.forwarding.consentTimeout, Self.relayConsentTimeout)
        }
        media.workers[record.worker].send(.open(parameters))
        logger.info("session opened", metadata: metadata(of: record))
        return record
    }

    /// A node that relays reports every second. One that is dead must not go on getting its copy for as long as a person on
    /// a bad line would.
    private static let relayConsentTimeout = Interval.seconds(Int64(5))

    /// Closes a session on our side and draws the consequences for its broadcast.
    func end(_ id: SessionID, reason: CloseReason) {
        guard let record = sessions[id] else { return }
        close(id, reason: reason)
        left(record, reason: reason)
        refreshAnnouncement(of: record.broadcast)
    }

    /// Closes a session on our side; its broadcast is the caller's business.
    func close(_ id: SessionID, reason: CloseReason) {
        guard let record = forget(id) else { return }
        forgetRelay(id, of: record.name)
        closing[id] = record
        media.workers[record.worker].send(.close(id, reason: reason))
    }

    /// Takes a session out of the tables: from here on its resource is unknown.
    func forget(_ id: SessionID) -> SessionRecord? {
        guard let record = sessions.removeValue(forKey: id) else { return nil }
        endEvents(of: id)
        resources[record.resource] = nil
        tally.remove(record)
        broadcasts[record.broadcast]?.viewers.remove(id)
        if broadcasts[record.broadcast]?.candidate == id { broadcasts[record.broadcast]?.candidate = nil }
        return record
    }

    /// Ends a broadcast with everything on it.
    func closeBroadcast(_ id: BroadcastID, reason: CloseReason) {
        guard let broadcast = broadcasts.removeValue(forKey: id) else { return }
        if names[broadcast.name] == id { names[broadcast.name] = nil }
        for session in sessions.values where session.broadcast == id {
            closing[session.id] = forget(session.id)
            forgetRelay(session.id, of: broadcast.name)
        }
        media.workers[broadcast.worker].send(.closeBroadcast(id, reason: reason))
        if names[broadcast.name] == nil {
            router.setOwn(nil, for: broadcast.name, now: clock)
            if waiters[broadcast.name] == nil { router.release(broadcast.name) }
            route()
        }
        logger.info("broadcast closed", metadata: ["broadcast": "\(broadcast.name)", "reason": "\(reason.rawValue)"])
    }

    // MARK: - Draining and stopping

    package func setDraining(_ value: Bool) {
        draining = value || stopping
        tellFollowersOfNode()
    }

    /// Closes everything, says good-bye to the nodes above, and takes nothing new from here on.
    package func stop() async {
        (stopping, draining) = (true, true)
        for id in broadcasts.keys.sorted(by: { $0.rawValue < $1.rawValue }) { closeBroadcast(id, reason: .shutdown) }
        for task in asks.values { await task.value }
        for waiter in waiters.values.flatMap({ $0 }) { waiter.resume(returning: .draining) }
        waiters = [:]
        for stream in followers.values { stream.finish() }
        while let task = farewells.values.first { await task.value }
    }

    // MARK: - Names and secrets

    func identifier() -> UInt64 {
        defer { nextIdentifier += 1 }
        return nextIdentifier
    }

    func localTransport(worker: Int) -> LocalTransport {
        LocalTransport(
            ice: .generate(using: &generator), fingerprint: fingerprint, candidates: media.candidates(worker: worker))
    }

    private func entityTag() -> String { "\"\(ResourceName.urlSafeText(of: generator.next()))\"" }

    private static func mids(of offer: SessionDescription) -> [String] {
        offer.media.compactMap { $0.attributes.first { $0.name == "mid" }?.value }
    }

    func metadata(of record: SessionRecord) -> Logger.Metadata {
        [
            "session": "\(record.resource.short)", "broadcast": "\(record.name)", "worker": "\(record.worker)",
            "purpose": "\(record.purpose.rawValue)",
        ]
    }
}
