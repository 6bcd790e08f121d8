import Forwarding
import Testing
import WebRTC

@testable import ControlPlane

// How a broadcast begins, is contested, held and ended. Time is handed in, so nothing here waits for a hold time.

@Suite("Life of a broadcast") struct BroadcastLifeTests {
    private let sdpType = [(name: "Content-Type", value: "application/sdp")]

    @Test func secondPublisherIsRefused() async throws {
        try await withOrigin { node in
            _ = try await node.publishLive("a")
            let second = try await node.offer(Offers.publisher(), to: "/whip/a")
            #expect(second.status == 409 && second.retryAfter != nil)
            #expect(try await node.offer(Offers.publisher(), to: "/whip/b").status == 201)
        }
    }

    @Test func secondPublisherReplacesWhereTheTopologySaysSo() async throws {
        try await withOrigin({ $0.onConflict = .replace }) { node in
            let first = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            let second = try await node.offer(Offers.publisher(), to: "/whip/a")
            #expect(second.status == 201)
            // Until it is connected the first goes on.
            #expect(try await node.request("GET", try node.path(of: first)).status == 200)
            #expect(try await node.offer(Offers.viewer(), to: "/whep/a").status == 201)
            try await node.connect(second)
            #expect(try await node.request("GET", try node.path(of: first)).status == 404)
            for answer in [viewer, second] {
                #expect(try await node.request("GET", try node.path(of: answer)).status == 200)
            }
        }
    }

    @Test func aLiveBroadcastGoesOnUntilASuccessorWithOtherCodecsIsConnected() async throws {
        try await withOrigin({ $0.onConflict = .replace }) { node in
            let first = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            let abandoned = try await node.offer(Offers.publisher(video: Offers.h264), to: "/whip/a")
            try await whip.delete(url: abandoned.location!)
            let second = try await node.offer(Offers.publisher(video: Offers.h264), to: "/whip/a")
            for answer in [first, viewer] {
                #expect(try await node.request("GET", try node.path(of: answer)).status == 200)
            }
            try await node.connect(second)
            #expect(try await node.request("GET", try node.path(of: first)).status == 404)
            // What the worker says when the transport is really up: the codec is another now, a viewer did not agree to it.
            let broadcast = try #require(await node.sessions.names["a"])
            let id = try #require(await node.sessions.identifier(of: try node.resource(of: viewer)))
            let h264 = CodecFormat(name: .h264, clockRate: 90_000, fmtp: "packetization-mode=1;profile-level-id=42e01f")
            await node.sessions.apply(.formatsChanged(broadcast, [TrackFormat(codec: h264)]))
            await node.sessions.apply(.closed(id, reason: .incompatible, SessionStatistics(direction: .sink)))
            #expect(try await node.request("GET", try node.path(of: viewer)).status == 404)
            #expect(try await node.offer(Offers.viewer(), to: "/whep/a").status == 406, "now it is H264")
            #expect(await node.sessions.names["a"] == broadcast, "the broadcast goes on")
        }
    }

    /// Workers are measured a few times more after there was something to measure.
    @Test func anIdleNodeWaitsForNothing() async throws {
        try await withOrigin { node in
            let isIdle = { @Sendable in await node.sessions.nextDeadline(after: .now) == nil }
            #expect(await eventually(isIdle))
            let publisher = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            let begin = ContinuousClock.now
            try await whip.delete(url: publisher.location!)
            #expect(await !isIdle())
            let id = try #require(await node.sessions.names["a"])
            let held = try #require(await node.sessions.broadcasts[id]?.end)
            #expect(held.at >= begin + .seconds(30) && held.reason == .sourceGone)
            try await whip.delete(url: viewer.location!)
            #expect(await eventually(isIdle))
        }
    }

    @Test func viewersWaitForThePublisherForTheHoldTime() async throws {
        try await withOrigin { node in
            let publisher = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            let end = ContinuousClock.now
            try await whip.delete(url: publisher.location!)
            #expect(try await node.offer(Offers.viewer(), to: "/whep/a").status == 409, "held is not live")
            await node.sessions.advance(now: end + .seconds(29))
            #expect(try await node.request("GET", try node.path(of: viewer)).status == 200)
            await node.sessions.advance(now: .now + .seconds(31))
            #expect(try await node.request("GET", try node.path(of: viewer)).status == 404)
            #expect(await eventually { await node.sessions.snapshot().counters.closed[.sourceGone] == 1 })
        }
    }

    @Test func publisherWhoComesBackFindsItsViewers() async throws {
        try await withOrigin { node in
            let first = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            try await whip.delete(url: first.location!)
            _ = try await node.publishLive("a")
            await node.sessions.advance(now: .now + .seconds(31))
            #expect(try await node.request("GET", try node.path(of: viewer)).status == 200)
            let list = try await node.request("GET", "/api/broadcasts").text
            #expect(list.contains("\"viewers\":1"))
        }
    }

    @Test func otherCodecsEndTheViewersOfBefore() async throws {
        try await withOrigin { node in
            let first = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            try await whip.delete(url: first.location!)
            _ = try await node.publishLive("a", offer: Offers.publisher(video: Offers.h264))
            #expect(await eventually { await node.sessions.snapshot().counters.closed[.incompatible] == 1 })
            #expect(try await node.request("GET", try node.path(of: viewer)).status == 404)
            #expect(try await node.offer(Offers.viewer(), to: "/whep/a").status == 406)
        }
    }

