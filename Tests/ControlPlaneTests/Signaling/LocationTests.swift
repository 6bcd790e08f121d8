import Testing
import WebRTC

@testable import ControlPlane

// Where the topology gives a node no `public.url`, what it hands out leads to where the client has reached it.

@Suite("Location") struct LocationTests {
    /// Nobody says how nodes are reached: all of them listen on every address.
    private static func open(_ change: (inout Topology) -> Void = { _ in }) -> Topology {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        for index in topology.nodes.indices {
            topology.nodes[index].publicListener.isURLGiven = false
            topology.nodes[index].publicListener.host = "0.0.0.0"
            topology.nodes[index].internalListener.isURLGiven = false
        }
        change(&topology)
        return topology
    }

    private static func publish(at node: RunningNode, _ headers: [(String, String)]) async throws -> (
        status: Int, location: String
    ) {
        let answer = try await node.request(
            "POST", "/whip/live", [("Content-Type", "application/sdp")] + headers, body: Offers.publisher())
        return (answer.status, answer.header("Location") ?? "none")
    }

    @Test func itLeadsToWhereTheClientHasReachedTheNode() async throws {
        var topology = Self.open()
        topology.onConflict = .replace
        topology.nodes[0].front.proxies = [try AddressBlock("127.0.0.1")]
        try await withNodes(topology) { nodes in
            let origin = nodes["origin-1"]!
            for host in [
                "192.0.2.7:8080", "media.example.net", "Media.Example.NET:443", "[2001:db8::1]:8080", "localhost:1",
            ] {
                let answer = try await Self.publish(at: origin, [("Host", host)])
                #expect(answer.status == 201)
                #expect(answer.location.hasPrefix("http://\(host)/session/"), "\(answer.location)")
            }
            let secure = try await Self.publish(
                at: origin, [("Host", "media.example.net"), ("X-Forwarded-Proto", "https")])
            #expect(secure.location.hasPrefix("https://media.example.net/session/"))
            let path = String(secure.location.dropFirst("https://media.example.net".count))
            #expect(try await origin.request("DELETE", path).status == 200)
        }
    }

    /// What is no host is not repeated: a relative reference leads back as well (RFC 3986 §5.2).
    @Test(arguments: [
        "a b", "evil.example/x", "user@evil.example", "evil.example:99999", "evil.example:", "[::1", "a,b",
        "under_score", "<script>", "evil.example?x", "evil.example#x", "1.2.3.4.5",
        String(repeating: "a.", count: 400) + "b",
    ])
    func garbageIsNotReflected(host: String) async throws {
        try await withNodes(Self.open(), except: ["edge-1"]) { nodes in
            let answer = try await Self.publish(at: nodes["origin-1"]!, [("Host", host)])
            #expect(answer.status == 201)
            #expect(answer.location.hasPrefix("/session/"), "\(answer.location)")
        }
    }

    @Test func aURLThatTheTopologyGivesCountsWhateverTheClientSays() async throws {
        try await withOrigin { topology in
            topology.nodes[0].publicListener.url = "https://sfu.example.net"
        } _: { origin in
            let running = RunningNode(
                node: {
                    var node = origin.node
                    node.publicListener.url = "http://127.0.0.1:\(node.publicListener.port)"
                    return node
                }(), running: origin.running)
            let answer = try await Self.publish(at: running, [("Host", "evil.example")])
            #expect(answer.location.hasPrefix("https://sfu.example.net/session/"), "\(answer.location)")
        }
    }

    @Test func allOtherURLsDoAsWell() async throws {
        try await withNodes(Self.open()) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            let host = ("Host", "192.0.2.7:80")
            let type = ("Content-Type", "application/sdp")
            _ = try await origin.publishLive("live")
            // The node above that knows a publisher's way, on this machine as well.
            let sent = try await edge.request("POST", "/whip/live?a=b", [host, type], body: Offers.publisher())
            #expect(sent.status == 307)
            #expect(
                sent.header("Location") == "http://192.0.2.7:\(origin.node.publicListener.port)/whip/live?a=b",
                "\(sent.header("Location") ?? "none")")
            let watched = try await edge.request("POST", "/whep/live", [host, type], body: Offers.viewer())
            let location = try #require(watched.header("Location"))
            #expect(watched.header("Link")?.hasPrefix("<\(location)/events>") == true)
            #expect(location.hasPrefix("http://192.0.2.7:80/session/"))
            let path = String(location.dropFirst("http://192.0.2.7:80".count))
            let stream = try await edge.request("POST", path + "/events", [host])
            #expect(stream.header("Location")?.hasPrefix(location + "/events/") == true)
            // Through another node the owner does not know how the client has come.
            let carried = try await origin.request("POST", path + "/events", [host])
            #expect(carried.header("Location")?.hasPrefix(path + "/events/") == true, "\(carried.text)")
            let list = try await edge.request("GET", "/api/nodes", [host]).text
            #expect(list.contains(#""url":"http://192.0.2.7:80""#), "itself, as it was reached")
            #expect(list.contains(#""url":"http://192.0.2.7:\#(origin.node.publicListener.port)""#))
        }
    }

    /// Found by discovery, a node may be asked at an address that its topology does not know.
    @Test func aRelayLeadsToWhereItWasAskedFor() async throws {
        try await withNodes(Self.open(), except: ["edge-1"]) { nodes in
            let origin = nodes["origin-1"]!
            _ = try await origin.publishLive("live")
            let answer = try await whip.post(
                offer: Offers.viewer(), url: "http://localhost:\(origin.node.internalListener.port)/relay/live")
            let location = try #require(answer.location)
            #expect(location.hasPrefix("http://localhost:"), "\(location)")
            #expect(try await whip.delete(url: location) == 200)
        }
    }

    @Test func nodesOfOtherMachinesAreNotLookedForOnThisOne() {
        var topology = Self.open()
        let (url, port) = (topology.nodes[0].publicListener.url, topology.nodes[0].publicListener.port)
        #expect(topology.url(url, forClientOf: "192.0.2.7") == "http://192.0.2.7:\(port)")
        #expect(topology.url(url, forClientOf: "2001:db8::1") == "http://[2001:db8::1]:\(port)")
        #expect(topology.url(url, forClientOf: nil) == url)
        #expect(topology.url("http://elsewhere.example", forClientOf: "192.0.2.7") == "http://elsewhere.example")
        topology.nodes[0].internalListener.url = "http://10.0.0.2:9080"
        #expect(topology.url(url, forClientOf: "192.0.2.7") == url)
    }
}
