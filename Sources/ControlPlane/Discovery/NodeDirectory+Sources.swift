import Logging
import MediaPlane
import NIOPosix
import Routing
import WebRTC

/// Where addresses come from.
extension NodeDirectory {
    private static let scanInterval = Duration.milliseconds(250)

    func follow(_ slices: Topology.SliceUpstream, as source: Source) async {
        let parser = EndpointSliceParser(service: slices.service, port: slices.port, zones: topology.zones)
        var directory = SliceDirectory(path: slices.directory, parser: parser)
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
            counters.failures[source, default: 0] += UInt64(change.failures)
            counters.unusableAddresses += UInt64(change.unusable)
            if let endpoints = change.endpoints { replace(source, by: endpoints) }
            try? await Task.sleep(for: Self.scanInterval)
        }
    }

    func follow(_ query: Topology.DNSUpstream, as kind: Source) async {
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
                replace(kind, by: answer.endpoints)
                if lastReason != nil { logger.notice("name resolves again", metadata: ["name": "\(query.name)"]) }
                (lastReason, pause) = (nil, .milliseconds(500))
                try? await Task.sleep(for: answer.validFor)
            case .failure(let failure):
                counters.failures[kind, default: 0] += 1
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
        let (next, left) = Self.merge(
            entries, node: node, topology: topology, listedByAddress, found, now: now)
        let watched = { (entries: [String: DirectoryEntry]) in
            Set(entries.values.lazy.filter { $0.kind != .other }.map(\.url))
        }
        let (before, after) = (watched(entries), watched(next))
        entries = next
        if before != after {
            logger.info(
                "upstreams changed",
                metadata: [
                    "source": "\(source.rawValue)", "added": "\(after.subtracting(before).count)",
                    "removed": "\(before.subtracting(after).count)", "now": "\(after.count)",
                ])
        }
        if left > 0, !isFull {
            logger.warning(
                "more upstreams than are watched",
                metadata: ["found": "\(after.count + left)", "watched": "\(after.count)"])
        }
        isFull = left > 0
        publishNeighbours()
    }

    /// All sources together. What is known of an address stays while any source names it.
    ///
    /// - Returns: entries by URL, and how many found no room.
    static func merge(
        _ present: [String: DirectoryEntry], node: Topology.Node, topology: Topology,
        _ listedByAddress: [TransportAddress: Topology.Node], _ found: [Source: [DiscoveredEndpoint]], now: Duration
    ) -> (entries: [String: DirectoryEntry], left: Int) {
        var next: [String: DirectoryEntry] = [:]
        func add(_ url: String, _ kind: Kind, _ hint: String, _ listed: Topology.Node?, order: Int = .max) {
            var entry = present[url] ?? DirectoryEntry(url: url, kind: kind, hint: hint, listed: listed, now: now)
            // Others are asked rarely.
            if entry.kind != kind { entry.health.hurry(now: now) }
            (entry.kind, entry.hint, entry.order, entry.position) = (kind, hint, order, next.count)
            (entry.priority, entry.isHinted) = (0, true)
            next[url] = entry
        }
        for (order, name) in node.upstream.nodes.enumerated().prefix(mostEntries) {
            guard let other = topology.node(named: name) else { continue }
            add(other.internalListener.url, .above, name, other, order: order)
        }
        let mine = OwnAddresses(node.internalListener)
        var left = 0
        func addFound(_ sources: [Source], _ kind: Kind, most: Int) {
            let known = next.values.count { $0.kind == kind }
            let all = DiscoveredEndpoint.merged(sources.flatMap { found[$0] ?? [] })
            let others = all.filter { endpoint in
                let listed = listedByAddress[endpoint.address]
                return !mine.contains(endpoint.address) && listed?.name != node.name
                    && next[listed?.internalListener.url ?? endpoint.url(topology.internalScheme)] == nil
            }
            // Those that live keep their place however many others are named; then those of this region.
            let lives = { (endpoint: DiscoveredEndpoint) in
                let url =
                    listedByAddress[endpoint.address]?.internalListener.url ?? endpoint.url(topology.internalScheme)
                return present[url]?.health.isReachable == true
            }
            let rest = others.filter { !lives($0) }
            let sorted =
                others.filter(lives) + rest.filter { $0.region == node.region }
                + rest.filter { $0.region != node.region }
            let room = max(0, most - known)
            for endpoint in sorted.prefix(room) {
                let listed = listedByAddress[endpoint.address]
                let url = listed?.internalListener.url ?? endpoint.url(topology.internalScheme)
                add(url, kind, endpoint.hostname ?? endpoint.address.description, listed)
                next[url]?.priority = endpoint.priority
                next[url]?.isHinted = endpoint.isReady
                next[url]?.hintedRegion = endpoint.region
            }
            left += max(0, sorted.count - room)
        }
        addFound([.slices, .dns], .above, most: mostEntries)
        let rest = topology.nodes.filter { $0.name != node.name && next[$0.internalListener.url] == nil }
        for other in rest.lazy.filter({ topology.kind(of: $0, seenFrom: node) == .peer }).prefix(mostPeers) {
            add(other.internalListener.url, .peer, other.name, other)
        }
        if topology.hasPeers(node) { addFound([.peerSlices, .peerDNS], .peer, most: mostPeers) }
        let others = rest.filter { next[$0.internalListener.url] == nil }
        let near = others.filter { $0.region == node.region } + others.filter { $0.region != node.region }
        for other in near.prefix(mostOthers) { add(other.internalListener.url, .other, other.name, other) }
        return (next, left)
    }

    /// nil: the URL names its host.
    static func address(of url: String) -> TransportAddress? {
        guard let (_, host, port) = TopologySyntax.baseURL(url) else { return nil }
        return TransportAddress(host, port: UInt16(port))
    }
}
