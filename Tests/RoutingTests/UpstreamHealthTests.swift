import Testing

@testable import Routing

// Probes and what they make of a node, on a clock of the test's own.

@Suite struct UpstreamHealthTests {
    /// `r`: ready, `n`: answers that it is not, `.`: silence, `!`: a relay request failed. Answers with the state after
    /// each step; time goes to the next probe each time.
    private func states(_ script: String, isAlone: Bool = false) -> String {
        var health = UpstreamHealth(now: .zero)
        var now = Duration.zero
        var result = ""
        for step in script {
            if step == "!" {
                health.doubt(now: now)
            } else {
                now = health.nextProbe
                let outcome: UpstreamHealth.Outcome =
                    step == "."
                    ? .silent
                    : step == "r" ? .ready(roundTrip: .milliseconds(3)) : .notReady(roundTrip: .milliseconds(3))
                health.record(outcome, now: now, isAlone: isAlone, jitter: 0.5)
            }
            result += String(health.state.rawValue.first!)
        }
        return result
    }

    @Test(arguments: [
        // A new one is believed at once, either way.
        ("r", "u"), (".", "d"), ("n", "s"), ("nrr", "ssu"),
        // One lost probe is a suspicion, three are a verdict.
        ("r.", "us"), ("r..", "uss"), ("r...", "ussd"), ("r....", "ussdd"),
        // Back needs two answers in a row.
        ("r.r", "uss"), ("r.rr", "ussu"), ("r.r.rr", "ussssu"), ("r...r", "ussds"), ("r...rr", "ussdsu"), (".r", "ds"),
        (".rr", "dsu"),
        // It says that it drains: known at once, and never dead while it says so.
        ("rn", "us"), ("rnnnnnn", "ussssss"), ("rnrr", "ussu"), ("r...n", "ussds"),
        // Alternating answers do not flap.
        ("r.r.r.r.", "ussssss" + "s"), ("r...r...r", "ussds" + "ssds"),
        // A failed relay request is a sign, not a verdict.
        ("r!", "us"), ("r!rr", "ussu"), ("r!...", "ussss".replacing("ssss", with: "sssd")), (".!", "dd"),
    ])
    func transcript(script: String, expected: String) { #expect(states(script) == expected) }

    @Test func pausesGrowAndAreBounded() {
        func pauses(isAlone: Bool, jitter: Double = 0.5) -> [Int] {
            var health = UpstreamHealth(now: .zero)
            return (0..<12).map { _ in
                let now = health.nextProbe
                health.record(.silent, now: now, isAlone: isAlone, jitter: jitter)
                return Int((health.nextProbe - now) / .milliseconds(1))
            }
        }
        #expect(pauses(isAlone: false) == [250, 250, 250, 500, 1_000] + Array(repeating: 2_000, count: 7))
        // With nobody else left the tries go on at least every second.
        #expect(pauses(isAlone: true) == [250, 250, 250, 500] + Array(repeating: 1_000, count: 8))
        #expect(pauses(isAlone: true, jitter: 0).last == 750)
        #expect(pauses(isAlone: true, jitter: 1).last == 1_250)
    }

    @Test func doubtAsksAtOnceAndRoundTripsAreSmoothed() {
        var health = UpstreamHealth(now: .zero)
        #expect(!health.isReachable)
        health.record(.ready(roundTrip: .milliseconds(10)), now: .zero, isAlone: false, jitter: 0.5)
        #expect(health.nextProbe == .seconds(1) && health.isReachable && health.isReady)
        health.doubt(now: .milliseconds(100))
        #expect(health.nextProbe == .milliseconds(100) && health.isReachable)
        health.record(.ready(roundTrip: .milliseconds(50)), now: .milliseconds(100), isAlone: false, jitter: 0.5)
        #expect(health.roundTrip == .milliseconds(20))
    }

    @Test func whatANodeSaysOfItself() {
        var health = UpstreamHealth(now: .zero)
        health.record(.ready(roundTrip: .milliseconds(1)), now: .zero, isAlone: false, jitter: 0.5)
        health.hear(isReady: true, now: .zero)
        #expect(health.state == .up && health.nextProbe == .seconds(1))
        health.hear(isReady: false, now: .milliseconds(10))
        #expect(health.state == .suspect && !health.isReady && health.nextProbe == .milliseconds(10))
        // That it is ready again is for the probes to find out.
        health.hear(isReady: true, now: .milliseconds(20))
        #expect(health.state == .suspect && !health.isReady)
    }

    @Test func nodesOfNoConcernAreAskedRarely() {
        var health = UpstreamHealth(now: .zero)
        for outcome in [UpstreamHealth.Outcome.ready(roundTrip: .zero), .silent, .silent, .silent] {
            health.record(outcome, now: .zero, isAlone: false, jitter: 0.5, pace: .seconds(5))
            #expect(health.nextProbe == .seconds(5))
        }
        health.hurry(now: .seconds(1))
        #expect(health.nextProbe == .seconds(1))
    }
}
