import Routing
import Testing
import WebRTC

@testable import ControlPlane

// Two processes with one node name, seen by whoever meets both: by probes, and by a node that both ask.

@Suite(.timeLimit(.minutes(5))) struct NodeNameConflictTests {
    private let warning = "two processes have one node name"

    @Test func twoAddressesWithOneName() async throws {
        let (first, second) = (FakeNode("origin-1"), FakeNode("origin-1"))
        first.change { $0.facts.instance = "A" }
        second.change { $0.facts.instance = "A" }
        var topology = Topology.forTests()
        topology.addNode("edge-1", .edge)
        topology.nodes[0].upstream.slices = .init(directory: "/nowhere", service: "origin")
        let (edge, sealed, record) = (topology.nodes[0], topology, LogRecord())
        try await withFakeNodes([first, second]) {
            try await Follower.run(edge, in: sealed, logger: record.logger) { follower in
                await follower.directory.replace(
                    .slices,
                    by: [first, second].map { .init(TransportAddress("127.0.0.1", port: UInt16($0.port))!) })
                // One process under two addresses is nothing to warn of.
                #expect(await eventually { first.probes >= 2 && second.probes >= 2 })
                #expect(record.count(warning) == 0)
                #expect(await !follower.directory.isContested("origin-1"))
                second.change { $0.facts.instance = "B" }
                #expect(await eventually { record.count(warning) == 1 })
                let line = try #require(record.lines.first { $0.contains(warning) })
                #expect(line.contains(first.url) && line.contains(second.url), "\(line)")
                #expect(await follower.directory.isContested("origin-1"))
                let probes = second.probes
                #expect(await eventually { second.probes >= probes + 2 })
                #expect(record.count(warning) == 1)
                #expect(await follower.directory.nameConflicts == 1)
            }
        }
    }

    @Test func thisNodesNameAtAnotherAddress() async throws {
        let (origin, twin) = (FakeNode("origin-1"), FakeNode("edge-1", .edge))
        twin.change { $0.facts.instance = Follower.instance }
        var topology = Topology.below([origin])
        topology.nodes[1].upstream.peers = .init(slices: .init(directory: "/nowhere", service: "edge"))
        let (edge, sealed, record) = (topology.nodes[1], topology, LogRecord())
        try await withFakeNodes([origin, twin]) {
            try await Follower.run(edge, in: sealed, logger: record.logger) { follower in
                await follower.directory.replace(
                    .peerSlices, by: [.init(TransportAddress("127.0.0.1", port: UInt16(twin.port))!)])
                #expect(await eventually { twin.probes >= 2 })
                #expect(record.count(warning) == 0, "itself, by another address")
                twin.change { $0.facts.instance = "another" }
                #expect(await eventually { record.count(warning) == 1 })
                let line = try #require(record.lines.first { $0.contains(warning) })
                #expect(line.contains(edge.internalListener.url) && line.contains(twin.url), "\(line)")
                #expect(await follower.directory.isContested("edge-1"))
            }
        }
    }

    /// They do not follow each other: only the origin, whose relays they take from each other, can tell.
    @Test func twoEdgesWithOneNameBelowOneOrigin() async throws {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        var other = Topology.forTests()
        other.nodes = [topology.nodes[0]]
        other.addNode("edge-1", .edge, upstream: ["origin-1"])
        let (first, second, record) = (topology, other, LogRecord())
        // The origin's probes, now and then, must not find the first edge: they would tell of the two as well.
        var unprobed = topology
        unprobed.nodes[1].internalListener.url = "http://127.0.0.1:1"
        let origins = unprobed
        try await withNodes(first, logger: record.logger, seenBy: { $0 == "origin-1" ? origins : nil }) { nodes in
            try await withNodes(second, except: ["origin-1"]) { others in
                let (origin, edge, twin) = (nodes["origin-1"]!, nodes["edge-1"]!, others["edge-1"]!)
                for name in ["a", "b"] { _ = try await origin.publishLive(name) }
                #expect(try await edge.offer(Offers.viewer(), to: "/whep/a").status == 201)
                #expect(try await twin.offer(Offers.viewer(), to: "/whep/b").status == 201)
                #expect(record.count(warning) == 0, "one may have come after the other")
                #expect(try await edge.offer(Offers.viewer(), to: "/whep/b").status == 201)
                #expect(record.count(warning) == 1)
                let line = try #require(record.lines.first { $0.contains(warning) })
                #expect(line.contains("name=edge-1") && line.contains("addresses=127.0.0.1, 127.0.0.1"), "\(line)")
                let metrics = try await origin.request("GET", "/metrics", internal: true).text
                #expect(metrics.contains("sfu_node_name_conflicts_total 1\n"))
                let list = try await origin.request("GET", "/api/nodes").text
                #expect(list.split(separator: "{").count { $0.contains(#""conflict":true"#) } == 1)
                #expect(
                    list.split(separator: "{").contains { $0.contains("conflict") && $0.contains(#""name":"edge-1""#) })
            }
        }
    }

    @Test func everyProcessHasAnInstanceOfItsOwn() async throws {
        try await withOrigin { first in
            try await withOrigin { second in
                let (a, b) = await (first.sessions.instance, second.sessions.instance)
                #expect(a.count == 11 && b.count == 11 && a != b)
                let answer = try await first.request("GET", "/readyz", internal: true).text
                #expect(answer.contains(#""instance":"\#(a)""#))
            }
        }
    }
}
