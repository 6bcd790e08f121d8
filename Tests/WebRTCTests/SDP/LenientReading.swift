// Offers as careless peers write them, each agreed to as if it were well written, and answered strictly: nothing of what
// was sloppy or smuggled in is repeated (RFC 8866 §5).

import Testing

@testable import WebRTC

@Suite struct LenientReading {
    private static let lines = [
        "a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack pli", "a=extmap:3 \(ExtensionURI.mid)",
        "a=extmap:4 \(ExtensionURI.transportSequence)", "a=rtcp-fb:96 transport-cc",
    ]
    private var offer: String { crlf(smallOffer(direction: "sendonly", Self.lines)) }

    private func answer(_ bytes: [UInt8]) throws -> (answer: SessionDescription, agreement: Agreement) {
        var generator = SeededGenerator(seed: 1)
        return try Negotiation.answerPublisher(
            SessionDescription.parse(bytes), local: testTransport, using: &generator)
    }

    private func expectTheSame(_ text: String, _ comment: Comment, _ location: SourceLocation = #_sourceLocation) throws
    {
        let expected = try answer(Array(offer.utf8))
        let (answer, agreement) = try answer(Array(text.utf8))
        #expect(answer.description == expected.answer.description, comment, sourceLocation: location)
        #expect(agreement.tracks == expected.agreement.tracks, comment, sourceLocation: location)
        #expect(agreement.remote == expected.agreement.remote, comment, sourceLocation: location)
    }

    @Test(arguments: [" ", "\t", "  \t ", "\0", " \0\0", "\r"]) func blanksAtTheEndOfALine(blanks: String) throws {
        for (index, line) in offer.split(separator: "\r\n").enumerated() where !line.hasPrefix("m=") {
            var lines = offer.split(separator: "\r\n").map(String.init)
            lines[index] += blanks
            try expectTheSame(lines.map { $0 + "\r\n" }.joined(), "\(line)")
        }
        try expectTheSame(offer.replacing("\r\n", with: blanks + "\r\n"), "all lines")
        try expectTheSame(offer + blanks, "after the last line")
        try expectTheSame(String(offer.dropLast()) + blanks, "without a line end")
    }

    @Test func lineEnds() throws {
        try expectTheSame(offer.replacing("\r\n", with: "\n"), "LF")
        try expectTheSame(offer.replacing("\r\n", with: "\r"), "CR alone")
        try expectTheSame(offer.replacing("\r\n", with: "\r\r\n"), "translated twice")
        try expectTheSame(offer.replacing("\r\n", with: "\r\n\r\n"), "blank lines between")
        try expectTheSame("\r\n\n \r\n" + offer, "blank lines in front")
        try expectTheSame("\u{FEFF}" + offer, "a byte order mark")
        var mixed = ""
        for (index, line) in offer.split(separator: "\r\n").enumerated() { mixed += line + ["\r\n", "\n"][index % 2] }
        try expectTheSame(mixed, "mixed")
    }

    @Test(arguments: [
        ("a=mid:0\r\n", "a=mid: 0\r\n"), ("a=mid:0\r\n", "a=mid:0\r\na=\r\na=:\r\na= :x\r\n"),
        ("a=mid:0\r\n", "  a=mid:0\r\n"), ("a=mid:0\r\n", "a=mid :0\r\n"), ("a=mid:0\r\n", "a=mid:0\r\na=mid:1\r\n"),
        ("a=setup:actpass", "a=setup:ACTPASS"), ("a=setup:actpass", "a=setup:\tactpass"),
        ("a=setup:actpass", "a=setup:actpass\r\na=setup:active"), ("sha-256 AB:AB", "SHA-256 ab:aB"),
        ("sha-256 ", "sha-256\t "), ("m=video 9 UDP/TLS/RTP/SAVPF 96", "m=video  9   UDP/TLS/RTP/SAVPF 96 "),
        ("m=video 9 UDP/TLS/RTP/SAVPF 96", "m=video 9/1\tUDP/TLS/RTP/SAVPF\t96"), ("s=-\r\n", ""), ("t=0 0\r\n", ""),
        ("s=-\r\n", "s=\r\n"), ("o=- 1 1 IN IP4 0.0.0.0\r\n", ""), ("c=IN IP4 0.0.0.0\r\n", ""),
        ("a=rtpmap:96 VP8/90000", "a=rtpmap:96  vp8/90000"), ("a=rtpmap:96 VP8", "a=rtpmap:\t96\tVP8"),
        ("a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP8/90000\r\na=rtpmap:96 VP9/90000"),
        ("nack pli", "NACK  PLI"), ("a=rtcp-fb:96 nack pli", "a=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 nack pli"),
        ("a=rtcp-fb:96 nack pli", "a=rtcp-fb:96 nack pli\r\na=rtcp-fb:96\r\na=rtcp-fb:"),
        ("a=extmap:3 ", "a=extmap:3  "), ("a=extmap:3 ", "a=extmap:3/SENDRECV "),
        ("a=rtcp-mux", "a=rtcp-mux\r\na=rtcp-mux"),
        ("a=group:BUNDLE 0", "a=group:bundle  0 "), ("a=group:BUNDLE 0", "a=group:LS 0\r\na=group:BUNDLE 0"),
        ("a=rtcp-mux", "a=rtcp-mux\r\nx=unknown\r\na=unknown:1\r\nb=AS:2000\r\nk=\r\nz="),
        ("a=extmap:4 ", "a=extmap:4 urn:x\r\na=extmap:3 \(ExtensionURI.transportSequence)\r\na=extmap:5 "),
    ])
    func sloppyLines(written: String, sloppy: String) throws {
        let text = offer.replacing(written, with: sloppy)
        #expect(text != offer)
        if sloppy.hasPrefix("a=extmap:4 urn:x") {
            // An id means what it was given to first.
            let track = try answer(Array(text.utf8)).agreement.tracks[0]
            #expect(track.extensions.mid == 3 && track.extensions.transportSequence == 5)
        } else {
            try expectTheSame(text, "\(sloppy)")
        }
    }

    /// What the section lacks may stand above all sections.
    @Test(arguments: [
        ["a=rtcp-mux"], ["a=setup:actpass"], ["a=ice-ufrag:abcd", "a=ice-pwd:0123456789abcdefghijkl"],
        ["a=ice-ufrag:abcd"], ["a=ice-pwd:0123456789abcdefghijkl"], ["a=sendonly"], ["a=extmap:3 \(ExtensionURI.mid)"],
        ["a=extmap:3 \(ExtensionURI.mid)", "a=extmap:4 \(ExtensionURI.transportSequence)"],
        ["a=fingerprint:sha-256 \(Array(repeating: "AB", count: 32).joined(separator: ":"))"],
    ])
    func atTheSessionLevel(moved: [String]) throws {
        var text = offer
        for line in moved {
            #expect(text.contains(line + "\r\n"))
            text = text.replacing(line + "\r\n", with: "")
        }
        try expectTheSame(
            text.replacing("t=0 0\r\n", with: "t=0 0\r\n" + crlf(moved.joined(separator: "\n"))), "\(moved)")
        // In the last section of two, the first says nothing: still the same transport.
    }

    @Test func theSectionsOwnMapWinsOverTheSessions() throws {
        let text = offer.replacing("t=0 0\r\n", with: "t=0 0\r\na=extmap:7 \(ExtensionURI.mid)\r\n")
        try expectTheSame(text, "3, not 7")
    }

    /// A line end that only some readers see must not get into an answer by what it repeats of the offer.
    @Test(arguments: ["\r", "\0"]) func nothingIsSmuggledIn(character: String) {
        for line in [
            "a=mid:0", "a=rtpmap:96 VP8/90000", "a=fmtp:96 x=1", "a=rid:a send", "m=video 9 UDP/TLS/RTP/SAVPF 96",
        ] {
            let smuggled = line + character + "a=candidate:1 1 udp 1 192.0.2.66 9 typ host"
            let text = offer.replacing("a=rtcp-mux\r\n", with: "a=rtcp-mux\r\n" + smuggled + "\r\n")
            #expect(throws: SDPError.self) { try SessionDescription.parse(text) }
        }
    }
}

@Suite struct SeveralFingerprints {
    private let one = Array(repeating: "AB", count: 32).joined(separator: ":")
    private let two = Array(repeating: "0C", count: 32).joined(separator: ":")
    private let long = Array(repeating: "1F", count: 64).joined(separator: ":")

