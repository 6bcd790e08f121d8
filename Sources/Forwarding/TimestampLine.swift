/// Unwraps 32-bit RTP timestamps (RFC 3550 §5.1) into 64 bits: each is taken to be the value nearest to the one before
/// it, so reordered packets and sources that jump backwards are followed too.
package struct TimestampLine: Sendable {
    /// The last extended timestamp; nil before the first.
    package private(set) var last: Int64?

    package init() {}

    /// The extended form of `timestamp`, which becomes the reference for the next. The first one is itself.
    package mutating func extend(_ timestamp: UInt32) -> Int64 {
        let extended = extended(timestamp)
        last = extended
        return extended
    }

    /// The extended form of `timestamp`, without moving the line.
    package func extended(_ timestamp: UInt32) -> Int64 {
        guard let last else { return Int64(timestamp) }
        return last &+ Int64(Int32(bitPattern: timestamp &- UInt32(truncatingIfNeeded: last)))
    }
}
