// Offers captured from OBS 32 and GStreamer 1.28, and what is agreed with each: all its layers, extensions of the section
// that maps them, a codec by its name where no format of it fits.

import Testing

@testable import WebRTC

@Suite struct AnsweringEncoders {
    struct Expectation: Sendable, CustomTestStringConvertible {
        var offer: SDPFixture
        /// "mid codec payload-type/rtx" in the order of the m-lines.
        var tracks: [String]
        /// Of the video.
        var feedback: NegotiatedTrack.Feedback
        var rids: [String] = []
        /// Ids of MID, RID and transport-cc, a row a track.
        var extensions: [[UInt8]]
        var testDescription: String { offer.testDescription }
    }

    private static func obs(_ offer: SDPFixture, _ codec: String = "H264", layers: Int = 0) -> Expectation {
        Expectation(
            offer: offer, tracks: ["0 opus 111/-", "1 \(codec) 96/-"], feedback: [.nack, .pli],
            rids: (0..<layers).map(String.init), extensions: [[0, 0, 0], [1, layers > 0 ? 2 : 0, 0]])
    }

    private static func gstreamer(_ offer: SDPFixture, _ codec: String, audio: Int = 97, rtx: Int = 100) -> Expectation
    {
        Expectation(
            offer: offer, tracks: ["video0 \(codec) 96/\(rtx)", "audio1 opus \(audio)/-"],
            feedback: [.nack, .pli, .fir, .transportCC], extensions: [[0, 0, 1], [0, 0, 1]])
    }

    static let publishers = [
        obs(OBSPublishing.h264), obs(OBSPublishing.newer), obs(OBSPublishing.av1, "AV1"),
        obs(OBSPublishing.simulcast2, layers: 2), obs(OBSPublishing.simulcast3, layers: 3),
        obs(OBSPublishing.simulcast4, layers: 4),
        gstreamer(GStreamerOffers.publishingVP8, "VP8"), gstreamer(GStreamerOffers.publishingVP9, "VP9"),
        gstreamer(GStreamerOffers.publishingAV1, "AV1"), gstreamer(GStreamerOffers.publishingH264, "H264"),
        gstreamer(GStreamerOffers.publishingAll, "VP8", audio: 101, rtx: 104),
        Expectation(
            offer: GStreamerOffers.whipsink, tracks: ["video0 H264 96/-", "audio1 opus 97/-"], feedback: [.pli, .fir],
            extensions: [[0, 0, 0], [0, 0, 0]]),
    ]

    @Test(arguments: publishers) func publishing(_ expected: Expectation) throws {
        let (answer, agreement) = try publisherAnswer(expected.offer)
        try expectSoundAnswer(answer, to: parsed(expected.offer), agreement)
        let tracks = agreement.tracks.map { track in
            "\(track.mid) \(track.codec.name.rawValue) \(track.payloadType.rawValue)/"
                + (track.rtxPayloadType.map { String($0.rawValue) } ?? "-")
        }
        #expect(tracks == expected.tracks)
        let video = try #require(agreement.tracks.first { $0.kind == .video })
        #expect(video.feedback == expected.feedback)
        #expect(video.encodings.compactMap(\.rid) == expected.rids)
        let extensions = agreement.tracks.map {
            [$0.extensions.mid, $0.extensions.rid, $0.extensions.transportSequence]
        }
        #expect(extensions == expected.extensions, "of the own section, and nobody else's")
        let media = try #require(answer.media.first { $0.kind == "video" })
        #expect(media.values("rid") == expected.rids.map { $0 + " recv" })
        #expect(
            media.values("simulcast") == (expected.rids.isEmpty ? [] : ["recv " + expected.rids.joined(separator: ";")])
        )
        #expect(agreement.remote.ice.ufrag.utf8.count >= 4 && agreement.remote.setup == .actpass)
    }

    @Test func whatCannotBeForwardedIsRefused() throws {
        let error = #expect(throws: NegotiationError.self) { try publisherAnswer(GStreamerOffers.publishingH265) }
        #expect(error?.status == 422 && error?.reason.contains("H265") == true)
    }

    /// What browsers, FFmpeg and OBS publish is played.
    @Test(
        arguments: [
            (vp8, 96, 104), (h264("42e01f"), 97, 108), (h264("640028"), 97, 108), (h264("42c015", mode: 0), 97, 108),
            (CodecFormat(name: .vp9, clockRate: 90_000, fmtp: "profile-id=2"), 98, 112),
            (CodecFormat(name: .av1, clockRate: 90_000, fmtp: "level-idx=5;profile=0;tier=0"), 100, 120),
        ] as [(CodecFormat, UInt8, UInt8)])
    func viewing(codec: CodecFormat, type: UInt8, rtx: UInt8) throws {
        for fixture in [GStreamerOffers.viewing, GStreamerOffers.viewingAgain] {
            let (answer, agreement) = try viewerAnswer(fixture, [codec, opus])
            try expectSoundAnswer(answer, to: parsed(fixture), agreement)
            #expect(agreement.tracks.map(\.payloadType) == [PayloadType(type), PayloadType(101)])
            #expect(agreement.tracks[0].rtxPayloadType == PayloadType(rtx))
            #expect(agreement.tracks[0].local?.rtxSSRC != nil)
        }
    }
}
