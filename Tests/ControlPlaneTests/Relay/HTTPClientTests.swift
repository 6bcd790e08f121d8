import Glibc
import Testing

@testable import ControlPlane

// The client side of signalling: what it refuses, and that nothing keeps it waiting.

@Suite("HTTP client") struct HTTPClientTests {
    @Test func locationsAreResolvedAgainstTheAnsweringURL() {
        for (location, expected) in [
            ("/session/x", "http://b.example:8080/session/x"), ("x", "http://b.example:8080/whep/x"),
            ("https://c.example/y", "https://c.example/y"), ("//d.example/z", "http://d.example/z"),
        ] { #expect(HTTPClient.resolve(location, against: "http://b.example:8080/whep/live") == expected) }
        #expect(HTTPClient.resolve("/x", against: "no url") == nil)
    }

    @Test func unusableURLsAndClosedPortsFail() async {
        for url in ["", "nonsense", "file:///etc/passwd", "ftp://127.0.0.1/", "http://127.0.0.1:1/"] {
            await #expect(throws: HTTPClient.Failure.self, "\(url)") { try await http.perform(.init("GET", url)) }
        }
    }

    @Test(.timeLimit(.minutes(5))) func silenceEndsWithTheTimeout() async throws {
        // Listens, so that connections are made, and never accepts.
        let port = freePort()
        let socket = listeningSocket(port)
        defer { close(socket) }
        await #expect(throws: HTTPClient.Failure.self) {
            try await http.perform(.init("GET", "http://127.0.0.1:\(port)/", timeout: .milliseconds(200)))
        }
    }

    @Test func redirectToAnotherSchemeIsRefused() async throws {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        topology.nodes[0].publicListener.url = "https://127.0.0.1:1"
        try await withNodes(topology) { nodes in
            let error = await #expect(throws: HTTPClient.Failure.self) {
                try await whip.post(offer: "v=0", url: nodes["edge-1"]!.url + "/whip/a")
            }
            #expect(error?.description.contains("scheme") == true)
        }
    }

    @Test func redirectLoopsEnd() async throws {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        topology.nodes[0].publicListener.url = topology.nodes[1].publicListener.url
        try await withNodes(topology) { nodes in
            let error = await #expect(throws: HTTPClient.Failure.self) {
                try await whip.post(offer: "v=0", url: nodes["edge-1"]!.url + "/whip/a")
            }
            #expect(error?.description.contains("redirects") == true)
        }
    }

    @Test func headerValuesCannotInjectLines() async throws {
        try await withOrigin { node in
            let evil = [(name: "Authorization", value: "Bearer x\r\nX-Evil: 1")]
            let response = try await node.request("GET", "/whip/a", evil)
            #expect(response.status == 200)
        }
    }

    @Test func problemDetailReachesTheCaller() async throws {
        try await withOrigin { node in
            let answer = try await node.offer("v=0\r\nrubbish", to: "/whip/a")
            #expect(answer.status == 400 && answer.problem?.contains("line 2") == true && answer.location == nil)
        }
    }
}
