import WebRTC

/// A peer that takes media: a viewer, or a relay to the node below. Its sinks stand in the broadcast's tracks.
final class Viewer: Peer {
    /// As negotiated; the codec in use follows the broadcast's.
    var tracks: [NegotiatedTrack]
    /// Where its sink stands per track of the broadcast; -1: it does not get that one.
    var sinkIndices: [Int]
    /// From its receiver reports.
    private var reportedRoundTrip: Interval?

    override init(_ parameters: SessionParameters, broadcast: Broadcast, transport: PeerConnection) {
        tracks = parameters.tracks
        sinkIndices = Array(repeating: -1, count: broadcast.tracks.count)
        super.init(parameters, broadcast: broadcast, transport: transport)
    }

    override var streams: [SSRC] { sinks.map { $0.track.sinks[$0.index].ssrc } }
    override var trackStatistics: [TrackStatistics] { sinks.map { $0.track.sinks[$0.index].statistics } }
    override var measuredRoundTrip: Interval? { reportedRoundTrip }

    private var sinks: [(track: Track, index: Int)] {
        zip(broadcast.tracks, sinkIndices).filter { $0.1 >= 0 }.map { (track: $0.0, index: $0.1) }
    }

    func sink(ssrc: SSRC) -> (track: Track, index: Int)? {
        for (track, index) in zip(broadcast.tracks, sinkIndices) where index >= 0 && track.sinks[index].ssrc == ssrc {
            return (track, index)
        }
        return nil
    }

    func measured(roundTrip sample: Interval) {
        reportedRoundTrip = reportedRoundTrip.map { $0 + (sample - $0) / 8 } ?? sample
    }

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
        for (track, index) in sinks {
            let sink = track.sinks[index]
            guard sink.phase == .playing, let timestamp = track.forwarded.timestamp(at: now) else { continue }
            let report = SenderReport(
                sender: sink.ssrc, time: time, timestamp: sink.outgoing(timestamp: timestamp),
                packets: sink.sentPackets, octets: sink.sentOctets)
            let name = RTCPPacket.CanonicalName(ssrc: sink.ssrc, cname: sink.cname)
            send([.senderReport(report), .sourceDescription([name])], to: outbox)
        }
    }
}
