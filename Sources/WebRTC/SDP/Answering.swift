extension Negotiation {
    /// Answers a WHIP offer (RFC 9725 §4.2): every track or none, the first codec of each m-line that is forwarded, and
    /// its RTX, feedback, header extensions and simulcast as offered.
    ///
    /// - Throws: `.malformed`, `.wrongDirection`, `.tooManyTracks`, `.unsupported`.
    package static func answerPublisher(
        _ offer: SessionDescription, local: LocalTransport, using generator: inout some RandomNumberGenerator
    ) throws(NegotiationError) -> (answer: SessionDescription, agreement: Agreement) {
        let peer = try PeerDescription(offer)
        for section in peer.sections where !section.isRejected {
            guard section.kind != nil else {
                throw .unsupported("m=\(section.media.kind.prefix(32)) is not supported, only audio and video")
            }
            guard section.direction.sends else {
                throw .wrongDirection(
                    "m=\(section.media.kind) is \(section.direction.rawValue); a publisher has to send")
            }
        }
        try peer.requireOneTrackPerKind()
        var answer = try Answer(peer, accepting: peer.tracks, local: local, id: generator.next())
        for section in peer.sections {
            if section.isRejected { answer.reject(section); continue }
            guard let payload = section.payloads.first else {
                let known = CodecName.allCases.filter { $0.kind == section.kind }.map(\.rawValue)
                throw .unsupported(
                    "m=\(section.media.kind) offers \(section.codecSummary); "
                        + "supported: \(known.joined(separator: ", "))")
            }
            answer.accept(section, receiving: payload)
        }
        try answer.requireStreamsApart()
        return answer.finish()
    }

    /// Answers a WHEP offer with the tracks of `broadcast` that it has an m-line for; other m-lines are declined.
    /// The first codec of an m-line is the broadcast's; the others that both can do follow, in case it changes.
    ///
    /// - Parameter everyEncoding: an m-line that takes several streams gets as many, one for each encoding that the track may
    ///   have: for nodes. People get one.
    ///
    /// `streamName` becomes the id of the one MediaStream. A kind that both have but without a common codec is an error,
    /// not a silent stream without picture or sound.
    /// - Throws: `.malformed`, `.notAcceptable`, `.wrongDirection`, `.tooManyTracks`, `.unsupported`.
    package static func answerViewer(
        _ offer: SessionDescription, broadcast: [TrackFormat], everyEncoding: Bool = false, streamName: String,
        local: LocalTransport, using generator: inout some RandomNumberGenerator
    ) throws(NegotiationError) -> (answer: SessionDescription, agreement: Agreement) {
        let peer = try PeerDescription(offer)
        for section in peer.tracks where !section.direction.receives {
            throw .wrongDirection("m=\(section.media.kind) is \(section.direction.rawValue); a viewer has to receive")
        }
        try peer.requireOneTrackPerKind()
        let accepted = peer.tracks.filter { section in broadcast.contains { $0.kind == section.kind } }
        guard !accepted.isEmpty else {
            let kinds = broadcast.map { $0.kind.rawValue }.joined(separator: " and ")
            throw .notAcceptable(
                "the broadcast has \(kinds.isEmpty ? "no track" : kinds + " only"), which was not offered")
        }
        var answer = try Answer(peer, accepting: accepted, local: local, id: generator.next())
        let cname = SSRCAllocator.cname(using: &generator)
        var ssrcs = SSRCAllocator()
        for section in peer.sections {
            guard !section.isRejected, let track = broadcast.first(where: { $0.kind == section.kind }) else {
                answer.reject(section)
                continue
            }
            guard let payload = section.payload(playing: track.codec) else {
                throw .notAcceptable(
                    "the broadcast's \(track.kind.rawValue) is \(track.codec.label), "
                        + "the viewer's offer has \(section.codecSummary)")
            }
            let rtx = payload.feedback.contains(.nack) && payload.rtx != nil
            let count = everyEncoding && track.kind == .video ? max(1, section.simulcastReceived) : 1
            let streams = (0..<count).map { _ in
                NegotiatedTrack.LocalStream(
                    ssrc: ssrcs.next(using: &generator), rtxSSRC: rtx ? ssrcs.next(using: &generator) : nil,
                    cname: cname)
            }
            answer.accept(section, sending: payload, of: track.codec, as: streams, streamName: streamName)
        }
        return answer.finish()
    }
}

