import Foundation
import Glibc
import Logging
import Testing
import WebRTC

@testable import ControlPlane

// The internal listener with a private authority, over real sockets and with real certificates.

private let secret = String(repeating: "s", count: 32)

private func cascade(in folder: TemporaryFolder) throws -> Topology {
    var topology = Topology.forTests()
    topology.auth.node = .secret(Secret(secret))
    topology.addNode("origin-1", .origin)
    topology.addNode("edge-1", .edge, upstream: ["origin-1"])
    topology.addNode("edge-2", .edge, upstream: ["origin-1"])
    topology.simulation = true
    topology.useTLS(in: folder)
    let authority = try TestAuthority(in: folder)
    for node in topology.nodes { try authority.issue(node.name) }
    return topology
}

extension RunningNode {
    /// The status of a request by a client that knows the authority and, if named, has a node's certificate.
    fileprivate func status(
        _ method: String, _ path: String, as client: String? = nil, _ headers: [String] = [], in folder: TemporaryFolder
    ) async throws -> String {
        var options = ["--cacert", folder.file("ca.pem")]
        if let client { options += ["--cert", folder.file("\(client).pem"), "--key", folder.file("\(client).key")] }
        options += headers.flatMap { ["--header", $0] }
        let host = "\(node.name):\(node.internalListener.port)"
        options += ["--connect-to", "\(host):127.0.0.1:\(node.internalListener.port)"]
        return try await curl(options + ["--request", method, "https://\(host)\(path)"])
    }
}

@Suite("TLS between nodes", .serialized) struct InternalTLSTests {
    @Test func relaysAndForwardedRequestsGoOverTLS() async throws {
        let folder = try TemporaryFolder()
        try await withNodes(try cascade(in: folder)) { nodes in
            let (origin, edge, other) = (nodes["origin-1"]!, nodes["edge-1"]!, nodes["edge-2"]!)
            try await whilePublishing(to: origin) {
                let viewer = try MediaPeer()
                let answer = try await viewer.watch(edge.url + "/whep/live")
                #expect(answer.status == 201, "\(answer)")
                #expect(await viewer.receives(moreThan: 50))
                #expect(try await other.request("DELETE", try edge.path(of: answer)).status == 200)
                #expect(await edge.sessions.snapshot().present[.viewer] == 0)
                await viewer.stop()
            }
        }
    }

    @Test func probesNeedNoCertificateAndEverythingElseDoes() async throws {
        let (folder, record) = (try TemporaryFolder(), LogRecord())
        try await withNodes(try cascade(in: folder), except: ["edge-1", "edge-2"], logger: record.logger) { nodes in
            let origin = nodes["origin-1"]!
            for path in ["/healthz", "/readyz", "/metrics", "/api/nodes", "/api/broadcasts"] {
                #expect(try await origin.status("GET", path, in: folder) == "200", "\(path)")
            }
            let session = "/session/AAAAAAAAAAAAAAAAAAAAAA.origin-1"
            let tokens = NodeTokens(.secret(Secret(secret)), node: "edge-1")
            let token = try #require(tokens.authorization(for: "live", at: "origin-1"))
            for (method, path) in [
                ("POST", "/relay/live"), ("POST", "/drain"), ("DELETE", session), ("DELETE", "/forwarded" + session),
                ("GET", "/debug/sessions/x"), ("POST", session + "/impairment"),
            ] {
                let headers = ["Authorization: \(token)"]
                #expect(try await origin.status(method, path, headers, in: folder) == "403", "\(path)")
                #expect(try await origin.status(method, path, as: "edge-1", in: folder) != "403", "\(path)")
            }
            // A certificate is no token.
            #expect(try await origin.status("POST", "/relay/live", as: "edge-1", in: folder) == "401")
            #expect(try await origin.status("DELETE", "/forwarded" + session, as: "edge-1", in: folder) == "401")
            #expect(try await origin.status("DELETE", "/drain", as: "edge-1", in: folder) == "200")

            // Somebody else's certificate, and no TLS at all.
            try TestAuthority("stranger", in: folder).issue("edge-1", as: "foreign")
            #expect(try await origin.status("GET", "/healthz", as: "foreign", in: folder) == "000")
            #expect(record.count("TLS handshake refused") == 1, "\(record.lines)")
            let plain = "http://127.0.0.1:\(origin.node.internalListener.port)/healthz"
            await #expect(throws: HTTPClient.Failure.self) { try await http.perform(.init("GET", plain)) }
            #expect(try await curl([plain]) == "000")
            #expect(try await curl([origin.url + "/api/broadcasts"]) == "200", "the public listener is as before")
        }
    }

    enum Fault: String, CaseIterable { case wrongAuthority, expired, wrongName }

