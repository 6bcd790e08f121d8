import Glibc
import HTTPTypes
import Hummingbird
import Logging
import Routing
import Testing
import WebRTC

@testable import ControlPlane

// Any node answers for sessions of any other: what reaches the wrong one is carried to the owner, once.

private let secret = String(repeating: "s", count: 32)

/// An origin and two edges; the node token and a viewers' token are needed.
private func replicas(_ change: (inout Topology) -> Void = { _ in }) -> Topology {
    var topology = Topology.forTests()
    topology.auth.node = .secret(Secret(secret))
    topology.auth.watch = .secret(Secret("viewers"))
    topology.addNode("origin-1", .origin)
    topology.addNode("edge-1", .edge, upstream: ["origin-1"])
    topology.addNode("edge-2", .edge, upstream: ["origin-1"])
    change(&topology)
    return topology
}

private let bearer = (name: "Authorization", value: "Bearer viewers")
private let fragment = (name: "Content-Type", value: "application/trickle-ice-sdpfrag")

extension RunningNode {
    /// A viewer at this node; its resource's path.
    fileprivate func viewer(of name: String) async throws -> (path: String, answer: WHIPClient.Answer) {
        let answer = try await offer(Offers.viewer(), to: "/whep/\(name)", token: "viewers")
        try #require(answer.status == 201, "\(answer)")
        return (try path(of: answer), answer)
    }

    fileprivate func count(of purpose: SessionPurpose) async -> Int {
        await sessions.snapshot().present[purpose] ?? 0
    }
}

