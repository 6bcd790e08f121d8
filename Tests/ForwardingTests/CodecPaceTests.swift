// Each change of codec goes through all viewers, so a sender that alternates with every packet changes once a second.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct CodecPaceTests {
    private struct Unlocated: Error {}

    @Test func aSenderThatAlternatesChangesOnceASecond() throws {
        var tracks = SourceBindingTests.tracks(ssrc: SSRC(7))
        tracks[0].alternatives = [
            .init(codec: CodecFormat(name: .vp9, clockRate: 90_000), payloadType: PayloadType(100), feedback: [.nack])
        ]
        var source = try SourceBindingTests.source(tracks)
        var changes: [Int64] = []
        for i in 0..<2_500 {
            let now = Instant.zero + .milliseconds(Int64(i))
            let bytes = SourceBindingTests.packet(i % 2 == 0 ? 96 : 100, ssrc: 7, sequence: UInt16(i))
            let span = unsafe bytes.span.bytes
            let packet = try #require(unsafe RTPPacket.parse(bytes.span.bytes))
            guard let place = source.locate(packet, in: span) else { throw Unlocated() }
            if source.changesCodec(packet, at: place, now: now) { changes.append(Int64(i)) }
            _ = source.receive(packet, at: place, in: span, now: now)
        }
        #expect(changes == [1, 1_002, 2_003])
        #expect(source.tracks[0].negotiated.codec.name == .vp9)
    }
}