    private func fingerprints(_ lines: [String], session: [String] = []) throws -> [Fingerprint] {
        let attributes = { (values: [String]) in values.map { "a=fingerprint:" + $0 }.joined(separator: "\n") }
        let offer = smallOffer(
            direction: "sendonly",
            replacing: [
                ("a=fingerprint:sha-256 " + one, attributes(lines)), ("t=0 0", "t=0 0\n" + attributes(session)),
            ])
        return try publisherAnswer(offer).agreement.remote.fingerprints
    }

    private func sha256(_ byte: UInt8) -> Fingerprint {
        Fingerprint(algorithm: .sha256, bytes: Array(repeating: byte, count: 32))
    }

    /// RFC 8122 §5.1: of the hash that is preferred, any; the rest is not looked at.
    @Test func allOfTheStrongestHash() throws {
        #expect(try fingerprints(["sha-256 " + one, "sha-256 " + two]) == [sha256(0xAB), sha256(0x0C)])
        #expect(try fingerprints(["sha-1 AA:BB", "SHA-256 " + two.lowercased(), "sha-256 zz"]) == [sha256(0x0C)])
        let strongest = try fingerprints(["sha-256 " + one, "sha-512 " + long, "sha-256 " + two])
        #expect(strongest == [Fingerprint(algorithm: .sha512, bytes: Array(repeating: 0x1F, count: 64))])
        #expect(try fingerprints(["sha-512 " + one, "sha-256 " + one]) == [sha256(0xAB)], "of the wrong length")
        #expect(try fingerprints(["sha-1 AA:BB"], session: ["sha-256 " + two]) == [sha256(0x0C)])
        #expect(
            try fingerprints(["sha-256 " + one], session: ["sha-256 " + two]) == [sha256(0xAB)], "the section's own")
        let many = (0..<100).map { "sha-256 " + Array(repeating: String($0 + 100), count: 32).joined(separator: ":") }
        #expect(throws: NegotiationError.self) { try fingerprints(many) }
    }
}

