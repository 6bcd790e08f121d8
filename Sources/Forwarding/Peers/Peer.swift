import WebRTC

/// One session of a worker: a peer and its transport. What flows from it or to it is its kind's: `Publisher` or `Viewer`.
class Peer {
    enum Phase { case connecting, connected, closed }

    final let id: SessionID
    final let broadcast: Broadcast
    final let transport: PeerConnection
    final let socket: UInt16
    final let isClient: Bool
    /// The peer is a node.
    final let isRelay: Bool
    final var phase = Phase.connecting
    /// The control plane has been told that the peer knows the ICE password.
    final var isChecked = false
    /// As last reported to the control plane.
    final var isUnreachable = false
    final var nextReport = Instant.distantFuture
    final var dropped: UInt64 = 0
    /// What the peer may still ask for.
    final var budget = FeedbackBudget()
    /// The demultiplexer's.
    final var ways = Demultiplexer.Ways()
    /// Of its handshake, while it waits in the unit's queue.
    final var waitingRecords: [HandshakeQueue.Record] = []
    /// The entry of the deadline queue that counts; others are stale.
    final var scheduled = Instant.distantFuture

    init(_ parameters: SessionParameters, broadcast: Broadcast, transport: PeerConnection) {
        (id, socket, isClient) = (parameters.id, parameters.socket, parameters.transport.role == .client)
        isRelay = parameters.isRelay
        (self.broadcast, self.transport) = (broadcast, transport)
    }

    // MARK: Of its kind

    /// When something of this session is due.
    var nextDeadline: Deadline {
        var deadline = Deadline(transport.nextDeadline, .transport)
        deadline.include(nextReport, .report)
        return deadline
    }
    /// What we send under, for a good-bye.
    var ssrcs: [SSRC] { [] }
    var trackStatistics: [TrackStatistics] { [] }
    /// Other than by the transport.
    var measuredRoundTrip: Interval? { nil }

    // MARK: For all

    /// Whether it is connected, sends to `address`, and has heard its peer from there within two seconds.
    final func isAlive(at address: TransportAddress, now: Instant) -> Bool {
        phase == .connected && transport.lives(at: address, within: .seconds(Int64(2)), now: now)
    }

    final func send(_ packets: [RTCPPacket], to outbox: Outbox) {
        guard !packets.isEmpty else { return }
        for datagram in RTCPCompound.write(packets) { transport.sendRTCP(datagram, outbox: outbox) }
    }

    /// RTCP BYE of what we send under.
    final var goodbye: [UInt8]? {
        let ssrcs = phase == .connected ? ssrcs : []
        return ssrcs.isEmpty ? nil : RTCPCompound.write([.bye(ssrcs)]).first
    }

    final var statistics: SessionStatistics {
        var result = SessionStatistics(direction: self is Publisher ? .source : .sink)
        (result.datagramsIn, result.datagramsOut) = (transport.datagramsIn, transport.datagramsOut)
        (result.bytesIn, result.bytesOut) = (transport.bytesIn, transport.bytesOut)
        result.dropped = dropped
        result.roundTrip = (transport.roundTrip ?? measuredRoundTrip).map { $0.seconds * 1_000 }
        result.tracks = trackStatistics
        return result
    }

    final func report(now: Instant) -> SessionReport {
        SessionReport(
            statistics: statistics, remote: transport.remote,
            events: transport.log.all.map { (age: now - $0.at, text: String(describing: $0.event)) })
    }
}