extension MediaSection {
    /// The offered payload type that plays `stream`: an exact profile before a compatible one, else the peer's order.
    func payload(playing stream: CodecFormat) -> Payload? {
        var best: (mismatch: Int, payload: Payload)?
        for payload in payloads {
            guard let mismatch = payload.codec.mismatch(playing: stream), mismatch < best?.mismatch ?? .max
            else { continue }
            best = (mismatch, payload)
        }
        return best?.payload
    }
}

/// An answer under construction.
private struct Answer {
    private let peer: PeerDescription
    private let transport: PeerTransport
    private let writer: SectionWriter
    private let id: UInt64
    private let dtlsActive: Bool
    private var media: [SessionDescription.Media] = []
    private var mids: [String] = []
    private var tracks: [NegotiatedTrack] = []

    init(
        _ peer: PeerDescription, accepting accepted: [MediaSection], local: LocalTransport, id: UInt64
    ) throws(NegotiationError) {
        transport = try peer.transport(of: accepted)
        guard !transport.iceLite else {
            throw .unsupported("the offer says a=ice-lite, as this server does: nobody would send connectivity checks")
        }
        // RFC 8842 §5.3; a missing line means active (RFC 4145 §4.1).
        dtlsActive = transport.setup == .passive
        writer = SectionWriter(local: local, setup: dtlsActive ? .active : .passive, isServer: true)
        (self.peer, self.id) = (peer, id)
    }

    mutating func reject(_ section: MediaSection) { media.append(writer.rejected(section)) }

    /// A track that the peer sends.
    mutating func accept(_ section: MediaSection, receiving payload: MediaSection.Payload) {
        var ids = section.extensionIDs { $0.sends }
        // Without the identifier in each packet its streams could not be told apart: then it stays a single stream.
        var rids = ids.rid == 0 ? [] : section.simulcast
        rids.removeAll { !$0.payloadTypes.isEmpty && !$0.payloadTypes.contains(String(payload.type.rawValue)) }
        if rids.isEmpty { (ids.rid, ids.repairedRID) = (0, 0) }
        let encodings =
            if !rids.isEmpty {
                rids.map { NegotiatedTrack.Encoding(rid: $0.id) }
            } else if section.encodings.isEmpty {
                [NegotiatedTrack.Encoding()]
            } else {
                section.encodings
            }
        var track = NegotiatedTrack(
            mid: section.mid, codec: payload.codec, payloadType: payload.type, encodings: encodings)
        track.agree(on: payload, ids)
        // REMB is never sent.
        track.feedback.remove(.remb)
        if track.rtxPayloadType != nil, !track.tellsRepairsApart { track.rtxPayloadType = nil }
        if track.rtxPayloadType == nil {
            for i in track.encodings.indices { track.encodings[i].rtxSSRC = nil }
        }
        var lines: [SessionDescription.Attribute] = []
        for rid in rids {
            let types = rid.payloadTypes.isEmpty ? [] : ["pt=\(payload.type.rawValue)"]
            let restrictions = (types + rid.restrictions).joined(separator: ";")
            lines.append(.init("rid", "\(rid.id) recv" + (restrictions.isEmpty ? "" : " " + restrictions)))
        }
        if !rids.isEmpty { lines.append(.init("simulcast", "recv " + rids.map(\.id).joined(separator: ";"))) }
        write(section, track, direction: .recvonly, lines)
    }

