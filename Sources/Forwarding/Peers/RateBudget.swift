import WebRTC

/// How often something may happen, with a burst: one time instead of a table of past events (GCRA, ITU-T I.371 annex A).
struct RateBudget {
    struct Rate {
        let interval: Interval
        let burst: Int64

        init(perSecond: Int64, burst: Int64) { self.init(every: .seconds(Int64(1)) / perSecond, burst: burst) }

        init(every interval: Interval, burst: Int64) {
            precondition(interval > .zero && burst > 0, "a rate lets something through")
            (self.interval, self.burst) = (interval, burst)
        }
    }

    /// When the budget would be whole again.
    private var whole = Instant.zero

    /// false: more than the rate.
    mutating func take(_ rate: Rate, now: Instant) -> Bool { take(1, rate, now: now) == 1 }

    /// How many of `count` the rate has room for.
    mutating func take(_ count: Int, _ rate: Rate, now: Instant) -> Int {
        let start = max(whole, now)
        let used = (start - now).nanoseconds
        let room = max(0, (rate.interval * rate.burst).nanoseconds - used) / rate.interval.nanoseconds
        let taken = min(Int64(count), room)
        whole = start + rate.interval * taken
        return Int(taken)
    }
}

/// What one viewer may ask for. Beyond it nothing is looked up: a flood of feedback costs its datagrams, and a keyframe
/// that one viewer makes the publisher encode is paid by all others.
struct FeedbackBudget {
    /// RTCP datagrams of one peer; more are dropped before they are decrypted.
    static let datagrams = RateBudget.Rate(perSecond: 500, burst: 500)
    /// Sequence numbers of one viewer's NACKs that are looked up: a whole second of 8 Mbit/s, asked for again and again.
    static let numbers = RateBudget.Rate(perSecond: 8_000, burst: 8_000)
    /// Packets of one stream that are sent again.
    static let repairs = RateBudget.Rate(perSecond: 1_000, burst: 1_000)
    /// Wishes for a keyframe of one viewer that nobody else has at the moment. A relay's are those of many viewers.
    static let keyframes = RateBudget.Rate(every: .seconds(Int64(4)), burst: 5)

    /// Packets of which transport-wide feedback tells: more than 20 Mbit/s, each told of many times.
    static let arrivals = RateBudget.Rate(perSecond: 20_000, burst: 20_000)

    var datagrams = RateBudget()
    var arrivals = RateBudget()
    var numbers = RateBudget()
    var keyframes = RateBudget()
    /// What its owner has been told of already.
    var told: Set<DropReason> = []
}
