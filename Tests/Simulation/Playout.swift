// What a person would see of a line of video packets: frames put together, decoded in order, shown by a jitter buffer, and
// the freezes in it counted as browsers count them.
import WebRTC

struct Playout {
    struct Frame {
        /// Of the first packet, by the sender's clock.
        var captured: Interval
        var isKeyframe: Bool
        /// When its last packet was there; nil: it never was.
        var complete: Instant?
    }

    /// How much the buffer's delay shrinks with each frame that is early.
    private static let decay = Interval.microseconds(500)
    /// Frames whose durations are averaged.
    private static let averaged = 30
    /// Beyond the average (https://www.w3.org/TR/webrtc-stats/#dom-rtcinboundrtpstreamstats-freezecount).
    private static let excess = Interval.milliseconds(150)

    /// When each frame was shown that could be decoded.
    private(set) var shown: [Instant] = []
    private(set) var undecodable = 0
    /// W3C `freezeCount`: frames that stood for more than max(3 × mean, mean + 150 ms).
    private(set) var freezes = 0
    /// W3C `totalFreezesDuration`.
    private(set) var frozen = Interval.zero
    /// The longest a frame stood.
    private(set) var longest = Interval.zero

    private var delay: Interval?
    private var durations: [Interval] = []
    private var isBroken = true
    private var decoded = Instant.zero

    /// - Parameter frames: all of them, in order, missing ones as incomplete.
    init(_ frames: [Frame]) {
        for frame in frames { play(frame) }
    }

    private mutating func play(_ frame: Frame) {
        guard let complete = frame.complete, frame.isKeyframe || !isBroken else {
            isBroken = true
            undecodable += 1
            return
        }
        isBroken = false
        decoded = max(decoded, complete)
        let lateness: Interval = decoded - (.zero + frame.captured)
        let delay = max(lateness, (self.delay ?? lateness) + Interval(nanoseconds: -Self.decay.nanoseconds))
        self.delay = delay
        show(at: max(decoded, .zero + frame.captured + delay))
    }

    private mutating func show(at time: Instant) {
        defer { shown.append(time) }
        guard let last = shown.last else { return }
        let duration = max(.zero, time - last)
        longest = max(longest, duration)
        if !durations.isEmpty {
            let sum = durations.reduce(Int64(0)) { $0 + $1.nanoseconds }
            let mean = Interval(nanoseconds: sum / Int64(durations.count))
            if duration > max(Interval(nanoseconds: 3 * mean.nanoseconds), mean + Self.excess) {
                freezes += 1
                frozen = frozen + duration
            }
        }
        durations.append(duration)
        if durations.count > Self.averaged { durations.removeFirst() }
    }
}

extension Cascade {
    /// How a viewer's picture plays that began with the first keyframe it got.
    func playout(of viewer: String) -> Playout {
        let line = line(of: viewer, track: 0)
        guard let begin = line.first(where: { $0.keyframe && $0.stamp.index == 0 }) else { return Playout([]) }
        let byFrame = Dictionary(grouping: line) { $0.stamp.frame }
        let last = line.map(\.stamp.frame).max() ?? begin.stamp.frame
        let frames = (begin.stamp.frame...last).map { number in
            let packets = byFrame[number] ?? []
            let isWhole = Set(packets.map(\.stamp.index)).count == Int(packetsPerFrame)
            return Playout.Frame(
                captured: (packets.first?.stamp.sent ?? .zero) - .zero,
                isKeyframe: packets.contains { $0.keyframe },
                complete: isWhole ? packets.map(\.at).max() : nil)
        }
        return Playout(frames)
    }
}
