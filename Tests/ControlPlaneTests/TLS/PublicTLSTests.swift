import Foundation
import Glibc
import Logging
import Testing
import WebRTC

@testable import ControlPlane

// HTTPS on the public listener, and plain HTTP beside it, over real sockets and with real certificates.

private func cascade(in folder: TemporaryFolder) throws -> Topology {
    var topology = Topology.forTests()
    topology.addNode("origin-1", .origin)
    topology.addNode("edge-1", .edge, upstream: ["origin-1"])
    try topology.usePublicTLS(at: "origin-1", in: folder)
    return topology
}

extension Topology {
    /// The public listener of a node speaks TLS, with a certificate of an authority of the folder (ca.pem), and the folder
    /// `challenges` is on a plain one.
    @discardableResult
    fileprivate mutating func usePublicTLS(at name: String, in folder: TemporaryFolder) throws -> TestAuthority {
        let authority = try TestAuthority(in: folder)
        try authority.issue(name)
        let index = try #require(nodes.firstIndex { $0.name == name })
        nodes[index].front.tls = .init(certificate: folder.file("\(name).pem"), key: folder.file("\(name).key"))
        nodes[index].front.plain = .init(host: "127.0.0.1", port: freePort(), challenges: folder.file("challenges"))
        nodes[index].publicListener.url = "https://\(name):\(nodes[index].publicListener.port)"
        return authority
    }
}

extension RunningNode {
    private var authority: String { "\(node.name):\(node.publicListener.port)" }

    /// What curl, who knows the authority, sees of an answer; its status as a rule.
    fileprivate func secure(
        _ method: String, _ path: String, _ options: [String] = [], _ format: String = "%{http_code}",
        in folder: TemporaryFolder
    ) async throws -> String {
        try await curl(
            [
                "--cacert", folder.file("ca.pem"), "--connect-to", "\(authority):127.0.0.1:\(node.publicListener.port)",
                "--request", method, "https://\(authority)\(path)",
            ] + options, format)
    }

    fileprivate func plain(
        _ method: String, _ path: String, _ headers: [(name: String, value: String)] = []
    ) async throws -> HTTPClient.Response {
        let port = try #require(node.front.plain?.port)
        return try await http.perform(
            .init(method, "http://127.0.0.1:\(port)\(path)", headers: headers, timeout: patience))
    }

    fileprivate func serial() throws -> String {
        try run(
            "sh", "-c",
            "openssl s_client -connect 127.0.0.1:\(node.publicListener.port) </dev/null 2>/dev/null"
                + " | openssl x509 -noout -serial")
    }
}

