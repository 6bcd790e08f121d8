// WHIP offers of real publishers and what is agreed with them (conformance: recvonly, BUNDLE, every track or none,
// payload types, fmtp and extension ids of the offer, simulcast with recv rids).

import Testing

@testable import WebRTC

@Suite struct AnsweringPublishers {
    struct Expectation: Sendable, CustomTestStringConvertible {
        var offer: SDPFixture
        /// "mid codec payload-type/rtx" in the order of the m-lines.
        var tracks: [String]
        var feedback: [NegotiatedTrack.Feedback]
        var extensions: [[UInt8]]
        var encodings: [Int]
        var dtlsActive = false
        var testDescription: String { offer.testDescription }
    }

    /// REMB is never sent, so it is not agreed to.
    static let full: NegotiatedTrack.Feedback = [.nack, .pli, .fir, .transportCC]
    static let cases: [Expectation] = [
        Expectation(
            offer: ChromiumPublishing.chromiumVP8, tracks: ["0 opus 111/-", "1 VP8 96/97"],
            feedback: [.transportCC, full], extensions: [[4, 0, 0, 3, 0], [4, 0, 0, 3, 0]], encodings: [1, 1]),
        Expectation(
            offer: ChromiumPublishing.chromiumH264, tracks: ["0 opus 111/-", "1 H264 102/103"],
            feedback: [.transportCC, full], extensions: [[4, 0, 0, 3, 0], [4, 0, 0, 3, 0]], encodings: [1, 1]),
        Expectation(
            offer: ChromiumPublishingParts.chromiumSimulcast,
            tracks: ["0 VP8 96/97", "1 opus 111/-"], feedback: [full, .transportCC],
            extensions: [[9, 10, 11, 4, 0], [9, 0, 0, 4, 0]], encodings: [3, 1]),
        Expectation(
            offer: ChromiumPublishingParts.chromiumAudio, tracks: ["0 opus 111/-"],
            feedback: [.transportCC], extensions: [[4, 0, 0, 3, 0]], encodings: [1]),
        Expectation(
            offer: ChromiumPublishingParts.chromiumVideo, tracks: ["0 VP8 96/97"],
            feedback: [full], extensions: [[9, 0, 0, 4, 0]], encodings: [1]),
        Expectation(
            offer: FirefoxPublishing.firefoxPublisher, tracks: ["0 opus 109/-", "1 VP8 120/124"],
            feedback: [.transportCC, full], extensions: [[3, 0, 0, 7, 0], [3, 0, 0, 7, 0]], encodings: [1, 1]),
        Expectation(
            offer: FirefoxPublishing.firefoxSimulcast,
            tracks: ["0 VP8 120/124", "1 opus 109/-"], feedback: [full, .transportCC],
            extensions: [[3, 9, 10, 7, 0], [3, 0, 0, 7, 0]], encodings: [3, 1]),
        Expectation(
            offer: EncoderPublishing.ffmpeg, tracks: ["0 opus 111/-", "1 H264 106/105"],
            feedback: [[], .nack], extensions: [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0]], encodings: [1, 1], dtlsActive: true),
        Expectation(
            offer: EncoderPublishing.ffmpegVideo, tracks: ["1 H264 106/105"], feedback: [.nack],
            extensions: [[0, 0, 0, 0, 0]], encodings: [1], dtlsActive: true),
        Expectation(
            offer: EncoderPublishing.aiortcPublisher, tracks: ["0 VP8 97/98", "1 opus 96/-"],
            feedback: [[.nack, .pli], []], extensions: [[1, 0, 0, 0, 3], [1, 0, 0, 0, 0]], encodings: [1, 1]),
        Expectation(
            offer: EncoderPublishing.obs, tracks: ["0 opus 111/-", "1 H264 96/97"],
            feedback: [[], [.nack, .pli]], extensions: [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0]], encodings: [1, 1]),
        Expectation(
            offer: EncoderPublishing.gstreamer, tracks: ["video0 VP8 96/-"], feedback: [[.pli, .fir]],
            extensions: [[0, 0, 0, 0, 0]], encodings: [1]),
    ]

    @Test(arguments: cases) func whatIsAgreed(with expected: Expectation) throws {
        let offer = try parsed(expected.offer)
        let (answer, agreement) = try publisherAnswer(expected.offer)
        try expectSoundAnswer(answer, to: offer, agreement)
        let tracks = agreement.tracks.map { track in
            "\(track.mid) \(track.codec.name.rawValue) \(track.payloadType.rawValue)/"
                + (track.rtxPayloadType.map { String($0.rawValue) } ?? "-")
        }
        #expect(tracks == expected.tracks)
        #expect(agreement.tracks.map(\.feedback) == expected.feedback)
        let ids = agreement.tracks.map(\.extensions).map {
            [$0.mid, $0.rid, $0.repairedRID, $0.transportSequence, $0.absoluteSendTime]
        }
        #expect(ids == expected.extensions)
        #expect(agreement.tracks.map(\.encodings.count) == expected.encodings)
        #expect(agreement.remote.dtlsActive == expected.dtlsActive)
        #expect(agreement.tracks.allSatisfy { $0.local == nil })
        for media in answer.media {
            #expect(media.has("recvonly"))
            #expect(!media.has("ssrc") && !media.has("msid"), "we send nothing")
        }
    }

    @Test(arguments: cases) func theFormatParametersAreTheOffers(of expected: Expectation) throws {
        let offer = try parsed(expected.offer)
        let (answer, _) = try publisherAnswer(expected.offer)
        for (mine, theirs) in zip(answer.media, offer.media) {
            #expect(Set(mine.values("fmtp")).isSubset(of: theirs.values("fmtp")))
            let type = mine.formats[0]
            let isOfType = { (line: String) in line.hasPrefix(type + " ") }
            #expect(mine.values("fmtp").filter(isOfType) == theirs.values("fmtp").filter(isOfType))
        }
    }

    @Test func theAnswerToFFmpegReadsLikeThis() throws {
        var (answer, _) = try publisherAnswer(EncoderPublishing.ffmpegVideo)
        answer.origin = "-"
        let fingerprint = testTransport.fingerprint.attribute
        let expected = """
            v=0
            o=-
            s=-
            t=0 0
            a=group:BUNDLE 1
            a=extmap-allow-mixed
            a=ice-lite
            a=ice-options:trickle ice2
            m=video 9 UDP/TLS/RTP/SAVPF 106 105
            c=IN IP4 0.0.0.0
            a=mid:1
            a=ice-ufrag:abcdefgh
            a=ice-pwd:abcdefghijklmnopqrstuvwx
            a=fingerprint:\(fingerprint)
            a=setup:active
            a=rtcp-mux
            a=rtcp-mux-only
            a=recvonly
            a=rtcp-rsize
            a=rtpmap:106 H264/90000
            a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001e
            a=rtcp-fb:106 nack
            a=rtpmap:105 rtx/90000
            a=fmtp:105 apt=106
            a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host
            a=candidate:2 1 udp 2130706175 2001:db8::1 5000 typ host
            a=candidate:3 1 udp 2130705919 127.0.0.1 5000 typ host
            a=end-of-candidates
            """
        #expect(answer.description == crlf(expected))
    }

    @Test func simulcastIsAnsweredWithRecvRids() throws {
        for fixture in [ChromiumPublishingParts.chromiumSimulcast, FirefoxPublishing.firefoxSimulcast] {
            let (answer, agreement) = try publisherAnswer(fixture)
            #expect(answer.media[0].values("rid") == ["q recv", "h recv", "f recv"])
            #expect(answer.media[0].values("simulcast") == ["recv q;h;f"])
            #expect(agreement.tracks[0].encodings.map(\.rid) == ["q", "h", "f"])
            #expect(Negotiation.formats(of: agreement).map(\.rids) == [["q", "h", "f"], []])
        }
    }

    @Test func simulcastKeepsRestrictionsAndDropsWhatCannotBe() throws {
        let lines = [
            "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", "a=rtpmap:96 VP8/90000",
            "a=rtpmap:98 VP9/90000", "a=rid:a send pt=96,98;max-width=640", "a=rid:b send pt=98", "a=rid:c send",
            "a=rid:d recv", "a=simulcast:send a,c;b;~c;unknown;d",
        ]
        let (answer, agreement) = try publisherAnswer(
            smallOffer(direction: "sendonly", formats: "96 98", lines))
        #expect(answer.media[0].values("rid") == ["a recv pt=96;max-width=640", "c recv"])
        #expect(answer.media[0].values("simulcast") == ["recv a;c"])
        #expect(agreement.tracks[0].encodings.map(\.rid) == ["a", "c"])

        // Without the identifier's extension its streams cannot be told apart: simulcast is not accepted.
        let (plain, single) = try publisherAnswer(
            smallOffer(direction: "sendonly", formats: "96 98", Array(lines.dropFirst())))
        #expect(!plain.media[0].has("simulcast") && !plain.media[0].has("rid"))
        #expect(single.tracks[0].encodings == [NegotiatedTrack.Encoding()])
    }

    @Test func streamsAreFoundBySSRC() throws {
        let (_, agreement) = try publisherAnswer(EncoderPublishing.obs)
        #expect(agreement.tracks[0].encodings == [.init(ssrc: SSRC(1001))])
        #expect(agreement.tracks[1].encodings == [.init(ssrc: SSRC(1002), rtxSSRC: SSRC(1003))])
        let (_, legacy) = try publisherAnswer(
            smallOffer(
                direction: "sendonly",
                [
                    "a=rtpmap:96 VP8/90000", "a=ssrc-group:SIM 3 1 2", "a=ssrc-group:FID 1 11", "a=ssrc:1 cname:x",
                    "a=ssrc:11 cname:x", "a=ssrc:2 cname:x", "a=ssrc:3 cname:x",
                ]))
        #expect(legacy.tracks[0].encodings == [3, 1, 2].map { .init(ssrc: SSRC($0)) }, "no RTX was offered")
    }

    @Test func sendrecvIsTakenAsSending() throws {
        let (answer, _) = try publisherAnswer(smallOffer(direction: "sendrecv"))
        #expect(answer.media[0].has("recvonly"))
    }

    @Test func extensionsForTheOtherDirectionAreNotTaken() throws {
        let (answer, agreement) = try publisherAnswer(
            smallOffer(
                direction: "sendonly",
                [
                    "a=rtpmap:96 VP8/90000", "a=rtcp-fb:* transport-cc",
                    "a=extmap:3/recvonly \(ExtensionURI.mid)", "a=extmap:5/sendonly \(ExtensionURI.transportSequence)",
                ]))
        #expect(answer.media[0].values("extmap") == ["5/recvonly \(ExtensionURI.transportSequence)"])
        #expect(agreement.tracks[0].extensions.transportSequence == 5)
        #expect(agreement.tracks[0].feedback == .transportCC, "a wildcard counts for every payload type")
    }

    @Test func halvesOfPairsAreNotTaken() throws {
        let lines = [
            "a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96;rtx-time=3000",
            "a=rtcp-fb:96 transport-cc", "a=extmap:15 \(ExtensionURI.transportSequence)",
            "a=extmap:14 \(ExtensionURI.absoluteSendTime)",
        ]
        let offer = { (more: [String]) in smallOffer(direction: "sendonly", formats: "96 97", lines + more) }
        let track = try publisherAnswer(offer([])).agreement.tracks[0]
        #expect(track.rtxPayloadType == nil, "RTX without NACK")
        #expect(track.feedback.isEmpty, "feedback without its extension: 15 does not fit the one-byte form")
        #expect(track.extensions.transportSequence == 0 && track.extensions.absoluteSendTime == 14)
        let whole = try publisherAnswer(
            offer(["a=rtcp-fb:96 nack", "a=extmap:2 \(ExtensionURI.transportSequence)"])
        ).agreement.tracks[0]
        #expect(whole.rtxPayloadType == PayloadType(97) && whole.feedback == [.nack, .transportCC])
        #expect(whole.extensions.transportSequence == 2 && whole.extensions.absoluteSendTime == 0)
    }

    @Test func hiddenAndUselessCandidatesAreIgnored() throws {
        #expect(try publisherAnswer(EncoderPublishing.ffmpeg).agreement.remote.candidates.isEmpty)
        let obs = try publisherAnswer(EncoderPublishing.obs).agreement.remote
        #expect(obs.candidates.map(\.description) == ["198.51.100.7:57249"])
        #expect(obs.ice.ufrag == "kR3w" && obs.setup == .actpass, "transport lines at session level")
        let firefox = try publisherAnswer(FirefoxPublishing.firefoxPublisher).agreement.remote
        #expect(firefox.candidates.count == 2, "neither TCP nor component 2")
    }
}
