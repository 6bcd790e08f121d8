// Offers as peers of every make might write them, from a seed: order and mids of the sections, payload types, codecs, RED,
// FEC and data channels among them, extension maps per section or above all, simulcast in its forms, transport lines at
// either level. An offer knows what it means, so that a scripted peer can act on it without reading it again.
import WebRTC

/// What an offer says of one m-section.
struct OfferedSection {
    enum Kind: String { case audio, video, application }

    /// A payload type with its lines.
    struct Format {
        var type: UInt8
        /// As in `a=rtpmap`, without the payload type.
        var rtpmap: String
        var fmtp = ""
        /// Values of `a=rtcp-fb`.
        var feedback: [String] = []
        /// The payload type it repairs.
        var apt: UInt8?

        var name: String { rtpmap.prefix { $0 != "/" }.lowercased() }
        var isMedia: Bool { ["opus", "vp8", "h264", "vp9", "av1"].contains(name) }
    }

    /// One stream that the publisher would send.
    struct Stream {
        var rid: String?
        var ssrc: UInt32
        var rtxSSRC: UInt32
    }

    struct Extension {
        var id: Int
        var uri: String
        /// "sendonly" and the like; "" for both ways.
        var direction = ""
    }

    enum Simulcast { case none, rids, ssrcs }

    var kind: Kind
    var mid: String
    var formats: [Format] = []
    var extensions: [Extension] = []
    var streams: [Stream] = []
    var simulcast = Simulcast.none
    /// `a=ssrc` of the streams, and `a=ssrc-group:FID` with it.
    var declaresSSRCs = false
    var declaresPairs = false
    var isRejected = false
    var isBundleOnly = false
    var hasMux = true
    /// User fragment, password and fingerprint of this section, if it has its own.
    var ice: ICECredentials?

    func format(_ type: UInt8) -> Format? { formats.first { $0.type == type } }
    func rtx(of type: UInt8) -> UInt8? { formats.first { $0.apt == type }?.type }
}

enum ExtensionName {
    static let mid = "urn:ietf:params:rtp-hdrext:sdes:mid"
    static let rid = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
    static let repairedRID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
    static let transport = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
    static let absoluteTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
    static let level = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
    static let all = [mid, rid, repairedRID, transport, absoluteTime, level]
}

/// A generated offer: its meaning and its text.
struct GeneratedOffer {
    /// Where ICE and DTLS lines stand.
    enum Level: CaseIterable { case session, sections, first, last, apart }

    let isPublisher: Bool
    var sections: [OfferedSection] = []
    /// mids in the order of `a=group:BUNDLE`; nil: no group.
    var bundle: [String]?
    var sessionExtensions: [OfferedSection.Extension] = []
    var level = Level.session
    /// nil: not said.
    var setup: String?
    let ice: ICECredentials
    /// Values of `a=fingerprint`, the peer's own among them.
    var fingerprints: [String]
    var direction: String
    var directionAtSession = false
    var allowsMixed = false
    var reducedSize = false
    private(set) var random: SeededGenerator

    /// - Parameter broadcast: for a viewer, the codecs there are; its offer mostly has them.
    init(seed: UInt64, publisher: Bool, fingerprint: String, broadcast: [CodecName] = []) {
        var random = SeededGenerator(seed: seed)
        isPublisher = publisher
        ice = .generate(using: &random)
        fingerprints = [fingerprint]
        direction = publisher ? "sendonly" : "recvonly"
        self.random = random
        if chance(8) { direction = "sendrecv" }
        directionAtSession = chance(6)
        (allowsMixed, reducedSize) = (chance(2), chance(2))
        level = pick(Level.allCases)
        setup = pick(["actpass", "actpass", "actpass", "active", "passive", nil])
        makeSections(broadcast)
        makeExtensions()
        makeBundle()
        if chance(4) { addFingerprints() }
    }

    // MARK: Choices

    mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &random) == 0 }
    mutating func pick<T>(_ from: [T]) -> T { from[Int.random(in: 0..<from.count, using: &random)] }

    private mutating func addFingerprints() {
        let other = "sha-256 " + Array(repeating: "5A", count: 32).joined(separator: ":")
        fingerprints = pick([
            [other, fingerprints[0]], [fingerprints[0], other],
            ["sha-1 " + String(other.dropFirst(8).prefix(59)), fingerprints[0]],
            ["sha-256 broken", fingerprints[0]], [fingerprints[0], fingerprints[0]],
            [fingerprints[0].lowercased()], [fingerprints[0].uppercased()],
        ])
    }

    // MARK: Sections

    private mutating func makeSections(_ broadcast: [CodecName]) {
        let kinds = pick([
            [OfferedSection.Kind.audio, .video], [.video, .audio], [.audio, .video], [.video, .audio], [.video],
            [.audio],
        ])
        var mids = pick([
            ["0", "1", "2"], ["audio", "video", "data"], ["a~", "b.", "c-"], ["2", "1", "0"], ["x", "y", "z"],
        ])
        if chance(6) { mids[0] = String(repeating: "m", count: pick([16, 17, 40])) }
        var types = Array(96...127) + Array(35...63)
        types.shuffle(using: &random)
        let collides = chance(12)
        for kind in kinds {
            if collides { types.sort() }
            var section = OfferedSection(kind: kind, mid: mids.removeFirst())
            section.hasMux = !chance(60)
            addFormats(to: &section, broadcast, &types)
            if collides { types = Array(96...127) + Array(35...63) }
            if isPublisher { addStreams(to: &section) }
            sections.append(section)
        }
        if chance(isPublisher ? 40 : 5) {
            let data = OfferedSection(kind: .application, mid: mids.removeFirst())
            sections.insert(data, at: pick(Array(0...sections.count)))
        }
        if sections.count > 1, chance(20) {
            let i = pick(Array(sections.indices))
            sections[i].isRejected = true
        }
        if sections.count == 1, chance(4) { sections[0].mid = "" }
    }

    private mutating func addFormats(
        to section: inout OfferedSection, _ broadcast: [CodecName], _ types: inout [Int]
    ) {
        for (rtpmap, fmtp) in codecs(section.kind, broadcast) {
            let type = UInt8(types.removeFirst())
            let isMedia = !["red", "ulpfec", "flexfec-03"].contains(rtpmap.prefix { $0 != "/" })
            section.formats.append(
                .init(type: type, rtpmap: rtpmap, fmtp: fmtp, feedback: isMedia ? feedback(section.kind) : []))
            if section.kind == .video || chance(8), rtpmap != "ulpfec/90000", !chance(3) {
                let clock = section.kind == .video ? 90_000 : 48_000
                let rtx = OfferedSection.Format(
                    type: UInt8(types.removeFirst()), rtpmap: "rtx/\(clock)", fmtp: "apt=\(type)", apt: type)
                section.formats.insert(rtx, at: chance(4) ? 0 : section.formats.count)
            }
        }
    }

    /// Encoding names with clock rates, and parameters, in the order of preference.
    private mutating func codecs(_ kind: OfferedSection.Kind, _ broadcast: [CodecName]) -> [(String, String)] {
        if kind == .audio {
            var all = [
                (
                    pick(["opus/48000/2", "opus/48000/2", "OPUS/48000/2", "opus/48000"]),
                    pick(["", "minptime=10;useinbandfec=1"])
                )
            ]
            if chance(4) { all.append(("red/48000/2", "")) }
            if chance(6) { all.append(("G722/8000", "")) }
            if chance(6) { all.shuffle(using: &random) }
            if chance(60) { all.removeAll { $0.0.lowercased().hasPrefix("opus") } }
            if all.isEmpty { all = [("PCMU/8000", "")] }
            return all
        }
        let profile = pick(["42e01f", "42001f", "42c028", "4d001f", "640c1f", "640028", "64001F", "640034"])
        let mode = pick(["packetization-mode=1;", "packetization-mode=1;", "packetization-mode=0;", ""])
        let video: [CodecName: (String, String)] = [
            .vp8: (pick(["VP8/90000", "vp8/90000"]), ""), .vp9: ("VP9/90000", pick(["", "profile-id=0"])),
            .av1: ("AV1/90000", pick(["", "profile=0", "level-idx=5;profile=0;tier=0"])),
            .h264: (
                "H264/90000",
                pick([
                    mode + "profile-level-id=" + profile,
                    "level-asymmetry-allowed=1;" + mode + "profile-level-id=" + profile, "",
                ])
            ),
        ]
        var names = [CodecName.vp8, .h264, .vp9, .av1]
        names.shuffle(using: &random)
        names.removeLast(pick([0, 1, 2, 3]))
        if let wanted = broadcast.first(where: { $0.kind == .video }), !names.contains(wanted), !chance(12) {
            names.append(wanted)
        }
        var all = names.map { video[$0]! }
        if names.contains(.h264), chance(3) {
            all.append(("H264/90000", "packetization-mode=1;profile-level-id=" + pick(["42e01f", "640c1f", "64001f"])))
        }
        for other in [("H265/90000", "level-id=93"), ("red/90000", ""), ("ulpfec/90000", ""), ("flexfec-03/90000", "")]
        where chance(5) {
            all.insert(other, at: chance(2) ? 0 : all.count)
        }
        if chance(60) { all = [("H265/90000", "")] }
        return all
    }

    private mutating func feedback(_ kind: OfferedSection.Kind) -> [String] {
        var all = ["nack", "transport-cc", "goog-remb"]
        if kind == .video { all += ["nack pli", "ccm fir"] }
        all.removeAll { _ in chance(3) }
        return all
    }

    private mutating func addStreams(to section: inout OfferedSection) {
        let count = section.kind == .video && chance(3) ? pick([2, 3, 4]) : 1
        if count > 1 { section.simulcast = pick([.rids, .rids, .ssrcs]) }
        let names = pick([["q", "h", "f", "o"], ["0", "1", "2", "3"], ["low", "mid-", "high_", "top"]])
        for i in 0..<count {
            let isNamed = section.simulcast == .rids || (section.kind == .video && chance(12))
            section.streams.append(
                .init(rid: isNamed ? names[i] : nil, ssrc: newSSRC(), rtxSSRC: newSSRC()))
            if count == 1, isNamed { section.simulcast = .rids }
        }
        section.declaresSSRCs = section.simulcast == .ssrcs || (section.simulcast == .none && !chance(3))
        section.declaresPairs = section.declaresSSRCs && !chance(4)
        if section.simulcast == .rids, chance(6) { section.declaresSSRCs = true }
    }

    private mutating func newSSRC() -> UInt32 { UInt32.random(in: 1...UInt32.max, using: &random) }

    // MARK: Extensions

    private mutating func makeExtensions() {
        enum Maps { case same, perSection, session }
        let maps: Maps = pick([.same, .perSection, .perSection, .session])
        var ids = Array(1...14).shuffled(using: &random)
        if chance(10) { ids[0] = pick([15, 16, 200]) }
        let common = zip(ExtensionName.all.shuffled(using: &random), ids).map {
            OfferedSection.Extension(id: $1, uri: $0)
        }
        if maps == .session { sessionExtensions = common.filter { _ in !chance(3) } }
        for i in sections.indices where sections[i].kind != .application {
            let own =
                maps == .perSection
                ? zip(ExtensionName.all, Array(1...14).shuffled(using: &random)).map {
                    OfferedSection.Extension(id: $1, uri: $0)
                }
                : common
            if maps != .session { sections[i].extensions = own.filter { _ in !chance(3) } }
            for e in sections[i].extensions.indices where chance(10) {
                sections[i].extensions[e].direction = pick(["sendonly", "recvonly", "sendrecv", "inactive"])
            }
            // Where streams are named the identifier is mostly there.
            if sections[i].simulcast == .rids, !chance(6), maps != .session,
                !sections[i].extensions.contains(where: { $0.uri == ExtensionName.rid })
            {
                let free = (1...14).first { id in !sections[i].extensions.contains { $0.id == id } }!
                sections[i].extensions.append(.init(id: free, uri: ExtensionName.rid))
            }
        }
    }

    private mutating func makeBundle() {
        let mids = sections.filter { !$0.isRejected && !$0.mid.isEmpty }.map(\.mid)
        if mids.count > 1 || !chance(3) { bundle = mids }
        if chance(6) { bundle?.reverse() }
        if chance(60) { bundle = bundle?.dropLast() }
        // All but the tagged one may wait for the bundle with their ports.
        if let bundle, chance(3) {
            for i in sections.indices where !sections[i].isRejected && bundle.dropFirst().contains(sections[i].mid) {
                sections[i].isBundleOnly = true
            }
        }
        guard level == .apart else { return }
        for i in sections.indices { sections[i].ice = .generate(using: &random) }
    }
}
