import Glibc
import HTTPTypes
import Hummingbird
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
        #expect(HTTPClient.resolve("http://user:password@b.example/x", against: "http://b.example/") == nil)
    }

    @Test(arguments: [
        ("http://a.example/x", "http://a.example/y?z", true), ("http://a.example", "http://A.EXAMPLE:80/", true),
        ("https://a.example", "https://a.example:443/", true), ("http://a.example", "https://a.example", false),
        ("http://a.example", "http://a.example:8080", false), ("http://a.example", "http://b.example", false),
        ("http://[::1]:80/", "http://[0:0:0:0:0:0:0:1]/", true), ("http://[::1]/", "http://[::2]/", false),
        ("http://user@a.example/", "http://a.example/", false), ("rubbish", "rubbish", false), ("", "", false),
        ("http://a.example@b.example/", "http://a.example/", false),
        ("http://a.example.b.example/", "http://a.example/", false),
    ])
    func origins(_ one: String, _ other: String, isOne: Bool) {
        #expect(HTTPClient.haveOneOrigin(one, other) == isOne)
        #expect(HTTPClient.haveOneOrigin(other, one) == isOne)
    }

    /// Whom a client shows the token when it is sent on, and who is asked at all (RFC 9110 §15.4).
    @Test func aTokenStaysAtItsOrigin() async throws {
        let (first, second) = (freePort(), freePort())
        func run(
            _ redirects: WHIPClient.Redirects, from path: String
        ) async throws -> (answer: WHIPClient.Answer, heard: [String]) {
            let heard = HeardRequests()
            let answer: @Sendable (Request) -> Response = { request in
                heard.add(request)
                var response = Response.text("v=0", type: MediaType.sdp)
                response.status = .temporaryRedirect
                switch request.uri.path {
                case "/near": response.headers[.location] = "/here"
                case "/far": response.headers[.location] = "http://127.0.0.1:\(second)/there"
                case "/back": response.headers[.location] = "http://127.0.0.1:\(first)/here"
                case "/round": response.headers[.location] = "http://127.0.0.1:\(second)/back"
                default:
                    response.status = .created
                    response.headers[.location] = "/session/x"
                }
                return response
            }
            let result = try await withServer(port: first) {
                answer($0)
            } _: { url in
                try await withServer(port: second) {
                    answer($0)
                } _: { _ in
                    try await WHIPClient(http: http, redirects: redirects).post(
                        offer: "v=0", url: url + path, token: "secret", timeout: patience)
                }
            }
            return (result, heard.all)
        }
        let near = try await run(.followed, from: "/near")
        #expect(near.heard == ["POST /near Bearer secret", "POST /here Bearer secret"])
        #expect(near.answer.status == 201 && near.answer.token == "secret")
        let far = try await run(.followed, from: "/far")
        #expect(far.heard == ["POST /far Bearer secret", "POST /there none"])
        #expect(far.answer.status == 201 && far.answer.token == nil)
        #expect(far.answer.url == "http://127.0.0.1:\(second)/there")
        // Who has been sent away is not trusted again on the other one's word.
        let round = try await run(.followed, from: "/round")
        #expect(round.heard.last == "POST /here none" && round.answer.token == nil)
        let trusted = try await run(.trusted, from: "/far")
        #expect(trusted.heard.last == "POST /there Bearer secret" && trusted.answer.token == "secret")
        let refused = try await run(.refused, from: "/near")
        #expect(refused.heard == ["POST /near Bearer secret"] && refused.answer.status == 307)
    }

    @Test func unusableURLsAndClosedPortsFail() async {
        let unusable = [
            "", "nonsense", "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:70/_x",
            "dict://127.0.0.1/d:x",
            "telnet://127.0.0.1/", "smb://127.0.0.1/x", "ldap://127.0.0.1/", "http://127.0.0.1:1/",
        ]
        for url in unusable {
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
