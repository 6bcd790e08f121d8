// A publisher whose sound begins anew under another SSRC: the same bytes again (silence) are sound, and cost no search.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct RestartedSoundTests {
    @Test func theSameSilenceUnderAnotherSSRCIsPassedOn() throws {
        let opus = CodecFormat(name: .opus, clockRate: 48_000, channels: 2)
        let peers = try DirectPeers(seed: 5, tracks: [TrackFormat(codec: opus)])
        let publisher = peers.connect(
            .source, [NegotiatedTrack(mid: "0", codec: opus, payloadType: PayloadType(111))])
        let viewer = peers.connect(
            .sink,
            [
                NegotiatedTrack(
                    mid: "0", codec: opus, payloadType: PayloadType(111),
                    local: .init(ssrc: SSRC(500), rtxSSRC: nil, cname: "c"))
            ])
        var streams = [1, 2].map { ScriptedStream(ssrc: $0, payloadType: 111) }
        for i in streams.indices {
            streams[i].clockRate = 48_000
            for _ in 0..<5 {
                publisher.send(streams[i].picture([[0xF8, 0xFF, 0xFE]], at: peers.now))
                peers.run(for: .milliseconds(20))
            }
        }
        #expect(viewer.rtp.count == 10)
    }
}
