import WebRTC

/// DTLS records of peers whose handshake is not done. A step of a handshake costs as much time as hundreds of packets: a
/// storm of joins must not keep those waiting who are there already, so few of them are taken per turn, media first.
struct HandshakeQueue {
    struct Record {
        let session: Session
        let source: TransportAddress
        let bytes: [UInt8]
    }

    /// Beyond these a record is dropped; DTLS repeats it.
    static let most = 2_048
    static let mostOfOne = 8

    private var records: [Record] = []
    private var first = 0

    var isEmpty: Bool { first == records.count }
    var count: Int { records.count - first }

    /// false: no room.
    mutating func append(_ bytes: borrowing RawSpan, from source: TransportAddress, of session: Session) -> Bool {
        guard count < Self.most, session.waitingRecords < Self.mostOfOne else { return false }
        session.waitingRecords += 1
        let copy = unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
        records.append(Record(session: session, source: source, bytes: copy))
        return true
    }

    mutating func next() -> Record? {
        guard !isEmpty else { return nil }
        let record = records[first]
        first += 1
        if first == records.count {
            records.removeAll(keepingCapacity: first <= 64)
            first = 0
        } else if first >= 256 {
            records.removeFirst(first)
            first = 0
        }
        record.session.waitingRecords -= 1
        return record
    }
}

extension ForwardingUnit {
    /// Steps per turn, of some 0.3 ms each.
    private static let stepsPerTurn = 4
    /// What one step may send.
    private static let mostDatagramsOfStep = 16

    /// Takes the next few steps of handshakes. false: the outbox is full.
    func advanceHandshakes(now: Instant) -> Bool {
        for _ in 0..<Self.stepsPerTurn where !handshakes.isEmpty {
            guard outbox.isEmpty || outbox.hasRoom(for: Self.mostDatagramsOfStep) else { return false }
            guard let record = handshakes.next(), record.session.phase != .closed else { continue }
            var bytes = record.bytes
            var span = bytes.mutableSpan
            var datagram = unsafe span.mutableBytes
            take(&datagram, of: record.session, from: record.source, now: now)
        }
        return true
    }
}
