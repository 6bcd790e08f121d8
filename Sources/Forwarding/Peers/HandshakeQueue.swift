package import WebRTC

/// DTLS records of peers whose handshake is not done. A step of a handshake costs as much time as hundreds of packets: a
/// storm of joins must not keep those waiting who are there already, so media goes first, and what time is left for
/// handshakes is the loop's to say, which has a clock.
struct HandshakeQueue {
    struct Record {
        let source: TransportAddress
        let bytes: [UInt8]
    }

    /// Beyond these a record is dropped; DTLS repeats it. A flight is up to seven datagrams.
    static let most = 8_192
    static let mostOfOne = 16

    /// Those with records, in the order of their first one.
    private var peers: [Peer] = []
    private var first = 0
    private(set) var records = 0

    var isEmpty: Bool { first == peers.count }
    /// Peers that wait.
    var count: Int { peers.count - first }

    /// false: no room.
    mutating func append(_ bytes: borrowing RawSpan, from source: TransportAddress, of peer: Peer) -> Bool {
        guard records < Self.most, peer.waitingRecords.count < Self.mostOfOne else { return false }
        if peer.waitingRecords.isEmpty { peers.append(peer) }
        let copy = unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
        peer.waitingRecords.append(Record(source: source, bytes: copy))
        records += 1
        return true
    }

    /// Whose turn it is, and all that has come from there.
    mutating func next() -> (peer: Peer, records: [Record])? {
        guard !isEmpty else { return nil }
        let peer = peers[first]
        first += 1
        if isEmpty || first >= 256 {
            peers.removeFirst(first)
            first = 0
        }
        defer { peer.waitingRecords = [] }
        records -= peer.waitingRecords.count
        return (peer, peer.waitingRecords)
    }
}

extension ForwardingUnit {
    /// What one peer's step may send.
    private static let mostDatagramsOfStep = 64

    package var hasHandshakes: Bool { !handshakes.isEmpty }

    /// Takes the next peer's step of its handshake, of at most half a millisecond. false: the outbox is full.
    package func advanceHandshake(now: Instant) -> Bool {
        guard outbox.isEmpty || outbox.hasRoom(for: Self.mostDatagramsOfStep) else { return false }
        guard let (peer, records) = handshakes.next() else { return true }
        for record in records where peer.phase != .closed {
            var bytes = record.bytes
            var span = bytes.mutableSpan
            var datagram = unsafe span.mutableBytes
            take(&datagram, of: peer, from: record.source, now: now)
        }
        return true
    }
}
