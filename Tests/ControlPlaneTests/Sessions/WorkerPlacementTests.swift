import Testing
import WebRTC

@testable import ControlPlane

// Where a new broadcast goes, by what is measured, by what has just been placed, and by sessions where these are equal.

@Suite("Placement on workers") struct WorkerPlacementTests {
    /// Placement after so many seconds in which the workers' threads ran for these shares of the time.
    private static func placement(after seconds: Int = 10, shares: [Double]) -> WorkerPlacement {
        var placement = WorkerPlacement(workers: shares.count)
        for second in 0...seconds { read(shares, at: second, into: &placement) }
        return placement
    }

    /// The readings of threads that have run for these shares of the time from second 0 on.
    private static func read(_ shares: [Double], at second: Int, into placement: inout WorkerPlacement) {
        let times = shares.map { Interval(nanoseconds: Int64($0 * 1e9) * Int64(second)) }
        placement.measure(times, at: .seconds(second))
    }

    @Test(
        arguments: [
            // shares of processor time, sessions, the worker chosen
            ([0], [7], 0),
            ([0, 0, 0], [0, 0, 0], 0),
            ([0, 0, 0], [2, 1, 1], 1),
            // Many viewers of sound cost less than a few of video.
            ([0.1, 0.8], [900, 20], 0),
            ([0.8, 0.1], [20, 900], 1),
            ([0.9, 0.6, 0.7], [0, 50, 50], 1),
            // Within a step nobody can say which is which.
            ([0.11, 0.13], [5, 4], 1),
            ([0.13, 0.11], [4, 5], 0),
            ([0.01, 0.02, 0.04], [3, 2, 9], 1),
            ([1, 1], [5, 4], 1),
        ] as [([Double], [Int], Int)])
    func theLeastLoadedIsChosen(shares: [Double], sessions: [Int], expected: Int) {
        #expect(Self.placement(shares: shares).choose(sessions: sessions) == expected)
    }

    /// The worker that was idle a second ago gets some of a burst, until it is taken to be as busy as the other.
    @Test(
        arguments: [
            // shares, broadcasts at once, how they are placed
            ([0.0, 0.0], 10, [5, 5]),
            ([0.0, 0.0, 0.0], 100, [34, 33, 33]),
            ([0.4, 0.0], 100, [40, 60]),
            ([0.4, 0.2, 0.0], 6, [0, 0, 6]),
        ] as [([Double], Int, [Int])])
    func aBurstIsSpread(shares: [Double], count: Int, expected: [Int]) {
        var placement = Self.placement(after: 40, shares: shares)
        var sessions = [Int](repeating: 0, count: shares.count)
        for _ in 0..<count {
            let worker = placement.choose(sessions: sessions)
            placement.place(on: worker)
            sessions[worker] += 1
        }
        for (worker, count) in sessions.enumerated() {
            #expect(abs(count - expected[worker]) <= 3, "\(sessions) for \(expected)")
        }
    }

    /// What is new counts until it has been measured, and not for ever.
    @Test func placementsAreForgotten() {
        var placement = Self.placement(shares: [0, 0.3])
        for _ in 0..<20 { placement.place(on: 0) }
        #expect(placement.choose(sessions: [20, 0]) == 1)
        for second in 11...12 { Self.read([0, 0.3], at: second, into: &placement) }
        #expect(placement.choose(sessions: [20, 0]) == 1)
        Self.read([0, 0.3], at: 13, into: &placement)
        #expect(placement.choose(sessions: [20, 0]) == 0)
    }

    /// Load of the past is forgotten within seconds.
    @Test func recentLoadCounts() {
        var placement = Self.placement(after: 100, shares: [0.9, 0.1])
        for second in 0...5 {
            placement.measure([.seconds(90.0), .seconds(10 + 0.8 * Double(second))], at: .seconds(101 + second))
        }
        #expect(placement.choose(sessions: [100, 0]) == 0)
    }

    @Test func theSameMomentAgainSaysNothing() {
        var placement = WorkerPlacement(workers: 2)
        placement.measure([.zero, .zero], at: .seconds(5))
        placement.measure([.seconds(Int64(1)), .zero], at: .seconds(5))
        #expect(placement.choose(sessions: [0, 1]) == 0)
    }

    @Test func readingsComeOnceASecondWhileThereIsSomethingToRead() {
        var placement = WorkerPlacement(workers: 2)
        #expect(placement.nextReading == nil && placement.isAtRest)
        placement.place(on: 1)
        #expect(!placement.isAtRest)
        for second in 0...3 {
            Self.read([0, 0.6], at: second, into: &placement)
            #expect(placement.nextReading == .seconds(second + 1))
        }
        #expect(!placement.isAtRest)
        // It idles from here on, and half of what is known is forgotten with each reading.
        for second in 4...8 { placement.measure([.zero, .milliseconds(1_800)], at: .seconds(second)) }
        #expect(placement.isAtRest)
        // However long nobody reads: what is new is a reading of all that time.
        placement.measure([.milliseconds(10), .milliseconds(1_810)], at: .seconds(10_000))
        #expect(placement.isAtRest)
    }
}
