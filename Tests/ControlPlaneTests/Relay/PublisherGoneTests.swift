import Forwarding
import Testing
import WebRTC

@testable import ControlPlane

// A publisher that falls silent or leaves: what lists say of it, at the origin and below.

@Suite("Publisher gone", .timeLimit(.minutes(1))) struct PublisherGoneTests {
    private static var cascade: Topology {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        return topology
    }

    private static func lists(_ node: RunningNode, _ name: String) async throws -> Bool {
        try await node.request("GET", "/api/broadcasts").text.contains("\"name\":\"\(name)\"")
    }

    @Test func whatBringsNoMediaIsListedNowhere() async throws {
        try await withNodes(Self.cascade) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            let publisher = try await origin.publishLive("a")
            let viewer = try await origin.offer(Offers.viewer(), to: "/whep/a")
            let source = try #require(await origin.sessions.identifier(of: try origin.resource(of: publisher)))
            let broadcast = try #require(await origin.sessions.names["a"])
            #expect(try await eventually { try await Self.lists(edge, "a") })
            // What its worker says after `source_silence`.
            await origin.sessions.apply(.silent(source, broadcast))
            #expect(try await !Self.lists(origin, "a"))
            #expect(try await eventually { try await !Self.lists(edge, "a") })
            #expect(try await origin.request("GET", try origin.path(of: viewer)).status == 200, "viewers stay")
            await origin.sessions.apply(.flowing(source, broadcast))
            #expect(try await Self.lists(origin, "a"))
            #expect(try await origin.request("GET", "/api/broadcasts").text.contains("\"viewers\":1"))
            #expect(try await eventually { try await Self.lists(edge, "a") })
        }
    }
}
