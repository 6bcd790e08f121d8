import Testing
import WebRTC

@testable import ControlPlane

// At debug level everything is logged that ever is: tokens, ICE passwords and whole names of sessions are not among it.

@Suite("Secrets in the log", .serialized) struct SecretsInLogTests {
    @Test func noneAtDebugLevel() async throws {
        var topology = Topology.forTests()
        topology.auth.publish = .secret(Secret("publish-hunter2"))
        topology.auth.watch = .secret(Secret("watch-hunter2"))
        topology.auth.node = .secret(Secret(String(repeating: "node-hunter2", count: 3)))
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        topology.addNode("edge-2", .edge, upstream: ["origin-1"])
        topology.addNode("gone", .edge, upstream: ["origin-1"])
        let record = LogRecord()
        try await withNodes(topology, except: ["gone"], logger: record.logger) { nodes in
            let (origin, edge, other) = (nodes["origin-1"]!, nodes["edge-1"]!, nodes["edge-2"]!)
            let published = try await origin.offer(Offers.publisher(), to: "/whip/live", token: "publish-hunter2")
            try await origin.connect(published)
            let watched = try await edge.offer(Offers.viewer(), to: "/whep/live", token: "watch-hunter2")
            #expect(published.status == 201 && watched.status == 201)
            // Wrong ones, of other sessions, and to a node that is not there.
            let wrong = [("Authorization", "Bearer wrong-hunter2")]
            _ = try await edge.request("DELETE", try edge.path(of: watched), wrong)
            _ = try await other.request("DELETE", try edge.path(of: watched), wrong)
            _ = try await other.request("DELETE", "/session/AAAAAAAAAAAAAAAAAAAAAA.gone", wrong)
            _ = try await edge.request("POST", "/relay/live", wrong, internal: true)
            _ = try await edge.offer("v=0\r\na=ice-pwd:hunter2", to: "/whep/live", token: "watch-hunter2")
            _ = try await other.request(
                "DELETE", try edge.path(of: watched), [("Authorization", "Bearer watch-hunter2")])
            for answer in [published, watched] {
                let resource = try edge.resource(of: answer)
                #expect(record.count(resource.description) == 0)
                #expect(record.count(resource.short) > 0, "it can be found by its beginning")
                for line in answer.sdp.sdpLines where line.hasPrefix("a=ice-pwd:") {
                    #expect(record.count(String(line.dropFirst("a=ice-pwd:".count))) == 0)
                }
            }
        }
        #expect(record.lines.count > 10)
        #expect(record.count("hunter2") == 0, "\(record.lines.filter { $0.contains("hunter2") })")
        #expect(record.count("Bearer") == 0 && record.count("eyJ") == 0)
    }
}
