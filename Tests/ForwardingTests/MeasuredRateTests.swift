// What an encoding takes, as it is measured.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct MeasuredRateTests {
    @Test func aSteadyStreamIsMeasuredAndAPauseIsSeen() throws {
        var rate = MeasuredRate()
        var now = Instant.zero
        for _ in 0..<300 {
            rate.count(1_000, now: now)
            now = now + .milliseconds(10)
        }
        #expect(rate.bytesPerSecond == 100_000)
        now = now + .seconds(Int64(5))
        rate.count(1_000, now: now)
        #expect(try #require(rate.bytesPerSecond) < 1_000)
        rate.count(1_000, now: now + .seconds(Int64(1_000_000)))
        #expect(try #require(rate.bytesPerSecond) < 100)
    }
}
