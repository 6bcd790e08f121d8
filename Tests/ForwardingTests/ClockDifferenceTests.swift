// Differences of NTP times come from peers: any 64 bits are answered, and what is answered is right.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct ClockDifferenceTests {
    @Test(
        arguments: [
            (0, 0), (1 << 32, 1_000_000_000), (-1 << 32, -1_000_000_000), (1 << 31, 500_000_000),
            (-1 << 31, -500_000_000),
            ((60 << 32) - 1, 59_999_999_999), (1 - (60 << 32), -60_000_000_000), (1, 0), (-1, -1),
        ] as [(Int64, Int64)])
    func differencesWithinAMinuteAreTimes(units: Int64, nanoseconds: Int64) {
        #expect(Source.interval(UInt64(bitPattern: units))?.nanoseconds == nanoseconds)
    }

    @Test(arguments: [60 << 32, -60 << 32, Int64.min, Int64.max, Int64.min + 1, 1 << 62])
    func largerOnesAreNone(units: Int64) {
        #expect(Source.interval(UInt64(bitPattern: units)) == nil)
    }

    /// A sender's clock that runs fast or slow is followed, a little with each report: its time never gets far from ours, and
    /// it never jumps, or sound and picture would be apart until the other has reported.
    @Test(arguments: [200.0, -200, 20])
    func aClockThatDriftsIsFollowed(partsPerMillion: Double) throws {
        var source = try SourceBindingTests.source(SourceBindingTests.tracks(ssrc: SSRC(7)))
        var last: Interval?
        for second in 0..<86_400 as Range<Int64> {
            let now = Instant.zero + .seconds(second)
            let theirs = Instant.zero + .seconds(Double(second) * (1 + partsPerMillion / 1e6))
            let report = SenderReport(
                sender: SSRC(7), time: NTPTime(origin: NTPTime(rawValue: 77 << 40), at: theirs), timestamp: 0,
                packets: 0, octets: 0)
            _ = source.senderReport(report, ntpOrigin: 0xE800_0000 << 32, now: now)
            let at = try #require(source.tracks[0].encodings[0].earlyReport?.at, "after \(second) s")
            if let last, (at - now - last).nanoseconds.magnitude > 2_000_000 {
                Issue.record("it jumps after \(second) s")
            }
            last = at - now
        }
        let ahead = try #require(last)
        #expect(ahead.nanoseconds.magnitude < 10_000_000, "\(ahead.milliseconds) ms after a day")
    }

    /// Sender reports whose times lie at every distance of each other, one after the other on one source.
    @Test func anyTwoSenderReportsAreTaken() throws {
        var random = SeededGenerator(seed: 9)
        let extremes: [UInt64] = [0, 1, 1 << 63, (1 << 63) - 1, (1 << 63) + 1, .max, .max - 1, 60 << 32]
        for start in extremes {
            for step in extremes + (0..<50).map({ _ in random.next() }) {
                var source = try SourceBindingTests.source(SourceBindingTests.tracks(ssrc: SSRC(7)))
                for time in [start, start &+ step, start] {
                    for origin in [0, 0xE800_0000 << 32] as [UInt64] {
                        _ = source.senderReport(
                            SenderReport(
                                sender: SSRC(7), time: NTPTime(rawValue: time),
                                timestamp: UInt32(truncatingIfNeeded: step),
                                packets: 0, octets: 0), ntpOrigin: origin, now: .zero)
                    }
                }
            }
        }
    }
}