    @Test(arguments: Fault.allCases) func whoIsNotTheNodeAboveIsRefused(_ fault: Fault) async throws {
        let (folder, record) = (try TemporaryFolder(), LogRecord())
        var topology = try cascade(in: folder)
        topology.relayTimeout = .seconds(2)
        let expected: String
        switch fault {
        case .wrongAuthority:
            try TestAuthority("stranger", in: folder).issue("origin-1")
            expected = "unable to get local issuer certificate"
        case .expired:
            try run("cp", folder.file("ca.pem"), folder.file("ca.copy"))
            try reissue("origin-1", for: "origin-1", days: -1, in: folder)
            expected = "certificate has expired"
        case .wrongName:
            try reissue("origin-1", for: "origin-2", days: 1, in: folder)
            expected = "no alternative certificate subject name matches"
        }
        try await withNodes(topology, except: ["edge-2"], logger: record.logger) { nodes in
            let edge = nodes["edge-1"]!
            _ = try await nodes["origin-1"]!.publishLive("live")
            #expect(try await edge.offer(Offers.viewer(), to: "/whep/live").status == 503)
            let lines = record.lines.filter { $0.hasPrefix("relay not possible") }
            #expect(lines.contains { $0.contains(expected) }, "\(lines)")
        }
    }

    /// Signs `file`.pem anew with the authority of the folder.
    private func reissue(_ file: String, for node: String, days: Int, in folder: TemporaryFolder) throws {
        let request = folder.file("\(file).csr")
        try run(
            "openssl", "req", "-new", "-key", folder.file("\(file).key"), "-subj", "/CN=\(node)",
            "-addext", "subjectAltName=DNS:\(node)", "-out", request)
        try run(
            "openssl", "x509", "-req", "-in", request, "-CA", folder.file("ca.pem"), "-CAkey", folder.file("ca.key"),
            "-copy_extensions", "copy", "-days", "\(days)", "-out", folder.file("\(file).tmp"))
        try run("mv", folder.file("\(file).tmp"), folder.file("\(file).pem"))
    }

    @Test(.timeLimit(.minutes(5))) func replacedCertificatesCountFromTheNextConnectionOn() async throws {
        let (folder, record) = (try TemporaryFolder(), LogRecord())
        try await withNodes(try cascade(in: folder), except: ["edge-2"], logger: record.logger) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            func serial() throws -> String {
                let port = origin.node.internalListener.port
                return try run(
                    "sh", "-c",
                    "openssl s_client -connect 127.0.0.1:\(port) </dev/null 2>/dev/null | openssl x509 -noout -serial")
            }
            _ = try await origin.publishLive("first")
            #expect(try await edge.offer(Offers.viewer(), to: "/whep/first").status == 201)
            let before = try serial()
            // What changes before the first look is no change.
            #expect(await eventually { record.count("files read what=certificates") == 2 })
            try reissue("origin-1", for: "origin-1", days: 1, in: folder)
            #expect(await eventually { record.count("files read again what=certificates") == 1 })
            #expect(try serial() != before)
            _ = try await origin.publishLive("second")
            #expect(try await edge.offer(Offers.viewer(), to: "/whep/second").status == 201)
            #expect(await origin.sessions.snapshot().present[.relay] == 2, "the first relay has not noticed")

            // A key that does not fit changes nothing.
            let replaced = try serial()
            try run("cp", folder.file("edge-2.key"), folder.file("origin-1.tmp"))
            try run("mv", folder.file("origin-1.tmp"), folder.file("origin-1.key"))
            #expect(await eventually { record.count("files not usable") == 1 })
            #expect(record.count("is not the key of the certificate") == 1, "\(record.lines)")
            #expect(try serial() == replaced)
        }
    }

    @Test func whatComesInInsteadOfAClientHelloEndsTheConnection() async throws {
        let folder = try TemporaryFolder()
        let authority = try TestAuthority(in: folder)
        try authority.issue("origin-1")
        let trust = try PeerTrust(authority.files("origin-1"))
        let hello = try await clientHello(trust)
        var random = SeededGenerator(seed: 11)
        var failed = 0
        for _ in 0..<500 {
            var bytes = hello
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random)) }
            let connection = TLSServerConnection(try TLSServerContext(trust.material))
            #expect(unsafe bytes.withUnsafeBytes { unsafe connection.receive($0) }.isEmpty)
            switch connection.state {
            case .failed: failed += 1
            case .handshaking: break
            case .open, .closed: Issue.record("no client finishes a handshake with one message")
            }
            #expect(!connection.isPeerVerified)
            #expect(connection.takeOutgoing().count < 64 << 10)
        }
        #expect(failed > 50)
    }

    /// What libcurl says first.
    private func clientHello(_ trust: PeerTrust) async throws -> [UInt8] {
        let port = freePort()
        let socket = listeningSocket(port)
        defer { close(socket) }
        let client = HTTPClient(exchanges: 1, trust: trust)
        async let answer = try? client.perform(
            .init("GET", "https://127.0.0.1:\(port)/", timeout: .seconds(1), peer: "origin-1"))
        _ = await answer
        let accepted = accept(socket, nil, nil)
        defer { close(accepted) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe read(accepted, &bytes, bytes.count)
        try #require(count > 100 && bytes[0] == 22)
        return Array(bytes[..<count])
    }

    @Test(arguments: [
        ("https://127.0.0.1:9080/relay/a", "127.0.0.1", 9_080, "/relay/a"), ("https://[::1]:9/x", "[::1]", 9, "/x"),
        ("https://host.example", "host.example", 443, ""),
    ])
    func targetsOfURLs(url: String, host: String, port: Int, path: String) throws {
        let target = try #require(CurlOptions.Target(url))
        #expect(target.host == host && target.port == port && target.path == path)
    }
}
