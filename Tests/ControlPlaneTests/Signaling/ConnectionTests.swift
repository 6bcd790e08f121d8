import Testing
import WebRTC

@testable import ControlPlane

// What one client can do with connections alone: many of them, slow ones, and requests that never end.

@Suite("Connections of the listeners", .timeLimit(.minutes(5))) struct ConnectionTests {
    private static func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n" }

    private static func post(_ path: String, length: Int) -> String {
        "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\nContent-Length: \(length)\r\n\r\n"
    }

    /// Seventeen of one address, whose share is sixteen. The internal listener is for nodes, and has no shares.
    @Test func nobodyHasMoreThanHisShare() async throws {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        (topology.limits.connections, topology.limits.sharesLoopback) = (64, true)
        // A slow machine's connections wait long for their first request.
        topology.limits.requestTimeout = .seconds(Int64(300))
        let record = LogRecord()
        try await withNodes(topology, logger: record.logger) { nodes in
            let node = nodes["origin-1"]!
            var held = (0..<16).map { _ in RawConnection(port: node.running.publicPort) }
            for connection in held {
                connection.send(Self.get("/api/ice"))
                #expect(await connection.read(until: "iceServers").contains("200 OK"))
            }
            for _ in 0..<3 {
                let refused = RawConnection(port: node.running.publicPort)
                #expect(await refused.readToEnd() == "" && refused.isAtEnd)
            }
            for _ in 0..<17 { held.append(RawConnection(port: node.running.internalPort)) }
            let metrics = try await node.request("GET", "/metrics", internal: true).text
            #expect(metrics.contains("sfu_refused_total{resource=\"connections\",reason=\"share\"} 3\n"))
            #expect(metrics.contains("sfu_http_connections{listener=\"public\"} 16\n"))
            #expect(record.count("connections refused") == 1)
            #expect(record.count("advice=limits.address_share") == 1)
            held.removeAll()
            let isServed = await eventually {
                let connection = RawConnection(port: node.running.publicPort)
                connection.send(Self.get("/api/ice"))
                return await connection.read(until: "iceServers").contains("200 OK")
            }
            #expect(isServed)
        }
    }

    /// One who never asks, and one who never comes to the end of his first question.
    @Test(arguments: ["", "GET /api/ice HT"]) func aConnectionWithoutARequestEnds(beginning: String) async throws {
        try await withOrigin {
            $0.limits.requestTimeout = .milliseconds(Int64(100))
        } _: { node in
            for port in [node.running.publicPort, node.running.internalPort] {
                let connection = RawConnection(port: port)
                var answer = ""
                for byte in beginning {
                    connection.send(String(byte))
                    answer += await connection.readToEnd(within: .milliseconds(10))
                }
                answer += await connection.readToEnd()
                #expect(answer == "" && connection.isAtEnd)
            }
            let metrics = try await node.request("GET", "/metrics", internal: true).text
            for listener in ["public", "internal"] {
                let line = "sfu_http_connection_faults_total{listener=\"\(listener)\",reason=\"no_request\"} 1\n"
                #expect(metrics.contains(line))
            }
        }
    }

    /// A byte now and then keeps no request alive.
    @Test func aBodyIsWaitedForAsAWhole() async throws {
        try await withOrigin {
            $0.limits.requestTimeout = .milliseconds(Int64(200))
        } _: { node in
            let connection = RawConnection(port: node.running.publicPort)
            connection.send(Self.post("/whip/a", length: 60_000))
            var answer = ""
            let deadline = ContinuousClock.now + patience
            while !connection.isAtEnd, ContinuousClock.now < deadline {
                connection.send("v")
                answer += await connection.readToEnd(within: .milliseconds(10))
            }
            #expect(connection.isAtEnd)
            #expect(answer.hasPrefix("HTTP/1.1 408 "), "\(answer)")
            #expect(answer.lowercased().contains("connection: close"))
            #expect(answer.contains("urn:cascade:problem:request-timeout"))
            let metrics = try await node.request("GET", "/metrics", internal: true).text
            #expect(
                metrics.contains("sfu_http_connection_faults_total{listener=\"public\",reason=\"late_request\"} 1\n"))
        }
    }

    /// Refused before its body is there: the answer says that the connection ends, and it does.
    @Test func anAnswerBeforeTheEndOfTheRequestIsTheLast() async throws {
        try await withOrigin {
            $0.auth.publish = .secret(Secret("publishers"))
        } _: { node in
            let connection = RawConnection(port: node.running.publicPort)
            connection.send(Self.post("/whip/a", length: 60_000) + "v=0")
            let answer = await connection.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 401 ") && connection.isAtEnd, "\(answer)")
            #expect(answer.lowercased().contains("connection: close"))
            // One that is whole when it is answered leaves the connection as it was.
            let other = RawConnection(port: node.running.publicPort)
            other.send(Self.post("/whip/a", length: 3) + "v=0" + Self.get("/api/ice"))
            let answers = await other.read(until: "iceServers")
            #expect(answers.hasPrefix("HTTP/1.1 401 ") && answers.contains("HTTP/1.1 200 "), "\(answers)")
        }
    }

    /// RFC 9112 §3.2.
    @Test(arguments: [
        ("1.1", [], 400), ("1.1", ["a", "b"], 400), ("1.1", ["a", "a"], 400), ("1.0", ["a", "b"], 400),
        ("1.0", [], 200), ("1.1", ["a"], 200),
    ])
    func aRequestNamesItsHostOnce(version: String, hosts: [String], status: Int) async throws {
        try await withOrigin { node in
            let connection = RawConnection(port: node.running.publicPort)
            let fields = hosts.map { "Host: \($0)\r\n" }.joined()
            connection.send("GET /api/ice HTTP/\(version)\r\n\(fields)\r\n")
            let answer = await connection.read(until: status == 200 ? "iceServers" : "\r\n\r\n")
            #expect(answer.contains(" \(status) "), "\(answer)")
            if status == 400 {
                #expect(await connection.readToEnd() == "" && connection.isAtEnd)
                let metrics = try await node.request("GET", "/metrics", internal: true).text
                #expect(
                    metrics.contains("sfu_http_connection_faults_total{listener=\"public\",reason=\"malformed\"} 1\n"))
            }
        }
    }
}
