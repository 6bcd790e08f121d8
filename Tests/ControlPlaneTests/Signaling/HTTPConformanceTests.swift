import Forwarding
import Testing
import WebRTC

@testable import ControlPlane

// Each test is named for the item of the WHIP/WHEP conformance checklist that it proves, against a real node over HTTP.

private let sdpType = [(name: "Content-Type", value: "application/sdp")]

@Suite("Conformance: HTTP") struct HTTPConformanceTests {
    @Test func item1_onlySDPIsTaken() async throws {
        try await withOrigin { node in
            let offer = Offers.publisher()
            for (type, status) in [("text/plain", 415), ("", 415), ("application/json", 415)] {
                let headers = type.isEmpty ? [] : [("Content-Type", type)]
                let response = try await node.request("POST", "/whip/a", headers, body: offer)
                #expect(response.status == status, "\(type)")
            }
            #expect(try await node.request("POST", "/whip/a", sdpType).status == 400)
            #expect(try await node.request("POST", "/whip/a", sdpType, body: "rubbish").status == 400)
            #expect(try await node.request("POST", "/whip/a", sdpType, body: "v=0\r\n").status == 400)
            let huge = String(repeating: "a=x\r\n", count: 1 << 18)
            #expect(try await node.request("POST", "/whip/a", sdpType, body: huge).status == 413)
            let withParameters = [("Content-Type", "Application/SDP; charset=utf-8")]
            #expect(try await node.request("POST", "/whip/a", withParameters, body: offer).status == 201)
        }
    }

    @Test func item2_createdHasAnswerAndLocation() async throws {
        try await withOrigin { node in
            let response = try await node.request("POST", "/whip/a", sdpType, body: Offers.publisher())
            #expect(response.status == 201)
            #expect(response.header("Content-Type") == "application/sdp")
            #expect(response.text.hasPrefix("v=0\r\n"))
            let location = try #require(response.header("Location"))
            #expect(location.hasPrefix(node.url + "/session/"))
            #expect(try await node.request("GET", location).status == 200)
        }
    }

    @Test func item3_getIsEmptySuccess() async throws {
        try await withOrigin { node in
            let answer = try await node.publishLive("a")
            for path in ["/whip/a", "/whep/a", "/whep/unknown", try node.path(of: answer)] {
                let response = try await node.request("GET", path)
                #expect(response.status == 200 && response.body.isEmpty, "\(path)")
            }
        }
    }

    @Test func item4_headIsLikeGet() async throws {
        try await withOrigin { node in
            let head = try await node.request("HEAD", "/whep/a")
            let get = try await node.request("GET", "/whep/a")
            #expect(head.status == 200 && head.header("Content-Type") == "application/sdp")
            let names = { (r: HTTPClient.Response) in r.headers.map { $0.name.lowercased() }.filter { $0 != "date" } }
            #expect(names(head) == names(get))
        }
    }

    @Test func item5_errorsAreProblemDocuments() async throws {
        try await withOrigin { node in
            let response = try await node.request("POST", "/whep/nothing", sdpType, body: Offers.viewer())
            #expect(response.header("Content-Type") == "application/problem+json")
            let problem = try #require(ProblemDetail(json: response.body))
            #expect(problem.type == "urn:cascade:problem:not-live" && problem.status == 409)
            let again = try await node.request("POST", "/whep/other", sdpType, body: Offers.viewer())
            #expect(ProblemDetail(json: again.body)?.type == problem.type)
        }
    }

