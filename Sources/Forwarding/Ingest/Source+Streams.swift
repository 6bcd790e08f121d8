import WebRTC

/// Which packet is whose.
extension Source {
    /// An SSRC that has been recognised.
    struct Binding {
        var ssrc: SSRC
        var track: Int
        var encoding: Int
        var isRepair: Bool
    }

    /// A packet found to belong to an encoding.
    struct Located {
        var track: Int
        var encoding: Int
        var isRepair: Bool
    }

    mutating func bind(_ ssrc: SSRC, track: Int, encoding: Int, isRepair: Bool) {
        guard bindings.count < maximumBindings else { return }
        bindings.append(Binding(ssrc: ssrc, track: track, encoding: encoding, isRepair: isRepair))
        if isRepair {
            tracks[track].encodings[encoding].rtxSSRC = ssrc
        } else {
            tracks[track].encodings[encoding].ssrc = ssrc
        }
    }

    /// Finds the encoding of a packet: by SSRC once known, before that by RID, MID or, where only one track can be
    /// meant, by payload type (RFC 8843 §9.2, RFC 8852).
    mutating func locate(_ packet: RTPPacket, in bytes: borrowing RawSpan) -> Located? {
        if let known = bindings.first(where: { $0.ssrc == packet.ssrc }) {
            return Located(track: known.track, encoding: known.encoding, isRepair: known.isRepair)
        }
        guard bindings.count < maximumBindings, let t = trackOf(packet, in: bytes) else { return nil }
        let isRepair = tracks[t].negotiated.repairs(with: packet.payloadType)
        var e = 0
        if tracks[t].encodings.count > 1 {
            guard let rid = rid(of: packet, on: tracks[t].negotiated.extensions, isRepair: isRepair, in: bytes),
                let found = tracks[t].encodings.firstIndex(where: { $0.rid == rid })
            else { return nil }
            e = found
        }
        unbind(track: t, encoding: e, isRepair: isRepair)
        bind(packet.ssrc, track: t, encoding: e, isRepair: isRepair)
        return Located(track: t, encoding: e, isRepair: isRepair)
    }

    /// Of the tracks that have the payload type the one whose MID the packet carries under the id that this track's own
    /// m-section gave it (RFC 8285 §5), else the only one that it may be of.
    private func trackOf(_ packet: RTPPacket, in bytes: borrowing RawSpan) -> Int? {
        var unnamed: [Int] = []
        for t in tracks.indices where tracks[t].negotiated.knows(packet.payloadType) {
            let own = tracks[t].negotiated
            guard let mid = packet.extensionText(id: own.extensions.mid, in: bytes) else {
                unnamed.append(t)
                continue
            }
            if mid == own.mid { return t }
        }
        return unnamed.count == 1 ? unnamed[0] : nil
    }

    /// Of a repair it is the repaired stream's, which some senders put where the others have theirs.
    private func rid(
        of packet: RTPPacket, on ids: HeaderExtensionIDs, isRepair: Bool, in bytes: borrowing RawSpan
    ) -> String? {
        let repaired = isRepair ? packet.extensionText(id: ids.repairedRID, in: bytes) : nil
        return repaired ?? packet.extensionText(id: ids.rid, in: bytes)
    }

    /// Between two changes of a track's codec: each goes through all viewers.
    static let codecPause = Interval.seconds(Int64(1))

    /// The sender goes over to another codec that was agreed on: its packets say so by their payload type alone. Late
    /// packets of the former codec change nothing, and neither does one that has just gone over.
    mutating func changesCodec(_ packet: RTPPacket, at place: Located, now: Instant) -> Bool {
        guard packet.payloadType != tracks[place.track].negotiated.payloadType, !place.isRepair else { return false }
        if let last = tracks[place.track].codecChanged, now - last < Self.codecPause { return false }
        let encoding = tracks[place.track].encodings[place.encoding]
        if let highest = encoding.reception.highest,
            packet.sequenceNumber.distance(from: SequenceNumber(UInt16(truncatingIfNeeded: highest))) <= 0
        {
            return false
        }
        guard tracks[place.track].negotiated.use(packet.payloadType) else { return false }
        tracks[place.track].codecChanged = now
        for e in tracks[place.track].encodings.indices {
            tracks[place.track].encodings[e].statistics.codec = tracks[place.track].negotiated.codec.name
            tracks[place.track].encodings[e].parameterSets = H264ParameterSets(of: tracks[place.track].negotiated.codec)
        }
        return true
    }

    /// What it sends at present.
    var formats: [TrackFormat] {
        tracks.map { TrackFormat(codec: $0.negotiated.codec, rids: $0.names) }
    }

    /// A new SSRC for a known encoding (the sender restarted its stream) replaces the old one.
    private mutating func unbind(track: Int, encoding: Int, isRepair: Bool) {
        bindings.removeAll { $0.track == track && $0.encoding == encoding && $0.isRepair == isRepair }
        guard !isRepair, tracks[track].encodings[encoding].reception.highest != nil else { return }
        tracks[track].encodings[encoding].restart(tracks[track].negotiated.codec)
    }
}

extension Source.Encoding {
    /// The sender began this stream anew under another SSRC.
    fileprivate mutating func restart(_ codec: CodecFormat) {
        reception = ReceptionStatistics(clockRate: codec.clockRate)
        losses.reset()
        line = nil
        parameterSets = H264ParameterSets(of: codec)
    }
}

extension NegotiatedTrack {
    /// Of the codec in use.
    func carries(_ type: PayloadType) -> Bool { type == payloadType || type == rtxPayloadType }

    /// Of any codec agreed on.
    func knows(_ type: PayloadType) -> Bool {
        carries(type) || alternatives.contains { $0.payloadType == type || $0.rtxPayloadType == type }
    }

    func repairs(with type: PayloadType) -> Bool {
        type == rtxPayloadType || alternatives.contains { $0.rtxPayloadType == type }
    }
}
