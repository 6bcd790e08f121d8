// A looped clip is one stream without seams: sequence numbers, timestamps and picture ids go on.

import Testing
import WebRTC

@testable import probe

@Suite struct ClipPlayerTests {
    private func play(_ clips: [ClipTrack], loops: Bool, batches: Int) -> [(
        time: Interval, packets: [RTPPacket], raw: [[UInt8]]
    )] {
        var random = SeededGenerator(seed: 5)
        var player = ClipPlayer(clips, loops: loops, using: &random)
        var all: [(time: Interval, packets: [RTPPacket], raw: [[UInt8]])] = []
        while all.count < batches, let batch = player.next() {
            all.append((batch.time, batch.packets.map { unsafe RTPPacket.parse($0.span.bytes)! }, batch.packets))
        }
        return all
    }

    @Test func loopsAreContinuous() throws {
        let clips = [try IVFFile.parse(Sample.ivf), try OggOpusFile.parse(Sample.ogg)]
        let batches = play(clips, loops: true, batches: 701)
        for (track, rate) in [(0, 90_000.0), (1, 48_000.0)] {
            let own = batches.filter { $0.packets[0].payloadType == PayloadType(UInt8(track)) }
            let packets = own.flatMap(\.packets)
            #expect(Set(packets.map(\.ssrc)).count == 1)
            for (a, b) in zip(packets, packets.dropFirst()) {
                #expect(b.sequenceNumber.distance(from: a.sequenceNumber) == 1)
            }
            let first = packets[0].timestamp
            for batch in own {
                // What the clock says is what the timestamp says, in every round.
                let elapsed = Double(batch.packets[0].timestamp &- first)
                #expect(abs(elapsed - batch.time.seconds * rate) < 1)
            }
        }
        for (a, b) in zip(batches, batches.dropFirst()) { #expect(a.time <= b.time) }
        let ids = batches.filter { $0.packets[0].payloadType == PayloadType(0) }.map { batch in
            let payload = Array(batch.raw[0][batch.packets[0].payload])
            return unsafe VP8Payload.parse(payload.span.bytes)?.pictureID
        }
        #expect(ids == ids.indices.map { UInt16($0) })
    }

    /// A clip that is shorter than the other begins again at once, and does not wait in silence for the other's end.
    @Test(arguments: [(6, 20), (20, 6), (1, 1), (7, 3)])
    func eachClipLoopsByItself(videoSeconds: Int, audioSeconds: Int) {
        func clip(_ codec: CodecFormat, seconds: Int, perSecond: Int64) -> ClipTrack {
            let ticks = Int64(codec.clockRate) / perSecond
            let frames = (0..<Int64(seconds) * perSecond).map {
                ClipTrack.Frame(timestamp: $0 * ticks, bytes: [UInt8](repeating: 1, count: 20))
            }
            return ClipTrack(codec: codec, frames: frames, duration: Int64(frames.count) * ticks)
        }
        let batches = play(
            [
                clip(CodecFormat(name: .vp8, clockRate: 90_000), seconds: videoSeconds, perSecond: 30),
                clip(CodecFormat(name: .opus, clockRate: 48_000, channels: 2), seconds: audioSeconds, perSecond: 50),
            ], loops: true, batches: 80 * 60)
        for (track, perSecond, ticks) in [(0, 30, 3_000), (1, 50, 960)] as [(UInt8, Int, UInt32)] {
            let own = batches.filter { $0.packets[0].payloadType == PayloadType(track) }
            #expect(abs(own.count - perSecond * 60) <= 1, "a minute of it")
            for (a, b) in zip(own, own.dropFirst()) {
                #expect(abs((b.time - a.time).seconds - 1 / Double(perSecond)) < 1e-6)
                #expect(b.packets[0].timestamp &- a.packets[0].timestamp == ticks)
            }
        }
    }

    @Test func onceIsOnce() throws {
        #expect(play([try IVFFile.parse(Sample.ivf)], loops: false, batches: 100).count == 3)
    }

    @Test func onlyTheLastPacketOfAFrameIsMarked() throws {
        let clip = ClipTrack(
            codec: CodecFormat(name: .vp8, clockRate: 90_000),
            frames: [.init(timestamp: 0, bytes: [UInt8](repeating: 0, count: 5_000))], duration: 3_000)
        let packets = play([clip], loops: false, batches: 1)[0].packets
        #expect(packets.count == 5)
        #expect(packets.map(\.marker) == [false, false, false, false, true])
        #expect(Set(packets.map(\.timestamp)).count == 1)
    }

    @Test func parametersAndPictureOfH264ShareATimestamp() throws {
        let clip = try AnnexBFile.parse(Sample.annexB, framesPerSecond: 10)
        let batches = play([clip], loops: true, batches: 6)
        #expect(batches.map { Int($0.time.milliseconds) } == [0, 100, 200, 300, 400, 500])
        for batch in batches { #expect(Set(batch.packets.map(\.timestamp)).count == 1) }
    }
}
