/// A moment in nanoseconds from an arbitrary zero, the only notion of time below `MediaPlane`.
///
/// The core reads no clock: the worker loop passes one `Instant` per turn, simulations pass virtual ones.
package struct Instant: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static let zero = Instant(nanoseconds: 0)
    /// Later than every real deadline.
    package static let distantFuture = Instant(nanoseconds: .max)

    package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
    package static func + (a: Instant, b: Interval) -> Instant { Instant(nanoseconds: a.nanoseconds &+ b.nanoseconds) }
    package static func - (a: Instant, b: Interval) -> Instant { Instant(nanoseconds: a.nanoseconds &- b.nanoseconds) }
    package static func - (a: Instant, b: Instant) -> Interval { Interval(nanoseconds: a.nanoseconds &- b.nanoseconds) }
}

/// A length of time in whole nanoseconds. `Swift.Duration` counts attoseconds in 128 bits, which the packet path does
/// not need.
package struct Interval: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static let zero = Interval(nanoseconds: 0)
    package static func microseconds(_ n: Int64) -> Interval { Interval(nanoseconds: n &* 1_000) }
    package static func milliseconds(_ n: Int64) -> Interval { Interval(nanoseconds: n &* 1_000_000) }
    package static func seconds(_ n: Int64) -> Interval { Interval(nanoseconds: n &* 1_000_000_000) }
    /// As near as it gets: no number traps.
    package static func seconds(_ n: Double) -> Interval {
        Interval(nanoseconds: Int64(exactly: (n * 1e9).rounded(.towardZero)) ?? (n < 0 ? .min : .max))
    }

    /// Whole milliseconds, rounded towards zero.
    package var milliseconds: Int64 { nanoseconds / 1_000_000 }
    package var seconds: Double { Double(nanoseconds) / 1e9 }

    package static func < (a: Interval, b: Interval) -> Bool { a.nanoseconds < b.nanoseconds }
    package static func + (a: Interval, b: Interval) -> Interval {
        Interval(nanoseconds: a.nanoseconds &+ b.nanoseconds)
    }
    package static func - (a: Interval, b: Interval) -> Interval {
        Interval(nanoseconds: a.nanoseconds &- b.nanoseconds)
    }
    package static func * (a: Interval, b: Int64) -> Interval { Interval(nanoseconds: a.nanoseconds &* b) }
    package static func / (a: Interval, b: Int64) -> Interval { Interval(nanoseconds: a.nanoseconds / b) }
}
