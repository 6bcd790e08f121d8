import WebRTC

/// A peer that takes media: a viewer, or a relay to the node below. Its streams stand in the broadcast's tracks.
final class Viewer: Peer {
    /// As negotiated; the codec in use follows the broadcast's.
    var tracks: [NegotiatedTrack]
    let startsInBurst: Bool
    /// One for each of its streams.
    var records: [StreamRecord] = []
    /// Names of the encodings that it has asked for.
    var wishes: [MediaKind: String] = [:]
    /// Watched where there are encodings to choose from.
    var link: ViewerLink?
    /// Index of the record of the stream that tells of it.
    var linkRecord = 0
    /// Index of the encoding beyond which its link goes under; nil: it may have the best.
    var heldAt: Int?
    /// From its receiver reports.
    private var reportedRoundTrip: Interval?

    override init(_ parameters: SessionParameters, broadcast: Broadcast, transport: PeerConnection) {
        (tracks, startsInBurst) = (parameters.tracks, parameters.startsInBurst)
        super.init(parameters, broadcast: broadcast, transport: transport)
    }

    override var ssrcs: [SSRC] { streams.map(\.stream.ssrc) }
    /// Of a node's streams only those that it has been sent something on.
    override var trackStatistics: [TrackStatistics] {
        streams.filter { $0.record.encoding ?? 0 == 0 || $0.stream.packets > 0 }
            .map { $0.record.statistics(with: $0.stream) }
    }
    override var measuredRoundTrip: Interval? { reportedRoundTrip }

    private var streams: [(stream: Stream, record: StreamRecord, track: Track)] {
        records.map { (broadcast.tracks[$0.track].streams[$0.index], $0, broadcast.tracks[$0.track]) }
    }

    /// Index of the record of the stream that it gets under `ssrc`.
    func record(ssrc: SSRC) -> Int? {
        records.firstIndex { broadcast.tracks[$0.track].streams[$0.index].ssrc == ssrc }
    }

    /// Index of the encoding that it is to have of those of a track that come; nil: it is not known yet which do.
    func goal(of kind: MediaKind, _ supply: EncodingSupply) -> Int? {
        if let wish = wish(for: kind, supply) { return supply.comes(wish) ? wish : nil }
        if kind == .video, let heldAt, supply.comes(heldAt) { return heldAt }
        return supply.comes(supply.preferred) ? supply.preferred : nil
    }

    /// The encoding that it has asked for, unless that has gone.
    func wish(for kind: MediaKind, _ supply: EncodingSupply) -> Int? {
        wishes[kind].flatMap { supply.names.firstIndex(of: $0) }.flatMap { supply.presence(of: $0) == .gone ? nil : $0 }
    }

    /// A packet of RTP payload leaves; its transport-wide number.
    func numberPacket(_ length: Int, now: Instant) -> UInt16 { link?.sent(length, now: now) ?? 0 }

    override var nextDeadline: Deadline {
        var deadline = super.nextDeadline
        if let link { deadline.include(link.nextDeadline, .link) }
        return deadline
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
    func stamp(_ place: inout OutgoingLine.Place, of packet: LinePacket, record r: Int, edge: UInt32?) -> Bool {
        guard records[r].burst != nil else { return true }
        let (timestamp, number) = (packet.timestamp, place.number)
        let delta =
            edge.map { records[r].burst!.delta(of: timestamp, number: number, edge: $0) }
            ?? records[r].burst!.delta(ofLate: timestamp, number: number)
        place.offsets.timestamp &+= delta ?? 0
        return delta != nil
    }

    /// The same of a packet that is sent again.
    func stampRepair(_ place: inout OutgoingLine.Place, of packet: LinePacket, record r: Int) -> Bool {
        guard let burst = records[r].burst else { return true }
        guard let delta = burst.delta(ofSent: packet.timestamp, number: place.number) else { return false }
        place.offsets.timestamp &+= delta
        return true
    }

    /// The timestamp under which a packet left; nil: nobody can say.
    func time(ofSent packet: LinePacket, at place: OutgoingLine.Place, record r: Int) -> UInt32? {
        var place = place
        return stampRepair(&place, of: packet, record: r) ? place.offsets.moved(timestamp: packet.timestamp) : nil
    }

    /// Lets go of what is known of bursts that nobody asks about any more.
    func forgetBursts(historyAge: Interval, now: Instant) {
        for r in records.indices where records[r].burst != nil {
            if records[r].burst!.isOver(now: now, historyAge: historyAge) { records[r].burst = nil }
        }
    }

    func count(keyframe timestamp: UInt32, record: Int) { records[record].count(keyframe: timestamp) }

    /// Queues the datagram just written into the outbox, unless the impairment takes it.
    @inline(__always)
    func commit(_ length: Int, to remote: TransportAddress, outbox: Outbox) {
        if transport.losesDatagram() { return }
        outbox.commit(length, to: remote)
        transport.datagramsOut += 1
        transport.bytesOut += UInt64(length)
    }

    /// Tells a node which encodings it can have.
    func sendEncodingReport(to outbox: Outbox) {
        guard phase == .connected else { return }
        var reports: [EncodingReport] = []
        let supplies = broadcast.tracks.indices.map { t in
            records.contains { $0.track == t && $0.encoding != nil } ? broadcast.supply(of: t) : nil
        }
        for (stream, record, _) in streams {
            guard let e = record.encoding, let supply = supplies[record.track], e < max(1, supply.names.count)
            else { continue }
            reports.append(
                EncodingReport(
                    ssrc: stream.ssrc, name: supply.name(of: e) ?? "",
                    bytesPerSecond: UInt32(clamping: supply.rate(of: e)),
                    isSent: stream.position != .paused, isPreferred: supply.preferred == e,
                    presence: supply.presence(of: e)))
        }
        if let first = reports.first { send([.encodings(sender: first.ssrc, reports)], to: outbox) }
    }

    /// One sender report per stream that plays.
    /// - Parameter ntpOrigin: NTP time at `Instant.zero`.
    func sendReports(to outbox: Outbox, ntpOrigin: UInt64, now: Instant) {
        let time = NTPTime(origin: NTPTime(rawValue: ntpOrigin), at: now)
        for (stream, record, track) in streams {
            guard stream.position != .waiting, stream.position != .paused, let encoding = stream.line.encoding,
                let timestamp = track.encodings[encoding].timestamp(at: now)
            else { continue }
            let report = SenderReport(
                sender: stream.ssrc, time: time, timestamp: stream.line.offsets.moved(timestamp: timestamp),
                packets: UInt32(truncatingIfNeeded: stream.packets), octets: UInt32(truncatingIfNeeded: stream.bytes))
            let name = RTCPPacket.CanonicalName(ssrc: stream.ssrc, cname: record.cname)
            send([.senderReport(report), .sourceDescription([name])], to: outbox)
        }
        if isRelay { sendEncodingReport(to: outbox) }
    }
}