    @Test func item6_optionsForCrossOriginPages() async throws {
        try await withOrigin({ $0.auth.publish = .secret(Secret("publish-token")) }) { node in
            let preflight = [
                ("Origin", "https://page.example"), ("Access-Control-Request-Method", "POST"),
                ("Access-Control-Request-Headers", "authorization,content-type"),
            ]
            let response = try await node.request("OPTIONS", "/whip/a", preflight)
            #expect(response.status == 200)
            #expect(response.header("Accept-Post") == "application/sdp")
            #expect(response.header("Access-Control-Allow-Origin") == "*")
            let session = try await node.request("OPTIONS", "/session/any", preflight)
            let methods = try #require(session.header("Access-Control-Allow-Methods"))
            for method in ["PATCH", "DELETE", "OPTIONS"] { #expect(methods.contains(method)) }
            #expect(try #require(response.header("Access-Control-Allow-Methods")).contains("POST"))
            for name in ["Authorization", "Content-Type", "If-Match"] {
                #expect(try #require(response.header("Access-Control-Allow-Headers")).contains(name))
            }
            let refused = try await node.request("POST", "/whip/a", sdpType, body: Offers.publisher())
            #expect(refused.status == 401)
            for name in ["Location", "Link", "ETag", "Retry-After"] {
                #expect(try #require(refused.header("Access-Control-Expose-Headers")).contains(name))
            }
        }
    }

    @Test func item7_bearerOnEndpointAndSession() async throws {
        try await withOrigin({ topology in
            topology.auth.publish = .secret(Secret("token-of-all"))
            topology.auth.broadcasts = [.init(pattern: "news-*", publish: .secret(Secret("token-of-news")))]
        }) { node in
            let missing = try await node.request("POST", "/whip/news-1", sdpType, body: Offers.publisher())
            #expect(missing.status == 401 && missing.header("WWW-Authenticate") == "Bearer")
            let offer = Offers.publisher()
            #expect(try await node.offer(offer, to: "/whip/news-1", token: "token-of-all").status == 403)
            #expect(try await node.offer(offer, to: "/whip/other", token: "token-of-news").status == 403)
            let answer = try await node.offer(offer, to: "/whip/news-1", token: "token-of-news")
            #expect(answer.status == 201)
            let path = try node.path(of: answer)
            for method in ["PATCH", "DELETE"] {
                #expect(try await node.request(method, path).status == 401, "\(method)")
                let wrong = [("Authorization", "Bearer token-of-all")]
                #expect(try await node.request(method, path, wrong).status == 403, "\(method)")
            }
            #expect(try await node.request("OPTIONS", path).status == 200)
            let right = [("Authorization", "Bearer token-of-news")]
            #expect(try await node.request("DELETE", path, right).status == 200)
        }
    }

    @Test func item8_onlyMethodKeepingRedirects() async throws {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        try await withNodes(topology) { nodes in
            let edge = nodes["edge-1"]!
            let response = try await edge.request("POST", "/whip/live?x=1", sdpType, body: Offers.publisher())
            #expect(response.status == 307)
            #expect(response.header("Location") == nodes["origin-1"]!.url + "/whip/live?x=1")
            // Followed, the resource is the origin's (interop trap: Location against the final URL).
            let answer = try await edge.offer(Offers.publisher(), to: "/whip/live")
            #expect(answer.status == 201 && answer.location?.hasPrefix(nodes["origin-1"]!.url) == true)
        }
    }

    @Test func item9_unavailableSaysWhenToRetry() async throws {
        try await withOrigin { node in
            #expect(try await node.request("POST", "/drain", internal: true).status == 200)
            for path in ["/whip/a", "/whep/a"] {
                let offer = path == "/whip/a" ? Offers.publisher() : Offers.viewer()
                let response = try await node.request("POST", path, sdpType, body: offer)
                #expect(response.status == 503 && response.header("Retry-After").flatMap { Int($0) } != nil)
            }
            #expect(try await node.request("GET", "/readyz", internal: true).status == 503)
            #expect(try await node.request("DELETE", "/drain", internal: true).status == 200)
            #expect(try await node.request("GET", "/readyz", internal: true).status == 200)
            #expect(try await node.offer(Offers.publisher(), to: "/whip/a").status == 201)
        }
    }

    @Test func item9_limitsOfSessionsAndHalfOpenSessions() async throws {
        try await withOrigin({ $0.limits.sessionsHalfOpen = 2 }) { node in
            _ = try await node.offer(Offers.publisher(), to: "/whip/a")
            _ = try await node.offer(Offers.publisher(), to: "/whip/b")
            let response = try await node.request("POST", "/whip/c", sdpType, body: Offers.publisher())
            #expect(response.status == 503 && response.header("Retry-After") != nil)
        }
        try await withOrigin({ $0.limits.viewers = 1 }) { node in
            _ = try await node.publishLive("a")
            let first = try await node.offer(Offers.viewer(), to: "/whep/a")
            #expect(first.status == 201)
            #expect(try await node.offer(Offers.viewer(), to: "/whep/a").status == 503)
            #expect(try await node.request("DELETE", try node.path(of: first)).status == 200)
            #expect(try await node.offer(Offers.viewer(), to: "/whep/a").status == 201)
        }
    }

    @Test func item10_rateLimitAndUnguessableResources() async throws {
        try await withOrigin({ ($0.limits.requestsPerSecond, $0.limits.requestBurst) = (1, 5) }) { node in
            for _ in 0..<5 {
                let status = try await node.request("DELETE", "/session/none").status
                #expect(status == 404)
            }
            // A slow machine's requests may be a second apart, and be let through one by one.
            let isLimited = try await eventually { try await node.request("DELETE", "/session/none").status == 429 }
            #expect(isLimited)
            let isTold = try await eventually {
                let answer = try await node.request("POST", "/whip/a", sdpType, body: Offers.publisher())
                return answer.status == 429 && answer.header("Retry-After") != nil
            }
            #expect(isTold)
            #expect(try await node.request("GET", "/whip/a").status == 200)
        }
        let names = (0..<1_000).map { _ in ResourceName.generate(node: "edge-eu-1") }
        #expect(Set(names).count == names.count)
        for name in names {
            #expect(name.node == "edge-eu-1")
            // 22 characters of six bits, of which 128 are random.
            #expect(name.description.prefix { $0 != "." }.count == 22)
        }
    }

    /// Reading has a rate of its own: one that is over it may still change something, and the other way round.
    @Test func item10_rateLimitOfReading() async throws {
        try await withOrigin({ ($0.limits.readsPerSecond, $0.limits.readBurst) = (1, 5) }) { node in
            for path in ["/", "/api/broadcasts", "/nowhere"] {
                let isTold = try await eventually {
                    let answer = try await node.request("GET", path)
                    return answer.status == 429 && answer.header("Retry-After") != nil
                }
                #expect(isTold, "\(path)")
            }
            #expect(try await node.request("DELETE", "/session/none").status == 404)
            #expect(try await node.request("GET", "/readyz", internal: true).status == 200)
        }
    }

    @Test func item11_resourcesKeepTheSchemeOfThePublicURL() async throws {
        try await withOrigin({ $0.nodes[0].publicListener.url = "https://live.example.net" }) { node in
            let base = "http://127.0.0.1:\(node.running.publicPort)"
            let response = try await http.perform(
                .init("POST", base + "/whip/a", headers: sdpType, body: Array(Offers.publisher().utf8)))
            #expect(response.header("Location")?.hasPrefix("https://live.example.net/session/") == true)
        }
    }

    @Test func item12_unknownSessionsAndMethods() async throws {
        try await withOrigin { node in
            for method in ["GET", "PATCH", "DELETE"] {
                #expect(try await node.request(method, "/session/0000.origin-1").status == 404, "\(method)")
            }
            #expect(try await node.request("POST", "/nowhere").status == 404)
            #expect(try await node.request("GET", "/nowhere/else").status == 404)
            for (method, path) in [
                ("PUT", "/whip/a"), ("PATCH", "/whep/a"), ("DELETE", "/whip/a"), ("POST", "/session/x"), ("POST", "/"),
            ] {
                let response = try await node.request(method, path)
                #expect(response.status == 405, "\(method) \(path)")
                #expect(response.header("Allow")?.contains("OPTIONS") == true)
            }
        }
    }

    @Test(arguments: ["/whip/a", "/whep/a"]) func items13to15_onlyLinksThatThereAre(path: String)
        async throws
    {
        try await withOrigin { node in
            _ = try await node.publishLive("live")
            #expect(try await node.request("OPTIONS", path).header("Link") == nil)
            let response = try await node.request("POST", "/whep/live", sdpType, body: Offers.viewer())
            #expect(response.status == 201 && response.header("Link")?.contains("ice-server") == false)
        }
    }
}
