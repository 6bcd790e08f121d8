/// What a peer has been sent under transport-wide numbers, until its feedback tells what became of it
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01): a ring of 8 bytes a packet.
struct SendLog {
    /// Packets remembered: at 10 Mbit/s those of a second.
    static let capacity = 1_024

    /// As the feedback tells it: what it calls missing may still arrive, under way behind others.
    enum Fate: UInt8 { case unknown, arrived, missing }

    struct Entry {
        /// In units of 62.5 µs, which wrap after three days.
        fileprivate var sent: UInt32 = 0
        /// Of RTP payload.
        var bytes: UInt16 = 0
        var fate = Fate.unknown
        /// Of the probe that it belongs to; 0: of none.
        var probe: UInt8 = 0
    }

    private var entries = [Entry](repeating: Entry(), count: capacity)
    /// Of the next packet.
    private(set) var next: Int64 = 0
    private static let unit: Int64 = 62_500

    /// A packet leaves; its transport-wide number.
    mutating func append(bytes: Int, probe: UInt8, now: Instant) -> UInt16 {
        entries[slot(next)] = Entry(sent: Self.units(now), bytes: UInt16(clamping: bytes), probe: probe)
        defer { next += 1 }
        return UInt16(truncatingIfNeeded: next)
    }

    /// The number that `number` stands for; nil: it has never been sent, or is forgotten.
    func extended(_ number: UInt16) -> Int64? {
        let sequence = SequenceNumber(number).extended(near: next - 1)
        return sequence >= max(0, next - Int64(Self.capacity)) && sequence < next ? sequence : nil
    }

    /// - Parameter sequence: as `extended` gives it.
    subscript(sequence: Int64) -> Entry {
        get { entries[slot(sequence)] }
        set { entries[slot(sequence)] = newValue }
    }

    /// When it left, in µs of `now`'s clock.
    func sent(_ entry: Entry, now: Instant) -> Int64 {
        let age = Self.units(now) &- entry.sent
        return (now.nanoseconds / Self.unit - Int64(age)) * Self.unit / 1_000
    }

    private static func units(_ now: Instant) -> UInt32 { UInt32(truncatingIfNeeded: now.nanoseconds / unit) }
    private func slot(_ sequence: Int64) -> Int { Int(truncatingIfNeeded: sequence) & (Self.capacity - 1) }
}
