extension Negotiation {
    /// An offer to receive, one recvonly m-line for each of `kinds`, with every codec that is forwarded: for the relay and
    /// for `probe watch`.
    ///
    /// - Parameter encodings: how many streams of video are taken (RFC 8853 §5.3.1); their identifiers are numbers.
    package static func offer(
        receiving kinds: [MediaKind], encodings: Int = 1, local: LocalTransport,
        using generator: inout some RandomNumberGenerator
    ) -> SessionDescription {
        var offer = OfferWriter(local: local)
        for kind in kinds {
            var codecs: [(CodecFormat, PayloadType, rtx: PayloadType?)] = []
            for codec in receivableCodecs where codec.name.kind == kind {
                let type = offer.payloadType(for: kind)
                codecs.append((codec, type, rtx: kind == .video ? offer.payloadType(for: kind) : nil))
            }
            let isSimulcast = kind == .video && encodings > 1
            offer.append(
                kind, .recvonly, codecs, isSimulcast ? SectionWriter.simulcast("recv", count: encodings) : [])
        }
        return offer.finish(id: generator.next())
    }

    /// An offer to send `tracks`, each with one codec and one stream: for `probe publish`. Simulcast is not offered.
    package static func offer(
        sending tracks: [TrackFormat], streamName: String, local: LocalTransport,
        using generator: inout some RandomNumberGenerator
    ) -> SessionDescription {
        var offer = OfferWriter(local: local)
        var ssrcs = SSRCAllocator()
        let cname = SSRCAllocator.cname(using: &generator)
        for track in tracks {
            let rtx = track.kind == .video ? ssrcs.next(using: &generator) : nil
            let stream = NegotiatedTrack.LocalStream(
                ssrc: ssrcs.next(using: &generator), rtxSSRC: rtx, cname: cname)
            let type = offer.payloadType(for: track.kind)
            let codec = (track.codec, type, rtx: rtx == nil ? nil : offer.payloadType(for: track.kind))
            offer.append(
                track.kind, .sendonly, [codec],
                SectionWriter.streams([stream], streamName: streamName, kind: track.kind))
        }
        return offer.finish(id: generator.next())
    }

    /// Everything that the servers above us may send. H264 in each profile, as an answer has to repeat ours; level 5.2
    /// says that nothing is too large.
    static let receivableCodecs: [CodecFormat] = {
        var codecs = [
            CodecFormat(
                name: .opus, clockRate: 48_000, channels: 2,
                fmtp: "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1"),
            CodecFormat(name: .vp8, clockRate: 90_000),
        ]
        for mode in [1, 0] {
            for profile in ["42e0", "4200", "4d00", "640c", "6400", "f400"] {
                let fmtp = "level-asymmetry-allowed=1;packetization-mode=\(mode);profile-level-id=\(profile)34"
                codecs.append(CodecFormat(name: .h264, clockRate: 90_000, fmtp: fmtp))
            }
        }
        codecs += (0...3).map { CodecFormat(name: .vp9, clockRate: 90_000, fmtp: "profile-id=\($0)") }
        codecs += (0...2).map { CodecFormat(name: .av1, clockRate: 90_000, fmtp: "profile=\($0)") }
        return codecs
    }()

    /// Reads the answer to an offer of ours.
    ///
    /// - Throws: `.malformed` when it is not an answer to that offer, `.unsupported` when nothing was accepted or the
    ///   DTLS role cannot be.
    package static func accept(
        answer: SessionDescription, to offer: SessionDescription
    ) throws(NegotiationError) -> Agreement {
        guard answer.media.count == offer.media.count else {
            throw .malformed("the answer has \(answer.media.count) m-lines, the offer \(offer.media.count)")
        }
        guard answer.media.contains(where: { $0.port != 0 }) else { throw .unsupported("every m-line was declined") }
        let peer = try PeerDescription(answer)
        let ours = try PeerDescription(offer)
        let transport = try peer.transport(of: peer.tracks)
        let dtlsActive = try dtlsActive(
            offered: try ours.transport(of: ours.tracks).setup, answered: transport.setup)
        var tracks: [NegotiatedTrack] = []
        for (mine, theirs) in zip(ours.sections, peer.sections) where !theirs.isRejected {
            guard mine.kind == theirs.kind else {
                throw .malformed("m=\(theirs.media.kind.prefix(32)) answers m=\(mine.media.kind)")
            }
            guard let kind = mine.kind else { continue }
            guard mine.direction.sends ? theirs.direction.receives : theirs.direction.sends else { continue }
            tracks.append(try track(kind, offered: mine, answered: theirs))
        }
        guard !tracks.isEmpty else { throw .unsupported("the answer neither takes nor gives any media") }
        return Agreement(remote: transport.remote(dtlsActive: dtlsActive), tracks: tracks, bundle: peer.bundle)
    }

    /// Whether the offerer starts DTLS (RFC 8842 §5.4).
    private static func dtlsActive(
        offered: RemoteTransport.Setup?, answered: RemoteTransport.Setup?
    ) throws(NegotiationError) -> Bool {
        switch (offered ?? .actpass, answered) {
        case (.active, .passive), (.active, nil), (.actpass, .passive): return true
        case (.passive, .active), (.passive, nil), (.actpass, .active), (.actpass, nil): return false
        case (let ours, let theirs):
            throw .unsupported("setup:\(theirs?.rawValue ?? "?") is no answer to setup:\(ours.rawValue)")
        }
    }