@Suite("Session proxy") struct SessionProxyTests {
    /// What is no status of an answer is none: it is not made one of ours.
    @Test(arguments: [600, 700, 999]) func anOwnerThatAnswersWithNoStatusDoesNotAnswer(status: Int) async throws {
        try await withServer { _ in
            Response(status: .init(code: status), headers: [.cascadeNode: "edge-1"])
        } _: { url in
            let proxy = SessionProxy(
                topology: replicas(), tokens: NodeTokens(.open, node: "edge-2"), trust: nil,
                shares: FairShares(NodeLimits()), logger: Logger(label: "test")
            ) { _ in nil }
            let head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/session/x.edge-1")
            let request = Request(head: head, body: .init(buffer: .init()))
            let problem = await #expect(throws: Problem.self) {
                try await proxy.forward(request, body: [], to: .init(name: "edge-1", url: url), for: nil)
            }
            #expect(problem?.cause == "owner-unreachable")
        }
    }

    @Test func everyRequestAboutASessionReachesItsOwner() async throws {
        try await withNodes(replicas()) { nodes in
            let (owner, other) = (nodes["edge-1"]!, nodes["edge-2"]!)
            _ = try await nodes["origin-1"]!.publishLive("live")
            let (path, answer) = try await owner.viewer(of: "live")
            let etag = try #require(answer.etag)

            let found = try await other.request("GET", path)
            #expect(found.status == 200 && found.header("Accept-Patch") == fragment.value)
            #expect(found.header("Access-Control-Allow-Origin") == "*")
            #expect(found.header("Cascade-Node") == nil, "inner names stay inside")

            let trickle = "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
            let unconditional = try await other.request("PATCH", path, [bearer, fragment], body: trickle)
            #expect(unconditional.status == 428)
            let stale = try await other.request(
                "PATCH", path, [bearer, fragment, ("If-Match", "\"other\"")], body: trickle)
            #expect(stale.status == 412, "\(stale.text)")
            #expect(stale.text.contains("urn:cascade:problem:etag-stale"))
            let restarted = try await other.request(
                "PATCH", path, [bearer, fragment, ("If-Match", "*")], body: trickle)
            #expect(restarted.status == 200 && restarted.text.contains("a=ice-ufrag:"), "\(restarted.text)")
            let next = try #require(restarted.header("ETag"))
            #expect(next != etag)
            let again = try await owner.request(
                "PATCH", path, [bearer, fragment, ("If-Match", etag)], body: trickle)
            #expect(again.status == 412, "the restart took place at the owner")

            #expect(try await other.request("DELETE", path, [bearer]).status == 200)
            #expect(await owner.count(of: .viewer) == 0)
            #expect(try await other.request("DELETE", path, [bearer]).status == 404)
        }
    }

    @Test func eventsOfASessionComeThroughAnyNode() async throws {
        try await withNodes(replicas()) { nodes in
            let (owner, other) = (nodes["edge-1"]!, nodes["edge-2"]!)
            _ = try await nodes["origin-1"]!.publishLive("live")
            let (path, _) = try await owner.viewer(of: "live")
            let opened = try await other.request("POST", path + "/events", [bearer])
            #expect(opened.status == 201, "\(opened.text)")
            let location = try #require(opened.header("Location"))
            let stream = path + "/events/" + location.split(separator: "/").last!
            #expect(location == owner.url + stream)
            #expect(try await other.request("GET", stream).status == 401)
            #expect(try await other.request("GET", stream + "x", [bearer]).status == 404)
            async let answer = other.request("GET", stream, [bearer])
            let name = String(stream.split(separator: "/").last!)
            let resource = ResourceName(path.split(separator: "/").last!)
            #expect(await eventually { await owner.sessions.connections(resource, name) > 0 })
            #expect(try await other.request("DELETE", path, [bearer]).status == 200)
            let text = try await answer
            #expect(text.status == 200 && text.header("Content-Type") == "text/event-stream")
            #expect(text.text.contains("event: "), "\(text.text)")
        }
    }

    @Test func theClientsTokenIsCheckedByTheOwner() async throws {
        try await withNodes(replicas()) { nodes in
            let (owner, other) = (nodes["edge-1"]!, nodes["edge-2"]!)
            _ = try await nodes["origin-1"]!.publishLive("live")
            let (path, _) = try await owner.viewer(of: "live")
            let missing = try await other.request("DELETE", path)
            #expect(missing.status == 401 && missing.header("WWW-Authenticate") == "Bearer")
            #expect(try await other.request("DELETE", path, [("Authorization", "Bearer wrong")]).status == 403)
            // What only nodes may say means nothing on the public listener.
            let smuggled = [("Cascade-Authorization", "Bearer viewers")]
            #expect(try await other.request("DELETE", path, smuggled).status == 401)
            #expect(await owner.count(of: .viewer) == 1)
        }
    }

    @Test func theInnerRouteNeedsTheNodeToken() async throws {
        try await withNodes(replicas()) { nodes in
            let owner = nodes["edge-1"]!
            _ = try await nodes["origin-1"]!.publishLive("live")
            let (path, _) = try await owner.viewer(of: "live")
            func ask(_ authorization: String?) async throws -> Int {
                let headers =
                    (authorization.map { [("Authorization", $0)] } ?? []) + [
                        ("Cascade-Authorization", "Bearer viewers")
                    ]
                return try await owner.request("DELETE", "/forwarded" + path, headers, internal: true).status
            }
            #expect(try await ask(nil) == 401)
            #expect(try await ask("Bearer viewers") == 403)
            let tokens = NodeTokens(.secret(Secret(secret)), node: "edge-2")
            // Good for another node, or for a broadcast only.
            #expect(try await ask(tokens.authorization(for: "*", at: "edge-2")) == 403)
            #expect(try await ask(tokens.authorization(for: "live", at: "edge-1")) == 403)
            #expect(await owner.count(of: .viewer) == 1)
            #expect(try await ask(tokens.authorization(for: "*", at: "edge-1")) == 200)
            // Nothing but sessions is behind it, and nothing of it is public.
            let token = try #require(tokens.authorization(for: "*", at: "edge-1"))
            for path in ["/forwarded/whep/live", "/forwarded/api/nodes", "/forwarded/forwarded/session/x.edge-1"] {
                let answer = try await owner.request("POST", path, [("Authorization", token)], internal: true)
                #expect(answer.status == 404, "\(path)")
            }
            #expect(try await owner.request("DELETE", "/forwarded" + path, [("Authorization", token)]).status == 404)
        }
    }

    @Test func relaySessionsAreNotForwarded() async throws {
        try await withNodes(replicas()) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            _ = try await origin.publishLive("live")
            let tokens = NodeTokens(.secret(Secret(secret)), node: "edge-1")
            let relay = try await whip.post(
                offer: Offers.viewer(), url: origin.internalURL + "/relay/live",
                token: BearerToken(tokens.authorization(for: "live", at: "origin-1"))?.text)
            #expect(relay.status == 201)
            #expect(try await edge.request("DELETE", try edge.path(of: relay), [bearer]).status == 404)
            #expect(await origin.count(of: .relay) == 1)
        }
    }

    @Test func unknownOwnersAndSessionsAreNotFound() async throws {
        try await withNodes(replicas()) { nodes in
            let other = nodes["edge-2"]!
            for id in [
                "AAAAAAAAAAAAAAAAAAAAAA.edge-1", "AAAAAAAAAAAAAAAAAAAAAA.edge-9", "AAAA.", ".edge-1", "x.y.edge-1",
                "..", "x%2Fy.edge-1", "x%2e%2e.edge-1", "AAAA.EDGE-1", String(repeating: "A", count: 4_000) + ".edge-1",
            ] {
                let answer = try await other.request("DELETE", "/session/\(id)", [bearer])
                #expect(answer.status == 404, "\(id.prefix(40)): \(answer.status)")
            }
        }
    }

    @Test func aDeadOwnerIsARetry() async throws {
        try await withNodes(replicas(), except: ["edge-1"]) { nodes in
            let path = "/session/AAAAAAAAAAAAAAAAAAAAAA.edge-1"
            let answer = try await nodes["edge-2"]!.request("DELETE", path, [bearer])
            #expect(answer.status == 503 && answer.header("Retry-After") != nil)
            #expect(answer.text.contains("owner-unreachable"))
        }
    }

    /// It accepts connections and says nothing. Clients that end wait for two seconds (OBS); a busy machine needs more.
    @Test(arguments: [
        ("PATCH", ""), ("DELETE", ""), ("POST", "/events"), ("GET", "/events/AAAA"),
        ("DELETE", "/events/AAAA"),
    ])
    func anOwnerThatHangsIsARetryInTime(method: String, path: String) async throws {
        #expect(SessionProxy.timeout <= .milliseconds(1_300))
        let topology = replicas()
        let socket = listeningSocket(topology.nodes[1].internalListener.port)
        defer { close(socket) }
        try await withNodes(topology, except: ["edge-1"]) { nodes in
            let begin = ContinuousClock.now
            let answer = try await nodes["edge-2"]!.request(
                method, "/session/AAAAAAAAAAAAAAAAAAAAAA.edge-1" + path, [bearer, fragment])
            #expect(answer.status == 503 && answer.header("Retry-After") != nil, "\(answer.text)")
            #expect(ContinuousClock.now - begin < .seconds(4))
        }
    }

    /// Nobody needs an answer that only the owner has, and anybody may ask.
    @Test(arguments: ["GET", "HEAD", "OPTIONS"])
    func descriptionsOfSessionsNeedNoOwner(method: String) async throws {
        let topology = replicas()
        // Accepts connections and says nothing.
        let socket = listeningSocket(topology.nodes[1].internalListener.port)
        defer { close(socket) }
        try await withNodes(topology, except: ["edge-1"]) { nodes in
            let other = nodes["edge-2"]!
            let answer = try await other.request(method, "/session/AAAAAAAAAAAAAAAAAAAAAA.edge-1")
            #expect(answer.status == 200 && answer.header("Accept-Patch") == fragment.value)
            #expect(answer.body.isEmpty)
            if method != "OPTIONS" {
                #expect(try await other.request(method, "/session/AAAAAAAAAAAAAAAAAAAAAA.edge-9").status == 404)
            }
        }
    }

    /// PATCH and DELETE have places that nothing else takes, and no network has them all.
    @Test func placesTowardsAnOwnerAreShared() async throws {
        let (limits, owner) = (NodeLimits(), SessionProxy.Owner(name: "edge-1", url: "http://127.0.0.1:1"))
        let network = { (number: Int) in ClientNetwork(TransportAddress("192.0.2.\(number)", port: 1)!) }
        func proxy() async -> SessionProxy {
            SessionProxy(
                topology: Topology.forTests(), tokens: NodeTokens(.open, node: "edge-2"), trust: nil,
                shares: FairShares(limits), logger: LogRecord().logger
            ) { _ in nil }
        }
        func refusal(_ body: () throws(Problem) -> [HeldPlace]) -> Int? {
            do throws(Problem) {
                _ = try body()
                return nil
            } catch {
                return error.status.code
            }
        }
        let first = await proxy()
        var held: [[HeldPlace]] = []
        for number in 0..<12 { held.append(try first.hold(.post, to: owner, for: network(number))) }
        #expect(refusal { () throws(Problem) in try first.hold(.post, to: owner, for: network(13)) } == 503)
        for number in 0..<4 { held.append(try first.hold(.delete, to: owner, for: network(number))) }
        #expect(refusal { () throws(Problem) in try first.hold(.patch, to: owner, for: network(13)) } == 503)
        #expect(first.refused == [.full: 1])
        held = []
        #expect(refusal { () throws(Problem) in try first.hold(.post, to: owner, for: network(13)) } == nil)

        let second = await proxy()
        for _ in 0..<8 { held.append(try second.hold(.delete, to: owner, for: network(1))) }
        #expect(refusal { () throws(Problem) in try second.hold(.delete, to: owner, for: network(1)) } == 429)
        #expect(refusal { () throws(Problem) in try second.hold(.delete, to: owner, for: network(2)) } == nil)
        // Whatever it does to one owner, the others are reached.
        let other = SessionProxy.Owner(name: "edge-3", url: "http://127.0.0.1:1")
        #expect(refusal { () throws(Problem) in try second.hold(.delete, to: other, for: network(1)) } == nil)
    }

    @Test func whoeverElseAnswersAtTheOwnersAddressIsNotTheOwner() async throws {
        let topology = replicas {
            // The address of edge-1 in the file is that of the origin.
            $0.nodes[1].internalListener.url = $0.nodes[0].internalListener.url
        }
        try await withNodes(topology, except: ["edge-1"]) { nodes in
            let path = "/session/AAAAAAAAAAAAAAAAAAAAAA.edge-1"
            let answer = try await nodes["edge-2"]!.request("DELETE", path, [bearer])
            #expect(answer.status == 503, "its refusal of our token is not told to the client")
        }
    }

    @Test func bodiesStayBounded() async throws {
        try await withNodes(replicas { $0.limits.bodyBytes = 4_096 }) { nodes in
            let body = String(repeating: "a", count: 5_000)
            let answer = try await nodes["edge-2"]!.request(
                "PATCH", "/session/AAAAAAAAAAAAAAAAAAAAAA.edge-1", [bearer, fragment], body: body)
            #expect(answer.status == 413)
        }
    }

    @Test func mutatedPathsNeverLeaveSessions() throws {
        var random = SeededGenerator(seed: 9)
        let seed = Array("/session/AAAAAAAAAAAAAAAAAAAAAA.edge-1/events/4".utf8)
        var accepted = 0
        for _ in 0..<5_000 {
            var path = seed
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let piece = ["..", ".", "/", "%2e", "%2F", "?", "#", "\\", "@", "//", "\r\n", "~", "é"]
                    .randomElement(using: &random)!
                path.insert(contentsOf: Array(piece.utf8), at: Int.random(in: 1..<path.count, using: &random))
            }
            guard let forwarded = SessionProxy.forwardedPath(String(decoding: path, as: UTF8.self)) else { continue }
            accepted += 1
            #expect(forwarded.hasPrefix("/forwarded/session/"))
            #expect(forwarded.utf8.allSatisfy { $0 == UInt8(ascii: "/") || BroadcastName.isAllowed($0) })
            #expect(!forwarded.split(separator: "/").contains { $0 == "." || $0 == ".." })
        }
        #expect(accepted > 100)
    }
}
