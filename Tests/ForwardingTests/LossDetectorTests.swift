// When missing packets are asked for: after an allowance for reordering, once per round trip, until they come or are of
// no use. Transcripts of single cases.

import Testing
import WebRTC

@testable import Forwarding

@Suite struct LossDetectorTests {
    private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    @Test func nothingIsAskedWhileNothingIsMissing() {
        var detector = LossDetector()
        expect(detector.due(now: at(0)), is: [])
        for n in Int64(65_530)..<65_550 { expect(detector.received(n, now: at(n)), is: .expected) }
        #expect(detector.nextDeadline == .distantFuture)
        expect(detector.due(now: at(100_000)), is: [])
        #expect(detector.missingCount == 0 && detector.abandoned == 0 && detector.roundTrip == nil)
    }

    @Test func aGapIsAskedForWhenThreeLaterPacketsCame() {
        var detector = LossDetector()
        _ = detector.received(10, now: at(0))
        expect(detector.received(12, now: at(1)), is: .gap(missing: 1))
        #expect(detector.isMissing(11) && !detector.isMissing(10) && !detector.isMissing(12))
        #expect(detector.nextDeadline == at(11))
        expect(detector.due(now: at(1)), is: [])
        expect(detector.received(13, now: at(2)), is: .expected)
        expect(detector.due(now: at(2)), is: [])
        expect(detector.received(14, now: at(3)), is: .expected)
        #expect(detector.nextDeadline == at(3))
        expect(detector.due(now: at(3)), is: [11])
        expect(detector.due(now: at(3)), is: [])
    }

    @Test func aGapIsAskedForWhenTenMillisecondsPassed() {
        var detector = LossDetector()
        _ = detector.received(10, now: at(0))
        _ = detector.received(12, now: at(1))
        expect(detector.due(now: at(10)), is: [])
        expect(detector.due(now: at(11)), is: [11])
    }

    @Test func reorderedPacketsAreNotAskedFor() {
        var detector = LossDetector()
        for n: Int64 in [1, 3, 4] { _ = detector.received(n, now: at(n)) }
        expect(detector.received(2, now: at(5)), is: .recovered(requests: 0))
        #expect(detector.nextDeadline == .distantFuture)
        #expect(detector.roundTrip == nil)
        for n: Int64 in [5, 6, 7] { expect(detector.received(n, now: at(n)), is: .expected) }
        expect(detector.due(now: at(100)), is: [])
    }

    @Test func aBurstIsAskedForAscending() {
        var detector = LossDetector()
        _ = detector.received(-2, now: at(0))
        expect(detector.received(6, now: at(0)), is: .gap(missing: 7))
        // Overtaken by three: 3 and below. The rest follows by time.
        expect(detector.due(now: at(0)), is: [-1, 0, 1, 2, 3])
        #expect(detector.nextDeadline == at(10))
        expect(detector.due(now: at(10)), is: [4, 5])
    }

    @Test func theRestOfABurstIsAskedForAsItIsOvertaken() {
        var detector = LossDetector()
        _ = detector.received(-2, now: at(0))
        _ = detector.received(6, now: at(0))
        expect(detector.due(now: at(0)), is: [-1, 0, 1, 2, 3])
        _ = detector.received(7, now: at(1))
        expect(detector.due(now: at(1)), is: [4])
        _ = detector.received(8, now: at(2))
        expect(detector.due(now: at(2)), is: [5])
        _ = detector.received(9, now: at(3))
        expect(detector.due(now: at(3)), is: [])
    }

    @Test func duplicatesAndOldPacketsAreLate() {
        var detector = LossDetector()
        for n: Int64 in [5, 6, 8] { _ = detector.received(n, now: at(0)) }
        for n: Int64 in [8, 6, 5, 4, -100, .min] { expect(detector.received(n, now: at(1)), is: .late) }
        expect(detector.received(7, now: at(1)), is: .recovered(requests: 0))
        expect(detector.received(7, now: at(1)), is: .late)
    }