    /// Throws where packets of one track could be taken for another's: the same SSRC, or the same payload type without
    /// anything else that tells (RFC 9143 §9.2).
    func requireStreamsApart() throws(NegotiationError) {
        let ssrcs = tracks.flatMap(\.declaredSSRCs)
        guard Set(ssrcs).count == ssrcs.count else { throw .malformed("two streams have the same a=ssrc") }
        let types = tracks.flatMap { [$0.payloadType, $0.rtxPayloadType].compactMap { $0 } }
        guard Set(types).count == types.count || tracks.allSatisfy(\.isKnownWithoutPayloadType) else {
            throw .unsupported(
                "two m-lines use one payload type, and neither a=ssrc nor the MID header extension tells them apart")
        }
    }

    /// A track that we send.
    mutating func accept(
        _ section: MediaSection, sending payload: MediaSection.Payload, of stream: CodecFormat,
        as streams: [NegotiatedTrack.LocalStream], streamName: String
    ) {
        // Of the extensions we write only these, and the MID only where it fits the one-byte form.
        var ids = HeaderExtensionIDs()
        let offered = section.extensionIDs { $0.receives }
        if section.mid.utf8.count <= OutgoingExtensions.maximumMIDLength { ids.mid = offered.mid }
        // Each packet with such a number is another, which one that is sent again must not be (`Stream.Form`).
        let isNumbered = section.kind == .video && streams.count == 1 && streams[0].rtxSSRC != nil
        if isNumbered { ids.transportSequence = offered.transportSequence }
        var track = NegotiatedTrack(
            mid: section.mid, codec: payload.codec, payloadType: payload.type)
        track.locals = streams
        track.agree(on: payload, ids)
        let unused: NegotiatedTrack.Feedback = track.extensions.transportSequence == 0 ? [.transportCC, .remb] : .remb
        track.feedback.subtract(unused)
        for other in section.payloads where other.type != payload.type {
            let feedback = other.feedback.subtracting(unused)
            track.alternatives.append(
                .init(
                    codec: other.codec, payloadType: other.type,
                    rtxPayloadType: feedback.contains(.nack) ? other.rtx : nil, feedback: feedback))
        }
        let lines = SectionWriter.streams(streams, streamName: streamName, kind: stream.name.kind)
        track.codec.fmtp = payload.codec.fmtp(sending: stream)
        write(section, track, direction: .sendonly, lines)
    }

    private mutating func write(
        _ section: MediaSection, _ track: NegotiatedTrack, direction: MediaSection.Direction,
        _ own: [SessionDescription.Attribute]
    ) {
        var lines: [SessionDescription.Attribute] = section.mid.isEmpty ? [] : [.init("mid", section.mid)]
        lines += writer.transport(withCandidates: false)
        lines.append(.init(direction.rawValue))
        if section.reducedSize { lines.append(.init("rtcp-rsize")) }
        if section.allowsMixedExtensions { lines.append(.init("extmap-allow-mixed")) }
        for (uri, id) in ExtensionURI.all where track.extensions[keyPath: id] != 0 {
            let offered = section.extensions.first { $0.uri == uri && $0.id == track.extensions[keyPath: id] }
            // An extension that the offer restricted to one direction is answered with the other end of it.
            let suffix = offered?.direction == .sendrecv ? "" : "/" + direction.rawValue
            lines.append(.init("extmap", "\(track.extensions[keyPath: id])\(suffix) \(uri)"))
        }
        lines += SectionWriter.codec(
            track.codec, type: track.payloadType, rtx: track.rtxPayloadType, feedback: track.feedback)
        for other in track.alternatives {
            lines += SectionWriter.codec(
                other.codec, type: other.payloadType, rtx: other.rtxPayloadType, feedback: other.feedback)
        }
        lines += own
        var types = [track.payloadType, track.rtxPayloadType]
        for other in track.alternatives { types += [other.payloadType, other.rtxPayloadType] }
        let formats = types.compactMap { $0.map { String($0.rawValue) } }
        media.append(
            .init(
                kind: section.media.kind, port: 9, transportProtocol: section.media.transportProtocol,
                formats: formats, attributes: lines))
        if !section.mid.isEmpty { mids.append(section.mid) }
        tracks.append(track)
    }

