// WHEP offers of real viewers against broadcasts of each codec (conformance: sendonly, one MediaStream, the viewer's
// payload type whose codec and profile match the broadcast's).

import Testing

@testable import WebRTC

@Suite struct AnsweringViewers {
    static let vp9 = CodecFormat(name: .vp9, clockRate: 90_000, fmtp: "profile-id=2")
    static let av1 = CodecFormat(name: .av1, clockRate: 90_000, fmtp: "level-idx=5;profile=1;tier=0")

    @Test(arguments: [
        (ChromiumViewing.chromiumViewer, vp8, "96/97"), (ChromiumViewing.chromiumViewer, h264("42e01f"), "108/109"),
        (ChromiumViewing.chromiumViewer, h264("42001e"), "102/103"),
        (ChromiumViewing.chromiumViewer, h264("4d0028", mode: 0), "39/40"),
        (ChromiumViewing.chromiumViewer, vp9, "100/101"), (ChromiumViewing.chromiumViewer, av1, "47/48"),
        (FirefoxViewing.firefoxViewer, vp8, "120/124"),
        (FirefoxViewing.firefoxHiddenViewer, CodecFormat(name: .vp9, clockRate: 90_000), "121/125"),
        (FirefoxViewing.firefoxViewer, CodecFormat(name: .av1, clockRate: 90_000), "99/100"),
    ])
    func theViewersPayloadTypeIsTaken(fixture: SDPFixture, codec: CodecFormat, types: String) throws {
        let (answer, agreement) = try viewerAnswer(fixture, [opus, codec])
        try expectSoundAnswer(answer, to: parsed(fixture), agreement)
        #expect(answer.media.allSatisfy { $0.has("sendonly") && !$0.has("simulcast") })
        let video = try #require(agreement.tracks.first { $0.kind == .video })
        #expect("\(video.payloadType.rawValue)/\(video.rtxPayloadType?.rawValue ?? 0)" == types)
        #expect(video.feedback == [.nack, .pli, .fir, .transportCC])
        #expect(video.extensions.mid != 0 && video.extensions.transportSequence != 0)
        let audio = try #require(agreement.tracks.first { $0.kind == .audio })
        #expect(audio.extensions.transportSequence == 0 && !audio.feedback.contains(.transportCC))
        #expect(video.extensions.rid == 0 && video.encodings.isEmpty)
    }

    @Test func oneStreamIsAnnounced() throws {
        let (answer, agreement) = try viewerAnswer(FirefoxViewing.firefoxViewer, [opus, vp8])
        #expect(answer.media.map { $0.values("msid") } == [["news video"], ["news audio"]])
        let (video, audio) = (try #require(agreement.tracks[0].local), try #require(agreement.tracks[1].local))
        #expect(video.cname == audio.cname && video.cname.utf8.count == 16)
        let rtx = try #require(video.rtxSSRC)
        #expect(audio.rtxSSRC == nil)
        #expect(Set([video.ssrc, rtx, audio.ssrc]).count == 3)
        #expect(answer.media[0].values("ssrc-group") == ["FID \(video.ssrc.rawValue) \(rtx.rawValue)"])
        #expect(
            answer.media[0].values("ssrc") == [video.ssrc, rtx].map { "\($0.rawValue) cname:\(video.cname)" })
        #expect(answer.media[1].values("ssrc") == ["\(audio.ssrc.rawValue) cname:\(audio.cname)"])
    }

    @Test func identifiersComeFromTheGenerator() throws {
        let first = try viewerAnswer(FirefoxViewing.firefoxViewer, [opus, vp8], seed: 7)
        #expect(try viewerAnswer(FirefoxViewing.firefoxViewer, [opus, vp8], seed: 7).answer == first.answer)
        let other = try viewerAnswer(FirefoxViewing.firefoxViewer, [opus, vp8], seed: 8)
        #expect(other.agreement.tracks[0].local?.ssrc != first.agreement.tracks[0].local?.ssrc)
        #expect(other.answer.origin != first.answer.origin)
    }

    @Test func aStreamNameBecomesAToken() throws {
        let name = "näws 1:\r\n" + String(repeating: "x", count: 128)
        let (answer, _) = try viewerAnswer(smallOffer(), [vp8], streamName: name)
        let msid = try #require(answer.media[0].values("msid").first)
        #expect(msid.hasPrefix("nws1xxx") && msid.hasSuffix(" video") && msid.utf8.count == 64 + 6)
    }

