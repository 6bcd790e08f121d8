// RTP of other programs is understood by the session description that they write.

import Testing
import WebRTC

@testable import probe

@Suite struct RTPInputTests {
    private let vp8AndOpus = """
        SDP:
        v=0
        o=- 0 0 IN IP4 127.0.0.1
        s=No Name
        t=0 0
        a=tool:libavformat LIBAVFORMAT_VERSION
        m=video 6004 RTP/AVP 96
        c=IN IP4 127.0.0.1
        a=rtpmap:96 VP8/90000
        m=audio 6006 RTP/AVP 97
        c=IN IP4 127.0.0.1
        a=rtpmap:97 opus/48000/2
        a=fmtp:97 sprop-stereo=1
        """
    private let h264 = """
        v=0
        o=- 0 0 IN IP4 127.0.0.1
        s=No Name
        c=IN IP4 127.0.0.1
        t=0 0
        m=video 6004 RTP/AVP 96
        a=rtpmap:96 H264/90000
        a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LAHtkAoC/5cBEAAAMAAQAAAwA8jxYuSA==,aMuMsg==; profile-level-id=42C01E
        """

    @Test func tracksOfFFmpeg() throws {
        let input = try RTPInput(sdp: vp8AndOpus)
        #expect(input.tracks.map(\.codec.name) == [.vp8, .opus])
        #expect(
            input.tracks[1].codec == CodecFormat(name: .opus, clockRate: 48_000, channels: 2, fmtp: "sprop-stereo=1"))
        let avc = try RTPInput(sdp: h264).tracks
        #expect(avc.map(\.codec.fmtp) == ["packetization-mode=1;profile-level-id=42C01E"])
    }

    @Test func payloadTypesBecomePositions() throws {
        let input = try RTPInput(sdp: vp8AndOpus)
        func packet(_ type: UInt8, marker: Bool = false) -> [UInt8] {
            RTPHeader.packet(
                marker: marker, payloadType: PayloadType(type), sequence: SequenceNumber(9), timestamp: 8,
                ssrc: SSRC(7),
                payload: [1, 2, 3])
        }
        #expect(input.translate(packet(96, marker: true)) == packet(0, marker: true))
        #expect(input.translate(packet(97)) == packet(1))
        #expect(input.translate(packet(98)) == nil)
        #expect(input.translate([0x80, 200, 0, 6] + [UInt8](repeating: 0, count: 24)) == nil, "a sender report")
        #expect(input.translate([]) == nil)
        var audioOnly = input
        audioOnly.keep([.audio])
        #expect(audioOnly.translate(packet(97)) == packet(0))
        #expect(audioOnly.translate(packet(96)) == nil)
    }

    @Test(arguments: [
        "", "no sdp", "v=0\no=- 0 0 IN IP4 0.0.0.0\ns=-\nt=0 0\n",
        "v=0\nm=video 5000 RTP/AVP 26\n", "v=0\nm=video 5000 RTP/AVP 96\na=rtpmap:96 opus/48000/2\n",
        "v=0\nm=video 5000 RTP/AVP 96\na=rtpmap:96 VP8\n",
    ])
    func unusable(sdp: String) {
        #expect(throws: RTPInput.Unusable.self) { try RTPInput(sdp: sdp) }
    }
}
