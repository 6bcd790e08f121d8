import WebRTC

/// A peer that brings media: a publisher, or a relay from the node above.
final class Publisher: Peer {
    var source: Source

    init(_ parameters: SessionParameters, broadcast: Broadcast, transport: PeerConnection, source: Source) {
        self.source = source
        super.init(parameters, broadcast: broadcast, transport: transport)
    }

    override var nextDeadline: Deadline {
        var deadline = super.nextDeadline
        guard phase == .connected else { return deadline }
        source.include(in: &deadline)
        broadcast.include(publisher: self, in: &deadline)
        return deadline
    }

    /// Of our feedback.
    override var ssrcs: [SSRC] { [source.feedbackSSRC] }
    override var trackStatistics: [TrackStatistics] { source.statistics }
    override var measuredRoundTrip: Interval? { source.roundTrip }

    /// It brings media, as far as is known.
    var isSending: Bool {
        if case .flowing = source.flow { !isUnreachable } else { false }
    }

    /// From when on it counts as stalled if nothing more comes; nil: it sends nothing.
    var stallsAt: Instant? {
        guard case .flowing(let last) = source.flow, !isUnreachable else { return nil }
        return last + Self.longestStall
    }

    /// Longer than between two pictures of a slow source.
    private static let longestStall = Interval.milliseconds(500)

    func sendReport(to outbox: Outbox, now: Instant) {
        let report = RTCPPacket.receiverReport(
            sender: source.feedbackSSRC, blocks: source.reportBlocks(now: now))
        let name = RTCPPacket.CanonicalName(ssrc: source.feedbackSSRC, cname: source.cname)
        send([report, .sourceDescription([name])], to: outbox)
    }
}
