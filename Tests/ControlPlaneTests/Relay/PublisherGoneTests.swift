import Forwarding
import Testing
import WebRTC

@testable import ControlPlane

// A publisher that falls silent or leaves: what lists and viewers' events say of it, at the origin and below.

@Suite("Publisher gone", .timeLimit(.minutes(5))) struct PublisherGoneTests {
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

    /// A source that never brought anything does not fall silent, so it is the withdrawal that tells here.
    @Test func viewersOfAnEdgeHearOfAGoodbyeBeforeTheSilence() async throws {
        try await withNodes(Self.cascade) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            let first = try await origin.publishLive("a")
            let viewer = try await edge.offer(Offers.viewer(), to: "/whep/a")
            // The relay's transport is up, and the edge has heard of the broadcast.
            #expect(await eventually { await edge.isFlowing("a") })
            let resource = try edge.resource(of: viewer)
            guard case .opened(let name) = await edge.sessions.openEvents(resource, wanted: [.active, .inactive]) else {
                Issue.record("no stream of events")
                return
            }
            try await whip.delete(url: first.location!)
            #expect(await eventually { await edge.sessions.waiting(resource, name) == 2 }, "active, inactive")
            let relay = try #require(await edge.sessions.sessions.values.first { $0.purpose == .upstream })
            #expect(!relay.isSilent, "it is held, and has not been silent for long enough to be called so")
            _ = try await origin.publishLive("a")
            #expect(await eventually { await edge.sessions.waiting(resource, name) == 3 }, "active again")
            #expect(try await edge.request("GET", try edge.path(of: viewer)).status == 200)
        }
    }
}

extension RunningNode {
    fileprivate func isFlowing(_ name: String) async -> Bool { await sessions.isFlowing(name) }
}

extension Sessions {
    fileprivate func isFlowing(_ name: String) -> Bool {
        names[name].flatMap { broadcasts[$0] }.map { isFlowing($0) } ?? false
    }

    /// Events that wait for a GET.
    fileprivate func waiting(_ resource: ResourceName, _ stream: String) -> Int {
        resources[resource].flatMap { viewerEvents.streams[$0]?[stream] }?.waitingCount ?? 0
    }
}
