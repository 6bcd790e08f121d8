import Testing
import WebRTC

@testable import ControlPlane

// Expect: 100-continue (RFC 9110 §10.1.1): a client that holds its body back is asked for it, or refused, at once.

@Suite("Expect: 100-continue", .timeLimit(.minutes(5))) struct ExpectContinueTests {
    private static let interim = "HTTP/1.1 100 Continue\r\n\r\n"

    private static func head(
        _ path: String, length: Int, version: String = "1.1", _ more: [String] = [], expect: String = "100-continue"
    ) -> String {
        let lines = [
            "POST \(path) HTTP/\(version)", "Host: 127.0.0.1", "Content-Type: application/sdp",
            "Content-Length: \(length)", "Expect: \(expect)",
        ]
        return (lines + more).joined(separator: "\r\n") + "\r\n\r\n"
    }

    @Test func theBodyIsAskedForAndThenAnswered() async throws {
        try await withOrigin { node in
            for port in [node.running.publicPort, node.running.internalPort] {
                let path = port == node.running.publicPort ? "/whip/a" : "/relay/a"
                let connection = RawConnection(port: port)
                let body = "rubbish"
                // Again on the same connection: an interim answer belongs to one request.
                for _ in 0..<2 {
                    connection.send(Self.head(path, length: body.utf8.count))
                    #expect(await connection.read(until: "\r\n\r\n") == Self.interim)
                    connection.send(body)
                    let answer = await connection.read(until: "}")
                    #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
                    #expect(!answer.lowercased().contains("connection: close"))
                }
                connection.send("GET /api/ice HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(await connection.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 "))
            }
        }
    }

    @Test func anOfferIsTakenInChunks() async throws {
        try await withOrigin { node in
            let connection = RawConnection(port: node.running.publicPort)
            connection.send(
                "POST /whip/a HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\nExpect: 100-Continue\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n")
            #expect(await connection.read(until: "\r\n\r\n") == Self.interim)
            let offer = Offers.publisher()
            let half = offer.index(offer.startIndex, offsetBy: offer.count / 2)
            for part in [offer[..<half], offer[half...]] {
                connection.send(String(part.utf8.count, radix: 16) + "\r\n" + part + "\r\n")
            }
            connection.send("0\r\n\r\n")
            #expect(await connection.read(until: "a=ice-ufrag").hasPrefix("HTTP/1.1 201 "))
        }
    }

    /// Refused by its head alone: nobody sends the body for nothing, and the client is told how the request ends.
    @Test(arguments: [
        ("/whip/a", "application/sdp", 100, 401), ("/nowhere", "application/sdp", 100, 404),
        ("/api/nodes", "application/sdp", 100, 405), ("/whep/a", "text/plain", 100, 415),
        ("/whep/a", "application/sdp", 100_000_000, 413),
    ])
    func whatTheHeadIsRefusedForIsSaidAtOnce(path: String, type: String, length: Int, status: Int) async throws {
        try await withOrigin {
            $0.auth.publish = .secret(Secret("publishers"))
        } _: { node in
            let connection = RawConnection(port: node.running.publicPort)
            let head = Self.head(path, length: length).replacing("application/sdp", with: type)
            connection.send(head)
            let answer = await connection.read(until: "\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
            #expect(answer.lowercased().contains("connection: close"))
            // One that sends it all the same: nobody could tell where another request begins (RFC 9112 §9.6).
            connection.send(String(repeating: "a", count: 100) + "GET /api/ice HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await !connection.readToEnd().contains("iceServers") && connection.isAtEnd)
        }
    }

    @Test func whatIsSentWithTheHeadIsTakenAsWell() async throws {
        try await withOrigin { node in
            let connection = RawConnection(port: node.running.publicPort)
            let one = Self.head("/whip/a", length: 7) + "rubbish"
            // Two at once, in one packet.
            connection.send(one + one + "GET /api/ice HTTP/1.1\r\nHost: a\r\n\r\n")
            let answers = await connection.read(until: "iceServers")
            #expect(answers.components(of: "HTTP/1.1 400 ") == 2, "\(answers)")
            #expect(answers.components(of: Self.interim) == 2)
            #expect(answers.hasPrefix(Self.interim))
        }
    }

    @Test func aClientOfBeforeKnowsNoInterimAnswer() async throws {
        try await withOrigin { node in
            let connection = RawConnection(port: node.running.publicPort)
            connection.send(Self.head("/whip/a", length: 7, version: "1.0"))
            #expect(await connection.read(until: "\r\n\r\n", within: .milliseconds(300)) == "")
            connection.send("rubbish")
            #expect(await connection.read(until: "}").contains(" 400 "))
        }
    }

    @Test func withoutABodyNothingIsAskedFor() async throws {
        try await withOrigin { node in
            let connection = RawConnection(port: node.running.publicPort)
            connection.send(Self.head("/whip/a", length: 0))
            #expect(await connection.read(until: "}").hasPrefix("HTTP/1.1 400 "))
        }
    }

    @Test func otherExpectationsCannotBeMet() async throws {
        try await withOrigin { node in
            let connection = RawConnection(port: node.running.publicPort)
            connection.send(Self.head("/whip/a", length: 7, expect: "more") + "rubbish")
            #expect(await connection.read(until: "}").hasPrefix("HTTP/1.1 417 "))
        }
    }

    @Test func anotherNodesSessionIsAskedForAsWell() async throws {
        var topology = Topology.forTests()
        topology.addNode("edge-1", .edge, upstream: ["edge-2"])
        topology.addNode("edge-2", .edge)
        try await withNodes(topology) { nodes in
            let connection = RawConnection(port: nodes["edge-1"]!.running.publicPort)
            let head = Self.head("/session/AAAAAAAAAAAAAAAAAAAAAA.edge-2", length: 7)
            connection.send(head.replacing("POST", with: "PATCH"))
            #expect(await connection.read(until: "\r\n\r\n") == Self.interim)
            connection.send("rubbish")
            #expect(await connection.read(until: "}").hasPrefix("HTTP/1.1 404 "))
        }
    }
}

extension String {
    /// How often `part` is in it.
    fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}
