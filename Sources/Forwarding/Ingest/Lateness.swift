import WebRTC

/// How late the packets of one RTP stream come, compared with the quickest of the last seconds: their transit time, which is
/// arrival less RTP timestamp, above the smallest one. So it needs no common clock, and a slow drift of the source's does
/// not count. The packets of one frame share a timestamp: what the sender takes to send them counts as late.
package struct Lateness: Hashable, Sendable {
    /// Whole milliseconds up to here have a count of their own, then each doubling has two.
    private static let fine = 32
    private static let counters = 44
    /// How long the quickest packet is remembered, at least; twice as long at most.
    private static let memory = Interval.seconds(Int64(10))
    /// More says that the source's clock jumped.
    private static let jump: Int64 = 5

    /// Empty before the first packet: statistics of streams that count none are no larger.
    private var counts: [UInt64] = []
    private var base: Base?

    private struct Base: Hashable {
        var smallest: Int32
        /// Since `began`, to take the place of `smallest` after `memory`.
        var next: Int32
        var began: Instant
    }

    package init() {}

    /// A packet arrived; `transit` in timestamp units, of which `clockRate` are a second.
    mutating func arrived(transit: Int32, clockRate: Int64, now: Instant) {
        guard var base, Int64((transit &- base.smallest).magnitude) < Self.jump &* clockRate else {
            base = Base(smallest: transit, next: transit, began: now)
            return
        }
        if base.began + Self.memory <= now {
            base = Base(smallest: base.next, next: transit, began: now)
        }
        // Differences of a circle of 2^32 units.
        if transit &- base.next < 0 { base.next = transit }
        if transit &- base.smallest < 0 { base.smallest = transit }
        self.base = base
        let late = max(0, Int64(transit &- base.smallest)) &* 1_000 / clockRate
        if counts.isEmpty { counts = [UInt64](repeating: 0, count: Self.counters) }
        counts[Self.counter(milliseconds: Int(late))] &+= 1
    }

    /// Up to 32 ms by ones; then 32–48, 48–64, 64–96, … and the last from 1,536 on.
    private static func counter(milliseconds: Int) -> Int {
        guard milliseconds >= fine else { return milliseconds }
        let octave = Int.bitWidth - 1 - milliseconds.leadingZeroBitCount
        let half = milliseconds >> (octave - 1) & 1
        return min(counters - 1, fine + (octave - 5) * 2 + half)
    }

    /// The upper end of a counter, in milliseconds.
    private static func end(_ counter: Int) -> Int {
        guard counter >= fine else { return counter + 1 }
        let (octave, half) = ((counter - fine) / 2 + 5, (counter - fine) % 2)
        return (1 << octave) + (1 << (octave - 1)) * (half + 1)
    }

    /// Adds what another stream counted.
    package mutating func add(_ other: Lateness) {
        if counts.isEmpty { return counts = other.counts }
        for (i, count) in other.counts.enumerated() { counts[i] &+= count }
    }

    /// What has been counted since `earlier`, a former value of this.
    package func since(_ earlier: Lateness) -> Lateness {
        var result = self
        for (i, count) in earlier.counts.enumerated() where i < counts.count {
            result.counts[i] -= min(counts[i], count)
        }
        return result
    }

    /// Milliseconds that so many per cent of the packets do not exceed; nil before any packet.
    package func percentile(_ percent: Double) -> Int? {
        let all = counts.reduce(0, +)
        guard all > 0 else { return nil }
        let rank = UInt64((Double(all) * percent / 100).rounded(.up))
        var sum: UInt64 = 0
        for (i, count) in counts.enumerated() {
            sum += count
            if sum >= max(1, rank) { return Self.end(i) }
        }
        return nil
    }
}