@Suite("TLS on the public listener", .serialized, .timeLimit(.minutes(5))) struct PublicTLSTests {
    @Test func sessionsAndListsAreToBeHadByHTTPS() async throws {
        let folder = try TemporaryFolder()
        try await withNodes(try cascade(in: folder)) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            for version in ["--tlsv1.2", "--tlsv1.3"] {
                #expect(
                    try await origin.secure("GET", "/", [version, "--tls-max", String(version.suffix(3))], in: folder)
                        == "200")
            }
            #expect(try await origin.secure("GET", "/", ["--tls-max", "1.1"], in: folder) == "000")
            #expect(
                try await curl(["http://127.0.0.1:\(origin.node.publicListener.port)/"]) == "000", "no plain HTTP here")

            try folder.put(Offers.publisher(), at: "offer.sdp")
            let body = ["--header", "Content-Type: application/sdp", "--data-binary", "@\(folder.file("offer.sdp"))"]
            let location = try await origin.secure("POST", "/whip/live", body, "%header{location}", in: folder)
            #expect(location.hasPrefix(origin.url + "/session/"), "\(location)")
            let path = String(location.dropFirst(origin.url.count))
            #expect(try await origin.secure("DELETE", path, in: folder) == "200")

            // Others say where it is.
            #expect(try await edge.request("GET", "/api/nodes").text.contains("\"url\":\"\(origin.url)\""))
            let type = ("Content-Type", "application/sdp")
            let sent = try await edge.request("POST", "/whip/live", [type], body: Offers.publisher())
            #expect(sent.status == 307 && sent.header("Location") == origin.url + "/whip/live", "\(sent)")
        }
    }

    /// A client of ours follows into TLS, and never out of it.
    @Test(arguments: ["origin-1", "edge-1"]) func redirectsBetweenSchemes(secured: String) async throws {
        let folder = try TemporaryFolder()
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        try topology.usePublicTLS(at: secured, in: folder)
        for index in topology.nodes.indices {
            topology.nodes[index].publicListener.url.replace("\(secured):", with: "127.0.0.1:")
        }
        let files = PeerTrust.Files(
            ca: folder.file("ca.pem"), certificate: folder.file("\(secured).pem"), key: folder.file("\(secured).key"))
        let client = WHIPClient(http: HTTPClient(exchanges: 1, trust: try PeerTrust(files)), redirects: .followed)
        try await withNodes(topology) { nodes in
            let url = nodes["edge-1"]!.url + "/whip/live"
            if secured == "origin-1" {
                let answer = try await client.post(offer: Offers.publisher(), url: url)
                #expect(answer.status == 201 && answer.url == nodes["origin-1"]!.url + "/whip/live")
            } else {
                let error = await #expect(throws: HTTPClient.Failure.self) {
                    try await client.post(offer: Offers.publisher(), url: url)
                }
                #expect(error?.description.contains("out of TLS") == true, "\(error?.description ?? "")")
            }
        }
    }

    /// Nobody says how the node is reached: by TLS.
    @Test func locationsWithoutAURLAreSecure() async throws {
        let folder = try TemporaryFolder()
        var topology = try cascade(in: folder)
        topology.nodes[0].publicListener.isURLGiven = false
        try await withNodes(topology, except: ["edge-1"]) { nodes in
            let origin = nodes["origin-1"]!
            try folder.put(Offers.publisher(), at: "offer.sdp")
            let body = ["--header", "Content-Type: application/sdp", "--data-binary", "@\(folder.file("offer.sdp"))"]
            let location = try await origin.secure("POST", "/whip/live", body, "%header{location}", in: folder)
            #expect(location.hasPrefix(origin.url + "/session/"), "\(location)")
            let sent = try await origin.plain("GET", "/x", [("Host", "live.example.net:80")])
            let port = origin.node.publicListener.port
            #expect(sent.header("Location") == "https://live.example.net:\(port)/x")
            #expect(try await origin.plain("GET", "/x", [("Host", "a b")]).status == 400)
        }
    }

    /// A certificate that a browser has for somebody else is its own affair.
    @Test func nobodyIsAskedForACertificate() async throws {
        let folder = try TemporaryFolder()
        try await withNodes(try cascade(in: folder), except: ["edge-1"]) { nodes in
            let origin = nodes["origin-1"]!
            let asked = try run(
                "sh", "-c",
                "openssl s_client -connect 127.0.0.1:\(origin.node.publicListener.port) </dev/null 2>/dev/null")
            #expect(asked.contains("No client certificate CA names sent"))
            #expect(!asked.contains("Requested Signature Algorithms"))
        }
    }

    @Test func aReplacedPairCountsFromTheNextConnectionOnAndABadOneNever() async throws {
        let (folder, record) = (try TemporaryFolder(), LogRecord())
        try await withNodes(try cascade(in: folder), except: ["edge-1"], logger: record.logger) { nodes in
            let origin = nodes["origin-1"]!
            #expect(await eventually { record.count("files read what=public certificate") == 1 })
            let first = try origin.serial()
            // An authority that knows nobody yet: its certificate does not fit the key that is there.
            let authority = try TestAuthority(in: folder)
            try authority.issue("origin-1", as: "next")
            try run("mv", folder.file("next.pem"), folder.file("origin-1.pem"))
            #expect(await eventually { record.count("files not usable") == 1 })
            #expect(try origin.serial() == first)
            try run("mv", folder.file("next.key"), folder.file("origin-1.key"))
            #expect(await eventually { record.count("files read again what=public certificate") == 1 })
            #expect(try origin.serial() != first)
            #expect(try await origin.secure("GET", "/", in: folder) == "200")
            let second = try origin.serial()
            try run("rm", folder.file("origin-1.key"))
            #expect(await eventually { record.count("does not exist") == 1 }, "\(record.lines)")
            try await Task.sleep(for: FollowedFiles.interval * 2)
            #expect(record.count("files not usable") == 2)
            #expect(try origin.serial() == second)
        }
    }

    /// Every client has one good pair or the other.
    @Test func nobodyIsTurnedAwayWhileCertificatesAreReplaced() async throws {
        let (folder, record) = (try TemporaryFolder(), LogRecord())
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        let authority = try topology.usePublicTLS(at: "origin-1", in: folder)
        topology.limits.readBurst = 1_000_000
        let client = HTTPClient(exchanges: 4, trust: try PeerTrust(authority.files("origin-1")))
        try await withNodes(topology, logger: record.logger) { nodes in
            let url = "https://127.0.0.1:\(nodes["origin-1"]!.running.publicPort)/health"
            let load = Task {
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            var count = 0
                            while !Task.isCancelled {
                                let answer = try await client.perform(
                                    .init("GET", url, timeout: patience, peer: "origin-1"))
                                #expect(answer.status == 200)
                                count += 1
                            }
                            return count
                        }
                    }
                    return try await group.reduce(0, +)
                }
            }
            #expect(await eventually { record.count("files read what=") == 1 })
            for round in 1...3 {
                try authority.issue("origin-1", as: "next")
                try run("mv", folder.file("next.key"), folder.file("origin-1.key"))
                try run("mv", folder.file("next.pem"), folder.file("origin-1.pem"))
                #expect(await eventually { record.count("files read again what=") == round })
            }
            load.cancel()
            let answered = try await load.value
            #expect(answered > 10)
        }
        #expect(record.count("TLS handshake refused") == 0)
    }

    // MARK: - What comes slowly

    /// Nothing, and a handshake that comes byte by byte.
    @Test(arguments: ["", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}"]) func aHandshakeThatDoesNotEnd(
        beginning: String
    ) async throws {
        let folder = try TemporaryFolder()
        var topology = try cascade(in: folder)
        topology.limits.requestTimeout = .milliseconds(Int64(200))
        try await withNodes(topology, except: ["edge-1"]) { nodes in
            let origin = nodes["origin-1"]!
            let connection = RawConnection(port: origin.running.publicPort)
            var answer = ""
            for byte in beginning {
                connection.send(String(byte))
                answer += await connection.readToEnd(within: .milliseconds(10))
            }
            let deadline = ContinuousClock.now + patience
            while !connection.isAtEnd, ContinuousClock.now < deadline {
                if !beginning.isEmpty { connection.send("\u{0}") }
                answer += await connection.readToEnd(within: .milliseconds(10))
            }
            #expect(answer == "" && connection.isAtEnd)
            let hasEnded = try await origin.ended("no_request")
            #expect(hasEnded)
        }
    }

    /// The handshake was quick.
    @Test func aRequestThatDoesNotEnd() async throws {
        let folder = try TemporaryFolder()
        var topology = try cascade(in: folder)
        topology.limits.requestTimeout = .seconds(Int64(1))
        try await withNodes(topology, except: ["edge-1"]) { nodes in
            let origin = nodes["origin-1"]!
            let body =
                "POST /whip/a HTTP/1.1\\r\\nHost: a\\r\\nContent-Type: application/sdp\\r\\n"
                + "Content-Length: 9\\r\\n\\r\\nv"
            for (beginning, fault) in [("GET /api/ic", "no_request"), (body, "late_request")] {
                let client = Process()
                let (input, output) = (Pipe(), Pipe())
                client.executableURL = URL(filePath: "/usr/bin/env")
                client.arguments = [
                    "openssl", "s_client", "-quiet", "-connect", "127.0.0.1:\(origin.running.publicPort)",
                ]
                (client.standardInput, client.standardOutput) = (input, output)
                client.standardError = FileHandle.nullDevice
                try client.run()
                let text = beginning.replacing("\\r\\n", with: "\r\n")
                try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
                let hasEnded = try await origin.ended(fault)
                #expect(hasEnded, "\(fault)")
                client.terminate()
                client.waitUntilExit()
            }
        }
    }

    // MARK: - Plain HTTP

    @Test(arguments: [
        ("GET", "/", 301), ("HEAD", "/?broadcast=a%20b&x", 301), ("GET", "//evil.example/..", 301),
        ("POST", "/whip/a?token=t", 308), ("PATCH", "/session/x", 308), ("DELETE", "/session/x", 308),
        ("OPTIONS", "/whep/a", 308), ("PUT", "/", 308), ("GET", "/.well-known/acme-challenge", 301),
        ("GET", "/.well-known/other/x", 301), ("GET", "/metrics", 301),
    ])
    func everythingLeadsToTLS(method: String, path: String, status: Int) async throws {
        let folder = try TemporaryFolder()
        try await withNodes(try cascade(in: folder), except: ["edge-1"]) { nodes in
            let origin = nodes["origin-1"]!
            let answer = try await origin.plain(method, path, [("Host", "evil.example")])
            #expect(answer.status == status)
            #expect(answer.header("Location") == origin.url + path)
        }
    }

    @Test func challengesAreAnswered() async throws {
        let folder = try TemporaryFolder()
        try run("mkdir", "-p", folder.file("challenges/folder"))
        for (name, text) in [
            ("token_-1", "token.thumb"), ("empty", ""), ("a.b", "x"), ("long", String(repeating: "a", count: 5_000)),
        ] {
            try folder.put(text, at: "challenges/" + name)
        }
        try folder.put("secret", at: "secret")
        try folder.put("inner", at: "challenges/folder/file")
        try run("ln", "-s", folder.file("secret"), folder.file("challenges/leads-out"))
        try run("ln", "-s", "token_-1", folder.file("challenges/link"))
        try run("mkfifo", folder.file("challenges/pipe"))
        try await withNodes(try cascade(in: folder), except: ["edge-1"]) { nodes in
            let origin = nodes["origin-1"]!
            let found = try await origin.plain("GET", "/.well-known/acme-challenge/token_-1")
            #expect(found.status == 200 && found.text == "token.thumb")
            #expect(found.header("Content-Type") == "application/octet-stream")
            #expect(try await origin.plain("GET", "/.well-known/acme-challenge/link?x").text == "token.thumb")
            #expect(try await origin.plain("POST", "/.well-known/acme-challenge/token_-1").status == 405)
            for name in [
                "absent", "empty", "a.b", "long", "folder", "leads-out", "pipe", "", ".", "..", "%2e%2e", "..%2fsecret",
                "%2e%2e%2fsecret", "folder%2ffile", "token_-1%00", "token_-1%", "%ff",
                String(repeating: "a", count: 129),
            ] {
                let answer = try await origin.plain("GET", "/.well-known/acme-challenge/" + name)
                #expect(answer.status == 404 && !answer.text.contains("secret"), "\(name): \(answer.status)")
            }
            #expect(try await origin.plain("GET", "/.well-known/acme-challenge/folder/file").status == 301)
            #expect(try await origin.plain("GET", "/.well-known/acme-challenge/../../secret").status == 301)
        }
    }

    @Test func withoutAFolderThereAreNoChallenges() async throws {
        let folder = try TemporaryFolder()
        var topology = try cascade(in: folder)
        topology.nodes[0].front.plain?.challenges = nil
        try await withNodes(topology, except: ["edge-1"]) { nodes in
            let answer = try await nodes["origin-1"]!.plain("GET", "/.well-known/acme-challenge/token")
            #expect(answer.status == 404)
        }
    }
}

extension RunningNode {
    /// A connection of the public listener ended for this reason.
    fileprivate func ended(_ reason: String) async throws -> Bool {
        try await eventually {
            try await request("GET", "/metrics", internal: true).text.contains(
                "sfu_http_connection_faults_total{listener=\"public\",reason=\"\(reason)\"} 1\n")
        }
    }
}
