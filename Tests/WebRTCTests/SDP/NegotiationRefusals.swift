// Offers that cannot be served: which error, with which HTTP status, and a reason that names the culprit.

import Testing

@testable import WebRTC

@Suite struct NegotiationRefusals {
    private func expectRefusal(
        status: Int, mentioning words: String, _ location: SourceLocation = #_sourceLocation, _ body: () throws -> Void
    ) {
        let error = #expect(throws: NegotiationError.self, sourceLocation: location) { try body() }
        #expect(error?.status == status, "\(error?.reason ?? "")", sourceLocation: location)
        #expect(error?.reason.contains(words) == true, "\(error?.reason ?? "")", sourceLocation: location)
    }

    @Test(arguments: [
        ("a=rtcp-mux\n", "", 422, "rtcp-mux"), ("a=setup:actpass", "a=setup:holdconn", 422, "holdconn"),
        ("a=ice-ufrag:abcd\n", "", 400, "ice-ufrag"), ("a=ice-ufrag:abcd", "a=ice-ufrag:abc", 400, "ice-ufrag"),
        ("a=ice-pwd:0123", "a=ice-pwd:", 400, "ice-pwd"), ("a=ice-ufrag:abcd", "a=ice-ufrag:ab:cd", 400, "ice-ufrag"),
        ("a=fingerprint:sha-256 AB:", "a=fingerprint:sha-256 ", 422, "fingerprint"),
        ("a=fingerprint:sha-256", "a=fingerprint:sha-1", 422, "fingerprint"),
        ("a=fingerprint:", "a=x:", 400, "fingerprint"), ("UDP/TLS/RTP/SAVPF", "RTP/AVP", 422, "RTP/AVP"),
        ("t=0 0", "t=0 0\na=ice-lite", 422, "ice-lite"), ("a=mid:0", "a=mid:a b", 400, "mid"),
        ("m=video 9", "m=video 0", 400, "m-line"), ("VP8", "H265", 422, "H265"),
        ("m=video", "m=text", 422, "text"), ("VP8/90000", "VP8/8000", 422, "VP8"),
    ])
    func anOfferOfAPublisher(old: String, new: String, status: Int, words: String) throws {
        let sound = smallOffer(direction: "sendonly")
        _ = try publisherAnswer(sound)
        expectRefusal(status: status, mentioning: words) {
            _ = try publisherAnswer(smallOffer(direction: "sendonly", replacing: [(old, new)]))
        }
    }

    @Test(arguments: ["recvonly", "inactive"]) func aPublisherThatDoesNotSend(direction: String) {
        expectRefusal(status: 422, mentioning: direction) { _ = try publisherAnswer(smallOffer(direction: direction)) }
    }

    @Test(arguments: ["sendonly", "inactive"]) func aViewerThatDoesNotReceive(direction: String) {
        expectRefusal(status: 422, mentioning: direction) {
            _ = try viewerAnswer(smallOffer(direction: direction), [vp8])
        }
    }

    /// A direction at session level counts for the m-lines that have none.
    @Test func aPublisherThatDoesNotSendAnywhere() {
        let offer = smallOffer(replacing: [("a=recvonly\n", ""), ("t=0 0", "t=0 0\na=recvonly")])
        expectRefusal(status: 422, mentioning: "recvonly") { _ = try publisherAnswer(offer) }
    }

    private func doubled(
        _ direction: String, bundle: String, mid: String = "1", second: String = "video", _ codec: String = "VP8/90000"
    ) -> String {
        let lines = [
            "a=rtpmap:96 VP8/90000", "m=\(second) 9 UDP/TLS/RTP/SAVPF 97", "a=mid:\(mid)", "a=\(direction)",
            "a=rtcp-mux", "a=rtpmap:97 \(codec)",
        ]
        return smallOffer(direction: direction, lines, replacing: [("a=group:BUNDLE 0", bundle)])
    }

    @Test func severalTracksOfAKind() {
        expectRefusal(status: 422, mentioning: "more than one video") {
            _ = try publisherAnswer(doubled("sendonly", bundle: "a=group:BUNDLE 0 1"))
        }
        expectRefusal(status: 422, mentioning: "more than one video") {
            _ = try viewerAnswer(doubled("recvonly", bundle: "a=group:BUNDLE 0 1"), [vp8])
        }
    }

    @Test(arguments: ["a=group:BUNDLE 0", "a=group:LS 0 1", "a=group:BUNDLE"])
    func tracksOutsideTheBundle(group: String) {
        expectRefusal(status: 422, mentioning: "BUNDLE") {
            _ = try publisherAnswer(doubled("sendonly", bundle: group, second: "audio", "opus/48000/2"))
        }
    }

    @Test func twoSectionsOfOneMid() {
        expectRefusal(status: 400, mentioning: "mid") {
            _ = try publisherAnswer(doubled("sendonly", bundle: "a=group:BUNDLE 0", mid: "0"))
        }
    }

    /// No partial success (RFC 9725 §4.2): good audio does not excuse unknown video.
    @Test func oneGoodTrackIsNotEnough() throws {
        let offer = ChromiumPublishing.chromiumVP8.text.split(separator: "\n").map { line in
            line.hasPrefix("a=rtpmap") && line.hasSuffix("/90000") ? "a=x" : line
        }.joined(separator: "\n")
        expectRefusal(status: 422, mentioning: "m=video") { _ = try publisherAnswer(offer) }
    }

    @Test func codecsTheViewerLacks() {
        expectRefusal(status: 406, mentioning: "H264") {
            _ = try viewerAnswer(FirefoxViewing.firefoxViewer, [opus, h264("42e01f")])
        }
        expectRefusal(status: 406, mentioning: "audio only") { _ = try viewerAnswer(smallOffer(), [opus]) }
        expectRefusal(status: 406, mentioning: "no track") { _ = try viewerAnswer(smallOffer(), []) }
    }

    @Test func payloadTypesThatCollideWithRTCP() {
        let offer = smallOffer(direction: "sendonly", formats: "72", ["a=rtpmap:72 VP8/90000"])
        expectRefusal(status: 422, mentioning: "no codec") { _ = try publisherAnswer(offer) }
    }

    @Test func anOfferWithoutMLines() {
        expectRefusal(status: 400, mentioning: "m-line") {
            _ = try publisherAnswer("v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0")
        }
    }
}
