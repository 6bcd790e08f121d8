/// One m-section read once: its RTP attributes in the shape that offers and answers are compared in.
struct MediaSection {
    enum Direction: String {
        case sendrecv, sendonly, recvonly, inactive
        var sends: Bool { self == .sendrecv || self == .sendonly }
        var receives: Bool { self == .sendrecv || self == .recvonly }
    }

    struct Payload {
        var type: PayloadType
        var codec: CodecFormat
        var feedback: NegotiatedTrack.Feedback
        /// The payload type that repairs this one.
        var rtx: PayloadType?
    }

    struct Extension {
        var id: UInt8
        /// As seen by whoever wrote the section.
        var direction: Direction
        var uri: String
    }

    /// `a=rid` of a stream that the writer sends (RFC 8851).
    struct RID {
        var id: String
        /// Its payload types; empty: all of the section.
        var payloadTypes: [String]
        /// The restrictions except `pt`, as written.
        var restrictions: [String]
    }

    var media: SessionDescription.Media
    /// nil: neither audio nor video.
    var kind: MediaKind?
    var mid = ""
    var direction: Direction
    var transport: TransportAttributes
    /// What we can forward, most preferred first.
    private(set) var payloads: [Payload] = []
    /// Encoding names of what is offered, also of what we do not forward.
    private var codecNames: [String] = []
    private(set) var extensions: [Extension] = []
    private(set) var simulcast: [RID] = []
    /// How many streams it takes (RFC 8853 §5.3.1): `a=simulcast:recv`.
    private(set) var simulcastReceived = 0
    private(set) var encodings: [NegotiatedTrack.Encoding] = []
    private(set) var cname = ""
    private(set) var rtcpMux = false
    private(set) var reducedSize = false
    private(set) var allowsMixedExtensions = false
    private var bundleOnly = false

    /// More SSRCs or simulcast streams than that are not taken in.
    static let maximumEncodings = NegotiatedTrack.maximumEncodings
    private static let maximumSSRCs = 64

    var isRejected: Bool { media.port == 0 && !bundleOnly }
    /// "VP8, VP9" or "no codec", for messages to people.
    var codecSummary: String { codecNames.isEmpty ? "no codec" : codecNames.joined(separator: ", ") }

    /// What the session level may say in place of a section, except for transport lines and the direction.
    private static let inherited: Set = ["extmap", "rtcp-mux", "rtcp-mux-only", "rtcp-rsize"]
    /// Each of up to 64 sections reads them: more lines than an honest peer has are not looked at.
    private static let mostInherited = 128

    /// The attributes above all sections that `init` looks at.
    static func inherited(_ session: [SessionDescription.Attribute]) -> [SessionDescription.Attribute] {
        Array(
            session.lazy.filter { inherited.contains($0.name) || Direction(rawValue: $0.name) != nil }
                .prefix(mostInherited))
    }

    /// - Parameter session: what is `inherited`. It counts for a section where it has no own.
    init(_ media: SessionDescription.Media, session: [SessionDescription.Attribute]) throws(NegotiationError) {
        self.media = media
        kind = MediaKind(rawValue: media.kind.lowercased())
        direction = session.lazy.compactMap { Direction(rawValue: $0.name) }.first ?? .sendrecv
        transport = TransportAttributes(media.attributes)
        var lines = RTPLines()
        for attribute in media.attributes { try read(attribute, &lines) }
        // Behind the section's own, which win (RFC 8285 §5 wants extension maps at one of the levels only).
        for attribute in session where Self.inherited.contains(attribute.name) { try read(attribute, &lines) }
        guard kind != nil else { return }
        resolvePayloads(lines)
        encodings = Self.encodings(lines)
        let declared = lines.rids
        simulcast = lines.simulcastSend.compactMap { id in declared.first { $0.id == id } }
        if simulcast.count > Self.maximumEncodings { simulcast.removeLast(simulcast.count - Self.maximumEncodings) }
    }

    /// Attributes that only make sense together, collected in one pass.
    private struct RTPLines {
        var rtpmap: [Substring: String] = [:]
        var fmtp: [Substring: String] = [:]
        var feedback: [Substring: NegotiatedTrack.Feedback] = [:]
        var ssrcs: [SSRC] = []
        var groups: [(semantics: Substring, ssrcs: [SSRC])] = []
        var rids: [RID] = []
        var simulcastSend: [String] = []
    }

