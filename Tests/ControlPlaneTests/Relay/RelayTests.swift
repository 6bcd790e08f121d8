import Forwarding
import Glibc
import MediaPlane
import Testing
import WebRTC

@testable import ControlPlane

// Publisher → origin → edge → viewer over real sockets in one process: what starts, shares, ends and survives a relay.

private func cascade(_ change: (inout Topology) -> Void = { _ in }) -> Topology {
    var topology = Topology.forTests()
    topology.addNode("origin-1", .origin)
    topology.addNode("edge-1", .edge, upstream: ["origin-1"])
    change(&topology)
    return topology
}

extension RunningNode {
    func count(_ purpose: SessionPurpose) async -> Int { await sessions.snapshot().present[purpose] ?? 0 }
}

@Suite("Relay", .serialized) struct RelayTests {
    @Test func mediaFlowsThroughTheEdge() async throws {
        try await withNodes(cascade()) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            try await whilePublishing(to: origin) {
                let viewer = try MediaPeer()
                let answer = try await viewer.watch(edge.url + "/whep/live")
                #expect(answer.status == 201, "\(answer)")
                #expect(await viewer.receives(moreThan: 50))
                #expect(try await whip.delete(url: try #require(answer.location)) == 200)
                await viewer.stop()
            }
        }
    }

    /// The publisher's only keyframe has come long before the first viewer of the edge, and the second.
    @Test func whoComesLateSeesTheOnlyKeyframeThereWas() async throws {
        try await withNodes(cascade()) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            let publisher = try MediaPeer()
            #expect(try await publisher.publish(to: origin.url + "/whip/live").status == 201)
            #expect(await eventually { await origin.sessions.isWatchable("live") })
            try await whileSending(publisher, onlyFirstIsKeyframe: true) {
                #expect(
                    await eventually { await origin.sessions.media.statistics()[0].packetsIn > 20 })
                for node in [edge, edge, origin] {
                    let viewer = try MediaPeer()
                    #expect(try await viewer.watch(node.url + "/whep/live").status == 201)
                    #expect(await viewer.receives(moreThan: 50))
                    await viewer.stop()
                }
            }
            await publisher.stop()
        }
    }

    @Test func manyViewersShareOneRelayThatLeavesAfterTheLast() async throws {
        try await withNodes(cascade { $0.linger = .milliseconds(500) }) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            _ = try await origin.publishLive("live")
            let answers = try await withThrowingTaskGroup(of: WHIPClient.Answer.self) { group in
                for _ in 0..<20 { group.addTask { try await edge.offer(Offers.viewer(), to: "/whep/live") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.status == 201 })
            #expect(await origin.count(.relay) == 1)
            let metrics = try await origin.request("GET", "/metrics", internal: true).text
            #expect(metrics.contains("sfu_sessions{kind=\"relay\"} 1\n"))
            for answer in answers.dropLast() { try await whip.delete(url: answer.location!) }
            #expect(await origin.count(.relay) == 1)
            let last = ContinuousClock.now
            try await whip.delete(url: answers.last!.location!)
            #expect(await eventually { await origin.count(.relay) == 0 })
            #expect(.now - last >= .milliseconds(500), "it lingers")
            #expect(await edge.sessions.snapshot().present.values.allSatisfy { $0 == 0 })
        }
    }

    @Test func viewersGetExactlyTheBroadcastsCodecs() async throws {
        try await withNodes(cascade()) { nodes in
            _ = try await nodes["origin-1"]!.publishLive("live", offer: Offers.publisher(video: Offers.h264))
            let edge = nodes["edge-1"]!
            let refused = try await edge.offer(Offers.viewer(), to: "/whep/live")
            #expect(refused.status == 406, "\(refused)")
            let h264 = "a=rtpmap:98 H264/90000\r\na=fmtp:98 packetization-mode=1;profile-level-id=42e01f"
            let answer = try await edge.offer(Offers.viewer(video: h264), to: "/whep/live")
            #expect(answer.status == 201)
            #expect(answer.sdp.sdpLines.filter { $0.hasPrefix("a=rtpmap:") }.count == 3)
        }
    }

    @Test func notLiveAtTheOriginIsNotLiveAtTheEdge() async throws {
        try await withNodes(cascade()) { nodes in
            let answer = try await nodes["edge-1"]!.offer(Offers.viewer(), to: "/whep/nobody")
            #expect(answer.status == 409 && answer.retryAfter != nil)
        }
    }

    @Test func withoutAnOriginViewersAreToldToRetry() async throws {
        try await withNodes(cascade { $0.relayTimeout = .seconds(3) }, except: ["origin-1"]) { nodes in
            let edge = nodes["edge-1"]!
            let begin = ContinuousClock.now
            let answer = try await edge.offer(Offers.viewer(), to: "/whep/live")
            #expect(answer.status == 503 && answer.retryAfter != nil)
            #expect(ContinuousClock.now - begin < patience / 2, "the budget is 3 s")
            let metrics = try await edge.request("GET", "/metrics", internal: true).text
            #expect(metrics.contains("\nsfu_relay_failures_total 1\n"))
            let ready = try await edge.request("GET", "/readyz", internal: true)
            #expect(ready.status == 503 && ready.text.contains("no_origin_reachable"))
        }
    }

    @Test func silentUpstreamLeavesTimeForTheNext() async throws {
        var topology = Topology.forTests()
        topology.addNode("silent", .origin)
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["silent", "origin-1"])
        topology.relayTimeout = .seconds(10)
        // Listens, so that connections are made, and never accepts.
        let socket = listeningSocket(topology.nodes[0].internalListener.port)
        defer { close(socket) }
        try await withNodes(topology, except: ["silent"]) { nodes in
            _ = try await nodes["origin-1"]!.publishLive("live")
            // Whoever gave the silent one the whole budget had nothing left.
            #expect(try await nodes["edge-1"]!.offer(Offers.viewer(), to: "/whep/live").status == 201)
        }
    }

    @Test func publisherWhoComesBackIsSeenByTheSameViewers() async throws {
        try await withNodes(cascade()) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            let first = try MediaPeer()
            let published = try await first.publish(to: origin.url + "/whip/live")
            #expect(await eventually { await origin.sessions.isWatchable("live") })
            let viewer = try MediaPeer()
            let watched = try await viewer.watch(edge.url + "/whep/live")
            try await whileSending(first) { #expect(await viewer.receives(moreThan: 20)) }
            try await whip.delete(url: published.location!)
            await first.stop()
            let second = try MediaPeer()
            #expect(try await second.publish(to: origin.url + "/whip/live").status == 201)
            let before = await viewer.received
            try await whileSending(second) { #expect(await viewer.receives(moreThan: before + 50)) }
            #expect(try await edge.request("GET", try edge.path(of: watched)).status == 200)
            #expect(await origin.count(.relay) == 1)
            await viewer.stop()
            await second.stop()
        }
    }

    @Test func nodesNeedTheNodeToken() async throws {
        let secret = Secret(String(repeating: "s", count: 32))
        try await withNodes(cascade { $0.auth.node = .secret(secret) }) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            _ = try await origin.publishLive("live")
            let url = origin.internalURL + "/relay/live"
            #expect(try await whip.post(offer: Offers.viewer(), url: url).status == 401)
            #expect(try await whip.post(offer: Offers.viewer(), url: url, token: "viewer-token").status == 403)
            let viewer = try await edge.offer(Offers.viewer(), to: "/whep/live")
            #expect(viewer.status == 201)
            #expect(await origin.count(.relay) == 1)
        }
    }

    @Test func lostRelayIsFetchedAgainForTheSameViewers() async throws {
        try await withNodes(cascade()) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            try await whilePublishing(to: origin) {
                let viewer = try MediaPeer()
                let answer = try await viewer.watch(edge.url + "/whep/live")
                #expect(await viewer.receives(moreThan: 10))
                // The origin drops the edge; the broadcast itself is alive.
                let relay = try #require(await origin.sessions.sessions.values.first { $0.purpose == .relay })
                _ = await origin.sessions.delete(relay.resource, on: .internal)
                #expect(await eventually { await origin.count(.relay) == 1 })
                #expect(await viewer.receives(moreThan: await viewer.received + 50))
                #expect(try await edge.request("GET", try edge.path(of: answer)).status == 200)
                await viewer.stop()
            }
        }
    }

    @Test func holdOverAtTheOriginEndsViewersOfTheEdge() async throws {
        try await withNodes(cascade { $0.hold = .milliseconds(500) }) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            let publisher = try MediaPeer()
            let published = try await publisher.publish(to: origin.url + "/whip/live")
            #expect(await eventually { await origin.sessions.isWatchable("live") })
            let viewer = try MediaPeer()
            let watched = try await viewer.watch(edge.url + "/whep/live")
            // Not only negotiated: the relay's transport has to be up to hear of the end.
            #expect(await eventually { await edge.sessions.snapshot().opening.values.reduce(0, +) == 0 })
            let end = ContinuousClock.now
            try await whip.delete(url: published.location!)
            #expect(
                try await eventually {
                    try await edge.request("GET", try edge.path(of: watched)).status == 404
                })
            #expect(.now - end >= .milliseconds(500), "held")
            await viewer.stop()
            await publisher.stop()
        }
    }

    @Test func shutdownSaysFarewellUpstream() async throws {
        try await withNodes(cascade()) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            _ = try await origin.publishLive("live")
            #expect(try await edge.offer(Offers.viewer(), to: "/whep/live").status == 201)
            #expect(await origin.count(.relay) == 1)
            await edge.running.shutDown()
            #expect(await eventually { await origin.count(.relay) == 0 })
        }
    }

    @Test func listsAreSharedDownwards() async throws {
        try await withNodes(cascade()) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            _ = try await origin.publishLive("live")
            let mine = try await origin.request("GET", "/api/broadcasts").text
            #expect(mine.contains("\"name\":\"live\"") && mine.contains("\"origin\":\"origin-1\""))
            #expect(try await eventually { try await edge.request("GET", "/api/broadcasts").text.contains("\"live\"") })
            let others = try await edge.request("GET", "/api/nodes").text
            #expect(others.contains("\"name\":\"origin-1\",") && others.contains("\"rtt\":"))
            #expect(try await edge.request("GET", "/readyz", internal: true).status == 200)
        }
    }
}
