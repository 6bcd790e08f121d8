// The syntax of RFC 8866 as peers really write it: real descriptions survive a round trip, broken ones are refused with
// the line that is broken, and nothing that was read can smuggle a line into what is written.

import Testing

@testable import WebRTC

private let fixtures: [SDPFixture] = [
    ChromiumPublishing.chromiumVP8, ChromiumPublishing.chromiumH264, ChromiumPublishingParts.chromiumSimulcast,
    ChromiumPublishingParts.chromiumAudio, ChromiumPublishingParts.chromiumVideo, ChromiumViewing.chromiumViewer,
    ChromiumViewing.chromiumAudioViewer, FirefoxPublishing.firefoxPublisher, FirefoxPublishing.firefoxSimulcast,
    FirefoxViewing.firefoxViewer, FirefoxViewing.firefoxHiddenViewer, EncoderPublishing.ffmpeg,
    EncoderPublishing.ffmpegVideo, EncoderPublishing.aiortcPublisher, EncoderPublishing.obs,
    EncoderPublishing.gstreamer, OBSPublishing.simulcast4,
    GStreamerOffers.publishingAll, GStreamerOffers.viewing, BrowserAnswers.relayOffer, BrowserAnswers.chromiumAnswer,
    BrowserAnswers.publishOffer, BrowserAnswers.firefoxAnswer,
]

@Suite struct SessionDescriptionParsing {
    @Test(arguments: fixtures) func realDescriptionsSurviveARoundTrip(fixture: SDPFixture) throws {
        let description = try parsed(fixture)
        #expect(try SessionDescription.parse(description.description) == description)
        #expect(try SessionDescription.parse(fixture.text) == description, "LF ends lines as well as CRLF")
        let attributes = fixture.text.split(separator: "\n").filter { $0.hasPrefix("a=") }
        let written = description.description.split(separator: "\r\n").filter { $0.hasPrefix("a=") }
        #expect(written == attributes, "no attribute is lost or moved")
    }

    @Test func anMLineIsReadInParts() throws {
        let description = try SessionDescription.parse(
            "v=0\r\no=x 1 2 IN IP4 0.0.0.0\r\nb=AS:1\r\nm=audio 9/2 RTP/AVP 0 8\r\ni=title\r\na=sendonly\r\na=x:a:b\r\n"
        )
        #expect(description.origin == "x 1 2 IN IP4 0.0.0.0")
        let media = try #require(description.media.first)
        #expect(media.kind == "audio" && media.port == 9 && media.transportProtocol == "RTP/AVP")
        #expect(media.formats == ["0", "8"])
        #expect(media.attributes == [.init("sendonly"), .init("x", "a:b")])
    }

    @Test(arguments: [
        ("", 1), ("hello", 1), ("v=1\r\n", 1), ("o=- 1 1 IN IP4 0.0.0.0\r\n", 1), ("v=0\r\nm=audio 9 X\r\n", 2),
        ("v=0\r\nm=audio 70000 X 0\r\n", 2), ("v=0\r\n\r\nx\r\n", 3), ("v=0\r\na=x\rm=audio 9 X 0\r\n", 2),
        ("v=0\r\na=x\0y\r\n", 2), ("v=0\r\nnonsense\r\n", 2),
    ])
    func brokenTextIsRefusedWithItsLine(text: String, line: Int) {
        let error = #expect(throws: SDPError.self) { try SessionDescription.parse(text) }
        #expect(error?.line == line, "\(error.map(String.init(describing:)) ?? "")")
    }

    @Test func sizesAreBounded() {
        let long = "v=0\r\na=" + String(repeating: "x", count: SessionDescription.maximumBytes)
        #expect(throws: SDPError.self) { try SessionDescription.parse(long) }
        let media = String(repeating: "m=audio 9 X 0\r\n", count: SessionDescription.maximumMedia + 1)
        #expect(throws: SDPError.self) { try SessionDescription.parse("v=0\r\n" + media) }
        let formats = (0...SessionDescription.maximumFormats).map(String.init).joined(separator: " ")
        #expect(throws: SDPError.self) { try SessionDescription.parse("v=0\r\nm=audio 9 X \(formats)\r\n") }
    }

    @Test func textThatIsNotUTF8IsRepaired() throws {
        let bytes = Array("v=0\r\ns=".utf8) + [0xFF, 0xFE] + Array("\r\na=x\r\n".utf8)
        #expect(try SessionDescription.parse(bytes).attributes == [.init("x")])
    }
}

@Suite struct CandidateParsing {
    @Test(
        arguments: [
            ("1 1 udp 2122194687 192.0.2.2 36518 typ host generation 0", "192.0.2.2:36518"),
            ("1 1 UDP 1 2001:db8::7 5000 typ srflx raddr 0.0.0.0 rport 0", "[2001:db8::7]:5000"),
            ("1 1 udp 1 127.0.0.1 5000 typ host", "127.0.0.1:5000"),
            ("1 2 udp 1 192.0.2.2 5000 typ host", nil), ("1 1 tcp 1 192.0.2.2 9 typ host tcptype active", nil),
            ("1 1 udp 1 f90c9797-3b00-4470-bf5a-af0fd539255b.local 5000 typ host", nil),
            ("1 1 udp 1 example.net 5000 typ host", nil), ("1 1 udp 1 fe80::1 5000 typ host", nil),
            ("1 1 udp 1 0.0.0.0 5000 typ host", nil), ("1 1 udp 1 192.0.2.2 0 typ host", nil),
            ("1 1 udp 1 192.0.2.2 65536 typ host", nil), ("1 1 udp 1 192.0.2.2", nil), ("", nil),
        ] as [(String, String?)])
    func onlyReachableOnesCount(line: String, address: String?) {
        #expect(TransportAttributes.candidate(line)?.address.description == address)
    }

    @Test func theyAreSortedByPriorityWithoutDoubles() {
        let lines = [("5", 1), ("9", 2), ("9", 3), ("7", 1)].map { priority, host in
            SessionDescription.Attribute("candidate", "1 1 udp \(priority) 192.0.2.\(host) 1000 typ host")
        }
        #expect(TransportAttributes(lines).addresses.map(\.host) == ["192.0.2.2", "192.0.2.3", "192.0.2.1"])
        let many = (0..<200).map {
            SessionDescription.Attribute("candidate", "1 1 udp 1 192.0.2.\($0) 1000 typ host")
        }
        #expect(TransportAttributes(many).addresses.count == TransportAttributes.maximumCandidates)
    }
}

@Suite struct FingerprintAttribute {
    @Test func itIsReadAndWritten() {
        let text = "sha-256 " + (0..<32).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
        let value = Fingerprint(attribute: text)
        #expect(value == Fingerprint(algorithm: .sha256, bytes: Array(0..<32)))
        #expect(value?.attribute == "sha-256 " + text.dropFirst(8).uppercased())
    }

    @Test(arguments: [
        "", "sha-256", "sha-1 AA:BB", "sha-256 AA:BB", "sha-256 " + String(repeating: "+1:", count: 31) + "+1",
    ])
    func whatIsNoneGivesNil(text: String) { #expect(Fingerprint(attribute: text) == nil) }
}
