import HTTPTypes
import Hummingbird
import Testing
import WebRTC

@testable import ControlPlane
@testable import Routing

// A node above that means harm: whatever it answers, nobody else hears from us, least of all with its token.

@Suite("Hostile upstream", .serialized) struct HostileUpstreamTests {
    private static let secret = Secret(String(repeating: "s", count: 32))

    /// An edge below `node`, which answers relay requests as it is told.
    private func withEdge(
        below node: FakeNode, answering status: Int, location: String, heard: HeardRequests, _ record: LogRecord,
        _ body: @escaping @Sendable (RunningNode) async throws -> Void
    ) async throws {
        node.change { $0.broadcasts = [node.announcement("live")] }
        var topology = Topology.below([node])
        topology.auth.node = .secret(Self.secret)
        let all = topology
        try await withServer(port: node.port) { request in
            guard request.method != .get else { return node.respond(request) }
            heard.add(request)
            var response = Response.text("v=0", type: MediaType.sdp)
            response.status = .init(code: status)
            if !location.isEmpty { response.headers[.location] = location }
            return response
        } _: { _ in
            try await withNodes(all, except: [node.name], logger: record.logger) { nodes in
                let edge = nodes["edge-1"]!
                #expect(await eventually { await !edge.sessions.router.announcements.isEmpty })
                try await body(edge)
            }
        }
    }

    @Test(arguments: [
        (307, "http://127.0.0.1:STRANGER/relay/live"), (308, "http://127.0.0.1:STRANGER/relay/live"),
        (302, "http://127.0.0.1:STRANGER/relay/live"), (201, "http://127.0.0.1:STRANGER/session/x"),
        (201, "//127.0.0.1:STRANGER/session/x"), (201, "http://localhost:NODE/session/x"),
        (201, "https://127.0.0.1:NODE/session/x"), (201, "http://user:password@127.0.0.1:NODE/session/x"),
        (201, "file:///etc/passwd"), (201, "gopher://127.0.0.1:STRANGER/x"), (201, "http://[::1]:NODE/session/x"),
        (201, ""),
    ])
    func nobodyElseIsAsked(status: Int, location: String) async throws {
        let (node, stranger, heard, record) = (FakeNode("origin-1"), HeardRequests(), HeardRequests(), LogRecord())
        try await withServer { request in
            stranger.add(request)
            return Response(status: .ok)
        } _: { url in
            let place = location.replacing("STRANGER", with: url.split(separator: ":").last!)
                .replacing("NODE", with: "\(node.port)")
            try await withEdge(below: node, answering: status, location: place, heard: heard, record) { edge in
                let answer = try await edge.offer(Offers.viewer(), to: "/whep/live")
                #expect(answer.status == 503, "\(answer)")
            }
        }
        // The edge has stopped, and said every good-bye that it had to say.
        #expect(stranger.all == [])
        #expect(heard.count("POST") > 0 && heard.count("DELETE") == 0, "\(heard.all)")
        #expect(record.count("relay answer not usable") > 0, "\(record.lines)")
        #expect(record.count("Bearer") == 0)
    }

    @Test func theAskedNodeIsToldGoodByeWithATokenOfItsOwn() async throws {
        let (node, heard, record) = (FakeNode("origin-1"), HeardRequests(), LogRecord())
        try await withEdge(below: node, answering: 201, location: "/session/x", heard: heard, record) { edge in
            let answer = try await edge.offer(Offers.viewer(), to: "/whep/live")
            #expect(answer.status == 503, "its SDP is none")
        }
        let farewell = try #require(heard.all.first { $0.hasPrefix("DELETE /session/x ") })
        let origin = NodeTokens(.secret(Self.secret), node: "origin-1")
        let authorization = String(farewell.dropFirst("DELETE /session/x ".count))
        #expect(origin.decide(broadcast: "live", authorization: authorization) == .allowed(issuer: "edge-1"))
        #expect(record.count("relay answer not usable") > 0)
    }

    /// A problem document is the hostile node's text: it gets one short line of the log.
    @Test func whatItSaysIsShown() async throws {
        let (node, record) = (FakeNode("origin-1"), LogRecord())
        node.change { $0.broadcasts = [node.announcement("live")] }
        let detail = String(repeating: "x", count: 100_000)
        try await withServer(port: node.port) { request in
            guard request.method != .get else { return node.respond(request) }
            return Problem(.internalServerError, "x", "x", detail: "\u{1B}[2J" + detail).response
        } _: { _ in
            try await withNodes(Topology.below([node]), except: [node.name], logger: record.logger) { nodes in
                let edge = nodes["edge-1"]!
                #expect(await eventually { await !edge.sessions.router.announcements.isEmpty })
                let answer = try await edge.offer(Offers.viewer(), to: "/whep/live")
                #expect(answer.status == 503, "\(answer)")
            }
        }
        let line = try #require(record.lines.first { $0.contains("relay not possible") })
        #expect(line.count < 400 && !line.contains("\u{1B}"), "\(line.prefix(500))")
    }
}

/// The other way round: what a node below may say of the nodes that wait.
@Suite("Cascade-Path") struct CascadePathTests {
    @Test(arguments: [
        ("edge-9", 201), ("", 201), ("edge-9, origin-1", 508), ("origin-1", 508), (",,, ,\t,", 201),
        ("../x, <b>, " + String(repeating: "y", count: 200), 201),
        ((1...16).map { "edge-\($0)" }.joined(separator: ","), 201),
        ((1...17).map { "edge-\($0)" }.joined(separator: ","), 508),
        (String(repeating: "a,", count: 3_000), 508),
    ])
    func loopsAndOversize(path: String, status: Int) async throws {
        try await withOrigin { origin in
            _ = try await origin.publishLive("live")
            let answer = try await whip.post(
                offer: Offers.viewer(), url: origin.internalURL + "/relay/live",
                headers: [(CascadeField.path, path)], timeout: patience)
            #expect(answer.status == status, "\(answer)")
        }
    }

    /// Many nodes below may want one broadcast together: the question that goes up stays one that is answered.
    @Test func nodesThatWaitTogetherAreNotTooMany() {
        var router = RelayRouter(node: "edge-1", budget: .seconds(4), seed: 1)
        let above = ["origin-1", "origin-2"].map { Neighbour(id: "http://\($0)", name: $0, kind: .above) }
        router.apply(.neighbours(above), now: .zero)
        for number in 0..<1_000 { router.want("live", waiting: ["below-\(number)"], now: .zero) }
        var asked = 0
        while case .ask(let name, let attempt, _, let waiting, _)? = router.takeActions().last {
            asked += 1
            #expect(waiting.count <= RelayRouter.mostWaiting && waiting.last == "edge-1")
            #expect(router.feeds["live"]?.waiting.count == RelayRouter.mostRemembered)
            router.refused(name, attempt, .unavailable("x"), now: .zero)
        }
        #expect(asked == 2)
    }
}