    private static func track(
        _ kind: MediaKind, offered: MediaSection, answered: MediaSection
    ) throws(NegotiationError) -> NegotiatedTrack {
        // Payload types are the offer's on both sides (RFC 3264 §6.1); the first that the answer kept is used.
        let pairs = answered.payloads.compactMap { theirs in
            offered.payloads.first { $0.type == theirs.type && $0.codec.name == theirs.codec.name }
                .map { (ours: $0, theirs: theirs) }
        }
        guard let (ours, theirs) = pairs.first else {
            throw .malformed("the answer's m=\(kind.rawValue) has no codec of the offer")
        }
        // The sender's side says what is sent, the other what could be taken.
        let codec = offered.direction.sends ? ours.codec : theirs.codec
        var track = NegotiatedTrack(mid: offered.mid, codec: codec, payloadType: ours.type)
        track.feedback = ours.feedback.intersection(theirs.feedback)
        let (sent, kept) = (offered.anyExtensionIDs, answered.anyExtensionIDs)
        for (_, id) in ExtensionURI.all where sent[keyPath: id] == kept[keyPath: id] {
            track.extensions[keyPath: id] = kept[keyPath: id]
        }
        if track.extensions.transportSequence == 0 || !track.feedback.contains(.transportCC) {
            track.extensions.transportSequence = 0
            track.feedback.remove(.transportCC)
        }
        if let rtx = ours.rtx, rtx == theirs.rtx, track.feedback.contains(.nack) { track.rtxPayloadType = rtx }
        for (ours, theirs) in pairs.dropFirst() where !offered.direction.sends {
            let feedback = ours.feedback.intersection(theirs.feedback)
            let repairs = ours.rtx == theirs.rtx && feedback.contains(.nack)
            track.alternatives.append(
                .init(
                    codec: theirs.codec, payloadType: ours.type, rtxPayloadType: repairs ? ours.rtx : nil,
                    feedback: feedback))
        }
        if offered.direction.sends {
            guard let stream = offered.encodings.first, let ssrc = stream.ssrc else {
                throw .malformed("the offer's m=\(kind.rawValue) names no SSRC")
            }
            track.locals = [
                NegotiatedTrack.LocalStream(
                    ssrc: ssrc, rtxSSRC: track.rtxPayloadType == nil ? nil : stream.rtxSSRC, cname: offered.cname)
            ]
        } else {
            track.encodings = answered.encodings.isEmpty ? [NegotiatedTrack.Encoding()] : answered.encodings
            track.areEncodingsReported = offered.simulcastReceived > 1 && answered.simulcast.count > 1
            let agreed = track.areEncodingsReported ? min(offered.simulcastReceived, answered.simulcast.count) : 1
            track.encodings.removeLast(max(0, track.encodings.count - agreed))
            if track.rtxPayloadType == nil {
                for i in track.encodings.indices { track.encodings[i].rtxSSRC = nil }
            }
        }
        return track
    }
}

extension MediaSection {
    fileprivate var anyExtensionIDs: HeaderExtensionIDs { extensionIDs { $0 != .inactive } }
}

/// An offer under construction: payload types count through all m-lines, as they share one transport.
private struct OfferWriter {
    private let writer: SectionWriter
    private var media: [SessionDescription.Media] = []
    /// The dynamic range, then the part of the static one that RFC 5761 leaves free and browsers use; 111 is kept for
    /// Opus, as everybody else does.
    private var free = (96...127).filter { $0 != 111 } + Array(35...63)
    private var isOpusNumbered = false

    init(local: LocalTransport) { writer = SectionWriter(local: local, setup: .active, isServer: false) }

    mutating func payloadType(for kind: MediaKind) -> PayloadType {
        if kind == .audio, !isOpusNumbered {
            isOpusNumbered = true
            return PayloadType(111)
        }
        precondition(!free.isEmpty, "an offer needs no more payload types than there are")
        return PayloadType(UInt8(free.removeFirst()))
    }

    mutating func append(
        _ kind: MediaKind, _ direction: MediaSection.Direction,
        _ codecs: [(CodecFormat, PayloadType, rtx: PayloadType?)], _ own: [SessionDescription.Attribute]
    ) {
        var lines: [SessionDescription.Attribute] = [.init("mid", String(media.count))]
        lines += writer.transport(withCandidates: media.isEmpty)
        lines += [
            .init(direction.rawValue), .init("rtcp-rsize"), .init("extmap", "1 \(ExtensionURI.mid)"),
            .init("extmap", "2 \(ExtensionURI.transportSequence)"),
        ]
        let feedback: NegotiatedTrack.Feedback =
            kind == .video ? [.nack, .pli, .fir, .transportCC, .remb] : [.nack, .transportCC]
        for (codec, type, rtx) in codecs {
            lines += SectionWriter.codec(codec, type: type, rtx: rtx, feedback: feedback)
        }
        let types = codecs.flatMap { [$0.1, $0.rtx].compactMap { $0.map { String($0.rawValue) } } }
        media.append(
            .init(
                kind: kind.rawValue, port: 9, transportProtocol: "UDP/TLS/RTP/SAVPF", formats: types,
                attributes: lines + own))
    }

    func finish(id: UInt64) -> SessionDescription {
        let mids = media.indices.map(String.init)
        var offer = writer.session(mids: mids, mixedExtensions: true, id: id)
        offer.media = media
        return offer
    }
}
