import HTTPTypes
import Testing

@testable import ControlPlane

// What a viewer at an edge sets going can be read in the logs of all nodes on the way, under one name.

@Suite("Request IDs", .serialized) struct RequestIDTests {
    private static let name = CascadeField.requestID
    private static let sdp = [(name: "Content-Type", value: "application/sdp")]

    @Test(arguments: [
        ("7", true), ("0123456789abcdef", true), ("A-Z_a-z", true), (String(repeating: "x", count: 64), true),
        ("", false), (String(repeating: "x", count: 65), false), ("a b", false), ("a\nb", false), ("a=b", false),
        ("\"", false), ("é", false), ("a.b", false), ("\u{202E}", false),
    ])
    func onlyShortPlainTextIsOne(text: String, isOne: Bool) {
        #expect((HTTPRequestID(text) != nil) == isOne)
    }

    @Test func freshOnesAreValidAndDiffer() {
        let fresh = (0..<100).map { _ in HTTPRequestID.generate() }
        #expect(Set(fresh).count == 100)
        #expect(fresh.allSatisfy { HTTPRequestID($0.description) == $0 && $0.description.utf8.count == 16 })
    }

    @Test func aViewersRequestIsFollowedThroughAllNodes() async throws {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        topology.addNode("edge-2", .edge, upstream: ["edge-1"])
        topology.regions.append(.init(name: "us"))
        topology.nodes[2].region = "us"
        let record = LogRecord()
        try await withNodes(topology, logger: record.logger) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-2"]!)
            _ = try await origin.publishLive("live")
            let forged = Self.sdp + [(Self.name, "forged")]
            let answer = try await edge.request("POST", "/whep/live", forged, body: Offers.viewer())
            #expect(answer.status == 201)
            let id = try #require(answer.header(Self.name).flatMap { HTTPRequestID($0) })
            let lines = record.lines.filter { $0.contains("request=\(id)") }
            let opened = lines.filter { $0.hasPrefix("session opened") }
            for (purpose, count) in [("viewer", 1), ("upstream", 2), ("relay", 2)] {
                #expect(opened.count { $0.contains("purpose=\(purpose)") } == count, "\(opened)")
            }
            #expect(lines.contains { $0.contains("request answered") && $0.contains("route=/whep/{broadcast}") })
            #expect(lines.count { $0.contains("request answered") && $0.contains("route=/relay/{broadcast}") } == 2)
            #expect(record.count("forged") == 0)
            // The same relay, another request.
            let second = try await edge.request("POST", "/whep/live", Self.sdp, body: Offers.viewer())
            let other = try #require(second.header(Self.name).flatMap { HTTPRequestID($0) })
            #expect(other != id && record.count("request=\(other)") == 2)
        }
        // What ends, ends under the name that it began with.
        let closed = record.lines.filter { $0.hasPrefix("session closed") && !$0.contains("purpose=publisher") }
        #expect(closed.count >= 6 && closed.allSatisfy { $0.contains("request=") }, "\(closed)")
    }

    @Test func aRelayThatIsNotPossibleSaysForWhom() async throws {
        var topology = Topology.forTests()
        topology.addNode("gone", .origin)
        topology.addNode("edge-1", .edge, upstream: ["gone"])
        topology.relayTimeout = .seconds(1)
        let record = LogRecord()
        try await withNodes(topology, except: ["gone"], logger: record.logger) { nodes in
            let answer = try await nodes["edge-1"]!.request("POST", "/whep/live", Self.sdp, body: Offers.viewer())
            #expect(answer.status == 503)
            let id = try #require(answer.header(Self.name))
            #expect(record.lines.contains { $0.hasPrefix("relay not possible") && $0.contains("request=\(id)") })
        }
    }

    @Test func onlyTheInternalListenerTakesOneAndOnlyAValidOne() async throws {
        try await withOrigin { node in
            for (given, isInternal, isTaken) in [
                ("abc", true, true), ("abc", false, false), ("a b", true, false), ("", true, false),
                (String(repeating: "x", count: 65), true, false), (String(repeating: "x", count: 4_000), true, false),
            ] {
                let answer = try await node.request(
                    "GET", "/api/nodes", [(Self.name, given)], internal: isInternal)
                let id = try #require(answer.header(Self.name))
                #expect((id == given) == isTaken, "\(given) \(isInternal)")
                #expect(HTTPRequestID(id) != nil)
            }
            let refused = try await node.request("GET", "/nothing")
            #expect(refused.status == 404 && refused.header(Self.name) != nil)
        }
    }

    @Test func aForwardedRequestKeepsItsName() async throws {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        topology.addNode("edge-2", .edge, upstream: ["origin-1"])
        let record = LogRecord()
        try await withNodes(topology, logger: record.logger) { nodes in
            let (origin, owner, other) = (nodes["origin-1"]!, nodes["edge-1"]!, nodes["edge-2"]!)
            _ = try await origin.publishLive("live")
            let watched = try await owner.offer(Offers.viewer(), to: "/whep/live")
            let answer = try await other.request("DELETE", try owner.path(of: watched))
            #expect(answer.status == 200)
            let id = try #require(answer.header(Self.name))
            let lines = record.lines.filter { $0.hasPrefix("request answered") && $0.contains("request=\(id)") }
            #expect(lines.count { $0.contains("listener=internal") } == 1, "\(lines)")
            #expect(lines.count { $0.contains("listener=public") } == 1, "\(lines)")
        }
    }
}
