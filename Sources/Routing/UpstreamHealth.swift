/// What a node's own probes say of one address: a state machine on any clock.
///
/// | from | to | when |
/// |---|---|---|
/// | suspect (new) | up | the first answer `ready` |
/// | up | suspect | one probe fails, or the node says that it is not ready |
/// | suspect, down | up | two answers `ready` in a row |
/// | suspect | down | three failures in a row; a new one: the first |
/// | down | suspect | any answer |
package struct UpstreamHealth: Hashable, Sendable {
    package enum State: String, CaseIterable, Comparable, Sendable {
        case up, suspect, down

        private var rank: Int { self == .up ? 0 : self == .suspect ? 1 : 2 }
        package static func < (a: State, b: State) -> Bool { a.rank < b.rank }
    }

    package enum Outcome: Hashable, Sendable {
        case ready(roundTrip: Duration)
        /// Answers, and says that it should not get traffic.
        case notReady(roundTrip: Duration)
        /// No answer in time, connection refused, not HTTP.
        case silent
    }

    package private(set) var state = State.suspect
    /// Smoothed over about four exchanges; nil: never answered.
    package private(set) var roundTrip: Duration?
    package private(set) var isReady = false
    /// When to ask next.
    package private(set) var nextProbe: Duration
    private var successes = 0
    private var failures = 0

    static let interval = Duration.seconds(1)
    static let suspicion = Duration.milliseconds(250)
    /// Nothing else finds out that a dead one is back: its directory is asked for when a probe was answered.
    static let longestPause = Duration.seconds(2)
    /// While no other address lives either.
    static let longestPauseAlone = Duration.seconds(1)

    package init(now: Duration) { nextProbe = now }

    /// Answered lately.
    package var isReachable: Bool { roundTrip != nil && state != .down }

    /// - Parameters:
    ///   - isAlone: no other address is known to live.
    ///   - jitter: 0...1, at random: nodes that lost the same one must not ask in step.
    ///   - pace: time between probes whatever the state; nil: as the state asks for.
    package mutating func record(
        _ outcome: Outcome, now: Duration, isAlone: Bool, jitter: Double, pace: Duration? = nil
    ) {
        switch outcome {
        case .ready(let measured):
            smooth(measured)
            let isFirst = successes == 0 && failures == 0 && state == .suspect && !isReady && !hasFallen
            isReady = true
            failures = 0
            successes = min(successes + 1, 2)
            state = state == .up || isFirst || successes >= 2 ? .up : .suspect
        case .notReady(let measured):
            smooth(measured)
            (isReady, hasFallen, failures, successes, state) = (false, true, 0, 0, .suspect)
        case .silent:
            isReady = false
            successes = 0
            failures = min(failures + 1, 16)
            state = failures >= 3 || roundTrip == nil || state == .down ? .down : .suspect
            hasFallen = true
        }
        schedule(now: now, isAlone: isAlone, jitter: jitter, pace: pace)
    }

    /// It says by itself whether it takes traffic. That it does is believed after a probe.
    package mutating func hear(isReady says: Bool, now: Duration) {
        guard says != isReady else { return }
        nextProbe = min(nextProbe, now)
        if !says, state != .down { (isReady, hasFallen, successes, state) = (false, true, 0, .suspect) }
    }

    /// Is asked at once, whatever was planned.
    package mutating func hurry(now: Duration) { nextProbe = min(nextProbe, now) }

    /// A relay request failed: one more sign, and a reason to ask at once.
    package mutating func doubt(now: Duration) {
        if state == .up { (state, hasFallen, successes) = (.suspect, true, 0) }
        hurry(now: now)
    }

    /// No longer new.
    private var hasFallen = false

    private mutating func smooth(_ measured: Duration) {
        roundTrip = roundTrip.map { ($0 * 3 + measured) / 4 } ?? measured
    }

    private mutating func schedule(now: Duration, isAlone: Bool, jitter: Double, pace: Duration?) {
        let pause: Duration
        switch state {
        case _ where pace != nil: pause = pace ?? Self.interval
        case .up: pause = Self.interval
        case .suspect: pause = Self.suspicion
        case .down:
            let growing = Self.suspicion * (1 << max(0, min(failures - 3, 8)))
            pause = min(growing, isAlone ? Self.longestPauseAlone : Self.longestPause)
        }
        nextProbe = now + pause * (0.75 + 0.5 * jitter)
    }
}