    private mutating func read(
        _ attribute: SessionDescription.Attribute, _ lines: inout RTPLines
    ) throws(NegotiationError) {
        let value = attribute.value.trimmed
        switch attribute.name {
        case "sendrecv", "sendonly", "recvonly", "inactive": direction = Direction(rawValue: attribute.name)!
        case "mid":
            guard value.isToken, value.utf8.count <= 64 else { throw .malformed("a=mid is not a token") }
            if mid.isEmpty { mid = value }
        case "bundle-only": bundleOnly = true
        // RFC 8858 §4.1: who can do nothing else may leave the plain attribute out.
        case "rtcp-mux", "rtcp-mux-only": rtcpMux = true
        case "rtcp-rsize": reducedSize = true
        case "extmap-allow-mixed": allowsMixedExtensions = true
        case "rtpmap", "fmtp", "rtcp-fb":
            guard let (type, rest) = value.headAndRest else { return }
            switch attribute.name {
            case "rtpmap": lines.rtpmap[type] = lines.rtpmap[type] ?? rest
            case "fmtp": lines.fmtp[type] = lines.fmtp[type] ?? rest
            default: lines.feedback[type, default: []].formUnion(NegotiatedTrack.Feedback(attribute: rest))
            }
        case "extmap":
            if let ext = Extension(attribute: value) { extensions.append(ext) }
        case "ssrc":
            let (first, rest) = value.headAndRest ?? (value[...], "")
            guard let number = UInt32(first), lines.ssrcs.count < Self.maximumSSRCs else { return }
            if !lines.ssrcs.contains(SSRC(number)) { lines.ssrcs.append(SSRC(number)) }
            if cname.isEmpty, rest.hasPrefix("cname:") { cname = String(rest.dropFirst(6)) }
        case "ssrc-group":
            let parts = value.words
            let ssrcs = parts.dropFirst().compactMap { UInt32($0).map { SSRC($0) } }
            guard parts.count >= 3, ssrcs.count == parts.count - 1, lines.groups.count < Self.maximumSSRCs
            else { return }
            lines.groups.append((parts[0], ssrcs))
        case "rid":
            if lines.rids.count < 4 * Self.maximumEncodings, let rid = RID(attribute: value) { lines.rids.append(rid) }
        case "simulcast":
            lines.simulcastSend = Self.simulcast("send", value)
            simulcastReceived = min(Self.maximumEncodings, Self.simulcast("recv", value).count)
        default: break
        }
    }

    /// Ties rtpmap, fmtp, rtcp-fb and `apt` together, in the order of the m-line.
    private mutating func resolvePayloads(_ lines: RTPLines) {
        var rtx: [PayloadType: PayloadType] = [:]
        var seen: Set<PayloadType> = []
        for format in media.formats {
            let format = format[...]
            guard let type = PayloadType(format: format), seen.insert(type).inserted,
                let parts = lines.rtpmap[format]?.split(separator: "/"), parts.count >= 2,
                let clockRate = UInt32(parts[1].trimmed), let channels = parts.count > 2 ? Int(parts[2].trimmed) : 1
            else { continue }
            let fmtp = lines.fmtp[format] ?? ""
            if parts[0].lowercased() == "rtx" {
                if let apt = FormatParameters(fmtp)["apt"], let repaired = PayloadType(format: apt[...]) {
                    rtx[repaired] = rtx[repaired] ?? type
                }
                continue
            }
            let name = String(parts[0].prefix(32))
            if !codecNames.contains(name), codecNames.count < 16 { codecNames.append(name) }
            guard
                let codec = CodecFormat(
                    encodingName: parts[0], clockRate: clockRate, channels: channels, fmtp: fmtp),
                codec.name.kind == kind
            else { continue }
            var feedback = (lines.feedback[format] ?? []).union(lines.feedback["*"] ?? [])
            // Sound has no keyframes.
            if kind == .audio { feedback.subtract([.pli, .fir]) }
            payloads.append(Payload(type: type, codec: codec, feedback: feedback))
        }
        for i in payloads.indices { payloads[i].rtx = rtx[payloads[i].type] }
    }

