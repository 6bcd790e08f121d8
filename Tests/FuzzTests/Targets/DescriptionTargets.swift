// SDP: what is agreed to with a hostile peer has to be something that the rest can work with.
@testable import Forwarding
@testable import WebRTC

extension FuzzTarget {
    static var descriptions: [FuzzTarget] { [publisherOffer, viewerOffer, relayAnswer, iceFragment] }

    private static let longest = 16_000

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

    private static let viewerOffer = FuzzTarget(
        name: "sdp-viewer", maximumLength: longest, mutations: 1_000, seeds: captures
    ) {
        { bytes in
            guard let offer = try? SessionDescription.parse(bytes) else { return }
            for video in Negotiation.receivableCodecs where video.name.kind == .video {
                var random = SeededGenerator(seed: 1)
                let formats = [opus, video].map { TrackFormat(codec: $0) }
                guard
                    let (answer, agreement) = try? Negotiation.answerViewer(
                        offer, broadcast: formats, streamName: "live", local: local, using: &random)
                else { continue }
                check(answer, agreement)
            }
        }
    }

    /// What a node above answers to a relay's offer.
    private static let relayAnswer = FuzzTarget(
        name: "sdp-answer", maximumLength: longest, mutations: 1_000,
        seeds: {
            var random = SeededGenerator(seed: 1)
            let offer = relayOffer
            let formats = Negotiation.receivableCodecs.map { TrackFormat(codec: $0) }
            let answers = formats.filter { $0.kind == .video }.compactMap { video in
                try? Negotiation.answerViewer(
                    offer, broadcast: [TrackFormat(codec: opus), video], streamName: "live", local: local,
                    using: &random
                ).answer.description
            }
            return answers.map { Array($0.utf8) } + captures()
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
        name: "sdp-fragment", maximumLength: 4_000,
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
            return [Array(lines.replacing("\n", with: "\r\n").utf8)] + captures()
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

    private static let opus = CodecFormat(name: .opus, clockRate: 48_000, channels: 2)

    private static let local = LocalTransport(
        ice: ICECredentials(ufrag: "abcdefgh", password: "abcdefghijklmnopqrstuvwx"),
        fingerprint: Fingerprint(algorithm: .sha256, bytes: Array(0..<32)),
        candidates: [TransportAddress(ipv4: 0xC000_0201, port: 5_000)])

    private static var relayOffer: SessionDescription {
        var random = SeededGenerator(seed: 3)
        return Negotiation.offer(receiving: [.video, .audio], local: local, using: &random)
    }

    @Sendable private static func captures() -> [[UInt8]] {
        textsOfTests(in: "WebRTCTests/SDP/Fixtures").map { Array($0.replacing("\n", with: "\r\n").utf8) }
    }
}
