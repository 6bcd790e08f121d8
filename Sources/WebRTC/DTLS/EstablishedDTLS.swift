/// What is left of an association when its handshake is done: some hundred bytes, where OpenSSL would keep 40 KiB for the
/// three things that can still happen. The peer says good-bye, or fails; we do; or our last flight was lost and the client
/// repeats its own (RFC 6347 §4.2.4).
struct EstablishedDTLS {
    enum Heard: Equatable {
        /// Not genuine, come before, or of no matter.
        case nothing
        /// close_notify or a fatal alert.
        case end
        /// To be sent: our last flight again.
        case flight([DTLSRecord])
    }

    /// How often the last flight is repeated, at most.
    static let repeats = 10
    private static let epoch: UInt64 = 1

    private let keys: DTLSRecordKeys
    /// Our Finished; nil for a client, whose last flight is not the last one.
    private let finished: [UInt8]?
    private var repeatsLeft = Self.repeats
    /// Sequence numbers of the next record of epoch 0 and 1.
    private var next: (plain: UInt64, sealed: UInt64)
    /// OpenSSL counts explicit nonces from a random start; it goes on behind its last one.
    private var nonce: UInt64
    private var window = ReplayWindow()

    /// Bytes that the agreed cipher suite adds to a fragment.
    var overhead: Int { keys.suite.overhead }

    /// - Parameters:
    ///   - written: all records that we have sent, or might have.
    ///   - heard: records of the peer that the handshake ended with.
    /// - Returns: nil when there was no Finished of ours.
    init?(_ keys: DTLSRecordKeys, isClient: Bool, written: [DTLSRecord], heard: [DTLSRecord]) {
        let sealed = written.filter { $0.epoch == 1 }
        guard let last = sealed.max(by: { $0.sequence < $1.sequence }) else { return nil }
        self.keys = keys
        next.sealed = last.sequence &+ 1
        next.plain = (written.filter { $0.epoch == 0 }.map(\.sequence).max() ?? 0) &+ 1
        nonce = last.fragment.prefix(keys.suite.explicitNonceLength).reduce(0) { $0 << 8 | UInt64($1) }
        guard let plain = Self.open(last, keys.ours, keys.suite), plain.count == DTLSRecord.finishedLength else {
            return nil
        }
        finished = isClient ? nil : plain
        for record in heard where record.epoch == 1 && window.isNew(record.sequence) { window.take(record.sequence) }
    }

    /// Takes one record that the filter let through.
    mutating func receive(_ record: DTLSRecord) -> Heard {
        guard record.epoch == 1, window.isNew(record.sequence),
            let plain = Self.open(record, keys.theirs, keys.suite)
        else { return .nothing }
        window.take(record.sequence)
        switch record.content {
        case .alert where plain.count == DTLSRecord.alertLength:
            // Fatal, or close_notify whatever its level (RFC 5246 §7.2).
            return plain[0] == 2 || plain[1] == 0 ? .end : .nothing
        case .handshake where plain.first == 20: return lastFlight()
        default: return .nothing
        }
    }

    /// ChangeCipherSpec and Finished under new numbers: the peer may have counted the old ones.
    private mutating func lastFlight() -> Heard {
        guard let finished, repeatsLeft > 0 else { return .nothing }
        repeatsLeft -= 1
        let change = DTLSRecord(.changeCipherSpec, epoch: 0, sequence: next.plain, fragment: [1])
        next.plain &+= 1
        return .flight([change] + [seal(.handshake, finished)].compactMap(\.self))
    }

    /// A close_notify.
    mutating func goodbye() -> DTLSRecord? { seal(.alert, [1, 0]) }

    mutating func seal(_ content: DTLSRecord.Content, _ plain: [UInt8]) -> DTLSRecord? {
        let sequence = next.sealed
        next.sealed &+= 1
        nonce &+= 1
        let explicit = (0..<keys.suite.explicitNonceLength).map { UInt8(truncatingIfNeeded: nonce >> (56 - 8 * $0)) }
        return keys.ours.apply(
            keys.suite, plain, content: content, number: Self.epoch << 48 | sequence, nonce: explicit, tag: nil
        ).map { DTLSRecord(content, epoch: UInt16(Self.epoch), sequence: sequence, fragment: explicit + $0) }
    }

    private static func open(
        _ record: DTLSRecord, _ keys: DTLSRecordKeys.Direction, _ suite: DTLSRecordKeys.Suite
    ) -> [UInt8]? {
        let fragment = record.fragment
        guard fragment.count >= suite.overhead else { return nil }
        let number = UInt64(record.epoch) << 48 | record.sequence
        return keys.apply(
            suite, fragment.dropFirst(suite.explicitNonceLength).dropLast(16), content: record.content, number: number,
            nonce: fragment.prefix(suite.explicitNonceLength), tag: Array(fragment.suffix(16)))
    }
}
