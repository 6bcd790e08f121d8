// What the SDP tests share: wire form of the fixtures, our own transport, small offers written line by line, and the
// rules that every answer has to keep whoever asked (RFC 9725 §4.4, RFC 3264 §6).

import Testing

@testable import WebRTC

/// A description and the name that test output shows for it.
struct SDPFixture: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var text: String
    init(_ name: String, _ text: String) { (testDescription, self.text) = (name, text) }
}

func crlf(_ fixture: String) -> String {
    fixture.split(separator: "\n").map { $0 + "\r\n" }.joined()
}

func parsed(_ fixture: String) throws -> SessionDescription { try SessionDescription.parse(crlf(fixture)) }

/// Deliberately not in the order in which candidates are to be written.
let testTransport = LocalTransport(
    ice: ICECredentials(ufrag: "abcdefgh", password: "abcdefghijklmnopqrstuvwx"),
    fingerprint: Fingerprint(algorithm: .sha256, bytes: Array(0..<32)),
    candidates: [
        TransportAddress("127.0.0.1", port: 5000)!, TransportAddress("2001:db8::1", port: 5000)!,
        TransportAddress("192.0.2.1", port: 5000)!,
    ])

let opus = CodecFormat(name: .opus, clockRate: 48_000, channels: 2, fmtp: "minptime=10;useinbandfec=1")
let vp8 = CodecFormat(name: .vp8, clockRate: 90_000)

func h264(_ profile: String, mode: Int = 1) -> CodecFormat {
    CodecFormat(
        name: .h264, clockRate: 90_000,
        fmtp: "level-asymmetry-allowed=1;packetization-mode=\(mode);profile-level-id=\(profile)")
}

func parsed(_ fixture: SDPFixture) throws -> SessionDescription { try parsed(fixture.text) }

func publisherAnswer(_ fixture: SDPFixture) throws -> (answer: SessionDescription, agreement: Agreement) {
    try publisherAnswer(fixture.text)
}

func viewerAnswer(
    _ fixture: SDPFixture, _ broadcast: [CodecFormat], seed: UInt64 = 1
) throws -> (answer: SessionDescription, agreement: Agreement) {
    try viewerAnswer(fixture.text, broadcast, seed: seed)
}

func publisherAnswer(
    _ fixture: String, seed: UInt64 = 1
) throws -> (answer: SessionDescription, agreement: Agreement) {
    var generator = SeededGenerator(seed: seed)
    return try Negotiation.answerPublisher(parsed(fixture), local: testTransport, using: &generator)
}

func viewerAnswer(
    _ fixture: String, _ broadcast: [CodecFormat], streamName: String = "news", seed: UInt64 = 1
) throws -> (answer: SessionDescription, agreement: Agreement) {
    var generator = SeededGenerator(seed: seed)
    return try Negotiation.answerViewer(
        parsed(fixture), broadcast: broadcast.map { TrackFormat(codec: $0) }, streamName: streamName,
        local: testTransport, using: &generator)
}

/// An offer with the given video lines behind a usable transport; `replacing` edits the whole text.
func smallOffer(
    direction: String = "recvonly", formats: String = "96", _ lines: [String] = ["a=rtpmap:96 VP8/90000"],
    replacing edits: [(String, String)] = []
) -> String {
    let head = """
        v=0
        o=- 1 1 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=group:BUNDLE 0
        m=video 9 UDP/TLS/RTP/SAVPF \(formats)
        c=IN IP4 0.0.0.0
        a=mid:0
        a=ice-ufrag:abcd
        a=ice-pwd:0123456789abcdefghijkl
        a=fingerprint:sha-256 \(Array(repeating: "AB", count: 32).joined(separator: ":"))
        a=setup:actpass
        a=rtcp-mux
        a=\(direction)
        """
    var text = ([head] + lines).joined(separator: "\n")
    for (old, new) in edits { text = text.replacing(old, with: new) }
    return text
}

extension SessionDescription.Media {
    func values(_ name: String) -> [String] { attributes.filter { $0.name == name }.map(\.value) }
    func has(_ name: String) -> Bool { attributes.contains { $0.name == name } }
}

extension SessionDescription {
    var bundle: [String] {
        attributes.filter { $0.name == "group" }.flatMap { group in
            group.value.split(separator: " ").dropFirst().map { String($0) }
        }
    }
}

/// The rules for every answer of ours as a server.
func expectSoundAnswer(
    _ answer: SessionDescription, to offer: SessionDescription, _ agreement: Agreement,
    _ location: SourceLocation = #_sourceLocation
) throws {
    #expect(try SessionDescription.parse(answer.description) == answer, sourceLocation: location)
    #expect(answer.media.map(\.kind) == offer.media.map(\.kind), sourceLocation: location)
    #expect(answer.media.map { $0.values("mid") } == offer.media.map { $0.values("mid") }, sourceLocation: location)
    #expect(answer.attributes.contains(.init("ice-lite")), sourceLocation: location)
    let accepted = answer.media.filter { $0.port != 0 }
    #expect(accepted.count == agreement.tracks.count && !accepted.isEmpty, sourceLocation: location)
    var (mids, streams): (Set<String>, Set<Substring>) = ([], [])
    for media in accepted {
        mids.formUnion(media.values("mid"))
        streams.formUnion(media.values("msid").map { $0.split(separator: " ")[0] })
    }
    #expect(Set(answer.bundle) == mids, sourceLocation: location)
    #expect(streams.count <= 1, "one MediaStream", sourceLocation: location)
    for (mine, theirs) in zip(answer.media, offer.media) {
        #expect(mine.transportProtocol == theirs.transportProtocol, sourceLocation: location)
        #expect(Set(mine.formats).isSubset(of: theirs.formats), sourceLocation: location)
        guard mine.port != 0 else { continue }
        #expect(mine.has("rtcp-mux") && mine.has("rtcp-mux-only"), sourceLocation: location)
        #expect(mine.values("setup") == [agreement.remote.dtlsActive ? "active" : "passive"], sourceLocation: location)
        #expect(mine.values("ice-ufrag") == ["abcdefgh"], sourceLocation: location)
        let offered = Set(
            theirs.values("extmap").map { $0.replacing("/sendonly", with: "").replacing("/recvonly", with: "") })
        for ext in mine.values("extmap") {
            let plain = ext.replacing("/sendonly", with: "").replacing("/recvonly", with: "")
            #expect(offered.contains(plain), sourceLocation: location)
        }
        #expect(Set(mine.values("rtcp-fb")).isSubset(of: theirs.values("rtcp-fb")), sourceLocation: location)
        #expect(mine.has("rtcp-rsize") == theirs.has("rtcp-rsize"), sourceLocation: location)
    }
    // All candidates, complete, in the tagged section and nowhere else.
    for media in accepted {
        let isTagged = answer.bundle.isEmpty || media.values("mid") == [answer.bundle[0]]
        #expect(media.values("candidate").count == (isTagged ? 3 : 0), sourceLocation: location)
        #expect(media.has("end-of-candidates") == isTagged, sourceLocation: location)
    }
}
