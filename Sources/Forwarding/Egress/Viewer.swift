import WebRTC

/// A peer that takes media: a viewer, or a relay to the node below. Its streams stand in the broadcast's tracks.
final class Viewer: Peer {
    /// As negotiated; the codec in use follows the broadcast's.
    var tracks: [NegotiatedTrack]
    let startsInBurst: Bool
    /// Per track of the broadcast; nil: it does not get that one.
    var records: [StreamRecord?]
    /// From its receiver reports.
    private var reportedRoundTrip: Interval?

    override init(_ parameters: SessionParameters, broadcast: Broadcast, transport: PeerConnection) {
        (tracks, startsInBurst) = (parameters.tracks, parameters.startsInBurst)
        records = broadcast.tracks.map { _ in nil }
        super.init(parameters, broadcast: broadcast, transport: transport)
    }

    override var ssrcs: [SSRC] { streams.map(\.stream.ssrc) }
    override var trackStatistics: [TrackStatistics] { streams.map { $0.record.statistics(with: $0.stream) } }
    override var measuredRoundTrip: Interval? { reportedRoundTrip }

    private var streams: [(stream: Stream, record: StreamRecord, track: Track)] {
        zip(records, broadcast.tracks).compactMap { record, track in
            record.map { (track.streams[$0.index], $0, track) }
        }
    }

    /// Index of the track that it gets under `ssrc`.
    func track(ssrc: SSRC) -> Int? {
        for (t, track) in broadcast.tracks.enumerated() {
            if let index = records[t]?.index, track.streams[index].ssrc == ssrc { return t }
        }
        return nil
    }

    func measured(roundTrip sample: Interval) {
        reportedRoundTrip = reportedRoundTrip.map { $0 + (sample - $0) / 8 } ?? sample
    }

    /// As far as it is known.
    var roundTrip: Interval { reportedRoundTrip ?? transport.handshakeRoundTrip ?? .zero }

    /// Moves a packet of a burst to the time at which its picture leaves.
    ///
    /// - Parameter edge: where the line is now; nil: the packet comes late.
    /// - Returns: false: it has no place there, and cannot leave.
    func stamp(_ place: inout OutgoingLine.Place, of packet: LinePacket, track: Int, edge: UInt32?) -> Bool {
        guard records[track]?.burst != nil else { return true }
        let (timestamp, number) = (packet.timestamp, place.number)
        let delta =
            edge.map { records[track]!.burst!.delta(of: timestamp, number: number, edge: $0) }
            ?? records[track]!.burst!.delta(ofLate: timestamp, number: number)
        place.offsets.timestamp &+= delta ?? 0
        return delta != nil
    }

    /// The same of a packet that is sent again.
    func stampRepair(_ place: inout OutgoingLine.Place, of packet: LinePacket, track: Int) -> Bool {
        guard let burst = records[track]?.burst else { return true }
        guard let delta = burst.delta(ofSent: packet.timestamp, number: place.number) else { return false }
        place.offsets.timestamp &+= delta
        return true
    }

    /// The timestamp under which a packet left; nil: nobody can say.
    func time(ofSent packet: LinePacket, at place: OutgoingLine.Place, track: Int) -> UInt32? {
        var place = place
        return stampRepair(&place, of: packet, track: track) ? place.offsets.moved(timestamp: packet.timestamp) : nil
    }

    /// Lets go of what is known of bursts that nobody asks about any more.
    func forgetBursts(historyAge: Interval, now: Instant) {
        for t in records.indices where records[t]?.burst != nil {
            if records[t]!.burst!.isOver(now: now, historyAge: historyAge) { records[t]!.burst = nil }
        }
    }

    func count(keyframe timestamp: UInt32, track: Int) { records[track]?.count(keyframe: timestamp) }

    /// Queues the datagram just written into the outbox, unless the impairment takes it.
    @inline(__always)
    func commit(_ length: Int, to remote: TransportAddress, outbox: Outbox) {
        if transport.losesDatagram() { return }
        outbox.commit(length, to: remote)
        transport.datagramsOut += 1
        transport.bytesOut += UInt64(length)
    }

    /// One sender report per stream that plays.
    /// - Parameter ntpOrigin: NTP time at `Instant.zero`.
    func sendReports(to outbox: Outbox, ntpOrigin: UInt64, now: Instant) {
        let time = NTPTime(origin: NTPTime(rawValue: ntpOrigin), at: now)
        for (stream, record, track) in streams {
            guard stream.position != .waiting, let encoding = stream.line.encoding,
                let timestamp = track.encodings[encoding].timestamp(at: now)
            else { continue }
            let report = SenderReport(
                sender: stream.ssrc, time: time, timestamp: stream.line.offsets.moved(timestamp: timestamp),
                packets: UInt32(truncatingIfNeeded: stream.packets), octets: UInt32(truncatingIfNeeded: stream.bytes))
            let name = RTCPPacket.CanonicalName(ssrc: stream.ssrc, cname: record.cname)
            send([.senderReport(report), .sourceDescription([name])], to: outbox)
        }
    }
}