/// What is read in one m-section counts there, and for a transport that section shares.
@Suite struct SectionsApart {
    /// An offer whose sections have transport lines of their own, as a peer writes that does not yet know of the bundle.
    private func section(_ kind: String, _ mid: String, ufrag: String, _ more: [String]) -> String {
        ([
            "m=\(kind)", "a=mid:\(mid)", "a=ice-ufrag:\(ufrag)", "a=ice-pwd:0123456789abcdefghij\(ufrag)",
            "a=fingerprint:sha-256 \(Array(repeating: mid + mid, count: 32).joined(separator: ":"))", "a=setup:actpass",
            "a=candidate:1 1 udp 1 192.0.2.\(mid) 1000 typ host", "a=rtcp-mux",
        ] + more).joined(separator: "\n")
    }

    private func offer(_ group: String, _ sections: [String]) -> String {
        "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\na=group:BUNDLE \(group)\n" + sections.joined(separator: "\n")
    }

    private let video = ["a=recvonly", "a=rtpmap:96 VP8/90000"]
    private let audio = ["a=recvonly", "a=rtpmap:111 opus/48000/2"]

    /// RFC 9143 §7.3.1: the tag moves to the first section of the group that is not declined, and its transport counts.
    @Test(arguments: [
        ("1 2 3", [opus, vp8], "ffff2"), ("1 2 3", [vp8], "ffff3"), ("3 2 1", [opus, vp8], "ffff3"),
        ("3 2 1", [opus], "ffff2"), ("2 3", [opus, vp8], "ffff2"), ("1 2 3", [opus], "ffff2"),
    ])
    func theTransportIsTheTaggedSections(group: String, broadcast: [CodecFormat], ufrag: String) throws {
        let text = offer(
            group,
            [
                section("application 9 UDP/DTLS/SCTP webrtc-datachannel", "1", ufrag: "ffff1", []),
                section("audio 9 UDP/TLS/RTP/SAVPF 111", "2", ufrag: "ffff2", audio),
                section("video 9 UDP/TLS/RTP/SAVPF 96", "3", ufrag: "ffff3", video),
            ])
        let (answer, agreement) = try viewerAnswer(text, broadcast)
        #expect(agreement.remote.ice.ufrag == ufrag && agreement.remote.ice.password.hasSuffix(ufrag))
        #expect(agreement.remote.candidates.map(\.host) == ["192.0.2." + ufrag.suffix(1)])
        #expect(agreement.remote.fingerprints[0].bytes[0] == UInt8(ufrag.suffix(1) + ufrag.suffix(1), radix: 16))
        let tagged = try #require(answer.media.first { $0.has("candidate") })
        #expect(tagged.values("mid") == [String(ufrag.suffix(1))] && agreement.bundle[0] == tagged.values("mid")[0])
    }