    /// The second rejected or the first: the tagged section, which has the candidates, moves.
    @Test(arguments: [(opus, 1), (vp8, 0)]) func aKindTheBroadcastLacksIsDeclined(codec: CodecFormat, accepted: Int)
        throws
    {
        for fixture in [ChromiumViewing.chromiumViewer, FirefoxViewing.firefoxViewer] {
            let (answer, agreement) = try viewerAnswer(fixture, [codec])
            try expectSoundAnswer(answer, to: parsed(fixture), agreement)
            let declined = answer.media[1 - accepted]
            #expect(declined.port == 0 && declined.has("inactive"))
            #expect(
                declined.values("rtpmap").count == 1
                    && declined.values("rtpmap")[0].hasPrefix(declined.formats[0] + " "))
            #expect(answer.bundle == ["\(accepted)"] && agreement.bundle == answer.bundle)
        }
    }

    @Test func aKindTheViewerDoesNotOfferIsNotSent() throws {
        let (answer, agreement) = try viewerAnswer(ChromiumViewing.chromiumAudioViewer, [opus, vp8])
        #expect(answer.media.count == 1 && agreement.tracks.map(\.kind) == [.audio])
    }

    @Test func dataChannelsAreDeclined() throws {
        let offer = smallOffer(
            ["a=rtpmap:96 VP8/90000", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:1"],
            replacing: [("BUNDLE 0", "BUNDLE 0 1")])
        let (answer, _) = try viewerAnswer(offer, [vp8])
        #expect(answer.description.contains("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"))
        #expect(answer.bundle == ["0"])
    }

    @Test(arguments: [
        ("minptime=10;useinbandfec=1", "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1"),
        ("stereo=0", "stereo=0;sprop-stereo=1"), ("", "stereo=1;sprop-stereo=1"),
    ])
    func stereoIsKept(offered: String, answered: String) throws {
        let lines = ["a=rtpmap:96 opus/48000/2"] + (offered.isEmpty ? [] : ["a=fmtp:96 \(offered)"])
        let offer = smallOffer(lines, replacing: [("m=video", "m=audio")])
        var stereo = opus
        stereo.fmtp += ";sprop-stereo=1"
        #expect(try viewerAnswer(offer, [stereo]).answer.media[0].values("fmtp") == ["96 \(answered)"])
        let mono = try viewerAnswer(offer, [opus]).answer.media[0].values("fmtp")
        #expect(mono == (offered.isEmpty ? [] : ["96 \(offered)"]))
    }

    /// Rows: what the broadcast is, what the viewer offers, whether they fit.
    @Test(arguments: [
        ("42e01f", "42e01f", true), ("42e01f", "42001f", true), ("42001e", "42e01f", true), ("42c01f", "640c1f", true),
        ("42e01f", "4d001f", true), ("4d401f", "42e01f", true), ("4d001f", "4d001f", true), ("4d001f", "64001f", true),
        ("64001f", "4d001f", true), ("640028", "64001f", true), ("640c1f", "640028", true),
        ("640028", "640c1f", true), ("640034", "640c1f", true), ("640034", "640C1F", true), ("640028", "42e01f", true),
        ("640028", "42E01F", true), ("640028", "42001f", true), ("4d0028", "640c1f", true), ("640c28", "42e01f", true),
        ("640028", "zz", true), ("64", "42e01f", true), ("640028", "0x64001f", true),
        ("f4001f", "64001f", false), ("640028", "f4001f", true), ("58e01f", "42e01f", true), ("7a001f", "7a001f", true),
        ("7a001f", "64001f", false), ("6e001f", "42e01f", false), ("42e034", "42e00a", true),
    ])
    func h264Profiles(stream: String, offered: String, fits: Bool) throws {
        let offer = smallOffer(["a=rtpmap:96 H264/90000", "a=fmtp:96 profile-level-id=\(offered);packetization-mode=1"])
        if fits {
            let (answer, _) = try viewerAnswer(offer, [h264(stream)])
            #expect(answer.media[0].values("fmtp") == ["96 profile-level-id=\(offered);packetization-mode=1"])
        } else {
            #expect(throws: NegotiationError.self) { try viewerAnswer(offer, [h264(stream)]) }
        }
    }

    @Test func theExactProfileAndModeWin() throws {
        let lines = [("96", "42001f", 1), ("97", "42e01f", 1), ("98", "42e01f", 0), ("99", "4d001f", 1)].flatMap {
            ["a=rtpmap:\($0) H264/90000", "a=fmtp:\($0) profile-level-id=\($1);packetization-mode=\($2)"]
        }
        let offer = smallOffer(formats: "96 97 98 99", lines)
        let type = { (stream: CodecFormat) in try viewerAnswer(offer, [stream]).agreement.tracks[0].payloadType.rawValue
        }
        #expect(try type(h264("42e01f")) == 97)
        #expect(try type(h264("42e01f", mode: 0)) == 98)
        #expect(try type(h264("42001f", mode: 0)) == 98, "the mode weighs more than the profile")
        #expect(try type(h264("4d0020")) == 99)
    }

    /// Offers of several formats for streams that none of them names: the number taken. Lower rows are worse matches.
    @Test(arguments: [
        ("640028", ["640c1f/1", "42e01f/1"], 96), ("640028", ["42e01f/1", "640c1f/1"], 97),
        ("640034", ["42e01f/1", "42e01f/0", "640c1f/0", "640c1f/1"], 99), ("640028", ["640c1f/1", "64001f/1"], 97),
        ("640028", ["640c1f/1", "f4001f/1"], 97), ("4d0028", ["42e01f/1", "640c1f/1", "64001f/1"], 98),
        ("640028", ["42e01f/1", "640c1f/0"], 97), ("42e01f", ["42e016/-"], 96), ("42e01f", ["-/-"], 96),
        ("640028", ["-/-"], 96), ("f40028", ["-/-"], 96), ("42e01f", ["42e01f/0", "4d001f/1"], 97),
        ("42e01f", ["42e01f/0", "42e01f/1"], 97), ("640028", ["42e01f/0", "42e01f/1"], 97),
        ("42001e", ["42e01f/1", "42001f/1"], 97),
    ])
    func theNearestFormatIsTaken(stream: String, offered: [String], type: UInt8) throws {
        var lines: [String] = []
        for (index, format) in offered.enumerated() {
            let (profile, mode) = (format.prefix { $0 != "/" }, format.suffix(1))
            let parameters =
                (profile == "-" ? [] : ["profile-level-id=\(profile)"])
                + (mode == "-" ? [] : ["packetization-mode=\(mode)"])
            lines.append("a=rtpmap:\(96 + index) H264/90000")
            if !parameters.isEmpty { lines.append("a=fmtp:\(96 + index) " + parameters.joined(separator: ";")) }
        }
        let formats = offered.indices.map { String(96 + $0) }.joined(separator: " ")
        let agreement = try viewerAnswer(smallOffer(formats: formats, lines), [h264(stream)]).agreement
        #expect(agreement.tracks[0].payloadType == PayloadType(type))
    }

    /// Profiles of VP9 and AV1 by number; nil: nothing said.
    @Test(
        arguments: [
            (CodecName.vp9, "2", nil, true), (.vp9, nil, "2", true), (.vp9, "2", "0", false), (.vp9, "0", "1", true),
            (.vp9, "1", "2", false), (.vp9, "2", "3", true), (.av1, "1", nil, true), (.av1, nil, "1", true),
            (.av1, "1", "0", false), (.av1, "1", "2", true), (.av1, "0", "main", true),
        ] as [(CodecName, String?, String?, Bool)])
    func numberedProfiles(codec: CodecName, stream: String?, offered: String?, fits: Bool) throws {
        let key = codec == .vp9 ? "profile-id" : "profile"
        let format = CodecFormat(name: codec, clockRate: 90_000, fmtp: stream.map { "\(key)=\($0)" } ?? "")
        let offer = smallOffer(
            ["a=rtpmap:96 \(codec.rawValue)/90000"] + (offered.map { ["a=fmtp:96 \(key)=\($0)"] } ?? []))
        if fits {
            #expect(try viewerAnswer(offer, [format]).agreement.tracks.count == 1)
        } else {
            #expect(throws: NegotiationError.self) { try viewerAnswer(offer, [format]) }
        }
    }

    /// RFC 7587 §7: always two channels, whatever the offer says.
    @Test(arguments: ["opus/48000", "OPUS/48000/1", "opus/48000/2"]) func opusHasTwoChannels(name: String) throws {
        let offer = smallOffer(["a=rtpmap:96 \(name)"], replacing: [("m=video", "m=audio")])
        let (answer, agreement) = try viewerAnswer(offer, [opus])
        #expect(answer.media[0].values("rtpmap") == ["96 opus/48000/2"])
        #expect(agreement.tracks[0].codec.isSameStream(as: opus))
    }

    /// A mid that no one-byte element can carry (RFC 8285 §4.2) is not promised.
    @Test func aLongMidIsNotSent() throws {
        for (length, agreed) in [(16, true), (17, false)] {
            let mid = String(repeating: "m", count: length)
            let offer = smallOffer(
                ["a=rtpmap:96 VP8/90000", "a=extmap:3 \(ExtensionURI.mid)"],
                replacing: [("a=mid:0", "a=mid:\(mid)"), ("BUNDLE 0", "BUNDLE \(mid)")])
            let (answer, agreement) = try viewerAnswer(offer, [vp8])
            #expect(answer.media[0].has("extmap") == agreed && (agreement.tracks[0].extensions.mid == 3) == agreed)
        }
    }
}