    /// When one packet is asked for, at a round trip known from outside, until it is given up after a second.
    @Test(
        arguments: [
            (1, [10, 30, 50, 70, 110, 170, 250, 350, 470, 610, 770, 950]),
            (10, [10, 30, 50, 70, 110, 170, 250, 350, 470, 610, 770, 950]),
            (50, [10, 67, 124, 181, 295, 466, 694, 979]),
            (100, [10, 122, 234, 346, 570, 906]),
            (250, [10, 287, 564, 841]),
            (900, [10]),
            (5_000, [10]),
        ] as [(Int64, [Int64])])
    func requestsAreRepeatedUntilGivenUp(roundTrip: Int64, times: [Int64]) {
        var detector = LossDetector()
        detector.setRoundTrip(.milliseconds(roundTrip))
        _ = detector.received(0, now: at(0))
        _ = detector.received(2, now: at(0))
        var asked: [Int64] = []
        for t in Int64(0)..<5_000 where detector.nextDeadline <= at(t) {
            if detector.due(now: at(t)) == [1] { asked.append(t) }
            #expect(detector.isMissing(1) == (t < 1_000))
            #expect(detector.nextDeadline > at(t))
        }
        #expect(asked == times)
        #expect(detector.abandoned == 1)
        #expect(detector.nextDeadline == .distantFuture)
        expect(detector.received(1, now: at(5_000)), is: .late)
    }

    @Test func usefulnessIsConfigurable() {
        var configuration = LossDetector.Configuration()
        configuration.usefulness = .milliseconds(150)
        var detector = LossDetector(configuration)
        _ = detector.received(0, now: at(0))
        _ = detector.received(2, now: at(0))
        expect(detector.due(now: at(10)), is: [1])
        expect(detector.due(now: at(122)), is: [1])
        expect(detector.due(now: at(150)), is: [])
        #expect(detector.abandoned == 1)
    }

    @Test func aTurnThatComesFarTooLateAsksForNothingUseless() {
        var detector = LossDetector()
        _ = detector.received(0, now: at(0))
        _ = detector.received(2, now: at(0))
        expect(detector.due(now: at(3_000)), is: [])
        #expect(detector.abandoned == 1 && detector.missingCount == 0)
    }

    // MARK: Round trip

    @Test func aPacketAskedForOnceTellsTheRoundTrip() {
        var detector = LossDetector()
        _ = detector.received(0, now: at(0))
        _ = detector.received(2, now: at(0))
        expect(detector.due(now: at(10)), is: [1])
        expect(detector.received(1, now: at(60)), is: .recovered(requests: 1))
        #expect(detector.roundTrip == .milliseconds(50))
        // The second sample counts an eighth.
        _ = detector.received(4, now: at(100))
        expect(detector.due(now: at(110)), is: [3])
        expect(detector.received(3, now: at(240)), is: .recovered(requests: 1))
        #expect(detector.roundTrip == .milliseconds(60))
    }

    @Test func aPacketAskedForTwiceTellsNothing() {
        var detector = LossDetector()
        _ = detector.received(0, now: at(0))
        _ = detector.received(2, now: at(0))
        expect(detector.due(now: at(10)), is: [1])
        expect(detector.due(now: at(122)), is: [1])
        expect(detector.received(1, now: at(222)), is: .recovered(requests: 2))
        #expect(detector.roundTrip == nil)
    }

    @Test func anOriginalThatWasOnlyLateTellsNothing() {
        var detector = LossDetector()
        _ = detector.received(0, now: at(0))
        _ = detector.received(2, now: at(0))
        expect(detector.due(now: at(10)), is: [1])
        expect(detector.received(1, mayAnswer: false, now: at(12)), is: .recovered(requests: 1))
        #expect(detector.roundTrip == nil)
    }

    /// With the estimate far below the truth every answer comes after several requests (Karn's trap); it must be left.
    @Test(arguments: [30, 60, 110, 150, 205, 250, 400, 600] as [Int64], [1, 5, 20, 50, 100] as [Int64])
    func anEstimateThatIsTooLowRecovers(truth: Int64, estimate: Int64) {
        var detector = LossDetector()
        detector.setRoundTrip(.milliseconds(estimate))
        var requests = 0
        for i in Int64(0)..<40 {
            let start = i * 2_000
            _ = detector.received(i * 2, now: at(start))
            _ = detector.received(i * 2 + 2, now: at(start))
            for t in start..<(start + 10 + truth) { requests = detector.due(now: at(t)) == [i * 2 + 1] ? 1 : requests }
            guard case .recovered(let count) = detector.received(i * 2 + 1, now: at(start + 10 + truth)) else {
                Issue.record("the packet was given up")
                return
            }
            requests = count
        }
        #expect(requests == 1)
        #expect(abs(Double(detector.roundTrip?.milliseconds ?? 0) - Double(truth)) <= Double(truth) / 5)
    }

