// A publisher comes back with another codec: who agreed to it goes on, who did not is told so, on every node.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct CodecChangeTests {
    /// publisher → origin → edge, with a viewer of both codecs and one of VP8 alone at each of them.
    private struct Scene {
        let cascade: Cascade
        let (first, second, origin, edge): (Host, Host, Host, Host)
        let (ofFirst, relay): (SessionID, SessionID)
        static let both = [Cascade.vp8, Cascade.h264]
        static let h264Formats = [TrackFormat(codec: Cascade.h264), Cascade.formats[1]]

        init(seed: UInt64) throws {
            cascade = Cascade(seed: seed)
            (cascade.keyframeEvery, cascade.answersRequests) = (1_000_000, true)
            (first, second) = (try cascade.host("first"), try cascade.host("second", formats: Self.h264Formats))
            (origin, edge) = (try cascade.host("origin"), try cascade.host("edge"))
            cascade.network.link(origin, edge, Link(delay: .milliseconds(40), jitter: .milliseconds(3)))
            (ofFirst, _) = cascade.publish(from: first, to: origin)
            (relay, _) = cascade.connect(source: edge, to: origin, video: Self.both)
            for (name, host) in [("at-origin", origin), ("at-edge", edge)] {
                _ = try cascade.viewer("both-" + name, of: host, video: Self.both)
                _ = try cascade.viewer("vp8-" + name, of: host)
            }
            cascade.play(from: first, until: .zero + .seconds(Int64(3)))
        }

        func publishH264() {
            cascade.publish(from: second, to: origin, video: Cascade.h264)
            cascade.codec = Cascade.h264
        }
        func play(from host: Host, for time: Interval) { cascade.play(from: host, until: cascade.network.now + time) }
        func video(_ viewer: String) -> [Cascade.Sample] { cascade.line(of: viewer, track: 0) }

        func incompatible(_ host: Host) -> Int {
            host.events.count { if case .closed(_, reason: .incompatible, _) = $0 { true } else { false } }
        }
        func changes(_ host: Host) -> [[CodecName]] {
            host.events.compactMap {
                if case .formatsChanged(_, let formats) = $0 { formats.map(\.codec.name) } else { nil }
            }
        }

        /// The viewer's stream went on as one line and turned to the other codec with a keyframe.
        func checkWentOn(_ name: String, since change: Instant) throws {
            let host = try #require(cascade.network.hosts.first { $0.name == name })
            let session = try #require(host.unit.peers.values.first as? Publisher, "its session goes on")
            let encoding = session.source.tracks[0].encodings[0]
            #expect(encoding.line?.first == 0)
            #expect(encoding.reception.lost == 0)
            #expect(encoding.ssrc == session.source.tracks[0].negotiated.encodings[0].ssrc)
            let after = video(name).filter { $0.stamp.sent >= change }
            #expect(after.first?.keyframe == true, "\(name)")
            #expect(after.count > 300)
            let all = video(name)
            let breaks = zip(all, all.dropFirst()).count { a, b in
                b.sequence != a.sequence + 1 || Int32(bitPattern: b.timestamp &- a.timestamp) < 0
            }
            #expect(breaks == 0)
        }
    }

    @Test func aPublisherComesBackWithAnotherCodec() throws {
        let scene = try Scene(seed: 81)
        scene.cascade.network.apply(.close(scene.ofFirst, reason: .requested), to: scene.first)
        scene.cascade.network.run(until: .zero + .seconds(Int64(4)))
        let change = scene.cascade.network.now
        scene.publishH264()
        scene.play(from: scene.second, for: .seconds(Int64(4)))
        for host in [scene.origin, scene.edge] {
            #expect(scene.incompatible(host) == 1, "\(host.name)")
            #expect(scene.changes(host) == [[.h264, .opus]])
            #expect(host.unit.broadcasts[Cascade.broadcast]?.tracks[0].format.codec.name == .h264)
        }
        try scene.checkWentOn("both-at-origin", since: change)
        try scene.checkWentOn("both-at-edge", since: change)
        #expect(scene.edge.unit.peers[scene.relay] != nil, "the relay is a viewer too")
        #expect(scene.edge.unit.statistics.drops[Int(DropReason.unknownPayloadType.rawValue)] == 0)
    }

    @Test func anotherPublisherReplacesALiveOneAndIsReplaced() throws {
        let scene = try Scene(seed: 82)
        let change = scene.cascade.network.now
        scene.publishH264()
        scene.play(from: scene.second, for: .seconds(Int64(4)))
        try scene.checkWentOn("both-at-edge", since: change)
        let back = scene.cascade.network.now
        scene.cascade.codec = Cascade.vp8
        scene.cascade.publish(from: scene.first, to: scene.origin)
        scene.play(from: scene.first, for: .seconds(Int64(4)))
        for name in ["both-at-origin", "both-at-edge"] {
            try scene.checkWentOn(name, since: back)
            let session = scene.cascade.network.hosts.first { $0.name == name }?.unit.peers.values.first
            #expect((session as? Publisher)?.source.tracks[0].negotiated.payloadType == PayloadType(96))
        }
        #expect(scene.changes(scene.edge) == [[.h264, .opus], [.vp8, .opus]])
        #expect(scene.incompatible(scene.origin) == 1)
    }

    @Test func aLossyRelayChangesOnce() throws {
        let scene = try Scene(seed: 83)
        scene.cascade.network.link(
            scene.origin, scene.edge, Link(delay: .milliseconds(40), loss: 0.05, jitter: .milliseconds(15)))
        scene.cascade.network.apply(.close(scene.ofFirst, reason: .requested), to: scene.first)
        scene.cascade.network.run(until: .zero + .seconds(Int64(4)))
        scene.publishH264()
        scene.play(from: scene.second, for: .seconds(Int64(10)))
        #expect(scene.changes(scene.edge) == [[.h264, .opus]])
        #expect(scene.video("both-at-edge").count { $0.at > .zero + .seconds(Int64(5)) } > 1_000)
    }

    @Test func aTrackThatVanishesIsSilentAndOneThatAppearsIsForNewViewers() throws {
        let scene = try Scene(seed: 84)
        scene.cascade.network.apply(.close(scene.ofFirst, reason: .requested), to: scene.first)
        scene.cascade.network.run(until: .zero + .seconds(Int64(4)))
        scene.cascade.publish(from: scene.first, to: scene.origin, audio: false)
        scene.cascade.publishesAudio = false
        let before = scene.cascade.audioPackets["both-at-edge"]
        scene.play(from: scene.first, for: .seconds(Int64(3)))
        #expect(scene.changes(scene.origin) == [[.vp8]])
        #expect(scene.incompatible(scene.origin) == 0)
        #expect(scene.cascade.audioPackets["both-at-edge"] == before)
        #expect(scene.video("vp8-at-edge").contains { $0.at > .zero + .seconds(Int64(5)) })

        // A broadcast that began without audio, and a publisher that brings it.
        let origin = try scene.cascade.host("video-only", formats: [Cascade.formats[0]])
        scene.cascade.publish(from: scene.first, to: origin, audio: false)
        let viewer = try scene.cascade.viewer("early", of: origin)
        scene.play(from: scene.first, for: .seconds(Int64(2)))
        scene.cascade.publish(from: scene.first, to: origin)
        scene.cascade.publishesAudio = true
        _ = try scene.cascade.viewer("late", of: origin)
        scene.play(from: scene.first, for: .seconds(Int64(3)))
        #expect(scene.changes(origin) == [[.vp8, .opus]])
        #expect(viewer.unit.peers.count == 1)
        #expect(scene.cascade.audioPackets["early"] == 0)
        #expect((scene.cascade.audioPackets["late"] ?? 0) > 100)
    }

    @Test func aBroadcastWithoutSourceIsPreparedForItsNextOne() throws {
        let scene = try Scene(seed: 85)
        scene.cascade.network.apply(.close(scene.ofFirst, reason: .requested), to: scene.first)
        scene.cascade.network.run(until: .zero + .seconds(Int64(4)))
        scene.cascade.network.apply(.changeFormats(Cascade.broadcast, Scene.h264Formats), to: scene.origin)
        #expect(scene.incompatible(scene.origin) == 1)
        // Who comes meanwhile was offered the new codec, and only that.
        _ = try scene.cascade.viewer("new", of: scene.origin, video: [Cascade.h264])
        scene.cascade.network.run(until: .zero + .seconds(Int64(5)))
        scene.publishH264()
        scene.play(from: scene.second, for: .seconds(Int64(3)))
        #expect(scene.video("new").count > 300)
        #expect(scene.changes(scene.origin) == [[.h264, .opus]])
    }
}
