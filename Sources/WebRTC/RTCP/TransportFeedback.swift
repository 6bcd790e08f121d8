/// Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1): when each
/// packet of a session arrived, by its transport-wide sequence number.
///
///     |      base sequence number     |      packet status count      |
///     |          reference time (64 ms)               | feedback count|
///     | packet chunks, 16 bits each: which arrived ...                |
///     | receive deltas, 8 or 16 bits each, in 250 µs ...              |
package struct TransportFeedback: Hashable, Sendable {
    /// Statuses that one packet is read or written with. The format has 65,535, which nobody sends in one interval but
    /// everybody could make us allocate with a few bytes.
    package static let maximumStatuses = 8_192
    /// Received packets per feedback packet: 20 bytes and at most 6 for each stay below 1,100.
    static let maximumReceived = 180

    package var sender: SSRC
    package var media: SSRC
    package var baseSequence: UInt16
    /// Counts the feedback packets, so that the sender notices lost ones.
    package var feedbackCount: UInt8
    /// When the packets from `baseSequence` on arrived, nil: not (yet), in ticks of 250 µs from an arbitrary zero of
    /// the receiver. On the wire they wrap after 2^32 ticks: compare two with `interval(from:to:)`.
    package var arrivals: [Int64?]

    package init(sender: SSRC, media: SSRC, baseSequence: UInt16, feedbackCount: UInt8, arrivals: [Int64?]) {
        (self.sender, self.media, self.baseSequence) = (sender, media, baseSequence)
        (self.feedbackCount, self.arrivals) = (feedbackCount, arrivals)
    }

    package static let tick = Interval.microseconds(250)
    private static let ticksPerReference: Int64 = 256

    package static func ticks(_ instant: Instant) -> Int64 { instant.nanoseconds / tick.nanoseconds }

    /// The signed time between two arrivals, across the wrap.
    package static func interval(from earlier: Int64, to later: Int64) -> Interval {
        tick * Int64(Int32(truncatingIfNeeded: later &- earlier))
    }

    /// The packets that report `arrivals` of the numbers from `baseSequence` on: as many as size, number of statuses
    /// and the range of a delta (±8.19 s) ask for. Missing ones after the last arrival are not reported, so nothing is
    /// without any arrival. `feedbackCount` is the first packet's; the next feedback continues after the last one's.
    package static func packets(
        sender: SSRC, media: SSRC, baseSequence: UInt16, feedbackCount: UInt8, arrivals: [Int64?]
    ) -> [TransportFeedback] {
        var packets: [TransportFeedback] = []
        var start = 0
        while let last = arrivals[start...].lastIndex(where: { $0 != nil }) {
            // A hole longer than a packet can tell is not worth one of its own: its sender knows.
            if let next = arrivals[start...].firstIndex(where: { $0 != nil }), next - start >= maximumStatuses {
                start = next
            }
            var (end, received) = (start, 0)
            var previous: Int64?
            while end <= last, end - start < maximumStatuses, received < maximumReceived {
                if let arrival = arrivals[end] {
                    if let previous, Int16(exactly: arrival &- previous) == nil { break }
                    (previous, received) = (arrival, received + 1)
                }
                end += 1
            }
            packets.append(
                TransportFeedback(
                    sender: sender, media: media, baseSequence: baseSequence &+ UInt16(truncatingIfNeeded: start),
                    feedbackCount: feedbackCount &+ UInt8(truncatingIfNeeded: packets.count),
                    arrivals: Array(arrivals[start..<end])))
            start = end
        }
        return packets
    }
}

// MARK: Reading

extension TransportFeedback {
    /// Two bits per packet on the wire, in run-length chunks and long status vectors (§3.1.1).
    enum Status: UInt16 {
        case missing = 0
        /// Delta in one byte: 0...63.75 ms.
        case small = 1
        /// Delta in two bytes, signed.
        case large = 2
    }

    /// 16 bits that tell the statuses of some packets in a row.
    private struct Chunk {
        let raw: UInt16

        var isRun: Bool { raw & 0x8000 == 0 }
        var count: Int { isRun ? Int(raw & 0x1FFF) : raw & 0x4000 == 0 ? 14 : 7 }

        /// nil: a reserved one.
        func status(_ i: Int) -> Status? {
            if isRun { return Status(rawValue: raw >> 13) }
            let (width, mask): (Int, UInt16) = raw & 0x4000 == 0 ? (1, 1) : (2, 3)
            return Status(rawValue: raw >> UInt16(14 - (i + 1) * width) & mask)
        }
    }

    /// `arrivals` of a packet that did not arrive, where they are read in place.
    package static let missing = Int64.min

