package import WebRTC

/// Finds freezes in a count of frames that is read again and again.
///
/// A freeze is a gap between two frames of more than max(3 × average, average + 150 ms), as W3C webrtc-stats defines
/// `freezeCount`; the average is over the last 30 frames or so. A gap is known as exactly as the count is read often.
package struct FrameMeter: Sendable {
    private static let memory = 30.0
    /// Before that many frames there is no average worth comparing with.
    private static let warmUp: UInt64 = 5

    private var frames: UInt64 = 0
    private var last: Instant?
    private var average = 0.0
    package private(set) var freezes = 0
    /// Time spent in freezes.
    package private(set) var frozen = Interval.zero
    package private(set) var longestGap = Interval.zero

    package init() {}

    package mutating func sample(frames count: UInt64, at now: Instant) {
        guard count > frames else { return }
        let new = Double(count - frames)
        defer { (frames, last) = (count, now) }
        guard let last else { return }
        let gap = now - last
        longestGap = max(longestGap, gap)
        if isFreeze(gap) {
            freezes += 1
            frozen = frozen + gap
        }
        let weight = min(1, max(new, 1) / (average == 0 ? 1 : Self.memory))
        average += (gap.seconds / new - average) * weight
    }

    /// Counts a freeze that has not ended.
    package mutating func finish(at now: Instant) {
        guard let last, isFreeze(now - last) else { return }
        freezes += 1
        frozen = frozen + (now - last)
        longestGap = max(longestGap, now - last)
    }

    private func isFreeze(_ gap: Interval) -> Bool {
        frames >= Self.warmUp && gap.seconds > max(3 * average, average + 0.15)
    }
}
