// A viewer who asks for more than is good for others: it gets its share, costs little, and nobody else notices.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct DemandingViewerTests {
    private static let vp8 = CodecFormat(name: .vp8, clockRate: 90_000)

    private final class Scene {
        let peers: DirectPeers
        let publisher: DirectPeer
        let (demanding, modest): (DirectPeer, DirectPeer)
        private var video = ScriptedStream(ssrc: 10, payloadType: 96)
        private var answered = 0
        private var frame = 0

        init(seed: UInt64, isRelay: Bool = false) throws {
            peers = try DirectPeers(seed: seed, tracks: [TrackFormat(codec: vp8)])
            publisher = peers.connect(
                .source,
                [
                    NegotiatedTrack(
                        mid: "v", codec: vp8, payloadType: PayloadType(96), feedback: [.nack, .pli],
                        extensions: HeaderExtensionIDs(), encodings: [.init(ssrc: SSRC(10))])
                ])
            let watched = { (ssrc: UInt32) in
                NegotiatedTrack(
                    mid: "0", codec: vp8, payloadType: PayloadType(100), feedback: [.nack, .pli],
                    local: .init(ssrc: SSRC(ssrc), rtxSSRC: nil, cname: "c"))
            }
            demanding = peers.connect(.sink, [watched(500)], isRelay: isRelay)
            modest = peers.connect(.sink, [watched(600)])
        }

        /// 30 pictures of two packets a second; the publisher makes a keyframe when it is asked. `ask` says every
        /// millisecond what the demanding viewer sends.
        func play(for time: Interval, ask: (Int) -> [RTCPPacket] = { _ in [] }) {
            let end = peers.now + time
            var millisecond = 0
            while peers.now < end {
                if millisecond % 33 == 0 {
                    let isKey = frame == 0 || answered < publisher.keyframeRequests.count
                    answered = publisher.keyframeRequests.count
                    let head: [UInt8] =
                        isKey ? [0x10, 0x10, 0, 0, 0x9D, 0x01, 0x2A, 0, 5, 0xD0, 2] : [0x10, 0x11, 0, 0]
                    publisher.send(video.picture([head, [0, 1, 2]], at: peers.now))
                    frame += 1
                }
                for packet in ask(millisecond) { demanding.send([packet]) }
                peers.run(for: .milliseconds(1))
                millisecond += 1
            }
        }

        func drops(_ reason: DropReason) -> UInt64 { peers.unit.statistics.drops[Int(reason.rawValue)] }

        func complaints(_ reason: DropReason) -> [SessionID] {
            peers.events.compactMap { if case .exceeding(let id, _, reason) = $0 { id } else { nil } }
        }

        /// Every packet that the publisher has sent since the modest viewer has its picture, once.
        func checkModest(sourceLocation: SourceLocation = #_sourceLocation) {
            let numbers = modest.rtp.map(\.header.sequenceNumber.rawValue)
            #expect(numbers.count > 100, sourceLocation: sourceLocation)
            #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 &+ 1 }, sourceLocation: sourceLocation)
        }
    }

    private static func nack(_ numbers: [UInt16]) -> RTCPPacket {
        .nack(sender: SSRC(1), media: SSRC(500), lost: numbers.map { SequenceNumber($0) })
    }

    /// Ten thousand NACKs a second, each for one number or for two hundred, all there to be had.
    @Test(arguments: [1, 17, 200]) func aFloodOfNACKs(numbers: Int) throws {
        let scene = try Scene(seed: 91)
        scene.play(for: .seconds(Int64(2)))
        let newest = try #require(scene.demanding.rtp.last?.header.sequenceNumber).rawValue
        let before = scene.demanding.rtp.count
        let wanted = (0..<numbers).map { newest &- UInt16($0 % 100) }
        scene.play(for: .seconds(Int64(1))) { _ in Array(repeating: Self.nack(wanted), count: 10) }
        // The burst and a second's rate are read; of what they ask for, as much is sent again as a burst and a second allow.
        #expect(scene.drops(.feedbackBudget) >= 10_000 - 1_010)
        #expect(scene.demanding.rtp.count - before <= 2_000 + 70)
        #expect(scene.complaints(.feedbackBudget) == [scene.demanding.session], "said once")
        scene.checkModest()
    }

    /// One who loses a lot, and asks for it every 20 ms until it comes, gets everything.
    @Test func whoReallyLosesIsNotRefused() throws {
        let scene = try Scene(seed: 92)
        scene.play(for: .seconds(Int64(2)))
        let all = scene.demanding.rtp.suffix(100).map(\.header.sequenceNumber.rawValue)
        scene.play(for: .seconds(Int64(3))) { $0 % 20 == 0 ? [Self.nack(Array(all.prefix(60)))] : [] }
        #expect(scene.drops(.feedbackBudget) == 0 && scene.complaints(.feedbackBudget).isEmpty)
    }

    /// As many keyframes as it asks for would be everybody's bit rate. What somebody else wishes meanwhile is heard.
    @Test func aFloodOfKeyframeRequests() throws {
        let scene = try Scene(seed: 93)
        scene.play(for: .seconds(Int64(2)))
        let before = scene.publisher.keyframeRequests.count
        let request = RTCPPacket.pli(sender: SSRC(1), media: SSRC(500))
        let fir = RTCPPacket.fir(
            sender: SSRC(1), requests: (0..<100).map { .init(media: SSRC(500), sequence: UInt8($0)) })
        scene.play(for: .seconds(Int64(40))) { $0 % 100 == 0 ? [$0 % 200 == 0 ? request : fir] : [] }
        let asked = scene.publisher.keyframeRequests.count - before
        #expect((13...16).contains(asked), "\(asked) in 40 s: five, and one every four seconds")
        #expect(scene.complaints(.keyframeBudget) == [scene.demanding.session])
        scene.modest.send([.pli(sender: SSRC(1), media: SSRC(600))])
        scene.play(for: .milliseconds(1_100))
        #expect(scene.publisher.keyframeRequests.count == before + asked + 1)
        scene.checkModest()
    }

    /// A node's wishes are those of all its viewers.
    @Test func aRelayMayAskAsOftenAsAPublisherCanBeAsked() throws {
        let scene = try Scene(seed: 94, isRelay: true)
        scene.play(for: .seconds(Int64(2)))
        let before = scene.publisher.keyframeRequests.count
        let request = RTCPPacket.pli(sender: SSRC(1), media: SSRC(500))
        scene.play(for: .seconds(Int64(20))) { $0 % 100 == 0 ? [request] : [] }
        #expect((17...21).contains(scene.publisher.keyframeRequests.count - before))
    }

    /// Media from one who only watches is not decrypted.
    @Test func aViewerWhoSendsMedia() throws {
        let scene = try Scene(seed: 95)
        scene.play(for: .seconds(Int64(1)))
        var stream = ScriptedStream(ssrc: 77, payloadType: 100)
        scene.demanding.send(stream.picture([[1, 2, 3]], at: scene.peers.now))
        scene.play(for: .seconds(Int64(4)))
        #expect(scene.drops(.wrongDirection) == 1)
        scene.checkModest()
    }
}
