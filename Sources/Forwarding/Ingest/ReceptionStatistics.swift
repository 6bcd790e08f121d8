package import WebRTC

/// What the receiver of one RTP stream knows of it: extended sequence numbers, loss and jitter (RFC 3550 appendix A.1,
/// A.3, A.8), and what goes into its report blocks (§6.4.1).
///
/// Extended numbers never go backwards as a line: when the source restarts its numbering, the line goes on with the
/// next larger 64-bit number that fits, so histories and maps keyed by them see a jump, never a collision.
package struct ReceptionStatistics: Sendable {
    /// Larger jumps forward are taken for a restart when the next packet confirms it (RFC 3550 A.1 MAX_DROPOUT).
    package static let maximumDropout: UInt16 = 3_000
    /// Packets this much older than the newest are still of the same line (MAX_MISORDER). More than the 100 of
    /// RFC 3550 because packets may be repaired a second after they were due.
    package static let maximumMisorder: UInt16 = 1_000

    package enum Arrival: Hashable, Sendable {
        /// Of the current line; the extended number. Duplicates are not told apart here (`PacketHistory` does).
        case accepted(Int64)
        /// The source restarted its numbers: this is the second packet in a row far from the line, from now on the
        /// line is here. The first one, `sequence - 1`, was rejected.
        case restarted(Int64)
        /// Far from the line, and nothing yet says that the line moved: to be dropped.
        case rejected
    }

    /// RTP timestamp units per second.
    private let clockRate: Int64
    private var line: Line?
    /// The number that, coming next, confirms a restart.
    private var confirming: UInt16?
    /// Packets accepted, repeated ones included, as RFC 3550 counts them.
    package private(set) var received: UInt64 = 0
    /// Packets expected on lines before a restart.
    private var expectedBefore: Int64 = 0
    private var expectedAtReport: Int64 = 0
    private var receivedAtReport: UInt64 = 0
    private var jitterEstimate = Jitter()
    package private(set) var lateness = Lateness()
    private var lastSenderReport: (middle: UInt32, arrival: Instant)?

    private struct Line {
        var first: Int64
        var highest: Int64
    }

    package init(clockRate: UInt32) { self.clockRate = max(1, Int64(clockRate)) }

    /// The highest extended sequence number; nil before the first packet.
    package var highest: Int64? { line?.highest }

    /// Packets that should have come so far.
    package var expected: Int64 {
        guard let line else { return 0 }
        return expectedBefore + line.highest - line.first + 1
    }

    /// Packets that never came; negative when repeated ones outnumber them (RFC 3550 §6.4.1). Not limited to 24 bits.
    package var lost: Int64 { expected - Int64(clamping: received) }

    /// Inter-arrival jitter in seconds.
    package var jitter: Double { Double(jitterEstimate.timestampUnits) / Double(clockRate) }

    /// The extended form of a number that belongs near the line without counting as received, such as the original
    /// number of an RTX packet. nil: before the first packet, or out of reach of the line.
    package func extended(_ sequence: SequenceNumber) -> Int64? {
        guard let highest else { return nil }
        let distance = sequence.distance(from: SequenceNumber(UInt16(truncatingIfNeeded: highest)))
        guard distance < Int(Self.maximumDropout), distance > -Int(Self.maximumMisorder) else { return nil }
        return highest + Int64(distance)
    }

    /// A packet of the stream arrived.
    package mutating func received(_ sequence: SequenceNumber, timestamp: UInt32, now: Instant) -> Arrival {
        guard var line else {
            let first = Int64(sequence.rawValue)
            self.line = Line(first: first, highest: first)
            count(timestamp: timestamp, advances: true, now: now)
            return .accepted(first)
        }
        let ahead = sequence.rawValue &- UInt16(truncatingIfNeeded: line.highest)
        if ahead != 0, ahead < Self.maximumDropout {
            line.highest += Int64(ahead)
            self.line = line
            count(timestamp: timestamp, advances: true, now: now)
            return .accepted(line.highest)
        }
        let behind = 0 &- ahead
        if behind < Self.maximumMisorder {
            let extended = line.highest - Int64(behind)
            // The first packet that came need not be the first that was sent.
            line.first = min(line.first, extended)
            self.line = line
            count(timestamp: timestamp, advances: false, now: now)
            return .accepted(extended)
        }
        guard sequence.rawValue == confirming else {
            confirming = sequence.rawValue &+ 1
            return .rejected
        }
        confirming = nil
        expectedBefore = expected
        let highest = line.highest + Int64(ahead)
        // The rejected packet before this one was sent too: it counts as lost unless it is repaired.
        self.line = Line(first: highest - 1, highest: highest)
        jitterEstimate.rebase()
        count(timestamp: timestamp, advances: true, now: now)
        return .restarted(highest)
    }

    /// A sender report of the stream, with this time in it, arrived.
    package mutating func senderReport(_ time: NTPTime, now: Instant) {
        lastSenderReport = (time.middle, now)
    }

    /// What to say of the stream now; nil before the first packet. Begins the next reporting interval.
    package mutating func report(on ssrc: SSRC, now: Instant) -> ReportBlock? {
        guard let line else { return nil }
        let expectedInterval = expected - expectedAtReport
        let lostInterval = expectedInterval - Int64(clamping: received - receivedAtReport)
        (expectedAtReport, receivedAtReport) = (expected, received)
        let fraction = expectedInterval > 0 && lostInterval > 0 ? min(255, lostInterval * 256 / expectedInterval) : 0
        var delay: UInt32 = 0
        if let lastSenderReport {
            let elapsed = max(0, (now - lastSenderReport.arrival).nanoseconds)
            delay = UInt32(
                clamping: elapsed / 1_000_000_000 * 65_536 + elapsed % 1_000_000_000 * 65_536 / 1_000_000_000)
        }
        return ReportBlock(
            ssrc: ssrc, fractionLost: UInt8(fraction), cumulativeLost: Int32(max(-0x80_0000, min(0x7F_FFFF, lost))),
            highestSequence: UInt32(truncatingIfNeeded: line.highest),
            jitter: UInt32(clamping: jitterEstimate.timestampUnits), lastSenderReport: lastSenderReport?.middle ?? 0,
            delaySinceLastSenderReport: delay)
    }

    private mutating func count(timestamp: UInt32, advances: Bool, now: Instant) {
        received &+= 1
        // Late packets were repaired or overtaken: their delay says nothing of the path's jitter.
        guard advances else { return }
        let seconds = now.nanoseconds / 1_000_000_000
        let rest = now.nanoseconds % 1_000_000_000
        let arrival = seconds &* clockRate &+ rest &* clockRate / 1_000_000_000
        let transit = Int32(bitPattern: UInt32(truncatingIfNeeded: arrival) &- timestamp)
        jitterEstimate.arrived(timestamp: timestamp, transit: transit, clockRate: clockRate)
        lateness.arrived(transit: transit, clockRate: clockRate, now: now)
    }
}

/// RFC 3550 A.8, in 1/16 timestamp units.
private struct Jitter {
    private var scaled: Int64 = 0
    private var last: (timestamp: UInt32, transit: Int32)?

    var timestampUnits: Int64 { scaled >> 4 }

    /// The next packet compares with nothing before it.
    mutating func rebase() { last = nil }

    mutating func arrived(timestamp: UInt32, transit: Int32, clockRate: Int64) {
        // The packets of one frame share a timestamp but are sent one after the other: only the first one counts.
        if let last, last.timestamp == timestamp { return }
        defer { last = (timestamp, transit) }
        guard let last else { return }
        let difference = Int64((transit &- last.transit).magnitude)
        // The source's clock jumped; this is no jitter.
        guard difference < 5 &* clockRate else { return }
        scaled += difference - ((scaled + 8) >> 4)
    }
}
