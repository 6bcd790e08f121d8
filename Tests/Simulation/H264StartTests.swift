// Where a viewer of H.264 begins: at an IDR picture, with its parameter sets, however seldom the encoder sends them.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct H264StartTests {
    private static let h264 = CodecFormat(
        name: .h264, clockRate: 90_000, fmtp: "packetization-mode=1;profile-level-id=42e01f")
    private static let sps: [UInt8] = [0x67, 0x42, 0xE0, 0x1F, 0x8D, 0x68, 0x05]
    private static let pps: [UInt8] = [0x68, 0xCE, 0x3C, 0x80]
    private static let idr: [UInt8] = [0x65, 0x88, 1, 2, 3]
    private static let inter: [UInt8] = [0x41, 0x9A, 1, 2, 3]

    private final class Scene {
        let peers: DirectPeers
        let publisher: DirectPeer
        var stream = ScriptedStream(ssrc: 7, payloadType: 102)
        private var viewers: UInt32 = 0

        init(seed: UInt64, fmtp: String = h264.fmtp) throws {
            var codec = h264
            codec.fmtp = fmtp
            peers = try DirectPeers(seed: seed, tracks: [TrackFormat(codec: codec)])
            publisher = peers.connect(
                .source,
                [
                    NegotiatedTrack(
                        mid: "0", codec: codec, payloadType: PayloadType(102), feedback: [.nack, .pli],
                        encodings: [.init(ssrc: SSRC(7))])
                ])
        }

        func viewer() -> DirectPeer {
            viewers += 1
            return peers.connect(
                .sink,
                [
                    NegotiatedTrack(
                        mid: "0", codec: h264, payloadType: PayloadType(102), feedback: [.nack, .pli],
                        local: .init(ssrc: SSRC(500 + viewers), rtxSSRC: nil, cname: "c"))
                ])
        }

        func picture(_ payloads: [[UInt8]]) {
            publisher.send(stream.picture(payloads, at: peers.now))
            peers.run(for: .milliseconds(33))
        }
    }

    private func kinds(_ viewer: DirectPeer) -> [UInt8] { viewer.rtp.map { $0.payload[0] & 0x1F } }

    private func isOneLine(_ viewer: DirectPeer) -> Bool {
        zip(viewer.rtp, viewer.rtp.dropFirst()).allSatisfy {
            $1.header.sequenceNumber.rawValue == $0.header.sequenceNumber.rawValue &+ 1
        }
    }

    @Test func parameterSetsBeforeEveryPictureAnswerNoRequest() throws {
        let scene = try Scene(seed: 1)
        scene.picture([Self.sps, Self.pps, Self.idr])
        scene.peers.run(for: .seconds(Int64(2)))
        let viewer = scene.viewer()
        let joined = scene.peers.now
        for _ in 0..<90 { scene.picture([Self.sps, Self.pps, Self.inter]) }
        #expect(viewer.rtp.isEmpty, "nothing to begin with")
        let asked = scene.publisher.keyframeRequests.filter { $0.at >= joined - .milliseconds(200) }
        #expect(asked.count >= 3, "asked for again until an IDR picture comes")
        scene.picture([Self.sps, Self.pps, Self.idr])
        scene.picture([Self.inter])
        #expect(kinds(viewer) == [7, 8, 5, 1])
        let after = scene.publisher.keyframeRequests.count
        for _ in 0..<60 { scene.picture([Self.inter]) }
        #expect(scene.publisher.keyframeRequests.count == after)
        #expect(isOneLine(viewer))
    }

    @Test func parameterSetsSentOnceAreGivenToLaterPictures() throws {
        let scene = try Scene(seed: 2)
        let first = scene.viewer()
        scene.picture([Self.sps, Self.pps, Self.idr])
        for _ in 0..<10 { scene.picture([Self.inter]) }
        let second = scene.viewer()
        scene.picture([Self.idr])
        scene.picture([Self.inter])
        let third = scene.viewer()
        scene.picture([Self.idr, [0x65, 0x42, 9]])
        #expect(kinds(second) == [7, 8, 5, 1, 7, 8, 5, 5])
        #expect(kinds(third) == [7, 8, 5, 5])
        #expect(third.rtp[0].payload == Self.sps && third.rtp[1].payload == Self.pps)
        #expect(Set(third.rtp.map(\.header.timestamp)).count == 1)
        #expect(third.rtp.map(\.header.marker) == [false, false, false, true])
        for viewer in [first, second, third] { #expect(isOneLine(viewer)) }
    }

    @Test func parameterSetsOfTheSDPAloneAreEnough() throws {
        // The two sets above in base64.
        let scene = try Scene(
            seed: 3, fmtp: "packetization-mode=1;profile-level-id=42e01f;sprop-parameter-sets=Z0LgH41oBQ==,aM48gA==")
        let viewer = scene.viewer()
        scene.picture([Self.idr])
        #expect(viewer.rtp.map(\.payload) == [Self.sps, Self.pps, Self.idr])
    }

    @Test func changedParameterSetsReplaceTheOldOnes() throws {
        let scene = try Scene(seed: 4)
        let other: [UInt8] = [0x67, 0x42, 0xE0, 0x29, 0x8D, 0x68, 0x0A, 0x03]
        scene.picture([Self.sps, Self.pps, Self.idr])
        // In one packet, as most encoders send them.
        scene.picture([[0x78, 0, UInt8(other.count)] + other + [0, 4] + Self.pps, Self.idr])
        let viewer = scene.viewer()
        scene.picture([Self.idr])
        #expect(viewer.rtp.map(\.payload) == [other, Self.pps, Self.idr])
    }

    @Test func packetsOutOfOrderAroundAGivenSetKeepTheirPlaces() throws {
        let scene = try Scene(seed: 5)
        let viewer = scene.viewer()
        scene.picture([Self.sps, Self.pps, Self.idr])
        let late = scene.stream.picture([Self.inter + [77]], at: scene.peers.now)
        let key = scene.stream.picture([Self.idr, [0x65, 0x42, 9]], at: scene.peers.now + .milliseconds(33))
        scene.publisher.send([key[0]])
        scene.peers.run(for: .milliseconds(1))
        scene.publisher.send(late)
        // Twice, as a network may do.
        scene.publisher.send([key[0], key[1]])
        scene.peers.run(for: .milliseconds(33))
        let payloads = viewer.rtp.sorted { $0.header.sequenceNumber.rawValue < $1.header.sequenceNumber.rawValue }
            .map(\.payload)
        #expect(
            payloads == [
                Self.sps, Self.pps, Self.idr, Self.inter + [77], Self.sps, Self.pps, Self.idr, [0x65, 0x42, 9],
            ])
        let numbers = viewer.rtp.map(\.header.sequenceNumber.rawValue).sorted()
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 + 1 })
    }

    @Test func aRecoveryPointIsAStart() throws {
        let scene = try Scene(seed: 6)
        let viewer = scene.viewer()
        scene.picture([Self.inter])
        scene.picture([Self.sps, Self.pps, [0x06, 0x06, 0x01, 0xC4, 0x80], Self.inter])
        #expect(kinds(viewer) == [7, 8, 6, 1])
    }
}
