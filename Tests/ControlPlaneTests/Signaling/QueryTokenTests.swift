import Testing
import WebRTC

@testable import ControlPlane

// Players that cannot send header fields put their token into the URL: it opens what the header field opens, on every route
// of a session, at its own node and through another one. No log has it.

@Suite("Token in the query", .timeLimit(.minutes(5))) struct QueryTokenTests {
    @Test(arguments: [
        ("/whep/a?token=abc", "abc"), ("/whep/a?x=1&token=a-b._~+/=&y", "a-b._~+/="), ("/?token=%61b%3D", "ab="),
        ("/whep/a?token=abc#token=x", "abc"), ("/whep/a", nil), ("/whep/a?", nil), ("/whep/a?token", nil),
        ("/whep/a?token=", nil), ("/whep/a?token=%", nil), ("/whep/a?token=%ff", nil), ("/whep/a?token=a%20b", nil),
        ("/whep/a?token=a%0d%0aX", nil), ("/whep/a?token=a>b", nil), ("/whep/a?token=a&token=a", nil),
        ("/whep/a?Token=a", nil), ("/whep/a?xtoken=a", nil), ("/token=a", nil), ("/whep/a#?token=", nil),
    ])
    func queries(path: String, token: String?) { #expect(QueryToken.find(in: path)?.token == token) }

    private static func topology() -> Topology {
        var topology = Topology.forTests()
        topology.auth.publish = .secret(Secret("publish+hunter2="))
        topology.auth.watch = .secret(Secret("watch+hunter2="))
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        topology.addNode("edge-2", .edge, upstream: ["origin-1"])
        return topology
    }

    @Test(arguments: ["edge-1", "edge-2"]) func everyRouteOfASession(through name: String) async throws {
        let record = LogRecord()
        try await withNodes(Self.topology(), logger: record.logger) { nodes in
            let (origin, edge, door) = (nodes["origin-1"]!, nodes["edge-1"]!, nodes[name]!)
            let query = "?token=watch%2Bhunter2="
            let sdp = ("Content-Type", "application/sdp")
            var published = try await origin.offer(Offers.publisher(), to: "/whip/live?token=publish%2Bhunter2=")
            let own = try #require(published.location)
            #expect(published.status == 201 && own.hasSuffix("?token=publish%2Bhunter2="), "\(own)")
            published.location = String(own.prefix { $0 != "?" })
            try await origin.connect(published)
            let watched = try await edge.request("POST", "/whep/live" + query, [sdp], body: Offers.viewer())
            let location = try #require(watched.header("Location"))
            #expect(watched.status == 201 && location.hasSuffix(query), "\(location)")
            let base = String(location.dropFirst(edge.url.count).dropLast(query.count))
            #expect(watched.header("Link")?.hasPrefix("<\(edge.url)\(base)/events\(query)>") == true)

            let opened = try await door.request("POST", base + "/events" + query)
            let stream = try #require(opened.header("Location"))
            #expect(opened.status == 201 && stream.hasSuffix(query), "\(stream)")
            let path = base + "/events/" + (stream.dropLast(query.count).split(separator: "/").last ?? "")
            for (token, status) in [("", 401), ("?token=wrong-hunter2", 403)] {
                #expect(try await edge.request("POST", "/whep/live" + token, [sdp], body: "v=0").status == status)
                #expect(try await door.request("POST", base + "/events" + token).status == status)
                #expect(try await door.request("PATCH", base + token, [sdp], body: "").status == status)
                for method in ["GET", "DELETE"] {
                    #expect(try await door.request(method, path + token).status == status, "\(method) \(token)")
                }
                #expect(try await door.request("DELETE", base + token).status == status)
            }
            let connection = RawConnection(port: door.running.publicPort)
            connection.send("GET \(path + query) HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await connection.read(until: "event-stream").contains("200 OK"))
            #expect(try await door.request("DELETE", path + query).status == 200)
            // Past the token: the type of the body is wrong.
            #expect(try await door.request("PATCH", base + query, [sdp], body: "").status == 415)
            #expect(try await door.request("DELETE", base + query).status == 200)
            #expect(try await origin.request("DELETE", own).status == 200)
            #expect(try await edge.request("GET", "/api/broadcasts" + query).status == 200)
            #expect(try await edge.request("GET", "/api/broadcasts").status == 401)
        }
        #expect(record.lines.count > 10 && record.count("hunter2") == 0)
    }

    /// RFC 6750 §2: one of the two; the header field is what other servers know.
    @Test func aHeaderFieldCountsFirst() async throws {
        var topology = Self.topology()
        topology.nodes.removeLast(2)
        try await withNodes(topology) { nodes in
            let origin = nodes["origin-1"]!
            let headers = [("Content-Type", "application/sdp"), ("Authorization", "Bearer wrong")]
            let refused = try await origin.request(
                "POST", "/whip/live?token=publish%2Bhunter2=", headers, body: Offers.publisher())
            #expect(refused.status == 403)
            // Between nodes there are no players.
            let relay = try await origin.request(
                "POST", "/relay/live?token=publish%2Bhunter2=", headers, body: Offers.viewer(), internal: true)
            #expect(relay.status != 201)
        }
    }
}
