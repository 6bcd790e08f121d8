import Forwarding
import HTTPTypes
import Hummingbird
import Testing
import WebRTC

@testable import ControlPlane
@testable import Routing

// Who gets in when more want to than there is room for: one network, however many offers it sends, keeps nobody out.

@Suite("Admission") struct AdmissionTests {
    private static func network(_ address: String) -> ClientNetwork {
        ClientNetwork(TransportAddress(address, port: 1)!)
    }

    /// Opens a viewer's session; nil: it was refused.
    private func watch(
        _ node: RunningNode, from address: String, name: String = "a"
    ) async throws -> Sessions.Opened {
        try await node.sessions.watch(
            name, offer: try SessionDescription.parse(Offers.viewer()), as: .viewer, from: Self.network(address))
    }

    private func refusal(_ node: RunningNode, from address: String, name: String = "a") async throws -> String {
        do {
            _ = try await watch(node, from: address, name: name)
            return "opened"
        } catch let refusal as Refusal {
            return "\(refusal)"
        }
    }

    /// Sends nothing but offers, from all its addresses.
    @Test func oneNetworkHasItsShareOfHalfOpenSessions() async throws {
        try await withOrigin({ $0.limits.sessionsHalfOpen = 80 }) { node in
            _ = try await node.publishLive("a")
            for host in 0..<20 { _ = try await watch(node, from: "2001:db8::\(host)") }
            for _ in 0..<100 {
                let refusal = try await refusal(node, from: "2001:db8::ff")
                #expect(refusal == #"share("too many sessions are being set up")"#)
            }
            for _ in 0..<10 { _ = try await watch(node, from: "192.0.2.1") }
            #expect(await node.sessions.snapshot().present[.viewer] == 30)
            let metrics = try await node.request("GET", "/metrics", internal: true).text
            #expect(metrics.contains(#"sfu_refused_total{resource="half_open_viewers",reason="share"} 100"#))
            #expect(try await node.request("GET", "/readyz", internal: true).status == 200)
        }
    }