    /// A section that is declined may be outside of the group, or of another protocol.
    @Test func whatIsDeclinedNeedNotFit() throws {
        let text = offer(
            "3",
            [
                section("audio 9 RTP/AVP 0", "2", ufrag: "ffff2", ["a=recvonly"]),
                section("video 9 UDP/TLS/RTP/SAVPF 96", "3", ufrag: "ffff3", video),
            ])
        #expect(try viewerAnswer(text, [vp8]).agreement.remote.ice.ufrag == "ffff3")
        #expect(throws: NegotiationError.self) { try viewerAnswer(text, [vp8, opus]) }
    }

    /// RFC 8285 §5, RFC 8852 §3: a map is its section's.
    @Test(arguments: [false, true]) func extensionMapsAreTheSections(videoFirst: Bool) throws {
        let sections = [
            section(
                "audio 9 UDP/TLS/RTP/SAVPF 111", "2", ufrag: "ffff2",
                ["a=sendonly", "a=rtpmap:111 opus/48000/2", "a=extmap:1 \(ExtensionURI.transportSequence)"]),
            section(
                "video 9 UDP/TLS/RTP/SAVPF 96", "3", ufrag: "ffff3",
                [
                    "a=sendonly", "a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 transport-cc",
                    "a=extmap:1 \(ExtensionURI.mid)",
                    "a=extmap:2 \(ExtensionURI.rid)", "a=extmap:5 \(ExtensionURI.transportSequence)", "a=rid:a send",
                    "a=rid:b send", "a=simulcast:send a;b",
                ]),
        ]
        let (answer, agreement) = try publisherAnswer(offer("2 3", videoFirst ? sections.reversed() : sections))
        for (media, track) in zip(answer.media, agreement.tracks) {
            let ids = [track.extensions.mid, track.extensions.rid, track.extensions.transportSequence]
            #expect(ids == (track.kind == .audio ? [0, 0, 0] : [1, 2, 5]))
            #expect(media.values("extmap").count == ids.count { $0 != 0 })
            #expect(track.encodings.count == (track.kind == .audio ? 1 : 2))
        }
    }

    /// RTX of simulcast streams cannot be tied to them without the repaired identifier (RFC 8852 §3.2).
    @Test(arguments: [false, true]) func repairsOfSimulcast(hasIdentifier: Bool) throws {
        let lines = [
            "a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96",
            "a=extmap:2 \(ExtensionURI.rid)", "a=extmap:3 \(hasIdentifier ? ExtensionURI.repairedRID : "urn:x")",
            "a=rid:a send", "a=rid:b send", "a=simulcast:send a;b",
        ]
        let (answer, agreement) = try publisherAnswer(smallOffer(direction: "sendonly", formats: "96 97", lines))
        #expect((agreement.tracks[0].rtxPayloadType != nil) == hasIdentifier)
        #expect(answer.media[0].formats == (hasIdentifier ? ["96", "97"] : ["96"]))
        #expect(agreement.tracks[0].feedback == .nack, "repaired by the packet again otherwise")
    }

    /// Two tracks under one payload type, told apart by SSRC, by MID, or by nothing.
    @Test(
        arguments: [
            (["a=ssrc:1 cname:x"], ["a=ssrc:2 cname:x"], nil),
            (["a=extmap:1 \(ExtensionURI.mid)"], ["a=ssrc:2 cname:x"], nil),
            ([], ["a=ssrc:2 cname:x"], 422), ([], [], 422), (["a=ssrc:1 cname:x"], ["a=ssrc:1 cname:x"], 400),
        ] as [([String], [String], Int?)])
    func streamsThatCannotBeToldApart(audio: [String], video: [String], status: Int?) throws {
        let text = offer(
            "2 3",
            [
                section(
                    "audio 9 UDP/TLS/RTP/SAVPF 96", "2", ufrag: "ffff2",
                    ["a=sendonly", "a=rtpmap:96 opus/48000/2"] + audio),
                section(
                    "video 9 UDP/TLS/RTP/SAVPF 96", "3", ufrag: "ffff3",
                    ["a=sendonly", "a=rtpmap:96 VP8/90000"] + video),
            ])
        guard let status else { return #expect(try publisherAnswer(text).agreement.tracks.count == 2) }
        let error = #expect(throws: NegotiationError.self) { try publisherAnswer(text) }
        #expect(error?.status == status)
    }

    /// A viewer's events name a track by the place of its m-line, also behind one without a mid.
    @Test func midsKeepTheirPlaces() throws {
        let description = try SessionDescription.parse(
            "v=0\r\nm=application 9 X 0\r\nm=video 9 X 0\r\na=mid: v \r\nm=audio 9 X 0\r\na=mid:a\r\n")
        #expect(description.mids == ["", "v", "a"])
    }
}
