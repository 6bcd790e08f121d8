import Testing
import WebRTC

@testable import ControlPlane

// What is not WHIP or WHEP: pages, lists, health, metrics, debugging, impairment.

@Suite("Operations over HTTP") struct OperationsTests {
    @Test func pagesHaveAStrictPolicy() async throws {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        try await withNodes(topology) { nodes in
            for (node, path, status) in [
                ("origin-1", "/", 200), ("origin-1", "/publish", 200), ("edge-1", "/", 200),
                ("edge-1", "/compare", 200), ("edge-1", "/publish", 404), ("edge-1", "/publish.js", 404),
                ("edge-1", "/../secret", 404),
            ] {
                let response = try await nodes[node]!.request("GET", path)
                #expect(response.status == status, "\(node) \(path)")
                guard status == 200 else { continue }
                #expect(response.header("Content-Type")?.hasPrefix("text/html") == true)
                let policy = try #require(response.header("Content-Security-Policy"))
                #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
            }
        }
    }

    @Test func internalRoutesAreNotPublic() async throws {
        try await withOrigin { node in
            for path in ["/metrics", "/readyz", "/healthz", "/debug/sessions/x", "/relay/a"] {
                #expect(try await node.request("GET", path).status == 404, "\(path)")
            }
            let drain = try await node.request("POST", "/drain").status
            #expect([404, 405].contains(drain))
            for path in ["/metrics", "/readyz", "/healthz", "/relay/a"] {
                #expect(try await node.request("GET", path, internal: true).status == 200, "\(path)")
            }
            #expect(try await node.request("GET", "/whip/a", internal: true).status == 404)
        }
    }

    /// Whoever asks from outside hears what `/readyz` says, and not why.
    @Test func theOuterHealthIsReadinessWithoutDetails() async throws {
        try await withOrigin { node in
            let ready = try await node.request("GET", "/health")
            #expect(ready.status == 200 && ready.text == "ok\n" && ready.header("Cache-Control") == "no-store")
            #expect(try await node.request("HEAD", "/health").status == 200)
            #expect(try await node.request("POST", "/health").status == 405)
            #expect(try await node.request("GET", "/health", internal: true).status == 404)
            #expect(try await node.request("POST", "/drain", internal: true).status == 200)
            let draining = try await node.request("GET", "/health")
            #expect(draining.status == 503 && draining.text == "not ready\n")
        }
    }

    @Test func listsAndConfiguration() async throws {
        try await withOrigin { node in
            #expect(try await node.request("GET", "/api/broadcasts").text == "[]")
            #expect(try await node.request("GET", "/api/ice").text == #"{"iceServers":[]}"#)
            _ = try await node.publishLive("a")
            let list = try await node.request("GET", "/api/broadcasts")
            #expect(list.header("Content-Type") == "application/json")
            for part in [
                #""name":"a""#, #""codec":"VP8""#, #""codec":"opus""#, #""origin":"origin-1""#, #""since":"20"#,
                // Nothing has come yet.
                #""encodings":[]"#, #""warnings":[]"#,
            ] { #expect(list.text.contains(part), "\(part)") }
            let nodes = try await node.request("GET", "/api/nodes").text
            for part in [#""lat":50.11"#, #""ready":true"#, #""region":"eu""#, #""role":"origin""#, #""load":0"#] {
                #expect(nodes.contains(part), "\(part)")
            }
        }
    }

    @Test func metricsCountSessionsAndRequests() async throws {
        try await withOrigin { node in
            _ = try await node.publishLive("a")
            _ = try await node.offer(Offers.viewer(), to: "/whep/a")
            _ = try await node.request("LOCK", "/whep/a")
            let text = try await node.request("GET", "/metrics", internal: true).text
            for line in [
                "sfu_sessions{kind=\"publisher\"} 1", "sfu_sessions{kind=\"viewer\"} 1", "sfu_live_broadcasts 1",
                "sfu_sessions_half_open 1",
                "sfu_http_requests_total{listener=\"public\",method=\"POST\",route=\"/whep/{broadcast}\",status=\"201\"} 1",
                "sfu_http_requests_total{listener=\"public\",method=\"OTHER\",route=\"/whep/{broadcast}\",status=\"405\"} 1",
            ] { #expect(text.contains(line + "\n"), "\(line)") }
            #expect(!text.contains("broadcast=\"a\""))
        }
    }

    @Test func impairmentIsForSimulationsOnly() async throws {
        let json = [(name: "Content-Type", value: "application/json")]
        try await withOrigin { node in
            let answer = try await node.publishLive("a")
            let path = try node.path(of: answer) + "/impairment"
            #expect(try await node.request("POST", path, json, body: #"{"loss":0.01}"#, internal: true).status == 403)
        }
        try await withOrigin({ $0.simulation = true }) { node in
            let answer = try await node.publishLive("a")
            let path = try node.path(of: answer) + "/impairment"
            #expect(try await node.request("POST", path, json, body: #"{"loss":0.01}"#).status == 404)
            for (body, status) in [
                (#"{"loss":0.01}"#, 204), (#"{"loss":2}"#, 400), (#"{"loss":"x"}"#, 400), ("", 400), ("[", 400),
            ] {
                #expect(
                    try await node.request("POST", path, json, body: body, internal: true).status == status, "\(body)")
            }
            let unknown = "/session/none/impairment"
            #expect(
                try await node.request("POST", unknown, json, body: #"{"loss":0}"#, internal: true).status == 404)
        }
    }

    @Test func sessionsCanBeInspected() async throws {
        try await withOrigin { node in
            let answer = try await node.publishLive("a")
            let name = try node.resource(of: answer)
            for id in [name.description, name.short] {
                let response = try await node.request("GET", "/debug/sessions/\(id)", internal: true)
                #expect(response.status == 200 && response.text.contains("\"broadcast\":\"a\""))
                #expect(!response.text.contains(name.description), "the report must not give the resource away")
            }
            #expect(try await node.request("GET", "/debug/sessions/none", internal: true).status == 404)
        }
    }
}