    func finish() -> (answer: SessionDescription, agreement: Agreement) {
        // The group keeps the offer's order: its first member is the tagged one (RFC 9143 §7.3.1), where candidates go.
        let group = peer.bundle.filter(mids.contains)
        var answer = writer.session(mids: group, mixedExtensions: peer.allowsMixedExtensions, id: id)
        answer.media = media
        let tagged = media.firstIndex { section in
            section.port != 0 && (group.isEmpty || section.attributes.contains(.init("mid", group[0])))
        }
        if let tagged {
            answer.media[tagged].attributes += SectionWriter.candidates(writer.local.candidates)
        }
        return (answer, Agreement(remote: transport.remote(dtlsActive: dtlsActive), tracks: tracks, bundle: group))
    }
}

extension MediaSection {
    /// Ids of the extensions we use, of those offered for a direction that `allows` says yes to. Only ids that fit the
    /// one-byte form (RFC 8285 §4.2), which is what we write.
    func extensionIDs(_ allows: (Direction) -> Bool) -> HeaderExtensionIDs {
        var ids = HeaderExtensionIDs()
        var meanings: [UInt8: String] = [:]
        for ext in extensions where 1...14 ~= ext.id {
            // An id that was given twice means what it meant first.
            guard meanings[ext.id, default: ext.uri] == ext.uri else { continue }
            meanings[ext.id] = ext.uri
            guard allows(ext.direction) else { continue }
            for (uri, id) in ExtensionURI.all where uri == ext.uri && ids[keyPath: id] == 0 {
                ids[keyPath: id] = ext.id
            }
        }
        if mid.isEmpty { ids.mid = 0 }
        return ids
    }
}

extension NegotiatedTrack {
    /// Takes over what the offer's payload type and extensions allow: transport-wide feedback only with its extension,
    /// absolute send times only where that is missing (they cost 4 bytes a packet), RTX only with NACK.
    fileprivate mutating func agree(on payload: MediaSection.Payload, _ ids: HeaderExtensionIDs) {
        (feedback, extensions) = (payload.feedback, ids)
        if extensions.transportSequence == 0 || !feedback.contains(.transportCC) {
            feedback.remove(.transportCC)
            extensions.transportSequence = 0
        } else {
            extensions.absoluteSendTime = 0
        }
        rtxPayloadType = feedback.contains(.nack) ? payload.rtx : nil
    }

    /// Whether each repair stream can be tied to what it repairs (RFC 4588 §5.3, RFC 8852 §3.2). A single stream's can.
    fileprivate var tellsRepairsApart: Bool {
        encodings.count == 1
            || encodings.allSatisfy { $0.rid == nil ? $0.rtxSSRC != nil : extensions.repairedRID != 0 }
    }

    fileprivate var declaredSSRCs: [SSRC] { encodings.flatMap { [$0.ssrc, $0.rtxSSRC].compactMap { $0 } } }

    fileprivate var isKnownWithoutPayloadType: Bool {
        extensions.mid != 0
            || encodings.allSatisfy { $0.ssrc != nil && ($0.rtxSSRC != nil || rtxPayloadType == nil) }
    }
}

extension CodecFormat {
    /// The parameters to answer a viewer with: its own, as RFC 6184 §8.2.2 wants the profile unchanged, plus for Opus that
    /// the stream is stereo (RFC 7587 §7.1), without which players mix down.
    fileprivate func fmtp(sending stream: CodecFormat) -> String {
        guard name == .opus else { return fmtp }
        let (mine, theirs) = (FormatParameters(fmtp), FormatParameters(stream.fmtp))
        guard theirs["stereo"] == "1" || theirs["sprop-stereo"] == "1" else { return fmtp }
        let missing = ["stereo", "sprop-stereo"].filter { mine[$0] == nil }.map { $0 + "=1" }
        return ((fmtp.isEmpty ? [] : [fmtp]) + missing).joined(separator: ";")
    }
}