    @Test(arguments: [(-50, 1), (0, 1), (1, 1), (400, 400), (70_000, 1_000)] as [(Int64, Int64)])
    func aRoundTripFromOutsideIsKeptWithinReason(given: Int64, used: Int64) {
        var detector = LossDetector()
        detector.setRoundTrip(.milliseconds(given))
        #expect(detector.roundTrip == .milliseconds(used))
    }

    // MARK: Bounds

    @Test func theLargestGapIsRepairedAndALargerOneIsNot() {
        var detector = LossDetector()
        _ = detector.received(0, now: at(0))
        expect(detector.received(501, now: at(0)), is: .gap(missing: 500))
        expect(detector.received(1_003, now: at(0)), is: .overrun)
        #expect(detector.missingCount == 0)
        #expect(detector.abandoned == 500 + 501)
        #expect(detector.nextDeadline == .distantFuture)
        expect(detector.received(1_004, now: at(1)), is: .expected)
        expect(detector.received(1_006, now: at(1)), is: .gap(missing: 1))
    }

    @Test func aHugeJumpIsAnOverrun() {
        var detector = LossDetector()
        _ = detector.received(.min, now: at(0))
        expect(detector.received(.max, now: at(0)), is: .overrun)
        expect(detector.received(.max, now: at(0)), is: .late)
        expect(detector.due(now: at(5_000)), is: [])
    }

    @Test func tooManyMissingPacketsAreAnOverrun() {
        var configuration = LossDetector.Configuration()
        (configuration.capacity, configuration.maximumGap) = (10, 4)
        var detector = LossDetector(configuration)
        _ = detector.received(0, now: at(0))
        expect(detector.received(5, now: at(0)), is: .gap(missing: 4))
        expect(detector.received(10, now: at(0)), is: .gap(missing: 4))
        expect(detector.received(13, now: at(0)), is: .gap(missing: 2))
        #expect(detector.missingCount == 10)
        expect(detector.received(3, now: at(0)), is: .recovered(requests: 0))
        expect(detector.received(15, now: at(0)), is: .gap(missing: 1))
        expect(detector.received(17, now: at(0)), is: .overrun)
        #expect(detector.missingCount == 0)
    }

    @Test func resetBeginsAnew() {
        var detector = LossDetector()
        _ = detector.received(100, now: at(0))
        _ = detector.received(102, now: at(0))
        detector.setRoundTrip(.milliseconds(40))
        detector.reset()
        #expect(detector.missingCount == 0 && detector.nextDeadline == .distantFuture)
        #expect(detector.roundTrip == .milliseconds(40))
        expect(detector.received(7, now: at(1)), is: .expected)
        expect(detector.received(6, now: at(1)), is: .late)
    }

    /// Any sequence of arrivals and times is taken without a trap and within the bounds.
    @Test(arguments: [UInt64(1), 2, 3])
    func survivesAnything(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var configuration = LossDetector.Configuration()
        (configuration.capacity, configuration.maximumGap) = (64, 40)
        var detector = LossDetector(configuration)
        var (line, now) = (Int64(0), Int64(0))
        for _ in 0..<50_000 {
            now += .random(in: 0...3_000_000, using: &generator)
            line += .random(in: 0...3, using: &generator)
            if Int.random(in: 0..<500, using: &generator) == 0 { line += .random(in: 0...60, using: &generator) }
            let late = Int64.random(in: 0...3, using: &generator) == 0 ? Int64.random(in: 0...90, using: &generator) : 0
            let instant = Instant(nanoseconds: now)
            _ = detector.received(line - late, now: instant)
            #expect(!detector.isMissing(line - late))
            let requests = detector.due(now: instant)
            #expect(requests.count <= 64 && detector.missingCount <= 64)
            #expect(zip(requests, requests.dropFirst()).allSatisfy { $0 < $1 })
            #expect(requests.allSatisfy { detector.isMissing($0) })
            #expect(detector.nextDeadline > instant)
            #expect(detector.missingCount > 0 || detector.nextDeadline == .distantFuture)
        }
    }
}
