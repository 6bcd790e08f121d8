import WebRTC

/// A peer that takes media: a viewer, or a relay to the node below. Its streams stand in the broadcast's tracks.
final class Viewer: Peer {
    /// As negotiated; the codec in use follows the broadcast's.
    var tracks: [NegotiatedTrack]
    /// Per track of the broadcast; nil: it does not get that one.
    var records: [StreamRecord?]
    /// From its receiver reports.
    private var reportedRoundTrip: Interval?

    override init(_ parameters: SessionParameters, broadcast: Broadcast, transport: PeerConnection) {
        tracks = parameters.tracks
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
            guard stream.position != .waiting, let timestamp = track.forwarded.timestamp(at: now) else { continue }
            let report = SenderReport(
                sender: stream.ssrc, time: time, timestamp: record.offsets.moved(timestamp: timestamp),
                packets: UInt32(truncatingIfNeeded: stream.packets), octets: UInt32(truncatingIfNeeded: stream.bytes))
            let name = RTCPPacket.CanonicalName(ssrc: stream.ssrc, cname: record.cname)
            send([.senderReport(report), .sourceDescription([name])], to: outbox)
        }
    }
}
