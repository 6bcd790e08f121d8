// How late packets come, without a common clock.

import Testing
import WebRTC

@testable import Forwarding

@Suite struct LatenessTests {
    private static let clockRate: Int64 = 90_000

    /// A packet each 10 ms, `late` milliseconds after it was due, from a source whose clock is `skew` per mille off and
    /// begins near the end of its 32 bits.
    private static func lateness(of late: [Int64], skew: Double = 0, began: Int64 = 1_000) -> Lateness {
        var lateness = Lateness()
        for (i, late) in late.enumerated() {
            let sent = Double(i) * 10 * (1 + skew / 1_000)
            let timestamp = UInt32(truncatingIfNeeded: Int64(UInt32.max) - 5_000 + Int64(sent * 90))
            let arrival = began + Int64(i) * 10 + late
            let transit = Int32(bitPattern: UInt32(truncatingIfNeeded: arrival * 90) &- timestamp)
            lateness.arrived(transit: transit, clockRate: clockRate, now: .zero + .milliseconds(arrival))
        }
        return lateness
    }

    @Test func percentilesAreOfThePacketsTimes() {
        // The quickest comes first; 100 each of 0 to 9 ms.
        let lateness = Self.lateness(of: [0] + (0..<1_000).map { $0 % 10 })
        #expect(lateness.percentile(50) == 5)
        #expect(lateness.percentile(99) == 10)
        #expect(lateness.percentile(100) == 10)
        #expect(Lateness().percentile(99) == nil)
    }

    @Test(arguments: [(31, 32), (32, 48), (47, 48), (48, 64), (64, 96), (150, 192), (1_000, 1_024), (4_000, 2_048)])
    func longTimesAreRoundedUp(milliseconds: Int64, end: Int) {
        #expect(Self.lateness(of: [0, 0, milliseconds]).percentile(100) == end)
    }

    @Test func aQuickerPacketThanTheFirstIsTheNewMeasure() {
        let lateness = Self.lateness(of: [20] + [Int64](repeating: 0, count: 99) + [20])
        #expect(lateness.percentile(50) == 1)
        #expect(lateness.percentile(100) == 21)
    }

    @Test(arguments: [-0.2, 0.2]) func aSlowDriftIsNotLate(skew: Double) {
        // Ten minutes, in which the clocks part by 120 ms.
        let lateness = Self.lateness(of: [Int64](repeating: 0, count: 60_000), skew: skew)
        #expect(lateness.percentile(100)! <= 5)
    }

    @Test func aJumpOfTheSourcesClockBeginsAnew() {
        var lateness = Lateness()
        for (arrival, timestamp) in [(0, 0), (10, 10), (20, 100_000), (30, 100_010), (40, 100_020)] as [(Int64, Int64)]
        {
            let transit = Int32(truncatingIfNeeded: (arrival - timestamp) * 90)
            lateness.arrived(transit: transit, clockRate: Self.clockRate, now: .zero + .milliseconds(arrival))
        }
        #expect(lateness.percentile(100) == 1)
    }

    @Test func sumsAndDifferences() {
        let early = Self.lateness(of: [0, 0, 0])
        var all = early
        all.add(Self.lateness(of: [0, 8, 8]))
        #expect(all.percentile(100) == 9)
        #expect(all.since(early).percentile(1) == 9)
        #expect(all.since(all).percentile(50) == nil)
    }
}
