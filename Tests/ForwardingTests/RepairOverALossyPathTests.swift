// The loss detector against a sender that answers requests over a path with loss, delay and jitter, in virtual time:
// everything lost is repaired within a few round trips, and not asked for much more often than needed.

import Testing
import WebRTC

@testable import Forwarding

@Suite struct RepairOverALossyPathTests {
    struct Path: Sendable, CustomTestStringConvertible {
        var roundTrip: Int64
        /// Share of packets lost, each way and repairs alike.
        var loss: Double
        /// Milliseconds by which packets may overtake each other.
        var jitter: Int64 = 0
        var seed: UInt64 = 1

        var testDescription: String { "rtt \(roundTrip) ms, loss \(loss), jitter \(jitter) ms" }
    }

    struct Outcome {
        var sent = 0
        /// First transmissions that were lost.
        var lost = 0
        var requested = 0
        var arrivedTwice = 0
        /// Milliseconds from when the packet would have arrived until it did, of those lost.
        var delays: [Int64] = []
        var neverArrived = 0
        var roundTrip: Interval?
    }

    /// 450 packets/s in frames of 15 every 33 ms, for 60 s.
    private func run(_ path: Path) -> Outcome {
        var generator = SeededGenerator(seed: path.seed)
        var detector = LossDetector()
        var outcome = Outcome()
        // By millisecond: what arrives at the receiver, and at the sender.
        var media: [Int64: [Int64]] = [:]
        var requests: [Int64: [Int64]] = [:]
        var due: [Int64: Int64] = [:]
        var arrived: Set<Int64> = []
        func lost() -> Bool { Double.random(in: 0..<1, using: &generator) < path.loss }
        func transit() -> Int64 { path.roundTrip / 2 + Int64.random(in: 0...path.jitter, using: &generator) }

        var next: Int64 = 1_000
        for t in Int64(0)..<63_000 {
            let now = Instant.zero + .milliseconds(t)
            // A frame leaves the sender as a burst over 5 ms; the stream ends 3 s before the run does.
            if t % 33 < 5, t < 60_000 {
                for _ in 0..<3 {
                    outcome.sent += 1
                    due[next] = t + path.roundTrip / 2
                    if t > 100, lost() { outcome.lost += 1 } else { media[t + transit(), default: []].append(next) }
                    next += 1
                }
            }
            for number in requests.removeValue(forKey: t) ?? [] where !lost() {
                media[t + transit(), default: []].append(number)
            }
            for number in media.removeValue(forKey: t) ?? [] {
                _ = detector.received(number, now: now)
                guard arrived.insert(number).inserted else {
                    outcome.arrivedTwice += 1
                    continue
                }
                let delay = t - (due[number] ?? t)
                if delay > path.jitter { outcome.delays.append(delay) }
            }
            guard detector.nextDeadline <= now else { continue }
            let numbers = detector.due(now: now)
            outcome.requested += numbers.count
            if !numbers.isEmpty, !lost() { requests[t + transit(), default: []] += numbers }
        }
        // The tail has nothing after it that would show its loss.
        outcome.neverArrived = (1_000..<next - 50).filter { !arrived.contains($0) }.count
        outcome.roundTrip = detector.roundTrip
        outcome.delays.sort()
        return outcome
    }

    @Test(arguments: [10, 20, 50, 100, 150, 250] as [Int64], [0.005, 0.02, 0.05])
    func everyLostPacketIsRepaired(roundTrip: Int64, loss: Double) {
        let outcome = run(Path(roundTrip: roundTrip, loss: loss))
        #expect(Double(outcome.lost) > Double(outcome.sent) * loss * 0.8)
        // Four tries fit into a second even at 250 ms.
        #expect(outcome.neverArrived <= (loss < 0.03 ? 0 : 3))
        // Half are back after one round trip, the pause between frames and the allowance.
        let median = outcome.delays.isEmpty ? 0 : outcome.delays[outcome.delays.count / 2]
        #expect(median <= roundTrip + 15)
        let worstButOnePercent = outcome.delays.isEmpty ? 0 : outcome.delays[outcome.delays.count * 99 / 100]
        #expect(worstButOnePercent <= (loss < 0.03 ? 2 : 3) * (roundTrip * 11 / 10 + 22) + 45)
        // One request each, plus what is lost of requests and answers, plus what is learnt at the beginning.
        #expect(Double(outcome.requested) <= Double(outcome.lost) * (1 + 3 * loss) + 40)
        #expect(outcome.arrivedTwice <= outcome.lost / 20 + 40)
        let error = abs((outcome.roundTrip ?? .zero).milliseconds - roundTrip)
        #expect(error <= roundTrip / 4 + 2)
    }

    @Test(arguments: [20, 100, 250] as [Int64], [3, 8] as [Int64])
    func jitterCausesFewNeedlessRequests(roundTrip: Int64, jitter: Int64) {
        let outcome = run(Path(roundTrip: roundTrip, loss: 0.02, jitter: jitter))
        #expect(outcome.neverArrived == 0)
        let median = outcome.delays.isEmpty ? 0 : outcome.delays[outcome.delays.count / 2]
        #expect(median <= roundTrip + 2 * jitter + 20)
    }

    @Test(arguments: [UInt64(2), 3, 4, 5])
    func aPathWithoutLossIsNeverAsked(seed: UInt64) {
        let outcome = run(Path(roundTrip: 40, loss: 0, seed: seed))
        #expect(outcome.requested == 0 && outcome.neverArrived == 0)
        #expect(outcome.sent > 25_000)
    }
}
