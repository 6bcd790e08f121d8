import WebRTC

extension ForwardingUnit {
    /// A packet of a source inside this process (`Command.ingest`): on the line without a network in between.
    func ingest(_ bytes: [UInt8], encoding e: Int, into broadcast: Broadcast, now: Instant) {
        let span = unsafe bytes.span.bytes
        guard let packet = RTPPacket.parse(span) else { return count(.malformedRTP) }
        let index = Int(packet.payloadType.rawValue)
        guard broadcast.tracks.indices.contains(index), broadcast.localLines[index].indices.contains(e)
        else { return count(.unknownPayloadType) }
        let track = broadcast.tracks[index]
        guard packet.payload.count <= limits.maximumPayload else { return count(.tooLarge) }
        track.provide(e + 1)
        let extended = broadcast.localLines[index][e].extend(packet.sequenceNumber)
        if broadcast.localLines[index][e].line == nil {
            broadcast.localLines[index][e].line = track.beginLine(
                of: e, sequence: extended, timestamp: packet.timestamp, now: now)
        }
        guard let line = broadcast.localLines[index][e].line, let sequence = line.sequence(of: extended)
        else { return count(.tooOld) }
        let payload = span.extracting(packet.payload)
        let accepted = track.encodings[e].accept(
            sequence: sequence, timestamp: packet.timestamp &+ line.timestampOffset, marker: packet.marker,
            keyframe: isKeyframeStart(codec: track.format.codec.name, payload: payload), payload: payload, now: now)
        if case .dropped(let reason) = accepted { return count(reason) }
        statistics.packetsIn += 1
        fanOut.mark(broadcast)
    }
}
