// SDP: what is agreed to with a hostile peer has to be something that the rest can work with.
@testable import Forwarding
@testable import WebRTC

extension FuzzTarget {
    static var descriptions: [FuzzTarget] { [publisherOffer, viewerOffer, relayAnswer, iceFragment] }

    /// Room for every bound but the total length: 64 m-lines, 128 formats, 128 lines above the sections.
    private static let longest = 1_500

    private static let publisherOffer = FuzzTarget(
        name: "sdp-publisher", maximumLength: longest, mutations: 1_000, seeds: captures
    ) {
        { bytes in
            var random = SeededGenerator(seed: 1)
            guard let offer = try? SessionDescription.parse(bytes),
                let (answer, agreement) = try? Negotiation.answerPublisher(offer, local: local, using: &random)
            else { return }
            check(answer, agreement)
        }
    }

    /// The first byte says which codec the broadcast has.
    private static let viewerOffer = FuzzTarget(
        name: "sdp-viewer", maximumLength: longest + 1, mutations: 1_000,
        seeds: { captures().enumerated().map { i, offer in [UInt8(i % videos.count)] + offer } }
    ) {
        let broadcasts = videos.map { [opus, $0].map { TrackFormat(codec: $0) } }
        return { bytes in
            var random = SeededGenerator(seed: 1)
            guard let offer = try? SessionDescription.parse(Array(bytes.dropFirst())),
                let (answer, agreement) = try? Negotiation.answerViewer(
                    offer, broadcast: broadcasts[Int(bytes.first ?? 0) % broadcasts.count], streamName: "live",
                    local: local, using: &random)
            else { return }
            check(answer, agreement)
        }
    }

    /// What a node above answers to a relay's offer.
    private static let relayAnswer = FuzzTarget(
        name: "sdp-answer", maximumLength: 2_000, mutations: 1_000,
        seeds: {
            var random = SeededGenerator(seed: 1)
            let offer = relayOffer
            let answers = videos.compactMap { video in
                try? Negotiation.answerViewer(
                    offer, broadcast: [opus, video].map { TrackFormat(codec: $0) }, streamName: "live", local: local,
                    using: &random
                ).answer.description
            }
            return answers.flatMap { [$0] + shortened($0.replacing("\r\n", with: "\n")) }.map { Array($0.utf8) }
                + captures()
        }
    ) {
        let offer = relayOffer
        return { bytes in
            guard let answer = try? SessionDescription.parse(bytes),
                let agreement = try? Negotiation.accept(answer: answer, to: offer)
            else { return }
            check(answer, agreement)
        }
    }

    private static let iceFragment = FuzzTarget(
        name: "sdp-fragment", maximumLength: 800,
        seeds: {
            let lines = """
                a=ice-ufrag:EsAw
                a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
                m=audio 9 UDP/TLS/RTP/SAVPF 0
                a=mid:0
                a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1
                a=candidate:3471623853 1 udp 2122194687 2001:db8::1 61765 typ srflx raddr 0.0.0.0 rport 0
                a=end-of-candidates

                """
            return [Array(lines.replacing("\n", with: "\r\n").utf8)] + captures().filter { $0.count <= 800 }
        }
    ) {
        { bytes in _ = try? Negotiation.parseFragment(bytes) }
    }

    /// What the node goes on to do with an agreement.
    private static func check(_ answer: SessionDescription, _ agreement: Agreement) {
        precondition((try? SessionDescription.parse(answer.description)) != nil, "our own answer can be read")
        _ = Negotiation.fragment(local: local, agreement: agreement)
        let formats = Negotiation.formats(of: agreement)
        var random = SeededGenerator(seed: 2)
        guard var source = Source(agreement.tracks, formats: formats, limits: Limits(), random: &random)
        else { return }
        for codec in formats { _ = H264ParameterSets(of: codec.codec) }
        _ = source.dueFeedback(now: .zero)
        for t in agreement.tracks {
            var t = t
            for alternative in t.alternatives { _ = t.use(playing: alternative.codec) }
            _ = OutgoingExtensions(mid: t.mid, midID: t.extensions.mid, transportSequenceID: 0)
        }
    }

    private static let videos = Negotiation.receivableCodecs.filter { $0.name.kind == .video }
    private static let opus = CodecFormat(name: .opus, clockRate: 48_000, channels: 2)

    private static let local = LocalTransport(
        ice: ICECredentials(ufrag: "abcdefgh", password: "abcdefghijklmnopqrstuvwx"),
        fingerprint: Fingerprint(algorithm: .sha256, bytes: Array(0..<32)),
        candidates: [TransportAddress(ipv4: 0xC000_0201, port: 5_000)])

    /// A relay's offer with one format of each codec: it has dozens, and is read again in each execution.
    private static var relayOffer: SessionDescription {
        var random = SeededGenerator(seed: 3)
        var offer = Negotiation.offer(receiving: [.video, .audio], local: local, using: &random)
        for i in offer.media.indices {
            let lines = offer.media[i].attributes
            var codecs: Set<Substring> = []
            var kept: Set<Substring> = []
            for line in lines where line.name == "rtpmap" {
                let words = line.value.split(separator: " ")
                let repairs = lines.first { $0.name == "fmtp" && $0.value.hasPrefix(words[0] + " apt=") }
                let isKept = repairs.map { kept.contains($0.value.drop { $0 != "=" }.dropFirst()) }
                if isKept ?? codecs.insert(words[1]).inserted { kept.insert(words[0]) }
            }
            offer.media[i].formats.removeAll { !kept.contains($0[...]) }
            offer.media[i].attributes.removeAll { line in
                ["rtpmap", "fmtp", "rtcp-fb"].contains(line.name) && !kept.contains(line.value.prefix { $0 != " " })
            }
        }
        return offer
    }

    /// The captures without what repeats, whole and section by section: what is short is tried often.
    @Sendable private static func captures() -> [[UInt8]] {
        let texts = textsOfTests(in: "WebRTCTests/SDP/Fixtures").flatMap { shortened($0) }
        return Set(texts).sorted().map { Array($0.utf8) }.filter { $0.count <= longest }
    }

    private static func shortened(_ capture: String) -> [String] {
        var (session, sections): ([Substring], [[Substring]]) = ([], [])
        for line in capture.split(separator: "\n") {
            if line.hasPrefix("m=") { sections.append([]) }
            if sections.isEmpty { session.append(line) } else { sections[sections.count - 1].append(line) }
        }
        let short = sections.map { essentials(of: $0) }
        return ([short.flatMap { $0 }] + short).map { lines in
            (essentials(of: session) + lines).map { $0 + "\r\n" }.joined()
        }
    }

    /// The first three formats of an m-section with their lines, and two lines of each other kind.
    private static func essentials(of lines: [Substring]) -> [Substring] {
        var lines = lines
        let words = lines.first.map { $0.split(separator: " ") } ?? []
        let formats = words.dropFirst(3).prefix(3)
        if !formats.isEmpty { lines[0] = words.prefix(6).joined(separator: " ")[...] }
        var counts: [Substring: Int] = [:]
        return lines.filter { line in
            let kind = line.prefix { $0 != ":" }
            counts[kind, default: 0] += 1
            guard ["a=rtpmap", "a=fmtp", "a=rtcp-fb"].contains(kind) else { return counts[kind]! <= 2 }
            return formats.contains(line.dropFirst(kind.count + 1).prefix { $0 != " " })
        }
    }
}
