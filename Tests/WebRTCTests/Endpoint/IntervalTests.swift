// Lengths of time from anywhere: the nearest there is, and never a trap.
import Testing
import WebRTC

@Suite struct IntervalTests {
    @Test(
        arguments: [
            (0, 0), (1.5, 1_500_000_000), (-1.5, -1_500_000_000), (1e-10, 0), (9e9, 9_000_000_000_000_000_000),
            (9.3e9, .max), (-9.3e9, .min), (1e300, .max), (.infinity, .max), (-.infinity, .min), (.nan, .max),
        ] as [(Double, Int64)])
    func seconds(count: Double, nanoseconds: Int64) {
        #expect(Interval.seconds(count).nanoseconds == nanoseconds)
    }
}