    @Test func viewersWhoAgreedToTheOtherCodecGoOn() async throws {
        try await withOrigin { node in
            let first = try await node.publishLive("a")
            let both = "a=rtpmap:98 VP8/90000\n" + Offers.h264
            let viewer = try await node.offer(Offers.viewer(video: both, videoTypes: "98 96"), to: "/whep/a")
            #expect(viewer.sdp.contains("m=video 9 UDP/TLS/RTP/SAVPF 98 99 96\r\n"), "VP8 is sent, H264 may be")
            try await whip.delete(url: first.location!)
            _ = try await node.publishLive("a", offer: Offers.publisher(video: Offers.h264))
            let later = try await node.offer(Offers.viewer(video: both, videoTypes: "98 96"), to: "/whep/a")
            #expect(later.sdp.contains("m=video 9 UDP/TLS/RTP/SAVPF 96 98 99\r\n"))
            #expect(try await node.request("GET", try node.path(of: viewer)).status == 200)
            #expect(await node.sessions.snapshot().counters.closed[.incompatible] == nil)
        }
    }

    @Test func withoutViewersNothingIsHeld() async throws {
        try await withOrigin { node in
            let publisher = try await node.publishLive("a")
            let viewer = try await node.offer(Offers.viewer(), to: "/whep/a")
            try await whip.delete(url: viewer.location!)
            try await whip.delete(url: publisher.location!)
            #expect(await node.sessions.broadcasts.isEmpty)
        }
    }

    @Test func publisherThatNeverConnectsFreesTheName() async throws {
        try await withOrigin { node in
            let publisher = try await node.offer(Offers.publisher(), to: "/whip/a")
            let id = try #require(await node.sessions.identifier(of: try node.resource(of: publisher)))
            await node.sessions.apply(.closed(id, reason: .setupTimeout, SessionStatistics(direction: .source)))
            #expect(await node.sessions.broadcasts.isEmpty)
            #expect(try await node.offer(Offers.publisher(), to: "/whip/a").status == 201)
        }
    }

    @Test func broadcastsSpreadOverWorkersAndKeepTheirs() async throws {
        try await withOrigin({ $0.nodes[0].media.workers = 2 }) { node in
            for name in ["a", "b"] {
                _ = try await node.publishLive(name)
                for _ in 0..<2 { _ = try await node.offer(Offers.viewer(), to: "/whep/\(name)") }
            }
            let places = await node.sessions.sessions.values.map { "\($0.name)\($0.worker)" }
            #expect(Set(places).count == 2 && Set(places.compactMap(\.last)) == ["0", "1"])
        }
    }

    @Test func viewersOnlyWhereTheTopologyAllowsThem() async throws {
        try await withOrigin({ $0.nodes[0].viewers = false }) { node in
            _ = try await node.publishLive("a")
            #expect(try await node.offer(Offers.viewer(), to: "/whep/a").status == 403)
            let relay = try await whip.post(offer: Offers.viewer(), url: node.internalURL + "/relay/a")
            #expect(relay.status == 201 && relay.location?.hasPrefix(node.internalURL) == true)
            // A resource exists on the listener that it was made on.
            let path = "/session/\(relay.location!.split(separator: "/").last!)"
            #expect(try await node.request("DELETE", path).status == 404)
            #expect(try await node.request("DELETE", path, internal: true).status == 200)
        }
    }

    /// A node that asks again has forgotten the first relay; a request that was overtaken by a later one ends nothing.
    @Test(arguments: [
        ("one", "6", true), ("one", "5", true), ("one", "4", false), ("two", "4", true), ("one", "", true),
        ("", "", true),
    ])
    func aNodeGetsABroadcastOnce(instance: String, attempt: String, replaces: Bool) async throws {
        try await withOrigin { node in
            _ = try await node.publishLive("a")
            func ask(_ instance: String, _ attempt: String) async throws -> WHIPClient.Answer {
                try await whip.post(
                    offer: Offers.viewer(), url: node.internalURL + "/relay/a",
                    headers: [
                        (CascadeField.path, "edge-9"), (CascadeField.instance, instance),
                        (CascadeField.attempt, attempt),
                    ])
            }
            let first = try await ask("one", "5")
            let second = try await ask(instance, attempt)
            #expect(second.status == (replaces ? 201 : 503), "\(second)")
            let path = "/session/\(first.location!.split(separator: "/").last!)"
            #expect(try await node.request("DELETE", path, internal: true).status == (replaces ? 404 : 200))
        }
    }

    @Test(arguments: ["bad name", "", "slash%2Fin", "ü", "%2E", "%2e%2E", String(repeating: "n", count: 129)])
    func namesOutsideTheAlphabetAreRefused(name: String) async throws {
        try await withOrigin { node in
            let path = "/whip/" + name.replacing(" ", with: "%20").replacing("ü", with: "%C3%BC")
            let response = try await node.request("POST", path, sdpType, body: Offers.publisher())
            #expect(response.status == 400)
        }
    }
}
