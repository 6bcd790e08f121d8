import Routing
import Testing
import WebRTC

@testable import ControlPlane

// Item 42 and the drain routes: who is sent where, and what goes on meanwhile.

@Suite("Drain over HTTP") struct DrainOverHTTPTests {
    private let sdpType = [(name: "Content-Type", value: "application/sdp")]
    private let json = [(name: "Content-Type", value: "application/json")]

    private func withPair(
        _ change: (inout Topology) -> Void = { _ in },
        _ body: @escaping @Sendable (_ draining: RunningNode, _ other: RunningNode) async throws -> Void
    ) async throws {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("origin-2", .origin)
        change(&topology)
        try await withNodes(topology) { nodes in
            let node = nodes["origin-1"]!
            for purpose in [SessionPurpose.viewer, .publisher] {
                #expect(await eventually { await node.sessions.alternatives(purpose).map(\.node) == ["origin-2"] })
            }
            try await body(node, nodes["origin-2"]!)
        }
    }

    @Test func newClientsAreSentToAnotherNode() async throws {
        try await withPair { node, other in
            let publisher = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            #expect(try await node.request("POST", "/drain", internal: true).status == 200)
            #expect(try await node.request("GET", "/readyz", internal: true).status == 503)
            for (path, offer) in [("/whep/a", Offers.viewer()), ("/whip/b", Offers.publisher())] {
                let response = try await node.request("POST", path + "?x=1&y=2", sdpType, body: offer)
                #expect(response.status == 307)
                #expect(response.header("Location") == other.url + path + "?x=1&y=2")
                #expect(response.header("Access-Control-Allow-Origin") == "*")
            }
            // Other nodes have nowhere else to get what is published here.
            let served = try await node.request("POST", "/relay/a", sdpType, body: Offers.viewer(), internal: true)
            #expect(served.status == 201)
            let relay = try await node.request("POST", "/relay/b", sdpType, body: Offers.viewer(), internal: true)
            #expect(relay.status == 503 && relay.text.contains("problem:draining"))
            #expect(relay.header("Retry-After") != nil)
            // What there is goes on.
            for answer in [publisher, viewer] {
                #expect(try await node.request("GET", try node.path(of: answer)).status == 200)
            }
            let events = try node.path(of: viewer) + "/events"
            #expect(try await node.request("POST", events, json, body: #"["active"]"#).status == 201)
            #expect(try await node.request("DELETE", try node.path(of: viewer)).status == 200)
            #expect(try await node.request("DELETE", "/drain", internal: true).status == 200)
            #expect(try await node.request("GET", "/readyz", internal: true).status == 200)
            #expect(try await node.offer(Offers.viewer(), to: "/whep/a").status == 201)
        }
    }

    @Test func viewersAreToldOnceEach() async throws {
        try await withPair({ ($0.drainDeadline, $0.drainWindow) = (.seconds(2), .zero) }) { node, other in
            _ = try await node.publishLive("a")
            let first = try await node.offer(Offers.viewer(), to: "/whep/a")
            let stream = try await self.stream(node, of: first)
            _ = try await node.request("POST", "/drain", internal: true)
            // One that comes to hear of it only now.
            let second = try await node.offer(Offers.viewer(), to: "/whep/a")
            #expect(second.location?.hasPrefix(node.url) != true)
            #expect(await eventually { await node.sessions.snapshot().counters.viewersSentAway == 1 })
            async let told = node.request("GET", stream)
            for _ in 0..<3 { await node.sessions.advance(now: .now + .seconds(5)) }
            let name = String(stream.split(separator: "/").last!)
            let resource = try node.resource(of: first)
            #expect(await eventually { await node.sessions.connections(resource, name) == 1 })
            try await whip.delete(url: first.location!)
            #expect(try await told.text.contains("event: reconnect\ndata: {\"url\":\"\(other.url)/whep/a\"}\n\n"))
            let metrics = try await node.request("GET", "/metrics", internal: true).text
            #expect(metrics.contains("sfu_drain_viewers_told_total 1\n") && metrics.contains("sfu_draining 1\n"))
        }
    }

    private func stream(_ node: RunningNode, of answer: WHIPClient.Answer) async throws -> String {
        let path = try node.path(of: answer) + "/events"
        let response = try await node.request("POST", path, json, body: #"["reconnect"]"#)
        return try #require(response.header("Location"))
    }

    @Test func withoutAnotherNodeViewersAreKeptUntilThereIsOne() async throws {
        try await withOrigin({ ($0.drainDeadline, $0.drainWindow) = (.seconds(2), .zero) }) { node in
            _ = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            _ = try await stream(node, of: viewer)
            _ = try await node.request("POST", "/drain", internal: true)
            let refused = try await node.request("POST", "/whep/a", sdpType, body: Offers.viewer())
            #expect(refused.status == 503 && refused.header("Retry-After") != nil)
            await node.sessions.advance(now: .now + .seconds(1))
            #expect(await node.sessions.snapshot().counters.viewersSentAway == 0)
            let facts = NodeFacts(
                node: "new", role: "edge", region: "eu", url: "http://new.example", viewers: true, ready: true,
                draining: false, load: 0)
            await node.sessions.findAlternatives { _ in [facts] }
            await node.sessions.advance(now: .now + .seconds(3))
            #expect(await eventually { await node.sessions.snapshot().counters.viewersSentAway == 1 })
        }
    }

    @Test func aSignalCannotBeTakenBack() async throws {
        try await withOrigin({ $0.drainDeadline = .seconds(60) }) { node in
            let publisher = try await node.publishLive("a")
            await node.sessions.beginDrain(.signal)
            #expect(try await node.request("DELETE", "/drain", internal: true).status == 409)
            #expect(await !node.sessions.isDrained(now: .now))
            #expect(await node.sessions.isDrained(now: .now + .seconds(60)))
            try await whip.delete(url: publisher.location!)
            #expect(await node.sessions.isDrained(now: .now))
        }
    }

    @Test func aNodeThatStopsServesUntilItsLastClientHasGone() async throws {
        try await withOrigin({ $0.drainDeadline = .seconds(30) }) { node in
            let publisher = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            await node.running.shutDown()
            #expect(await eventually { await node.sessions.draining })
            #expect(try await node.request("GET", "/readyz", internal: true).status == 503)
            for answer in [viewer, publisher] {
                #expect(try await node.request("GET", try node.path(of: answer)).status == 200)
                #expect(try await node.request("DELETE", try node.path(of: answer)).status == 200)
            }
            // Long before the deadline nobody listens any more.
            #expect(
                await eventually {
                    (try? await node.request("GET", "/healthz", internal: true)) == nil
                })
        }
    }
}