    /// `body` begins at the sender's SSRC and ends before padding. nil: statuses or deltas missing, a reserved status,
    /// or too many.
    static func parse(_ body: borrowing RawSpan) -> TransportFeedback? {
        var arrivals: [Int64] = []
        guard readArrivals(of: body, into: &arrivals) else { return nil }
        return TransportFeedback(
            sender: SSRC(body.octets4(at: 0)), media: SSRC(body.octets4(at: 4)), baseSequence: body.octets2(at: 8),
            feedbackCount: body.octet(at: 15), arrivals: arrivals.map { $0 == missing ? nil : $0 })
    }

    /// Puts the arrivals in place of what is in `arrivals`, without an allocation where that has room. false: as for `parse`.
    static func readArrivals(of body: borrowing RawSpan, into arrivals: inout [Int64]) -> Bool {
        arrivals.removeAll(keepingCapacity: true)
        guard body.byteCount >= 16 else { return false }
        let count = Int(body.octets2(at: 10))
        guard 1...maximumStatuses ~= count, let deltas = endOfChunks(of: body, count: count) else { return false }
        // 24 bits, signed
        let reference = Int64(Int32(bitPattern: body.octets3(at: 12) << 8) >> 8)
        var (time, at, chunkAt) = (reference * ticksPerReference, deltas, 16)
        while arrivals.count < count {
            let chunk = Chunk(raw: body.octets2(at: chunkAt))
            chunkAt += 2
            // The last one may say more than there are packets; the rest is filling.
            for i in 0..<min(chunk.count, count - arrivals.count) {
                switch chunk.status(i) {
                case .missing:
                    arrivals.append(missing)
                    continue
                case .small:
                    guard at < body.byteCount else { return false }
                    time += Int64(body.octet(at: at))
                    at += 1
                case .large:
                    guard at + 2 <= body.byteCount else { return false }
                    time += Int64(Int16(bitPattern: body.octets2(at: at)))
                    at += 2
                case nil: return false
                }
                arrivals.append(time)
            }
        }
        return true
    }

    /// nil: they end too soon.
    private static func endOfChunks(of body: borrowing RawSpan, count: Int) -> Int? {
        var (at, told) = (16, 0)
        while told < count {
            guard at + 2 <= body.byteCount else { return nil }
            let chunk = Chunk(raw: body.octets2(at: at))
            // A run of nothing never gets anywhere.
            guard chunk.count > 0 else { return nil }
            (at, told) = (at + 2, told + chunk.count)
        }
        return at
    }
}

// MARK: Writing

extension TransportFeedback {
    /// What follows the two SSRCs, without padding.
    func append(to out: inout PacketBuilder) {
        precondition(1...Self.maximumStatuses ~= arrivals.count, "transport feedback reports 1 to 8,192 packets")
        let first = arrivals.lazy.compactMap { $0 }.first ?? 0
        // Rounded down, so that the first delta is small.
        let reference = first >> 8
        out.put(baseSequence)
        out.put(UInt16(arrivals.count))
        out.put24(UInt32(truncatingIfNeeded: reference))
        out.put(feedbackCount)

        var previous = reference * Self.ticksPerReference
        var statuses: [Status] = []
        var deltas = PacketBuilder()
        for arrival in arrivals {
            guard let arrival else {
                statuses.append(.missing)
                continue
            }
            let delta = arrival &- previous
            previous = arrival
            if let small = UInt8(exactly: delta) {
                statuses.append(.small)
                deltas.put(small)
            } else {
                guard let large = Int16(exactly: delta) else {
                    preconditionFailure("arrivals in one transport feedback packet are at most 8.19 s apart")
                }
                statuses.append(.large)
                deltas.put(UInt16(bitPattern: large))
            }
        }
        for chunk in Self.chunks(statuses) { out.put(chunk) }
        out.put(deltas.bytes)
    }

    /// A run where it says more than a vector would, else 14 one-bit statuses, or 7 two-bit ones if any is large.
    private static func chunks(_ statuses: [Status]) -> [UInt16] {
        var chunks: [UInt16] = []
        var at = 0
        while at < statuses.count {
            let status = statuses[at]
            let run = statuses[at...].prefix(0x1FFF).prefix { $0 == status }.count
            let short = statuses[at...].prefix(14)
            let fits = !short.contains(.large)
            if run >= min(fits ? 14 : 7, statuses.count - at) {
                chunks.append(status.rawValue << 13 | UInt16(run))
                at += run
                continue
            }
            let symbols = fits ? short : statuses[at...].prefix(7)
            let width: UInt16 = fits ? 1 : 2
            var chunk: UInt16 = fits ? 0x8000 : 0xC000
            for (i, symbol) in symbols.enumerated() {
                chunk |= symbol.rawValue << (14 - (UInt16(i) + 1) * width)
            }
            chunks.append(chunk)
            at += symbols.count
        }
        return chunks
    }
}
