import WebRTC

/// One session of a worker: a peer, and what flows from it (`source`) or to it (its sinks stand in the tracks).
final class Session {
    enum Phase { case connecting, connected, closed }

    let id: SessionID
    let direction: SessionParameters.Direction
    let broadcast: Broadcast
    /// As negotiated; of a sink's the codec in use follows its broadcast's.
    var tracks: [NegotiatedTrack]
    let peer: PeerConnection
    let socket: UInt16
    let isClient: Bool
    let isRelay: Bool
    var phase = Phase.connecting
    /// The control plane has been told that the peer knows the ICE password.
    var isChecked = false
    /// As last reported to the control plane.
    var isUnreachable = false
    /// Only for a session that brings media.
    var source: Source?
    /// For a session that takes media: the place of its sink per track of the broadcast, -1 for a track it does not get.
    var sinkPlaces: [Int]
    /// Addresses that lead to this session in the demultiplexer, oldest first.
    var addresses: [TransportAddress] = []
    /// User fragments that lead to it.
    var ufragKeys: [UInt64] = []
    var nextReport = Instant.distantFuture
    /// Round trip to a viewer, from its receiver reports.
    var reportedRoundTrip: Interval?
    var dropped: UInt64 = 0
    /// What the peer may still ask for.
    var budget = FeedbackBudget()
    /// Of its handshake, while it waits in the unit's queue.
    var waitingRecords: [HandshakeQueue.Record] = []
    /// The entry of the deadline queue that counts; later ones are stale.
    var scheduled = Instant.distantFuture

    static let maximumAddresses = 8

    init(_ parameters: SessionParameters, broadcast: Broadcast, peer: PeerConnection, source: Source?) {
        (id, direction, tracks) = (parameters.id, parameters.direction, parameters.tracks)
        (socket, isClient) = (parameters.socket, parameters.transport.role == .client)
        isRelay = parameters.isRelay
        (self.broadcast, self.peer, self.source) = (broadcast, peer, source)
        sinkPlaces = Array(repeating: -1, count: broadcast.tracks.count)
    }

    /// Queues the datagram just written into the outbox, unless the impairment takes it.
    @inline(__always)
    func commit(_ length: Int, to remote: TransportAddress, outbox: Outbox) {
        if peer.losesDatagram() { return }
        outbox.commit(length, to: remote)
        peer.datagramsOut += 1
        peer.bytesOut += UInt64(length)
    }

    /// Whether it is connected, sends to `address`, and has heard its peer from there within two seconds.
    func isAlive(at address: TransportAddress, now: Instant) -> Bool {
        phase == .connected && peer.lives(at: address, within: .seconds(Int64(2)), now: now)
    }

    /// When something of this session is due.
    var nextDeadline: Instant {
        var deadline = min(peer.nextDeadline, nextReport)
        guard let source, phase == .connected else { return deadline }
        deadline = min(deadline, source.nextDeadline)
        if broadcast.source === self {
            for track in broadcast.tracks { deadline = min(deadline, track.keyframes.nextDeadline) }
        } else if let successor = broadcast.successor, successor.session === self {
            deadline = min(deadline, successor.nextDeadline(besides: broadcast.source))
        }
        return deadline
    }

    /// A source that brings media, as far as is known.
    var isSending: Bool {
        if case .flowing = source?.flow { !isUnreachable } else { false }
    }

    /// From when on a source that sends counts as stalled if nothing more comes; nil: it sends nothing.
    var stallsAt: Instant? {
        guard case .flowing(let last) = source?.flow, !isUnreachable else { return nil }
        return last + Self.longestStall
    }

    /// Longer than between two pictures of a slow source.
    private static let longestStall = Interval.milliseconds(500)

    var statistics: SessionStatistics {
        var result = SessionStatistics(direction: direction)
        (result.datagramsIn, result.datagramsOut) = (peer.datagramsIn, peer.datagramsOut)
        (result.bytesIn, result.bytesOut) = (peer.bytesIn, peer.bytesOut)
        result.dropped = dropped
        let roundTrip = peer.roundTrip ?? reportedRoundTrip ?? source?.roundTrip
        result.roundTrip = roundTrip.map { $0.seconds * 1_000 }
        if let source {
            result.tracks = source.statistics
        } else {
            for (track, place) in zip(broadcast.tracks, sinkPlaces) where place >= 0 {
                result.tracks.append(track.sinks[place].statistics)
            }
        }
        return result
    }

    func report(now: Instant) -> SessionReport {
        SessionReport(
            statistics: statistics, remote: peer.remote,
            events: peer.log.all.map { (age: now - $0.at, text: String(describing: $0.event)) })
    }
}
