/// Header extensions that we use, by URI.
enum ExtensionURI {
    static let mid = "urn:ietf:params:rtp-hdrext:sdes:mid"
    static let rid = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
    static let repairedRID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
    static let transportSequence = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
    static let absoluteSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"

    static var all: [(uri: String, id: WritableKeyPath<HeaderExtensionIDs, UInt8>)] {
        [
            (mid, \.mid), (rid, \.rid), (repairedRID, \.repairedRID), (transportSequence, \.transportSequence),
            (absoluteSendTime, \.absoluteSendTime),
        ]
    }
}

/// Writes the parts that offers and answers have in common.
struct SectionWriter {
    typealias Attribute = SessionDescription.Attribute

    var local: LocalTransport
    var setup: RemoteTransport.Setup
    /// `a=ice-lite` and one candidate list that is complete: the server's side.
    var isServer: Bool

    /// What our ICE can do (RFC 8840 §4.1, RFC 8445 §10); the same in an answer and in the fragment after a restart.
    static let iceOptions = Attribute("ice-options", "trickle ice2")

    func session(mids: [String], mixedExtensions: Bool, id: UInt64) -> SessionDescription {
        var attributes: [Attribute] = []
        if !mids.isEmpty { attributes.append(Attribute("group", (["BUNDLE"] + mids).joined(separator: " "))) }
        if mixedExtensions { attributes.append(Attribute("extmap-allow-mixed")) }
        if isServer { attributes.append(Attribute("ice-lite")) }
        attributes.append(Self.iceOptions)
        // RFC 9429 §5.2.1: a session id of 63 bits.
        return SessionDescription(origin: "- \(id >> 1) 1 IN IP4 127.0.0.1", attributes: attributes)
    }

    /// ICE, DTLS and multiplexing lines; with `candidates` those too, which the tagged section has.
    func transport(withCandidates: Bool) -> [Attribute] {
        var lines = [
            Attribute("ice-ufrag", local.ice.ufrag), Attribute("ice-pwd", local.ice.password),
            Attribute("fingerprint", local.fingerprint.attribute), Attribute("setup", setup.rawValue),
            Attribute("rtcp-mux"), Attribute("rtcp-mux-only"),
        ]
        if withCandidates { lines += Self.candidates(local.candidates) }
        return lines
    }

    static func candidates(_ addresses: [TransportAddress]) -> [Attribute] {
        let rank = { (address: TransportAddress) in (address.isLoopback ? 2 : 0) + (address.isIPv4 ? 0 : 1) }
        let ordered = addresses.enumerated().sorted {
            (rank($0.element), $0.offset) < (rank($1.element), $1.offset)
        }
        return ordered.prefix(1_000).enumerated().map { (i, entry) in
            // RFC 8445 §5.1.2.1: type preference 126 for host, falling local preference, component 1.
            let priority = 126 << 24 | (65_535 - i) << 8 | 255
            let address = entry.element
            return Attribute("candidate", "\(i + 1) 1 udp \(priority) \(address.host) \(address.port) typ host")
        } + [Attribute("end-of-candidates")]
    }

    /// rtpmap, fmtp and rtcp-fb of one codec and of its RTX.
    static func codec(
        _ codec: CodecFormat, type: PayloadType, rtx: PayloadType?, feedback: NegotiatedTrack.Feedback
    ) -> [Attribute] {
        let pt = type.rawValue
        let channels = codec.name == .opus ? "/2" : ""
        var lines = [Attribute("rtpmap", "\(pt) \(codec.name.rawValue)/\(codec.clockRate)\(channels)")]
        if !codec.fmtp.isEmpty { lines.append(Attribute("fmtp", "\(pt) \(codec.fmtp)")) }
        lines += feedback.attributes.map { Attribute("rtcp-fb", "\(pt) \($0)") }
        if let rtx = rtx?.rawValue {
            lines += [Attribute("rtpmap", "\(rtx) rtx/\(codec.clockRate)"), Attribute("fmtp", "\(rtx) apt=\(pt)")]
        }
        return lines
    }

    /// The lines that announce streams of ours, of one track.
    static func streams(
        _ streams: [NegotiatedTrack.LocalStream], streamName: String, kind: MediaKind
    ) -> [Attribute] {
        var lines = [Attribute("msid", "\(msid(streamName)) \(kind.rawValue)")]
        if streams.count > 1 {
            lines += simulcast("send", count: streams.count)
            let all = streams.map { String($0.ssrc.rawValue) }.joined(separator: " ")
            lines.append(Attribute("ssrc-group", "SIM \(all)"))
        }
        for stream in streams {
            if let rtx = stream.rtxSSRC {
                lines.append(Attribute("ssrc-group", "FID \(stream.ssrc.rawValue) \(rtx.rawValue)"))
            }
            for ssrc in [stream.ssrc, stream.rtxSSRC].compactMap({ $0 }) {
                lines.append(Attribute("ssrc", "\(ssrc.rawValue) cname:\(stream.cname)"))
            }
        }
        return lines
    }

    /// RFC 8851, 8853: streams whose identifiers are numbers.
    static func simulcast(_ direction: String, count: Int) -> [Attribute] {
        let ids = (0..<count).map(String.init)
        return ids.map { Attribute("rid", "\($0) \(direction)") }
            + [Attribute("simulcast", "\(direction) \(ids.joined(separator: ";"))")]
    }

    /// A stream id of RFC 8830 §2: 1 to 64 token characters.
    private static func msid(_ name: String) -> String {
        let token = String(name.filter { String($0).isToken }.prefix(64))
        return token.isEmpty ? "-" : token
    }

    /// Declines an m-line. Strict parsers want a payload type with its rtpmap even there, aiortc ICE and DTLS lines too.
    func rejected(_ section: MediaSection) -> SessionDescription.Media {
        let offered = section.media
        var maps: [Substring: Attribute] = [:]
        for line in offered.attributes where line.name == "rtpmap" {
            guard let end = line.value.firstIndex(of: " ") else { continue }
            let format = line.value[..<end]
            maps[format] = maps[format] ?? line
        }
        let format = offered.formats.first { maps[$0[...]] != nil }
        var attributes = section.mid.isEmpty ? [] : [Attribute("mid", section.mid)]
        if section.kind != nil { attributes += transport(withCandidates: false) + [Attribute("inactive")] }
        if let format { attributes += [maps[format[...]]].compactMap { $0 } }
        return SessionDescription.Media(
            kind: offered.kind, port: 0, transportProtocol: offered.transportProtocol,
            formats: [format ?? offered.formats[0]], attributes: attributes)
    }
}

/// SSRCs of one session: random, not 0, all different (RFC 3550 §8.1).
struct SSRCAllocator {
    private var used: Set<SSRC> = [SSRC(0)]

    mutating func next(using generator: inout some RandomNumberGenerator) -> SSRC {
        while true {
            let ssrc = SSRC(UInt32(truncatingIfNeeded: generator.next()))
            if used.insert(ssrc).inserted { return ssrc }
        }
    }

    /// A canonical name as RFC 7022 §4.2 wants it: 96 random bits.
    static func cname(using generator: inout some RandomNumberGenerator) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        return String((0..<16).map { _ in alphabet[Int(generator.next() >> 58)] })
    }
}