    /// The streams that `a=ssrc` and `a=ssrc-group` tell, without those that repair another.
    private static func encodings(_ lines: RTPLines) -> [NegotiatedTrack.Encoding] {
        var rtx: [SSRC: SSRC] = [:]
        var repairs: Set<SSRC> = []
        var ordered = lines.ssrcs
        for group in lines.groups {
            switch group.semantics {
            case "FID" where group.ssrcs.count == 2:
                rtx[group.ssrcs[0]] = group.ssrcs[1]
                repairs.insert(group.ssrcs[1])
            case "FEC-FR", "FEC": repairs.formUnion(group.ssrcs.dropFirst())
            case "SIM": ordered = group.ssrcs
            default: break
            }
        }
        return ordered.filter { !repairs.contains($0) }.prefix(maximumEncodings)
            .map { NegotiatedTrack.Encoding(ssrc: $0, rtxSSRC: rtx[$0]) }
    }

    /// The identifiers after `direction` (RFC 8853 §5.1): of alternatives the first, paused ones like the others.
    private static func simulcast(_ direction: Substring, _ value: String) -> [String] {
        let parts = value.words
        guard let start = parts.firstIndex(of: direction), start + 1 < parts.count else { return [] }
        var ids: [String] = []
        for stream in parts[start + 1].split(separator: ";", maxSplits: 4 * maximumEncodings) {
            guard let first = stream.split(separator: ",").first else { continue }
            // "rid=" stood there in drafts that some senders still follow.
            let id = first.drop { $0 == "~" }
            let plain = String(id.hasPrefix("rid=") ? id.dropFirst(4) : id)
            if !ids.contains(plain) { ids.append(plain) }
        }
        return ids
    }
}

extension PayloadType {
    /// 0…127 without 64…95: with rtcp-mux those could not be told from RTCP (RFC 5761 §4).
    init?(format: Substring) {
        guard let value = UInt8(format), value < 64 || 96...127 ~= value else { return nil }
        self.init(value)
    }
}

extension MediaSection.Extension {
    /// "3 uri" or "3/sendonly uri", perhaps with attributes behind (RFC 8285 §5).
    init?(attribute value: String) {
        let parts = value.words
        guard parts.count >= 2 else { return nil }
        let head = parts[0].split(separator: "/", maxSplits: 1)
        guard let first = head.first, let id = UInt8(first), id != 0,
            let direction = head.count == 2 ? MediaSection.Direction(rawValue: head[1].lowercased()) : .sendrecv
        else { return nil }
        self.init(id: id, direction: direction, uri: String(parts[1]))
    }
}

extension MediaSection.RID {
    /// "q send pt=96;max-width=1280" (RFC 8851 §4); nil for `recv` and for what is not a rid.
    init?(attribute value: String) {
        let parts = value.words
        guard parts.count >= 2, parts[1].lowercased() == "send", !parts[0].isEmpty, parts[0].utf8.count <= 64,
            parts[0].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
        else { return nil }
        let all = parts.count > 2 ? parts[2].split(separator: ";").map(String.init) : []
        let types = all.first { $0.hasPrefix("pt=") }?.dropFirst(3).split(separator: ",").map(String.init) ?? []
        self.init(id: String(parts[0]), payloadTypes: types, restrictions: all.filter { !$0.hasPrefix("pt=") })
    }
}

extension NegotiatedTrack.Feedback {
    /// The part of `a=rtcp-fb` behind the payload type; empty for what we do not use.
    init(attribute value: some StringProtocol) {
        switch value.words.map({ $0.lowercased() }) {
        case ["nack"]: self = .nack
        case ["nack", "pli"]: self = .pli
        case ["ccm", "fir"]: self = .fir
        case ["transport-cc"]: self = .transportCC
        case ["goog-remb"]: self = .remb
        default: self = []
        }
    }

    /// What stands behind the payload type in each `a=rtcp-fb` line.
    var attributes: [String] {
        let all: [(NegotiatedTrack.Feedback, String)] = [
            (.remb, "goog-remb"), (.transportCC, "transport-cc"), (.fir, "ccm fir"), (.nack, "nack"),
            (.pli, "nack pli"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}

extension StringProtocol {
    /// RFC 8866 §9 token, not empty.
    var isToken: Bool {
        !isEmpty
            && utf8.allSatisfy { c in
                switch c {
                case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x30...0x39, 0x41...0x5A, 0x5E...0x7E: true
                default: false
                }
            }
    }
}
