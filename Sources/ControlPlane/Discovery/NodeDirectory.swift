package import Logging
import MediaPlane
import NIOPosix
package import Routing
import ServiceLifecycle
import WebRTC

/// The other nodes: who they are by topology, EndpointSlice files and DNS, how they are by this node's own probes, and
/// what they have by their own word.
///
/// Sources give hints only. What a source no longer says leaves the list, but an answer that is empty or broken never
/// replaces a good one; and whether an address is asked for a broadcast is decided by its health.
package actor NodeDirectory: Service {
    package enum Source: String, CaseIterable, Sendable {
        case `static`, slices = "endpoint_slices", dns
        case peerSlices = "peer_endpoint_slices", peerDNS = "peer_dns"
    }

    package enum Kind: String, CaseIterable, Sendable {
        /// An upstream. Broadcasts are pulled from it, and its directory is followed.
        case above
        /// See `Neighbour.Kind.peer`; followed likewise.
        case peer
        /// The rest of the topology: where viewers and publishers can be sent.
        case other
    }

    /// What is known of another node.
    package struct Observation: Sendable {
        package var name: String
        /// Internal.
        package var url: String
        package var kind: Kind
        package var region: String?
        package var state: UpstreamHealth.State
        package var isReady: Bool
        package var roundTrip: Duration?
        package var facts: NodeFacts?
    }

    /// For `/metrics`.
    package struct Counters: Sendable {
        /// Of nodes above.
        package var states: [UpstreamHealth.State: Int] = [:]
        /// Entries that each source names, those left out included.
        package var entries: [Source: Int] = [:]
        /// Broken files, failed look-ups.
        package var failures: [Source: UInt64] = [:]
        /// Addresses that no node can have.
        package var unusableAddresses: UInt64 = 0
        package var failedProbes: UInt64 = 0
        /// Directory streams that are up.
        package var streams: [Kind: Int] = [:]
        package var lostStreams: UInt64 = 0
        /// Events and entries of directories that make no sense.
        package var malformedEvents: UInt64 = 0
        /// Beyond `mostAnnouncements`.
        package var ignoredAnnouncements: UInt64 = 0
        /// In the directories that are up now.
        package var announcements = 0
    }

    /// More addresses above are not watched: those of this node's region first, then in the order of their sources.
    package static let mostEntries = 256
    package static let mostPeers = 128
    /// Of the topology's other nodes, likewise.
    package static let mostOthers = 256
    /// Of one neighbour; what it announces beyond is ignored.
    package static let mostAnnouncements = 20_000
    /// Events that the table of sessions has not taken yet. Beyond, streams begin anew once it does.
    static let mostEvents = 4_096

    /// This node has upstreams: an edge that is ready reaches one of them.
    package nonisolated let pullsBroadcasts: Bool
    /// For the table of sessions; in order, and each event once.
    package nonisolated let events: AsyncStream<DirectoryEvent>

    let node: Topology.Node
    let topology: Topology
    let logger: Logger
    /// Of this process; see `NodeFacts.instance`.
    let instance: String
    /// The `Authorization` field for requests to the node of that name.
    let authorization: @Sendable (_ node: String) -> String?
    /// Two clients: many addresses that swallow packets, each of which holds a thread for a second, must not keep the
    /// others from being asked in time.
    let livingHTTP: HTTPClient
    let deadHTTP: HTTPClient
    let pool = NIOThreadPool(numberOfThreads: 2)
    let streamClient: EventStreamClient
    /// Nodes of the topology by the address of their internal listener, where that is a literal.
    let listedByAddress: [TransportAddress: Topology.Node]

    /// When to probe.
    let alarm = Alarm(pause: .milliseconds(50))
    var found: [Source: [DiscoveredEndpoint]] = [:]
    /// By URL.
    var entries: [String: DirectoryEntry] = [:] { didSet { alarm.changed() } }
    var counters = Counters()
    var isFull = false
    var claims: NameClaims
    /// Nodes of kind other are asked every second.
    var watchesClosely = false
    /// As last told to the table of sessions.
    var neighbours: [Neighbour] = []
    var streams: [Neighbour.ID: FollowedDirectory] = [:]
    var nextStream = 0
    var isRunning = false
    /// Events had to be left out.
    var isBehind = false { didSet { alarm.changed() } }

    private let output: AsyncStream<DirectoryEvent>.Continuation
    let begin = ContinuousClock.now

    /// - Parameters:
    ///   - instance: of this process.
    ///   - authorization: the `Authorization` field of a request for the directory of the node of that name.
    package init(
        node: Topology.Node, topology: Topology, instance: String, logger: Logger, trust: PeerTrust? = nil,
        authorization: @escaping @Sendable (_ node: String) -> String? = { _ in nil }
    ) {
        (self.node, self.topology, self.instance, self.logger) = (node, topology, instance, logger)
        claims = NameClaims(own: node.name, instance: instance, address: node.internalListener.url)
        (livingHTTP, deadHTTP) = (HTTPClient(exchanges: 4, trust: trust), HTTPClient(exchanges: 16, trust: trust))
        streamClient = EventStreamClient(trust: trust)
        self.authorization = authorization
        pullsBroadcasts = node.upstream.hasSources
        (events, output) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.mostEvents))
        listedByAddress = Dictionary(
            topology.nodes.compactMap { other in Self.address(of: other.internalListener.url).map { ($0, other) } },
            uniquingKeysWith: { first, _ in first })
        pool.start()
        counters.entries[.static] = node.upstream.nodes.count { topology.node(named: $0) != nil }
        entries = Self.merge([:], node: node, topology: topology, listedByAddress, [:], now: .zero).entries
    }

    deinit { pool.shutdownGracefully { _ in } }

    package func run() async throws {
        let upstream = node.upstream
        isRunning = true
        publishNeighbours()
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                if let slices = upstream.slices { group.addTask { await self.follow(slices, as: .slices) } }
                if let dns = upstream.dns { group.addTask { await self.follow(dns, as: .dns) } }
                if self.topology.hasPeers(self.node) {
                    if let slices = upstream.peers?.slices {
                        group.addTask { await self.follow(slices, as: .peerSlices) }
                    }
                    if let dns = upstream.peers?.dns { group.addTask { await self.follow(dns, as: .peerDNS) } }
                }
                group.addTask { await self.watch() }
            }
        }
        isRunning = false
        followNeighbours()
        output.finish()
    }

    /// Time since this value was made.
    var now: Duration { .now - begin }

    // MARK: - What the table of sessions is told

    func emit(_ event: DirectoryEvent) {
        if case .dropped = output.yield(event) { isBehind = true }
    }

    /// Tells of the neighbours if they have changed, and follows those that it tells of.
    func publishNeighbours() {
        let next = currentNeighbours()
        guard next != neighbours else { return }
        neighbours = next
        emit(.neighbours(next))
        followNeighbours()
    }

    /// After events had to be left out: all of it again.
    func catchUp() {
        guard isBehind else { return }
        isBehind = false
        emit(.neighbours(neighbours))
        guard !isBehind else { return }
        for id in Array(streams.keys) { stopStream(id) }
        followNeighbours()
    }

    /// Nodes above in order of preference, then peers by name. Two addresses of one node are one neighbour: the one that
    /// is in use while it lives.
    private func currentNeighbours() -> [Neighbour] {
        let peers = entries.values.filter { $0.kind == .peer && isEligible($0) }
            .sorted { ($0.name, $0.position) < ($1.name, $1.position) }
        let inUse = Set(neighbours.map(\.id))
        var result: [Neighbour] = []
        var positions: [String: Int] = [:]
        for entry in ordered() + peers {
            var neighbour = Neighbour(
                id: entry.url, name: entry.name, kind: entry.kind == .peer ? .peer : .above,
                state: entry.health.state, isReady: entry.facts?.draining != true)
            if !entry.isNamed, positions[entry.name] != nil {
                neighbour.name = entry.url.split(separator: "/").last.map(String.init) ?? entry.url
            }
            guard let position = positions[neighbour.name] else {
                positions[neighbour.name] = result.count
                result.append(neighbour)
                continue
            }
            if neighbour.kind == result[position].kind, inUse.contains(neighbour.id), neighbour.state != .down,
                !inUse.contains(result[position].id)
            {
                result[position] = neighbour
            }
        }
        return result
    }

    /// What discovery calls a peer is one only if it says so itself: an edge of this region, and not this node.
    private func isEligible(_ peer: DirectoryEntry) -> Bool {
        if peer.listed != nil { return true }
        guard let facts = peer.facts else { return false }
        return facts.role == Topology.Role.edge.rawValue && facts.region == node.region && facts.node != node.name
    }
}
