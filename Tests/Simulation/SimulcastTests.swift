// A simulcast publisher whose sections have extension maps of their own: one encoding is forwarded, another takes over
// when that one falls silent, and only what is forwarded is asked for.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct SimulcastTests {
    static let vp8 = CodecFormat(name: .vp8, clockRate: 90_000)
    static let opus = CodecFormat(name: .opus, clockRate: 48_000, channels: 2)
    private static let rids = ["0", "1", "2"]

    /// A publisher of audio and of three encodings, a viewer, and a clock for both.
    private final class Scene {
        let peers: DirectPeers
        private(set) var publisher: DirectPeer
        private var video: NegotiatedTrack
        private let audioTrack: NegotiatedTrack
        let viewer: DirectPeer
        private(set) var streams: [ScriptedStream]
        private var audio = ScriptedStream(ssrc: 9, payloadType: 111, extensions: [(4, Array("a".utf8))])
        var sending: Set<Int> = [0, 1, 2]
        /// Packets that the publisher numbers and does not send, per encoding.
        var skipping: [Int: Int] = [:]
        var keyframeEvery = 60
        var answersRequests = true
        private var answered = 0
        private var frame = 0
        private var forced: Set<Int> = []

        /// - Parameter audioFirst: the audio section comes first and maps mid alone, under another id than video's.
        init(seed: UInt64, audioFirst: Bool, rtx: Bool = true, bursts: Bool = false) throws {
            peers = try DirectPeers(
                seed: seed, tracks: [TrackFormat(codec: vp8, rids: rids), TrackFormat(codec: opus)])
            var ids = HeaderExtensionIDs()
            (ids.mid, ids.rid, ids.repairedRID, ids.transportSequence) = (1, 2, 3, 5)
            video = NegotiatedTrack(
                mid: "v", codec: vp8, payloadType: PayloadType(96), rtxPayloadType: rtx ? PayloadType(97) : nil,
                feedback: [.nack, .pli, .transportCC], extensions: ids)
            video.encodings = rids.map { NegotiatedTrack.Encoding(rid: $0) }
            var ofAudio = HeaderExtensionIDs()
            ofAudio.mid = 4
            audioTrack = NegotiatedTrack(
                mid: "a", codec: opus, payloadType: PayloadType(111), extensions: ofAudio, encodings: [.init()])
            publisher = peers.connect(.source, audioFirst ? [audioTrack, video] : [video, audioTrack])
            var watched = NegotiatedTrack(
                mid: "0", codec: vp8, payloadType: PayloadType(100), feedback: [.nack, .pli],
                local: .init(ssrc: SSRC(500), rtxSSRC: nil, cname: "c"))
            watched.extensions.mid = 7
            viewer = peers.connect(.sink, [watched]) { $0.startsInBurst = bursts }
            streams = rids.indices.map { n in
                var stream = ScriptedStream(
                    ssrc: 10 + UInt32(n), payloadType: 96,
                    extensions: [(1, Array("v".utf8)), (2, Array(rids[n].utf8)), (5, [0, 0])])
                stream.timestampOffset = 0x6000_0000 &* UInt32(n)
                return stream
            }
        }

        /// The publisher goes, and comes back under other SSRCs.
        func reconnect() {
            peers.unit.apply(.close(publisher.session, reason: .requested), now: peers.now)
            peers.run(for: .milliseconds(500))
            publisher = peers.connect(.source, [video, audioTrack])
            (answered, frame) = (0, 0)
            for n in streams.indices {
                streams[n].ssrc = SSRC(streams[n].ssrc.rawValue + 100)
                streams[n].timestampOffset &+= 0x1234_5678
            }
        }

        /// 30 pictures a second of every encoding that is sent, each two packets with the encoding's number in them.
        func play(for time: Interval) {
            let end = peers.now + time
            while peers.now < end {
                for (_, media) in publisher.keyframeRequests[answered...] where answersRequests {
                    if let n = streams.firstIndex(where: { $0.ssrc == media }) { forced.insert(n) }
                }
                answered = publisher.keyframeRequests.count
                for n in sending.sorted() { sendPicture(n) }
                publisher.send(audio.picture([[0xFC, UInt8(truncatingIfNeeded: frame)]], at: peers.now))
                frame += 1
                peers.run(for: .milliseconds(33))
            }
        }

        private func sendPicture(_ n: Int) {
            let isKey = frame % keyframeEvery == 0 || forced.remove(n) != nil
            let head: [UInt8] = isKey ? [0x10, 0x10, 0, 0, 0x9D, 0x01, 0x2A, 0, 5, 0xD0, 2] : [0x10, 0x11, 0, 0]
            streams[n].extensions[2].data = [UInt8(frame >> 8 & 0xFF), UInt8(frame & 0xFF)]
            var picture = streams[n].picture([head + [UInt8(n)], [0, 1, UInt8(n)]], at: peers.now)
            if let count = skipping[n], count > 0 {
                skipping[n] = count - 1
                picture.removeFirst()
            }
            publisher.send(picture)
        }

        /// Numbers of an encoding that are never sent.
        func loseNumbers(_ count: UInt64, of encoding: Int) { streams[encoding].index += count }

        /// Which encoding each packet that the viewer got is of.
        func watched(since start: Instant) -> [Int] {
            viewer.rtp.filter { $0.at >= start }.map { Int($0.payload.last!) }
        }
    }

    @Test(arguments: [false, true])
    func theFirstEncodingIsForwarded(audioFirst: Bool) throws {
        let scene = try Scene(seed: 1, audioFirst: audioFirst)
        scene.play(for: .seconds(Int64(2)))
        let watched = scene.watched(since: .zero)
        #expect(watched.count > 100 && Set(watched) == [0])
        #expect(scene.peers.unit.statistics.drops[Int(DropReason.unknownStream.rawValue)] == 0)
        let feedback = scene.publisher.rtcp.count { if case .transportFeedback = $0.packet { true } else { false } }
        #expect(feedback > 5, "transport-wide feedback was agreed on for video")
        let received = scene.peers.events.compactMap { event -> [ReceivedEncoding]? in
            if case .receiving(_, _, let encodings) = event { encodings } else { nil }
        }
        #expect(Set(received.last ?? []).count == 4, "audio and three encodings")
    }

    /// Of OBS, which has no RTX, the first encoding alone.
    @Test(arguments: [true, false]) func whatIsKeptIsAskedFor(rtx: Bool) throws {
        let scene = try Scene(seed: 2, audioFirst: true, rtx: rtx)
        scene.play(for: .seconds(Int64(1)))
        scene.skipping = [0: 3, 1: 3, 2: 3]
        scene.play(for: .seconds(Int64(1)))
        #expect(Set(scene.publisher.nacks.map(\.media)) == (rtx ? [SSRC(10), SSRC(11), SSRC(12)] : [SSRC(10)]))
        // So much of an unwanted encoding is lost that no repair would help: nobody asks for a keyframe either.
        let before = scene.publisher.keyframeRequests.count
        scene.loseNumbers(2_000, of: 2)
        scene.play(for: .seconds(Int64(2)))
        #expect(scene.publisher.keyframeRequests.count == before)
    }

    @Test(arguments: [true, false])
    func anotherEncodingTakesOverFromASilentOne(answersRequests: Bool) throws {
        let scene = try Scene(seed: 3, audioFirst: false)
        scene.answersRequests = answersRequests
        scene.play(for: .seconds(Int64(2)))
        scene.sending = [1, 2]
        let silent = scene.peers.now
        scene.play(for: .seconds(Int64(4)))
        let first = try #require(scene.viewer.rtp.first { $0.at >= silent })
        // A second to be sure, then its keyframe: asked for, or the next one, which comes every two seconds.
        #expect(first.at - silent < (answersRequests ? .milliseconds(900) : .milliseconds(2_700)))
        #expect(Set(scene.watched(since: silent)) == [1])
        #expect(scene.publisher.keyframeRequests.contains { $0.media == SSRC(11) && $0.at > silent })
        // The viewer sees one line: no number missing, time going forward with the clock.
        try checkLine(scene.viewer)

        // The preferred one is back: it takes over again, after a while.
        scene.sending = [0, 1, 2]
        let back = scene.peers.now
        scene.play(for: .seconds(Int64(5)))
        let watched = scene.watched(since: back)
        let turn = try #require(watched.firstIndex(of: 0))
        #expect(watched[..<turn].allSatisfy { $0 == 1 } && watched[turn...].allSatisfy { $0 == 0 })
        #expect(turn > 100, "it has to come for two seconds first")
        try checkLine(scene.viewer)
    }

    /// Nobody has to make a keyframe for it, and the picture is gone for no longer than it takes to be sure.
    @Test func theNewestGroupOfAnotherEncodingTakesOverAtOnce() throws {
        let scene = try Scene(seed: 3, audioFirst: false, bursts: true)
        scene.answersRequests = false
        scene.play(for: .seconds(Int64(3)))
        scene.sending = [1, 2]
        let silent = scene.peers.now
        scene.play(for: .seconds(Int64(2)))
        let first = try #require(scene.viewer.rtp.first { $0.at >= silent })
        #expect(first.at - silent < .milliseconds(700) && first.payload.last == 1)
        #expect(Set(scene.watched(since: silent)) == [1])
        for (a, b) in zip(scene.viewer.rtp, scene.viewer.rtp.dropFirst()) {
            #expect(b.header.sequenceNumber.rawValue == a.header.sequenceNumber.rawValue &+ 1)
            #expect(Int32(bitPattern: b.header.timestamp &- a.header.timestamp) >= 0)
        }
    }

    /// Who has chosen is not thrown onto another encoding because his own has not come yet.
    @Test(arguments: [false, true]) func aPublisherWhoComesBackKeepsChoices(bursts: Bool) throws {
        let scene = try Scene(seed: 7, audioFirst: false, bursts: bursts)
        scene.peers.unit.apply(.select(scene.viewer.session, .video, rid: "1"), now: scene.peers.now)
        scene.play(for: .seconds(Int64(4)))
        #expect(scene.watched(since: .zero).last == 1)
        let before = scene.peers.now
        scene.reconnect()
        scene.play(for: .seconds(Int64(4)))
        let watched = scene.watched(since: before)
        #expect(watched.count > 100 && Set(watched) == [1])
    }

    @Test func aPauseOfTheWholePublisherChangesNothing() throws {
        let scene = try Scene(seed: 4, audioFirst: false)
        scene.play(for: .seconds(Int64(2)))
        for _ in 0..<4 {
            scene.peers.run(for: .seconds(Int64(5)))
            scene.play(for: .milliseconds(33))
        }
        #expect(Set(scene.watched(since: .zero)) == [0])
    }

    @Test func whatIsThrownAwayIsSaidOnce() throws {
        let scene = try Scene(seed: 5, audioFirst: false)
        scene.play(for: .seconds(Int64(1)))
        var large = ScriptedStream(ssrc: 10, payloadType: 96, index: 900)
        var strange = ScriptedStream(ssrc: 77, payloadType: 96)
        var unknown = ScriptedStream(ssrc: 10, payloadType: 99, index: 950)
        for _ in 0..<20 {
            scene.publisher.send(large.picture([[UInt8](repeating: 1, count: 1_446)], at: scene.peers.now))
            scene.publisher.send(strange.picture([[1, 2, 3]], at: scene.peers.now))
            scene.publisher.send(unknown.picture([[1, 2, 3, 4]], at: scene.peers.now))
            scene.peers.run(for: .milliseconds(20))
        }
        let said = scene.peers.events.compactMap { event -> (DropReason, DiscardedPacket)? in
            if case .discarding(_, _, let reason, let packet) = event { (reason, packet) } else { nil }
        }
        #expect(said.map(\.0) == [.tooLarge, .unknownStream, .unknownPayloadType])
        #expect(said.map(\.1.ssrc) == [SSRC(10), SSRC(77), SSRC(10)])
        #expect(said.map(\.1.payloadLength) == [1_446, 3, 4])
    }

    /// GStreamer's default is 1,400 bytes of RTP; what fits 1,500 with all headers passes.
    @Test(arguments: [1_351, 1_388, 1_418, 1_444])
    func largePayloadsPass(length: Int) throws {
        let scene = try Scene(seed: 6, audioFirst: false)
        scene.play(for: .seconds(Int64(1)))
        var payload = [UInt8](repeating: 0, count: length)
        payload.replaceSubrange(0..<4, with: [0, 1, 2, 3])
        let before = scene.viewer.rtp.count
        var stream = scene.streams[0]
        scene.publisher.send(stream.picture([payload], at: scene.peers.now))
        scene.peers.run(for: .milliseconds(20))
        #expect(scene.viewer.rtp.count == before + 1)
        #expect(scene.viewer.rtp.last?.payload == payload)
    }

    private func checkLine(_ viewer: DirectPeer) throws {
        let video = viewer.rtp
        for (a, b) in zip(video, video.dropFirst()) {
            #expect(b.header.sequenceNumber.rawValue == a.header.sequenceNumber.rawValue &+ 1)
            let ticks = Int64(Int32(bitPattern: b.header.timestamp &- a.header.timestamp))
            let clock = (b.at - a.at).nanoseconds * 90 / 1_000_000
            #expect(abs(ticks - clock) <= 90 * 40, "a frame's time at most")
        }
    }
}
