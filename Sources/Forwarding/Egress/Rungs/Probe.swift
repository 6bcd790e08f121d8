import WebRTC

/// Sends for a moment as much as a higher rung would take: beside the media, packets that have been sent already.
struct Probe {
    enum Stage {
        /// So short that it harms nobody where there is no room at all.
        case blink
        case long

        var length: Interval { self == .blink ? .milliseconds(25) : .milliseconds(300) }
    }

    /// Bytes per second by which it exceeds what is sent anyway, at least.
    static let leastRaise: Int64 = 25_000
    static let tick = Interval.milliseconds(5)
    private static let leastBlink = 4 * 1_100

    let stage: Stage
    /// Of which there is to be room for.
    let encoding: Int
    /// Bytes per second, media included.
    let rate: Int64
    private let began: Instant
    /// Bytes, media included.
    var sent = 0
    private var nextTick: Instant

    init(stage: Stage, encoding: Int, rate: Int64, now: Instant) {
        (self.stage, self.encoding, self.rate, began, nextTick) = (stage, encoding, rate, now, now)
    }

    var ends: Instant { began + stage.length }
    private var total: Int64 {
        let bytes = rate * stage.length.nanoseconds / 1_000_000_000
        return stage == .blink ? max(bytes, Int64(Self.leastBlink)) : bytes
    }
    /// All of it has left.
    func hasSent(now: Instant) -> Bool { now >= ends && Int64(sent) >= total }
    var nextDeadline: Instant { Int64(sent) >= total ? max(ends, nextTick) : nextTick }

    /// Bytes that are to leave now, beside the media.
    mutating func due(now: Instant) -> Int {
        guard now >= nextTick else { return 0 }
        nextTick = now < ends ? min(now + Self.tick, ends) : now + Self.tick * 4
        let elapsed = min(now - began, stage.length) + Self.tick
        let planned = min(total, now >= ends ? total : rate * elapsed.nanoseconds / 1_000_000_000)
        return max(0, Int(planned) - sent)
    }
}

/// When a higher rung is tried again.
struct ProbeSchedule {
    private static let first = Interval.seconds(Int64(3))
    /// A blink that failed has harmed nobody.
    private static let mostAfterBlink = Interval.seconds(Int64(5))
    private static let most = Interval.seconds(Int64(60))
    private static let afterDistrust = Interval.seconds(Int64(10))

    private(set) var next = Instant.zero
    private var pause = first

    mutating func failed(_ stage: Probe.Stage, now: Instant) {
        next = now + (stage == .blink ? min(pause, Self.mostAfterBlink) : pause)
        pause = min(stage == .blink ? max(pause, Self.mostAfterBlink) : Self.most, pause * 3 / 2)
    }

    mutating func passed(now: Instant) { (pause, next) = (Self.first, now) }

    /// A rung that had been tried was too much all the same.
    mutating func distrust(now: Instant) {
        pause = min(Self.most, max(pause, Self.afterDistrust / 2) * 2)
        next = now + pause
    }
}
