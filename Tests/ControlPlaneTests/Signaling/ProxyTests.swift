import Testing
import WebRTC

@testable import ControlPlane

// Behind a proxy that the topology names each client counts for itself; to anybody else's words nobody listens.

@Suite("Behind a proxy", .timeLimit(.minutes(5))) struct ProxyTests {
    private static func topology(proxies: [String]) throws -> Topology {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.nodes[0].front.proxies = try proxies.map { text throws in try AddressBlock(text) }
        topology.limits.sharesLoopback = true
        topology.limits.requestTimeout = .seconds(Int64(300))
        return topology
    }

    private static func from(_ client: String) -> [(name: String, value: String)] {
        [("X-Forwarded-For", "127.0.0.1, \(client)"), ("Content-Type", "application/sdp")]
    }

    /// Sixteen connections are one client's share here.
    @Test(arguments: [(["127.0.0.0/8"], true), (["192.0.2.0/24"], false), ([], false)])
    func connectionsOfAProxyAreNotOneClients(proxies: [String], isProxy: Bool) async throws {
        var topology = try Self.topology(proxies: proxies)
        topology.limits.connections = 64
        try await withNodes(topology) { nodes in
            let node = nodes["origin-1"]!
            let held = (0..<20).map { _ in RawConnection(port: node.running.publicPort) }
            var served = 0
            for connection in held {
                connection.send("GET /api/ice HTTP/1.1\r\nHost: a\r\n\r\n")
                if await connection.read(until: "iceServers").contains("200 OK") { served += 1 }
            }
            #expect(served == (isProxy ? 20 : 16))
        }
    }

    private static func refused(_ clients: [String], at node: RunningNode) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for client in clients {
                group.addTask { try await node.request("DELETE", "/session/x", from(client)).status }
            }
            return try await group.reduce(0) { $0 + ($1 == 429 ? 1 : 0) }
        }
    }

    @Test func eachClientBehindItHasItsRate() async throws {
        var topology = try Self.topology(proxies: ["127.0.0.1"])
        (topology.limits.requestsPerSecond, topology.limits.requestBurst) = (1, 2)
        try await withNodes(topology) { nodes in
            let node = nodes["origin-1"]!
            let flood = try await Self.refused(Array(repeating: "192.0.2.1", count: 16), at: node)
            let crowd = try await Self.refused((1...8).map { "198.51.100.\($0)" } + ["2001:db8::1"], at: node)
            #expect(flood > 0 && crowd == 0)
        }
    }

    /// Who invents a client for each request is one all the same.
    @Test func inventedClientsAreOne() async throws {
        var topology = try Self.topology(proxies: ["192.0.2.0/24"])
        (topology.limits.requestsPerSecond, topology.limits.requestBurst) = (1, 2)
        try await withNodes(topology) { nodes in
            let crowd = try await Self.refused((1...16).map { "198.51.100.\($0)" }, at: nodes["origin-1"]!)
            #expect(crowd > 0)
        }
    }

    @Test func sessionsCountForTheClient() async throws {
        try await withNodes(try Self.topology(proxies: ["127.0.0.1"])) { nodes in
            let node = nodes["origin-1"]!
            _ = try await node.publishLive("live")
            let answer = try await node.request("POST", "/whep/live", Self.from("192.0.2.9"), body: Offers.viewer())
            #expect(answer.status == 201)
            let network = ClientNetwork(try #require(TransportAddress("192.0.2.9", port: 0)))
            #expect(await node.sessions.shares.taken(.viewers, by: network) == 1)
        }
    }

    @Test(arguments: [
        (["127.0.0.1"], "https", "https"), (["127.0.0.1"], "HTTPS", "https"), (["127.0.0.1"], "http", "http"),
        (["127.0.0.1"], "ftp", "http"), (["127.0.0.1"], "https, http", "http"), (["10.0.0.0/8"], "https", "http"),
        ([], "https", "http"),
    ])
    func schemes(proxies: [String], said: String, scheme: String) async throws {
        var topology = try Self.topology(proxies: proxies)
        topology.nodes[0].publicListener.isURLGiven = false
        try await withNodes(topology) { nodes in
            let answer = try await nodes["origin-1"]!.request(
                "POST", "/whip/live",
                [("Host", "a.example"), ("X-Forwarded-Proto", said), ("Content-Type", "application/sdp")],
                body: Offers.publisher())
            #expect(answer.header("Location")?.hasPrefix("\(scheme)://a.example/session/") == true)
        }
    }
}
