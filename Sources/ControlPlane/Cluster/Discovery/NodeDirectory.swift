import FoundationEssentials
package import Logging
import MediaPlane
import NIOPosix
import ServiceLifecycle
import WebRTC

/// The nodes above: who they are by topology, EndpointSlice files and DNS, and how they are by this node's own probes.
///
/// Sources give hints only. What a source no longer says leaves the list, but an answer that is empty or broken never
/// replaces a good one; and whether an address is asked for a broadcast is decided by its health.
package actor NodeDirectory: Service {
    package enum Source: String, CaseIterable, Sendable {
        case `static`, slices = "endpoint_slices", dns
    }

    /// What is known of a node above.
    package struct Observation: Sendable {
        package var upstream: RelayClient.Upstream
        package var region: String?
        package var state: UpstreamHealth.State
        package var isReady: Bool
        package var roundTrip: Duration?
    }

    /// For `/metrics`.
    package struct Counters: Sendable {
        package var states: [UpstreamHealth.State: Int] = [:]
        /// Entries that each source names, those left out included.
        package var entries: [Source: Int] = [:]
        /// Broken files, failed look-ups.
        package var failures: [Source: UInt64] = [:]
        /// Addresses that no node can have.
        package var unusableAddresses: UInt64 = 0
        package var failedProbes: UInt64 = 0
    }

    private struct Entry {
        var upstream: RelayClient.Upstream
        /// Position in the topology's list; those found elsewhere come after all of them.
        var order: Int
        var priority = 0
        var region: String?
        /// What its source says; a node of the topology is always ready in this sense.
        var isHinted = true
        var health: UpstreamHealth
        var broadcasts: [BroadcastSummary] = []
        var isBeingProbed = false
    }

    /// More addresses are not watched: those of this node's region first, then in the order of their sources.
    package static let mostEntries = 256
    /// More are not asked for one broadcast.
    static let mostCandidates = 16
    private static let scanInterval = Duration.milliseconds(250)
    private static let tick = Duration.milliseconds(50)
    private static let probeTimeout = Duration.seconds(1)

    private let node: Topology.Node
    private let topology: Topology
    private let logger: Logger
    /// Two clients: many addresses that swallow packets must not keep the others from being asked in time.
    private let livingHTTP: HTTPClient
    private let deadHTTP: HTTPClient
    private let pool = NIOThreadPool(numberOfThreads: 2)
    private let begin = ContinuousClock.now
    private var found: [Source: [DiscoveredEndpoint]] = [:]
    private var entries: [Entry] = []
    private var counters = Counters()
    private var isFull = false

    package init(node: Topology.Node, topology: Topology, trust: PeerTrust? = nil, logger: Logger) {
        (self.node, self.topology, self.logger) = (node, topology, logger)
        livingHTTP = HTTPClient(threads: 4, trust: trust)
        deadHTTP = HTTPClient(threads: 4, trust: trust)
        pool.start()
        let listed = node.upstream.nodes.compactMap { topology.node(named: $0) }
        entries = listed.enumerated().map { index, other in
            Entry(
                upstream: .init(name: other.name, url: other.internalListener.url), order: index,
                region: other.region, health: .init(now: .zero))
        }
        counters.entries[.static] = listed.count
    }

    deinit { pool.shutdownGracefully { _ in } }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                if let slices = self.node.upstream.slices { group.addTask { await self.follow(slices) } }
                if let dns = self.node.upstream.dns { group.addTask { await self.follow(dns) } }
                group.addTask { await self.watch() }
            }
        }
    }

    // MARK: - What others ask

    /// Whom to ask for a broadcast, best first: up before suspect, and whoever is down only when nobody else is left.
    package func candidates() -> [RelayClient.Upstream] {
        let sorted = ordered()
        let living = sorted.filter { $0.health.state != .down }
        return (living.isEmpty ? sorted : living).prefix(Self.mostCandidates).map(\.upstream)
    }

    /// A request to this node failed: it is asked at once how it is.
    package func doubt(_ upstream: RelayClient.Upstream) {
        guard let index = entries.firstIndex(where: { $0.upstream.url == upstream.url }) else { return }
        let before = entries[index].health.state
        entries[index].health.doubt(now: now)
        logChange(of: entries[index], from: before)
    }

    package var isAnyReachable: Bool { entries.contains(where: \.health.isReachable) }

    /// What the nodes above have, the first in order of preference where several have it.
    package var broadcasts: [BroadcastSummary] {
        var seen: Set<String> = []
        return ordered().flatMap(\.broadcasts).filter { seen.insert($0.name).inserted }
    }

    /// Best first.
    package var observations: [Observation] {
        ordered().map {
            Observation(
                upstream: $0.upstream, region: $0.region, state: $0.health.state, isReady: $0.health.isReady,
                roundTrip: $0.health.roundTrip)
        }
    }

    package func snapshot() -> Counters {
        var result = counters
        for state in UpstreamHealth.State.allCases { result.states[state] = entries.count { $0.health.state == state } }
        return result
    }

    /// By state; then as the topology lists them; then DNS priority, this node's own region, and round-trip time in
    /// steps of 5 ms, so that noise changes nothing.
    private func ordered() -> [Entry] {
        let mine = node.region
        let key = { (entry: Entry) -> (UpstreamHealth.State, Int, Int, Int, Int) in
            let state = max(entry.health.state, entry.isHinted ? .up : .suspect)
            let steps = entry.health.roundTrip.map { Int($0 / .milliseconds(5)) } ?? .max
            return (state, entry.order, entry.priority, entry.region == mine ? 0 : 1, steps)
        }
        return entries.enumerated().map { (key($0.element), $0.offset, $0.element) }
            .sorted { $0.0 != $1.0 ? $0.0 < $1.0 : $0.1 < $1.1 }.map(\.2)
    }

    private var now: Duration { .now - begin }

    // MARK: - Sources

    private func follow(_ slices: Topology.SliceUpstream) async {
        var directory = SliceDirectory(
            path: slices.directory, parser: .init(service: slices.service, port: slices.port))
        while !Task.isCancelled {
            let (before, now) = (directory, now)
            let result = try? await pool.runIfActive {
                var directory = before
                let change = directory.scan(now: now)
                return (directory, change)
            }
            guard let (after, change) = result else { return }
            directory = after
            for problem in change.problems {
                logger.warning(
                    "endpoint slices not usable",
                    metadata: [
                        "directory": "\(slices.directory)", "file": "\(problem.file)", "reason": "\(problem.reason)",
                        "effect": "its last good state stays",
                    ])
            }
            counters.failures[.slices, default: 0] += UInt64(change.failures)
            counters.unusableAddresses += UInt64(change.unusable)
            if let endpoints = change.endpoints { replace(.slices, by: endpoints) }
            try? await Task.sleep(for: Self.scanInterval)
        }
    }

    private func follow(_ query: Topology.DNSUpstream) async {
        let source = DNSSource(query, pool: pool)
        var pause = Duration.milliseconds(500)
        var lastReason: String?
        while !Task.isCancelled {
            // A look-up under way cannot be cancelled; stopping does not wait for it.
            let (stream, continuation) = AsyncStream.makeStream(of: Result<DNSSource.Answer, DNSSource.Failure>.self)
            Task {
                do throws(DNSSource.Failure) {
                    continuation.yield(.success(try await source.resolve()))
                } catch {
                    continuation.yield(.failure(error))
                }
                continuation.finish()
            }
            guard let result = await stream.first(where: { _ in true }) else { return }
            switch result {
            case .success(let answer):
                replace(.dns, by: answer.endpoints)
                if lastReason != nil { logger.notice("name resolves again", metadata: ["name": "\(query.name)"]) }
                (lastReason, pause) = (nil, .milliseconds(500))
                try? await Task.sleep(for: answer.validFor)
            case .failure(let failure):
                counters.failures[.dns, default: 0] += 1
                if failure.description != lastReason {
                    lastReason = failure.description
                    logger.warning(
                        "name does not resolve",
                        metadata: [
                            "name": "\(query.name)", "record": "\(query.record.rawValue)", "reason": "\(failure)",
                            "effect": "the last good addresses stay",
                        ])
                }
                try? await Task.sleep(for: pause * Double.random(in: 0.75...1.25))
                pause = min(pause * 2, .seconds(10))
            }
        }
    }

    /// A source has a new, good answer.
    func replace(_ source: Source, by endpoints: [DiscoveredEndpoint]) {
        counters.entries[source] = endpoints.count
        guard found[source] != endpoints else { return }
        found[source] = endpoints
        rebuild(after: source)
    }

    private func rebuild(after source: Source) {
        var next = entries.filter { $0.order < node.upstream.nodes.count }
        let listed = Set(next.compactMap { Self.address(of: $0.upstream.url) })
        let present = Dictionary(entries.map { ($0.upstream.url, $0) }, uniquingKeysWith: { first, _ in first })
        let all = DiscoveredEndpoint.merged([Source.slices, .dns].flatMap { found[$0] ?? [] })
        let mine = Set(hostAddresses().map(\.host))
        let others = all.filter { endpoint in
            let isMine =
                Int(endpoint.address.port) == node.internalListener.port
                && (endpoint.address.isLoopback || mine.contains(endpoint.address.host))
            return !isMine && !listed.contains(endpoint.address)
        }
        let sorted = others.filter { $0.region == node.region } + others.filter { $0.region != node.region }
        for endpoint in sorted.prefix(max(0, Self.mostEntries - next.count)) {
            let upstream = RelayClient.Upstream(
                name: endpoint.hostname ?? endpoint.address.description, url: endpoint.url(topology.internalScheme))
            var entry = present[upstream.url] ?? Entry(upstream: upstream, order: .max, health: .init(now: now))
            (entry.upstream, entry.region) = (upstream, endpoint.region)
            (entry.priority, entry.isHinted) = (endpoint.priority, endpoint.isReady)
            next.append(entry)
        }
        let urls = Set(next.map(\.upstream.url))
        let (added, removed) = (urls.subtracting(present.keys).count, Set(present.keys).subtracting(urls).count)
        entries = next
        if added + removed > 0 {
            logger.info(
                "upstreams changed",
                metadata: [
                    "source": "\(source.rawValue)", "added": "\(added)", "removed": "\(removed)",
                    "now": "\(entries.count)",
                ])
        }
        let wasFull = isFull
        isFull = others.count + listed.count > Self.mostEntries
        if isFull, !wasFull {
            logger.warning(
                "more upstreams than are watched",
                metadata: ["found": "\(others.count)", "watched": "\(entries.count)"])
        }
    }

    private static func address(of url: String) -> TransportAddress? {
        guard let (_, host, port) = TopologySyntax.baseURL(url) else { return nil }
        return TransportAddress(host, port: UInt16(port))
    }

    // MARK: - Probes

    private func watch() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let now = self.now
                for index in self.entries.indices {
                    let entry = self.entries[index]
                    guard !entry.isBeingProbed, entry.health.nextProbe <= now else { continue }
                    self.entries[index].isBeingProbed = true
                    let client = entry.health.state == .down ? self.deadHTTP : self.livingHTTP
                    group.addTask { await self.probe(entry.upstream, client) }
                }
                try? await Task.sleep(for: Self.tick)
            }
        }
    }

    private func probe(_ upstream: RelayClient.Upstream, _ client: HTTPClient) async {
        let (outcome, broadcasts) = await Self.ask(upstream, client)
        guard let index = entries.firstIndex(where: { $0.upstream.url == upstream.url }) else { return }
        let before = entries[index].health.state
        let isAlone = !entries.indices.contains { $0 != index && entries[$0].health.isReachable }
        entries[index].isBeingProbed = false
        entries[index].broadcasts = broadcasts
        entries[index].health.record(outcome, now: now, isAlone: isAlone, jitter: .random(in: 0...1))
        if outcome == .silent { counters.failedProbes += 1 }
        logChange(of: entries[index], from: before)
    }

    private static func ask(
        _ upstream: RelayClient.Upstream, _ client: HTTPClient
    ) async -> (UpstreamHealth.Outcome, [BroadcastSummary]) {
        let begin = ContinuousClock.now
        guard
            let answer = try? await client.perform(
                .init("GET", "\(upstream.url)/readyz", timeout: probeTimeout, peer: upstream.name)),
            answer.status == 200 || answer.status == 503
        else { return (.silent, []) }
        let roundTrip = ContinuousClock.now - begin
        var broadcasts: [BroadcastSummary] = []
        if let list = try? await client.perform(
            .init("GET", "\(upstream.url)/api/broadcasts", timeout: probeTimeout, peer: upstream.name)),
            list.status == 200
        {
            broadcasts = (try? JSONDecoder().decode([BroadcastSummary].self, from: Data(list.body))) ?? []
        }
        return (
            answer.status == 200 ? .ready(roundTrip: roundTrip) : .notReady(roundTrip: roundTrip), broadcasts
        )
    }

    private func logChange(of entry: Entry, from before: UpstreamHealth.State) {
        let state = entry.health.state
        guard state != before else { return }
        let level: Logger.Level = state == .up ? .info : state == .suspect ? .notice : .warning
        logger.log(
            level: level, "upstream \(state.rawValue)",
            metadata: [
                "upstream": "\(entry.upstream.name)", "url": "\(entry.upstream.url)", "was": "\(before.rawValue)",
            ])
    }
}
