import Glibc
import Logging
import Routing
import Testing
import WebRTC

@testable import ControlPlane

// Whom an edge asks: sources merged, its own address left out, the dead passed over. With real nodes on loopback.

@Suite struct NodeDirectoryTests {
    private static func directory(of node: Topology.Node, in topology: Topology) -> NodeDirectory {
        var logger = Logger(label: "test")
        logger.logLevel = .error
        return NodeDirectory(node: node, topology: topology, instance: "test", logger: logger)
    }

    private static func endpoint(
        _ host: String, _ port: Int, _ hostname: String? = nil, region: String? = nil, ready: Bool = true,
        priority: Int = 0
    ) -> DiscoveredEndpoint {
        .init(
            TransportAddress(host, port: UInt16(port))!, hostname: hostname, region: region, isReady: ready,
            priority: priority)
    }

    private static func sample(_ upstream: Topology.Upstream) -> Topology {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge)
        topology.nodes[1].upstream = upstream
        return topology
    }

    @Test func sourcesMergeAndOwnAddressIsLeftOut() async {
        let topology = Self.sample(.static(["origin-1"]))
        let (origin, edge) = (topology.nodes[0], topology.nodes[1])
        let directory = Self.directory(of: edge, in: topology)
        await directory.replace(
            .slices,
            by: [
                Self.endpoint("127.0.0.1", origin.internalListener.port, "origin-1"),
                Self.endpoint("127.0.0.1", edge.internalListener.port, "edge-1"),
                Self.endpoint("10.0.0.1", 9_080, "far", region: "us"), Self.endpoint("10.0.0.2", 9_080, region: "eu"),
                Self.endpoint("10.0.0.3", 9_080, "leaving", region: "eu", ready: false),
            ])
        await directory.replace(
            .dns, by: [Self.endpoint("10.0.0.1", 9_080), Self.endpoint("2001:db8::1", 9_080, priority: 1)])
        // As listed; then this region; then the others; a higher priority number after them. All are new: suspect.
        #expect(
            await directory.candidates().map(\.name)
                == ["origin-1", "10.0.0.2:9080", "leaving", "far", "[2001:db8::1]:9080"])
        // What a source no longer names goes, unless another one does.
        await directory.replace(.slices, by: [Self.endpoint("10.0.0.2", 9_080, region: "eu")])
        #expect(
            await directory.candidates().map(\.name)
                == ["origin-1", "10.0.0.2:9080", "10.0.0.1:9080", "[2001:db8::1]:9080"])
        let counters = await directory.snapshot()
        #expect(counters.entries == [.static: 1, .slices: 1, .dns: 2])
        #expect(counters.states == [.up: 0, .suspect: 4, .down: 0])
    }

    /// It listens on another address, with the port that this one has.
    @Test func aNodeBesideThisOneIsAsked() async {
        let topology = Self.sample(.static(["origin-1"]))
        let edge = topology.nodes[1]
        let directory = Self.directory(of: edge, in: topology)
        let port = edge.internalListener.port
        await directory.replace(
            .slices, by: [Self.endpoint("127.0.0.1", port, "edge-1"), Self.endpoint("127.0.0.2", port, "beside")])
        #expect(await directory.candidates().map(\.name) == ["origin-1", "beside"])
    }

    @Test func tenThousandEndpointsAreBounded() async {
        let topology = Self.sample(.static(["origin-1"]))
        let directory = Self.directory(of: topology.nodes[1], in: topology)
        let many = (0..<10_000).map { Self.endpoint("10.1.\($0 / 250).\($0 % 250 + 1)", 9_080) }
        await directory.replace(.slices, by: many + [Self.endpoint("10.9.9.9", 9_080, "near", region: "eu")])
        #expect(await directory.observations.count { $0.kind == .above } == NodeDirectory.mostEntries)
        #expect(await directory.candidates().prefix(2).map(\.name) == ["origin-1", "near"])
    }

    /// A node that accepts connections and never answers, one that nobody listens for, and two that live.
    @Test(.timeLimit(.minutes(5))) func theDeadAreNotAskedWhileOthersLive() async throws {
        var topology = Topology.forTests()
        for name in ["silent", "gone", "origin-1", "origin-2"] { topology.addNode(name, .origin) }
        topology.addNode("edge-1", .edge, upstream: ["silent", "gone", "origin-1", "origin-2"])
        let socket = listeningSocket(topology.nodes[0].internalListener.port)
        defer { close(socket) }
        let all = topology
        try await withNodes(topology, except: ["silent", "gone", "edge-1"]) { nodes in
            let directory = Self.directory(of: all.nodes[4], in: all)
            let task = Task { try await directory.run() }
            #expect(await eventually { await directory.candidates().map(\.name) == ["origin-1", "origin-2"] })
            #expect(await directory.isAnyReachable)
            // A draining node is known at once, and comes after one that is not.
            await nodes["origin-1"]!.sessions.beginDrain(.request)
            #expect(await eventually { await directory.candidates().map(\.name) == ["origin-2", "origin-1"] })
            // A failed request is a sign; the probe that follows decides.
            let second = await directory.candidates()[0]
            await directory.doubt(second.url)
            #expect(await eventually { await directory.observations.first { $0.url == second.url }?.state == .up })
            // Everybody is dead: everybody is asked.
            for node in nodes.values { await node.running.shutDown() }
            #expect(await eventually { await directory.candidates().count == 4 })
            #expect(await eventually { await !directory.isAnyReachable })
            task.cancel()
            _ = await task.result
        }
    }

    @Test func nodesAndMetricsShowTheStates() async throws {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        try await withNodes(topology) { nodes in
            let edge = nodes["edge-1"]!
            #expect(
                await eventually {
                    (try? await edge.request("GET", "/api/nodes"))?.text.contains(#""state":"up""#) == true
                })
            let metrics = try await edge.request("GET", "/metrics", internal: true).text
            for line in [
                "sfu_upstreams{state=\"up\"} 1", "sfu_upstreams{state=\"down\"} 0",
                "sfu_discovery_entries{source=\"static\"} 1", "sfu_discovery_failures_total{source=\"dns\"} 0",
            ] { #expect(metrics.contains(line + "\n"), "\(line)") }
            let origin = try await nodes["origin-1"]!.request("GET", "/metrics", internal: true).text
            #expect(!origin.contains("sfu_upstreams"))
        }
    }
}