    @Test func aPlaceComesBackWhenTheSessionConnectsOrEnds() async throws {
        try await withOrigin({ $0.limits.sessionsHalfOpen = 80 }) { node in
            _ = try await node.publishLive("a")
            var opened: [Sessions.Opened] = []
            for _ in 0..<20 { opened.append(try await watch(node, from: "192.0.2.1")) }
            #expect(try await refusal(node, from: "192.0.2.1").hasPrefix("share"))
            let id = try #require(await node.sessions.identifier(of: opened[0].resource))
            let remote = TransportAddress("192.0.2.1", port: 9)!
            await node.sessions.apply(.connected(id, remote: remote, profile: .aeadAES128GCM))
            _ = try await watch(node, from: "192.0.2.1")
            #expect(try await refusal(node, from: "192.0.2.1").hasPrefix("share"))
            #expect(await node.sessions.delete(opened[1].resource, on: .public))
            _ = try await watch(node, from: "192.0.2.1")
            #expect(try await refusal(node, from: "192.0.2.1").hasPrefix("share"))
            // An offer that is not usable holds nothing.
            for _ in 0..<5 { _ = await node.sessions.delete(opened.removeLast().resource, on: .public) }
            for _ in 0..<100 {
                await #expect(throws: Refusal.self) {
                    try await node.sessions.watch(
                        "a", offer: try SessionDescription.parse(Offers.publisher()), as: .viewer,
                        from: Self.network("192.0.2.1"))
                }
            }
            for _ in 0..<5 { _ = try await watch(node, from: "192.0.2.1") }
        }
    }

    /// Many networks send offers only. Who has shown a check keeps his place, the oldest of the others goes.
    @Test func aNewViewerTakesThePlaceOfAnIdleOne() async throws {
        let record = LogRecord()
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.limits.sessionsHalfOpen = 20
        try await withNodes(topology, logger: record.logger) { nodes in
            let node = nodes["origin-1"]!
            _ = try await node.publishLive("a")
            var opened: [Sessions.Opened] = []
            for host in 0..<20 { opened.append(try await watch(node, from: "192.0.2.\(host)")) }
            let first = try #require(await node.sessions.identifier(of: opened[0].resource))
            await node.sessions.apply(.checked(first))
            _ = try await watch(node, from: "198.51.100.1")
            var left = 0
            for session in opened where await node.sessions.identifier(of: session.resource) != nil { left += 1 }
            #expect(left == 19)
            #expect(await node.sessions.identifier(of: opened[0].resource) != nil, "it has shown a check")
            #expect(await node.sessions.identifier(of: opened[1].resource) == nil, "the oldest of the others")
            #expect(await node.sessions.snapshot().opening[.viewer] == 20)
            #expect(try await node.request("GET", "/readyz", internal: true).status == 200)
            // When all of them are somebody, the node is full.
            for id in await node.sessions.unchecked { await node.sessions.apply(.checked(id)) }
            #expect(
                try await refusal(node, from: "198.51.100.2") == #"full("too many sessions are being set up")"#)
            #expect(try await node.request("GET", "/readyz", internal: true).status == 200)
            // Publishers and nodes have places of their own.
            #expect(try await node.offer(Offers.publisher(), to: "/whip/b").status == 201)
            let relay = try await whip.post(offer: Offers.viewer(), url: node.internalURL + "/relay/a")
            #expect(relay.status == 201)
        }
        #expect(record.count("clients are refused") == 1)
        #expect(record.count("limit=limits.sessions_half_open") == 1, "\(record.lines)")
    }

    @Test func oneNetworkHasItsShareOfViewers() async throws {
        try await withOrigin({ $0.limits.viewers = 80 }) { node in
            _ = try await node.publishLive("a")
            for _ in 0..<20 { try await connect(try await watch(node, from: "192.0.2.1"), at: node) }
            #expect(
                try await refusal(node, from: "192.0.2.1") == #"share("too many sessions of kind viewer")"#)
            _ = try await watch(node, from: "192.0.2.2")
        }
    }

    private func connect(_ opened: Sessions.Opened, at node: RunningNode) async throws {
        let id = try #require(await node.sessions.identifier(of: opened.resource))
        let remote = TransportAddress("192.0.2.1", port: 9)!
        await node.sessions.apply(.connected(id, remote: remote, profile: .aeadAES128GCM))
    }

    @Test func whoConnectsDecidesReadiness() async throws {
        try await withOrigin({ $0.limits.viewers = 2 }) { node in
            _ = try await node.publishLive("a")
            let opened = [try await watch(node, from: "192.0.2.1"), try await watch(node, from: "192.0.2.2")]
            #expect(try await node.request("GET", "/readyz", internal: true).status == 200)
            for session in opened { try await connect(session, at: node) }
            let ready = try await node.request("GET", "/readyz", internal: true)
            #expect(ready.status == 503 && ready.text.contains("limit viewers is reached"))
        }
    }

    @Test func publishersWithoutATokenHaveAShareAndThoseWithOneDoNot() async throws {
        func publish(_ count: Int, token: String?, _ change: (inout Topology) -> Void = { _ in }) async throws -> [Int]
        {
            var topology = Topology.forTests()
            topology.addNode("origin-1", .origin)
            topology.limits.sessionsHalfOpen = 40
            topology.limits.sharesLoopback = true
            change(&topology)
            let seen = Collected()
            try await withNodes(topology) { nodes in
                for number in 0..<count {
                    let answer = try await nodes["origin-1"]!.offer(
                        Offers.publisher(), to: "/whip/b-\(number)", token: token)
                    await seen.add(answer.status)
                    if answer.status == 429 { #expect(answer.retryAfter != nil) }
                }
            }
            return await seen.all
        }
        let open = try await publish(18, token: nil)
        #expect(open == Array(repeating: 201, count: 16) + [429, 429])
        let closed = try await publish(18, token: "t") { $0.auth.publish = .secret(Secret("t")) }
        #expect(closed == Array(repeating: 201, count: 18))
    }

    @Test func overHTTPTheRefusalSaysWhich() async throws {
        try await withOrigin({
            $0.limits.sessionsHalfOpen = 40
            $0.limits.sharesLoopback = true
        }) { node in
            _ = try await node.publishLive("a")
            for _ in 0..<16 { #expect(try await node.offer(Offers.viewer(), to: "/whep/a").status == 201) }
            let refused = try await node.request(
                "POST", "/whep/a", [("Content-Type", "application/sdp")], body: Offers.viewer())
            #expect(refused.status == 429 && refused.header("Retry-After") != nil)
            #expect(refused.text.contains("urn:cascade:problem:address-share"), "\(refused.text)")
            #expect(refused.text.contains("being set up"))
        }
    }

    @Test func eventStreamsAreShared() async throws {
        try await withOrigin({ $0.limits.viewers = 20 }) { node in
            _ = try await node.publishLive("a")
            let (mine, other) = (Self.network("192.0.2.1"), Self.network("192.0.2.2"))
            var sessions: [Sessions.Opened] = []
            for _ in 0..<5 { sessions.append(try await watch(node, from: "192.0.2.1")) }
            func open(_ index: Int, from network: ClientNetwork) async -> String {
                switch await node.sessions.openEvents(sessions[index].resource, wanted: [.active], from: network) {
                case .opened(let name): name
                case .refused(let refusal): "\(refusal)"
                default: "other"
                }
            }
            var names: [String] = []
            for index in 0..<4 { for _ in 0..<4 { names.append(await open(index, from: mine)) } }
            #expect(await open(4, from: mine) == #"share("too many event streams")"#)
            #expect(await !open(4, from: other).hasPrefix("share"))
            #expect(await node.sessions.closeEvents(sessions[0].resource, names[0]))
            #expect(await !open(4, from: mine).hasPrefix("share"))
            // A session takes its streams along.
            #expect(await node.sessions.delete(sessions[1].resource, on: .public))
            #expect(await !open(4, from: mine).hasPrefix("share"))
        }
    }
}

private actor Collected {
    var all: [Int] = []
    func add(_ status: Int) { all.append(status) }
}

/// At an edge the first viewer of a broadcast waits until it is found.
@Suite("Waiting for broadcasts") struct WaitingTests {
    private func watch(_ name: String, at edge: RunningNode, from address: String) -> Task<String, any Error> {
        Task {
            do {
                _ = try await edge.sessions.watch(
                    name, offer: try SessionDescription.parse(Offers.viewer()), as: .viewer,
                    from: ClientNetwork(TransportAddress(address, port: 1)!))
                return "opened"
            } catch let refusal as Refusal {
                return "\(refusal)"
            }
        }
    }

    /// Runs an edge below `names` and a node that has no directory, so that every name is looked for there, and that answers
    /// relay requests when `body` has ended.
    private func withEdge(
        below names: [String] = [], halfOpen: Int,
        _ body: @escaping @Sendable (_ nodes: [String: RunningNode], _ answers: Gate) async throws -> Void
    ) async throws {
        let (slow, gate) = (FakeNode("slow"), Gate())
        slow.change { $0.hasDirectory = false }
        var topology = Topology.forTests()
        for name in names { topology.addNode(name, .origin) }
        topology.addNode(slow)
        topology.addNode("edge-1", .edge, upstream: names + ["slow"])
        topology.limits.sessionsHalfOpen = halfOpen
        let all = topology
        try await withServer(port: slow.port) { request in
            if request.method == .post { await gate.pass() }
            return slow.respond(request)
        } _: { _ in
            try await withNodes(all, except: ["slow"]) { nodes in
                let edge = nodes["edge-1"]!
                #expect(await eventually { await edge.sessions.router.neighbours.contains { $0.state == .up } })
                try await body(nodes, gate)
                await gate.open()
            }
        }
    }

    @Test func inventedNamesKeepNobodyFromAnAnnouncedOne() async throws {
        try await withEdge(below: ["origin-1"], halfOpen: 20) { nodes, answers in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            _ = try await origin.publishLive("real")
            #expect(await eventually { await !edge.sessions.router.announcements.isEmpty })
            // As many as wait at all, from as many networks as it takes.
            let invented = (0..<20).map { watch("invented-\($0)", at: edge, from: "192.0.\($0 / 10).1") }
            #expect(await eventually { await edge.sessions.waiters.count == 20 })
            #expect(try await watch("another", at: edge, from: "198.51.100.1").value.hasPrefix("full"))
            #expect(try await watch("real", at: edge, from: "198.51.100.1").value == "opened")
            await answers.open()
            for task in invented { #expect(try await task.value != "opened") }
            #expect(await edge.sessions.searches.isEmpty)
        }
    }

    @Test func oneNetworkHasItsShareOfThoseWhoWait() async throws {
        try await withEdge(halfOpen: 80) { nodes, answers in
            let edge = nodes["edge-1"]!
            var waiting = (0..<20).map { watch("invented-\($0)", at: edge, from: "192.0.2.1") }
            #expect(await eventually { await edge.sessions.waiters.count == 20 })
            let refused = try await watch("invented-0", at: edge, from: "192.0.2.1").value
            #expect(refused.hasPrefix("share"), "\(refused)")
            waiting.append(watch("invented-0", at: edge, from: "192.0.2.2"))
            #expect(await eventually { await edge.sessions.waiters["invented-0"]?.count == 2 })
            await answers.open()
            for task in waiting {
                let outcome = try await task.value
                #expect(outcome != "opened")
            }
            // Whoever waited has given his place back.
            let later = try await watch("invented-0", at: edge, from: "192.0.2.1").value
            #expect(!later.hasPrefix("share"), "\(later)")
        }
    }
}

/// Lets nobody pass before it is opened.
private actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func pass() async {
        guard !isOpen else { return }
        await withCheckedContinuation { waiting.append($0) }
    }

    func open() {
        isOpen = true
        for one in waiting { one.resume() }
        waiting = []
    }
}
