/// When the packets of one source session arrived, by their transport-wide sequence numbers, until that is reported
/// back to it (draft-holmer-rmcat-transport-wide-cc-extensions-01).
///
///     reported before        next feedback
///     ────────────────┼──────────────────────┤
///                   base                  highest        a window of `capacity` numbers, in a ring
///
/// A packet that comes after later ones were reported moves the base back to it, so the next feedback reports it and
/// what follows it once more; the sender takes what it did not know yet.
package struct TransportFeedbackRecorder: Sendable {
    /// Numbers remembered; a later jump than that, or an older packet, is from another line.
    package static let capacity = 2_048
    /// Numbers to report at which the interval is not waited for.
    static let early: Int64 = 512

    private let interval: Interval
    /// Arrival in ticks by number modulo capacity; `absent`: not arrived. Empty before the first packet.
    private var ring: [Int64] = []
    private var window: Window?
    /// The number that, coming next, confirms that the sender's line restarted.
    private var confirming: UInt16?
    private var feedbackCount: UInt8 = 0
    /// When to call `due` next; `.distantFuture` while there is nothing new to report.
    package private(set) var nextDeadline = Instant.distantFuture

    private static let absent = Int64.min

    private struct Window {
        /// First number of the next feedback.
        var base: Int64
        var highest: Int64
        /// The lowest number the ring still knows.
        var lowest: Int64
    }

    /// - Parameter interval: from a packet's arrival to its report, at most. 50–100 ms keep the sender's estimate
    ///   fresh at little cost.
    package init(interval: Interval = .milliseconds(50)) {
        precondition(interval > .zero, "feedback is sent at intervals")
        self.interval = interval
    }

    /// A packet with that transport-wide number arrived. O(1), but for a jump, which clears what it skips.
    package mutating func record(_ number: UInt16, arrival: Instant) {
        guard var window else {
            ring = [Int64](repeating: Self.absent, count: Self.capacity)
            begin(at: Int64(number), arrival: arrival)
            return
        }
        let sequence = SequenceNumber(number).extended(near: window.highest)
        guard abs(sequence - window.highest) < Int64(Self.capacity), sequence >= window.lowest else {
            // Far from the line. Two such in a row: the line moved.
            guard number == confirming else {
                confirming = number &+ 1
                return
            }
            clear()
            begin(at: sequence, arrival: arrival)
            return
        }
        confirming = nil
        if sequence > window.highest {
            for skipped in window.highest + 1..<sequence { ring[slot(skipped)] = Self.absent }
            window.highest = sequence
            window.lowest = max(window.lowest, sequence - Int64(Self.capacity) + 1)
            window.base = max(window.base, window.lowest)
        } else {
            // The first arrival counts.
            guard ring[slot(sequence)] == Self.absent else { return }
            window.base = min(window.base, sequence)
        }
        ring[slot(sequence)] = TransportFeedback.ticks(arrival)
        self.window = window
        nextDeadline = min(nextDeadline, arrival + interval)
        if window.highest - window.base >= Self.early { nextDeadline = min(nextDeadline, arrival) }
    }

    /// What to send now, in order; empty when called early or when nothing arrived since the last feedback.
    /// - Parameters:
    ///   - sender: our SSRC.
    ///   - media: any SSRC of the source; the feedback is about the whole session.
    package mutating func due(now: Instant, sender: SSRC, media: SSRC) -> [TransportFeedback] {
        guard nextDeadline <= now, let window else { return [] }
        nextDeadline = .distantFuture
        let arrivals: [Int64?] = (window.base...window.highest).map { sequence in
            let ticks = ring[slot(sequence)]
            return ticks == Self.absent ? nil : ticks
        }
        let packets = TransportFeedback.packets(
            sender: sender, media: media, baseSequence: UInt16(truncatingIfNeeded: window.base),
            feedbackCount: feedbackCount, arrivals: arrivals)
        feedbackCount &+= UInt8(truncatingIfNeeded: packets.count)
        self.window?.base = window.highest + 1
        return packets
    }

    private mutating func begin(at sequence: Int64, arrival: Instant) {
        ring[slot(sequence)] = TransportFeedback.ticks(arrival)
        // Packets sent before the first that arrived are unknown, but may still come.
        window = Window(base: sequence, highest: sequence, lowest: sequence - Int64(Self.capacity) + 1)
        nextDeadline = min(nextDeadline, arrival + interval)
    }

    /// Forgets a line that the sender left; what was not reported of it is of no use on the new one.
    private mutating func clear() {
        for slot in ring.indices { ring[slot] = Self.absent }
        confirming = nil
        nextDeadline = .distantFuture
    }

    private func slot(_ sequence: Int64) -> Int { Int(truncatingIfNeeded: sequence) & (Self.capacity - 1) }
}
