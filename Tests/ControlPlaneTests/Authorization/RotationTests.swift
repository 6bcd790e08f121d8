import Testing

@testable import ControlPlane

// The node secret is replaced in running nodes, one after the other, as docs/operating.md says: media flows on, and a new
// relay can be made at every moment.

private let old = String(repeating: "o", count: 32)
private let new = String(repeating: "n", count: 32)

extension RunningNode {
    /// Whether a token that `secret` signs opens this node.
    fileprivate func accepts(_ secret: String) async throws -> Bool {
        let tokens = NodeTokens(.secret(Secret(secret)), node: "tester")
        let token = try #require(tokens.authorization(for: NodeTokens.anyBroadcast, at: node.name))
        let path = "/forwarded/session/AAAAAAAAAAAAAAAAAAAAAA.\(node.name)"
        return try await request("GET", path, [("Authorization", token)], internal: true).status == 404
    }
}

@Suite("Rotation of node secrets", .serialized) struct RotationTests {
    @Test(.timeLimit(.minutes(5))) func linksOutliveTheSecretAndNewOnesAreAlwaysPossible() async throws {
        let folder = try TemporaryFolder()
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        for node in topology.nodes { try folder.put(old + "\n", at: node.name) }
        topology.auth.node = .secret(Secret(old))
        let base = topology
        let record = LogRecord()
        try await withNodes(
            topology, logger: record.logger,
            seenBy: { name in
                var own = base
                own.auth.node = .secret(Secret(old), file: folder.file(name))
                return own
            }
        ) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            try await whilePublishing(to: origin) {
                let viewer = try MediaPeer()
                #expect(try await viewer.watch(edge.url + "/whep/live").status == 201)
                #expect(await viewer.receives(moreThan: 20))
                let relay = try #require(await origin.sessions.snapshot().present[.relay])
                #expect(relay == 1)
                // What changes before the first look is no change.
                #expect(await eventually { record.count("files read what=node secret") == 2 })

                let steps: [(text: String, accepts: [String], refuses: [String])] = [
                    ("\(old)\n\(new)\n", [old, new], []), ("\(new)\n\(old)\n", [old, new], []), (new, [new], [old]),
                ]
                for (number, step) in steps.enumerated() {
                    // The nodes change one after the other, the first one first in one step and last in the next.
                    let order = number % 2 == 0 ? [origin, edge] : [edge, origin]
                    for (turn, node) in order.enumerated() {
                        let before = record.count("files read again")
                        try folder.put(step.text, at: node.node.name)
                        #expect(await eventually { record.count("files read again") > before })
                        for secret in step.accepts { #expect(try await node.accepts(secret)) }
                        for secret in step.refuses { #expect(try await !node.accepts(secret)) }
                        let name = "step-\(number)-\(turn)"
                        _ = try await origin.publishLive(name)
                        #expect(try await edge.offer(Offers.viewer(), to: "/whep/\(name)").status == 201, "\(name)")
                        let received = await viewer.received
                        #expect(await viewer.receives(moreThan: received + 10), "\(name)")
                    }
                }
                // A file cut short keeps what was.
                try folder.put("short", at: "origin-1")
                #expect(await eventually { record.count("files not usable") == 1 })
                #expect(try await origin.accepts(new))
                await viewer.stop()
            }
            #expect(record.lines.allSatisfy { !$0.contains(old) && !$0.contains(new) }, "no secret in a log")
        }
    }

    /// Who watches and who publishes stays; the next one needs the new token.
    @Test(.timeLimit(.minutes(5))) func tokensOfPeopleAreReplaced() async throws {
        let (folder, record) = (try TemporaryFolder(), LogRecord())
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        for name in ["publish", "watch", "news"] { try folder.put("old-\(name)\n", at: name) }
        func access(_ name: String) -> Topology.Access { .secret(Secret("old-\(name)"), file: folder.file(name)) }
        (topology.auth.publish, topology.auth.watch) = (access("publish"), access("watch"))
        topology.auth.broadcasts = [.init(pattern: "news-*", publish: access("news"))]
        try await withNodes(topology, logger: record.logger) { nodes in
            let origin = nodes["origin-1"]!
            func status(_ method: String, _ path: String, _ token: String) async throws -> Int {
                let headers = [("Authorization", "Bearer \(token)"), ("Content-Type", "application/sdp")]
                let body = path.hasPrefix("/whip") ? Offers.publisher() : Offers.viewer()
                return try await origin.request(method, path, headers, body: body).status
            }
            let published = try await origin.offer(Offers.publisher(), to: "/whip/live", token: "old-publish")
            try await origin.connect(published)
            #expect(try await origin.offer(Offers.viewer(), to: "/whep/live", token: "old-watch").status == 201)
            #expect(await eventually { record.count("files read what=") == 3 })
            for name in ["publish", "watch", "news"] { try folder.put("new-\(name)", at: name) }
            #expect(await eventually { record.count("files read again what=") == 3 }, "\(record.lines)")
            for (path, name) in [("/whip/other", "publish"), ("/whep/live", "watch"), ("/whip/news-1", "news")] {
                let (before, after) = (
                    try await status("POST", path, "old-\(name)"), try await status("POST", path, "new-\(name)")
                )
                #expect(before == 403 && after == 201, "\(path): \(before), \(after)")
            }
            #expect(await origin.sessions.snapshot().present[.viewer] == 2)
            // What is no token changes nothing.
            try folder.put(" \n", at: "watch")
            #expect(await eventually { record.count("is empty") == 1 }, "\(record.lines)")
            try folder.put("two words", at: "watch")
            #expect(await eventually { record.count("characters that a Bearer token cannot have") == 1 })
            let unchanged = try await status("POST", "/whep/live", "new-watch")
            #expect(unchanged == 201)
            #expect(
                record.lines.allSatisfy { !$0.contains("old-") && !$0.contains("new-") && !$0.contains("two words") })
        }
    }

    @Test func tokensOfPeopleAndNodesOpenNothingOfEachOther() async throws {
        let secret = String(repeating: "s", count: 32)
        var topology = Topology.forTests()
        topology.auth.node = .secret(Secret(secret))
        topology.auth.publish = .secret(Secret("publishers"))
        topology.auth.watch = .secret(Secret("viewers"))
        topology.addNode("origin-1", .origin)
        try await withNodes(topology) { nodes in
            let origin = nodes["origin-1"]!
            let published = try await origin.offer(Offers.publisher(), to: "/whip/live", token: "publishers")
            #expect(published.status == 201)
            try await origin.connect(published)
            for token in ["publishers", "viewers", secret] {
                let relay = try await whip.post(
                    offer: Offers.viewer(), url: origin.internalURL + "/relay/live", token: token)
                #expect(relay.status == 403, "\(token.prefix(4))")
            }
            let tokens = NodeTokens(.secret(Secret(secret)), node: "edge-1")
            for broadcast in ["live", NodeTokens.anyBroadcast] {
                let token = BearerToken(tokens.authorization(for: broadcast, at: "origin-1"))?.text
                #expect(try await origin.offer(Offers.viewer(), to: "/whep/live", token: token).status == 403)
                #expect(try await origin.offer(Offers.publisher(), to: "/whip/other", token: token).status == 403)
            }
            // Good for the broadcast, but for another node.
            let elsewhere = BearerToken(tokens.authorization(for: "live", at: "origin-2"))?.text
            let relay = try await whip.post(
                offer: Offers.viewer(), url: origin.internalURL + "/relay/live", token: elsewhere)
            #expect(relay.status == 403)
        }
    }
}
