// Offers as large as they may be: what costs time for each section, or for each viewer afterwards, is bounded.
import Testing

@testable import WebRTC

@Suite struct LargeOffers {
    @Test func theSessionLevelIsReadByEachSectionUpToABound() throws {
        let many = (0..<4_000).map { "a=extmap:\($0 % 14 + 1) x" }.joined(separator: "\n")
        let offer = smallOffer(replacing: [("t=0 0", "t=0 0\na=rtcp-mux\na=recvonly\n" + many)])
        let peer = try PeerDescription(try SessionDescription.parse(offer))
        let section = try #require(peer.sections.first)
        #expect(section.rtcpMux && section.direction == .recvonly)
        #expect(section.extensions.count == 126)
    }

    @Test(arguments: [(CodecFormat.longestParameters, "H264"), (CodecFormat.longestParameters + 1, "VP8")])
    func parametersBeyondTheBoundAreNoCodecOfOurs(length: Int, codec: String) throws {
        let known = "packetization-mode=1;profile-level-id=42e01f;x="
        let fmtp = known + String(repeating: "a", count: length - known.utf8.count)
        let offer = smallOffer(
            direction: "sendonly", formats: "97 96",
            ["a=rtpmap:96 VP8/90000", "a=rtpmap:97 H264/90000", "a=fmtp:97 \(fmtp)"])
        let (answer, agreement) = try publisherAnswer(offer)
        #expect(agreement.tracks.map(\.codec.name.rawValue) == [codec])
        #expect(!answer.description.contains(fmtp) || codec == "H264")
    }

    /// The m-line that is declined shows the first of its formats that has a mapping.
    @Test(
        arguments: [
            (["a=rtpmap:98 x/1", "a=rtpmap:97 y/1", "a=rtpmap:97 z/1"], "97", "97 y/1"), (["a=rtpmap:97"], "96", nil),
            ([], "96", nil),
        ] as [([String], String, String?)])
    func declined(lines: [String], format: String, mapping: String?) throws {
        let second = ["m=application 9 UDP/TLS/RTP/SAVPF 96 97 98", "a=mid:1", "a=recvonly"] + lines
        let offer = smallOffer(["a=rtpmap:96 VP8/90000"] + second)
        let (answer, _) = try viewerAnswer(offer, [vp8])
        #expect(answer.media[1].port == 0 && answer.media[1].formats == [format])
        #expect(answer.media[1].values("rtpmap") == [mapping].compactMap { $0 })
    }
}
