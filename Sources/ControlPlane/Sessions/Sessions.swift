import Forwarding
package import Logging
package import MediaPlane
import Routing
package import WebRTC

/// The node's one table of broadcasts and sessions.
///
/// Signalling calls in, worker events come in through `apply`, time through `advance`; commands go out to the workers by
/// value. A broadcast's media comes from a publisher (`Sessions+Publishing.swift`) or a node above
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
        /// Of its process; see `NodeFacts.instance`.
        package var instance: String?
        /// Counts the requests of that process; nil: another kind of client.
        package var attempt: UInt64?
        /// It has nothing of the broadcast yet.
        package var isCold = false
    }

    let node: Topology.Node
    let topology: Topology
    /// Of this process; see `NodeFacts.instance`.
    let instance: String
    let media: MediaPlane
    /// Of the certificate that every worker shows.
    let fingerprint: Fingerprint
    let relayClient: RelayClient
    let shares: FairShares
    let logger: Logger

    /// When to look again at what time brings (`advance`), which is made from what tells it of changes here.
    nonisolated let alarm = Alarm(pause: .milliseconds(100))
    /// Ends when a node that was told to stop may do so.
    package nonisolated let drained: AsyncStream<Never>
    let endDrained: AsyncStream<Never>.Continuation

    var broadcasts: [BroadcastID: BroadcastRecord] = [:] { didSet { alarm.changed() } }
    var names: [String: BroadcastID] = [:]
    /// Sessions that count. One that we closed leaves at once for `closing`, until its worker confirms.
    var sessions: [SessionID: SessionRecord] = [:] { didSet { alarm.changed() } }
    var closing: [SessionID: SessionRecord] = [:]
    var resources: [ResourceName: SessionID] = [:]
    var tally: SessionTally
    var placement: WorkerPlacement { didSet { alarm.changed() } }
    /// Half-open viewers' sessions whose peers have shown no authenticated check yet.
    var unchecked: Set<SessionID> = []
    /// When a refusal was warned of, by resource and reason.
    var lastWarned: [String: Duration] = [:]
    /// From whom each broadcast comes.
    var router: RelayRouter { didSet { alarm.changed() } }
    /// Our sessions at other nodes.
    var relays: [SessionID: UpstreamRelay] = [:]
    /// Requests to other nodes under way.
    var asks: [RelayRouter.Attempt: Task<Void, Never>] = [:]
    /// Who waits for a broadcast to be found.
    var waiters: [String: [CheckedContinuation<Refusal?, Never>]] = [:]
    /// Those among them that nobody had announced when the search began.
    var searches: Set<String> = []
    /// The request that each search began with, where there is one.
    var beginnings: [String: HTTPRequestID] = [:]
    /// Nodes that follow our directory.
    var followers: [ObjectIdentifier: EventStream] = [:]
    /// DELETEs on their way to nodes above.
    var farewells: [UInt64: Task<Void, Never>] = [:]
    let begin = ContinuousClock.now
    /// Of a relay that was not possible.
    var lastComplaint = Duration.seconds(-1)
    var viewerEvents = ViewerEventStreams() { didSet { alarm.changed() } }
    var drain: Drain { didSet { alarm.changed() } }
    /// Where clients of this node may go while it drains.
    var alternatives: Alternatives.Source
    /// Counts those who were sent elsewhere, so that other nodes take turns.
    var turn = 0
    private(set) var stopping = false
    private var nextIdentifier: UInt64 = 1
    var generator = SystemRandomNumberGenerator()
    var counters = SessionCounters()

    package init(
        node: Topology.Node, topology: Topology, instance: String, media: MediaPlane, fingerprint: Fingerprint,
        shares: FairShares, relayClient: RelayClient, alternatives: @escaping Alternatives.Source, logger: Logger
    ) {
        (self.node, self.topology, self.instance) = (node, topology, instance)
        (self.media, self.fingerprint) = (media, fingerprint)
        (self.relayClient, self.alternatives, self.logger) = (relayClient, alternatives, logger)
        self.shares = shares
        (drained, endDrained) = AsyncStream.makeStream()
        tally = SessionTally(workers: media.workers.count)
        placement = WorkerPlacement(workers: media.workers.count)
        router = RelayRouter(node: node.name, budget: topology.relayTimeout, seed: .random(in: 0...UInt64.max))
        drain = Drain(window: topology.drainWindow, deadline: topology.drainDeadline)
    }

    /// Whether this node gets its broadcasts from other nodes.
    var pullsBroadcasts: Bool { node.upstream.hasSources }

    /// The router's time.
    var clock: Duration { .now - begin }

    // MARK: - Opening and closing

    func open(
        _ purpose: SessionPurpose, on broadcastID: BroadcastID, listener: ListenerKind, agreement: Agreement,
        local: LocalTransport, mids: [String], node asking: AskingNode? = nil, places: [HeldPlace] = []
    ) -> SessionRecord {
        guard let broadcast = broadcasts[broadcastID] else {
            preconditionFailure("a session is opened on a broadcast that exists")
        }
        var record = SessionRecord(
            id: SessionID(rawValue: identifier()), resource: .generate(node: node.name), purpose: purpose,
            listener: listener, broadcast: broadcastID, name: broadcast.name, worker: broadcast.worker, opened: .now,
            etag: entityTag(), agreement: agreement,
            remoteICE: agreement.remote.ice, mids: mids, node: asking, request: .current)
        record.places = places
        if purpose.direction == .source {
            if let older = broadcast.candidate { close(older, reason: .replaced) }
            broadcasts[broadcastID]?.candidate = record.id
        } else {
            broadcasts[broadcastID]?.leaveAt = nil
        }
        // In place: a copy would copy all that are there already.
        broadcasts[broadcastID]?.insert(record.id, purpose)
        sessions[record.id] = record
        resources[record.resource] = record.id
        tally.add(record)
        if purpose == .viewer { unchecked.insert(record.id) }
        counters.opened[purpose, default: 0] += 1
        var parameters = SessionParameters(
            id: record.id,
            transport: TransportParameters(
                role: purpose == .upstream ? .client : .server, localICE: local.ice,
                remoteICE: agreement.remote.ice, remoteFingerprints: agreement.remote.fingerprints,
                remoteCandidates: agreement.remote.candidates, dtlsActive: agreement.remote.dtlsActive),
            broadcast: broadcastID, direction: purpose.direction, tracks: agreement.tracks)
        parameters.isRelay = purpose == .relay || purpose == .upstream
        parameters.startsInBurst = purpose == .viewer || asking?.isCold == true
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
        guard var record = sessions.removeValue(forKey: id) else { return nil }
        unchecked.remove(id)
        record.places = []
        endEvents(of: record)
        resources[record.resource] = nil
        tally.remove(record)
        broadcasts[record.broadcast]?.remove(id, record.purpose)
        return record
    }

    /// Ends a broadcast with everything on it.
    func closeBroadcast(_ id: BroadcastID, reason: CloseReason) {
        guard let broadcast = broadcasts.removeValue(forKey: id) else { return }
        if names[broadcast.name] == id { names[broadcast.name] = nil }
        for session in broadcast.sessions {
            closing[session] = forget(session)
            forgetRelay(session, of: broadcast.name)
        }
        media.workers[broadcast.worker].send(.closeBroadcast(id, reason: reason))
        if names[broadcast.name] == nil {
            router.setOwn(nil, for: broadcast.name, now: clock)
            if waiters[broadcast.name] == nil { router.release(broadcast.name) }
            route()
        }
        logger.info("broadcast closed", metadata: ["broadcast": "\(broadcast.name)", "reason": "\(reason.rawValue)"])
    }

    // MARK: - Stopping

    /// Closes everything, says good-bye to the nodes above, and takes nothing new from here on.
    package func stop() async {
        stopping = true
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

    func entityTag() -> String { "\"\(ResourceName.urlSafeText(of: generator.next()))\"" }

    func metadata(of record: SessionRecord) -> Logger.Metadata {
        var fields: Logger.Metadata = [
            "session": "\(record.resource.short)", "broadcast": "\(record.name)", "worker": "\(record.worker)",
            "purpose": "\(record.purpose.rawValue)",
        ]
        if let request = record.request { fields["request"] = "\(request)" }
        return fields
    }
}
