// One stream as its receiver sees it: RFC 3550 A.1 (sequence numbers), A.3 (loss), A.8 (jitter), §6.4.1 (reports).

import Testing
import WebRTC

@testable import Forwarding

@Suite struct ReceptionStatisticsTests {
    private let ssrc = SSRC(7)
    private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    /// A stream of 90 kHz that received these numbers, 10 ms and 900 units apart.
    private func stream(_ numbers: [UInt16]) -> (ReceptionStatistics, [ReceptionStatistics.Arrival]) {
        var statistics = ReceptionStatistics(clockRate: 90_000)
        let arrivals = numbers.enumerated().map { i, number in
            statistics.received(SequenceNumber(number), timestamp: UInt32(i) * 900, now: at(Int64(i) * 10))
        }
        return (statistics, arrivals)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var numbers: [UInt16]
        var arrivals: [ReceptionStatistics.Arrival]
        var expected: Int64
        var lost: Int64
    }

    @Test(arguments: [
        Case(
            testDescription: "in order", numbers: [7, 8, 9], arrivals: [.accepted(7), .accepted(8), .accepted(9)],
            expected: 3, lost: 0),
        Case(
            testDescription: "gap", numbers: [7, 10, 11], arrivals: [.accepted(7), .accepted(10), .accepted(11)],
            expected: 5, lost: 2),
        Case(
            testDescription: "reordered", numbers: [7, 9, 8, 10],
            arrivals: [.accepted(7), .accepted(9), .accepted(8), .accepted(10)], expected: 4, lost: 0),
        Case(
            testDescription: "duplicate", numbers: [7, 8, 8], arrivals: [.accepted(7), .accepted(8), .accepted(8)],
            expected: 2, lost: -1),
        Case(
            testDescription: "wrap", numbers: [65_534, 65_535, 0, 1],
            arrivals: [.accepted(65_534), .accepted(65_535), .accepted(65_536), .accepted(65_537)], expected: 4,
            lost: 0),
        Case(
            testDescription: "reordered across the wrap", numbers: [65_534, 0, 65_535, 1],
            arrivals: [.accepted(65_534), .accepted(65_536), .accepted(65_535), .accepted(65_537)], expected: 4,
            lost: 0),
        Case(
            testDescription: "before the first", numbers: [1, 0, 65_535],
            arrivals: [.accepted(1), .accepted(0), .accepted(-1)], expected: 3, lost: 0),
        Case(
            testDescription: "largest gap", numbers: [0, 2_999], arrivals: [.accepted(0), .accepted(2_999)],
            expected: 3_000, lost: 2_998),
        Case(
            testDescription: "one beyond the largest gap", numbers: [0, 3_000, 1],
            arrivals: [.accepted(0), .rejected, .accepted(1)], expected: 2, lost: 0),
        Case(
            testDescription: "latest", numbers: [2_000, 1_001], arrivals: [.accepted(2_000), .accepted(1_001)],
            expected: 1_000, lost: 998),
        Case(
            testDescription: "one later than the latest", numbers: [2_000, 1_000, 2_001],
            arrivals: [.accepted(2_000), .rejected, .accepted(2_001)], expected: 2, lost: 0),
        Case(
            testDescription: "jump that is not confirmed", numbers: [5, 40_000, 6, 20_000, 7],
            arrivals: [.accepted(5), .rejected, .accepted(6), .rejected, .accepted(7)], expected: 3, lost: 0),
        Case(
            testDescription: "restart forward", numbers: [5, 40_000, 40_001, 40_002],
            arrivals: [.accepted(5), .rejected, .restarted(40_001), .accepted(40_002)], expected: 4, lost: 1),
        Case(
            testDescription: "restart backward goes on upward", numbers: [40_000, 5, 6, 7],
            arrivals: [.accepted(40_000), .rejected, .restarted(65_542), .accepted(65_543)], expected: 4, lost: 1),
        Case(
            testDescription: "restart confirmed across the wrap", numbers: [30_000, 65_535, 0],
            arrivals: [.accepted(30_000), .rejected, .restarted(65_536)], expected: 3, lost: 1),
        Case(
            testDescription: "restart, the rejected packet repaired", numbers: [5, 40_000, 40_001, 40_000],
            arrivals: [.accepted(5), .rejected, .restarted(40_001), .accepted(40_000)], expected: 3, lost: 0),
        Case(
            testDescription: "restart with loss at its start", numbers: [5, 40_000, 40_002, 40_003],
            arrivals: [.accepted(5), .rejected, .rejected, .restarted(40_003)], expected: 3, lost: 1),
        Case(
            testDescription: "the same far packet twice is no restart", numbers: [5, 40_000, 40_000, 6],
            arrivals: [.accepted(5), .rejected, .rejected, .accepted(6)], expected: 2, lost: 0),
    ])
    func numbersAndLoss(_ c: Case) {
        let (statistics, arrivals) = stream(c.numbers)
        #expect(arrivals == c.arrivals)
        #expect(statistics.expected == c.expected)
        #expect(statistics.lost == c.lost)
        #expect(statistics.received == UInt64(c.arrivals.filter { $0 != .rejected }.count))
    }

    @Test func nothingToSayBeforeTheFirstPacket() {
        var statistics = ReceptionStatistics(clockRate: 90_000)
        expect(statistics.report(on: ssrc, now: at(0)), is: nil)
        #expect(statistics.highest == nil && statistics.expected == 0 && statistics.lost == 0)
        #expect(statistics.extended(SequenceNumber(3)) == nil)
    }

    @Test func numbersGoOnForManyCycles() {
        var statistics = ReceptionStatistics(clockRate: 90_000)
        for n in stride(from: Int64(65_000), to: 400_000, by: 7) {
            let arrival = statistics.received(
                SequenceNumber(UInt16(truncatingIfNeeded: n)), timestamp: UInt32(n), now: at(n))
            #expect(arrival == .accepted(n))
        }
        let report = statistics.report(on: ssrc, now: at(400_000))
        #expect(report?.highestSequence == UInt32(65_000 + 334_999 / 7 * 7))
    }

    @Test func numbersNearTheLineAreExtendedWithoutCounting() {
        let (statistics, _) = stream([65_530, 2])
        let cases: [(UInt16, Int64?)] = [
            (2, 65_538), (3, 65_539), (65_535, 65_535), (65_000, 65_000), (64_540, 64_540), (64_538, nil),
            (3_001, 68_537), (3_002, nil), (30_000, nil),
        ]
        for (number, extended) in cases {
            #expect(statistics.extended(SequenceNumber(number)) == extended, "\(number)")
        }
        #expect(statistics.received == 2)
    }

    /// 100 packets, the fourth of each four lost; then 100 complete; then nothing.
    @Test func fractionsAreOfTheInterval() {
        var statistics = ReceptionStatistics(clockRate: 48_000)
        for n in UInt16(0)..<100 where n % 4 != 2 {
            _ = statistics.received(SequenceNumber(n), timestamp: 0, now: at(Int64(n)))
        }
        let first = statistics.report(on: ssrc, now: at(100))
        #expect(first?.fractionLost == 64)
        #expect(first?.cumulativeLost == 25)
        #expect(first?.highestSequence == 99)
        #expect(first?.ssrc == ssrc)
        for n in UInt16(100)..<200 { _ = statistics.received(SequenceNumber(n), timestamp: 0, now: at(Int64(n))) }
        let second = statistics.report(on: ssrc, now: at(200))
        #expect(second?.fractionLost == 0)
        #expect(second?.cumulativeLost == 25)
        let third = statistics.report(on: ssrc, now: at(300))
        #expect(third?.fractionLost == 0)
        #expect(third?.highestSequence == 199)
    }

    @Test func repairedPacketsMakeTheFractionZeroNotNegative() {
        var statistics = ReceptionStatistics(clockRate: 90_000)
        for n: UInt16 in [0, 1, 5] { _ = statistics.received(SequenceNumber(n), timestamp: 0, now: at(0)) }
        expect(statistics.report(on: ssrc, now: at(1))?.fractionLost, is: 128)
        for n: UInt16 in [2, 3, 4, 4, 6] { _ = statistics.received(SequenceNumber(n), timestamp: 0, now: at(2)) }
        let report = statistics.report(on: ssrc, now: at(3))
        #expect(report?.fractionLost == 0)
        #expect(report?.cumulativeLost == -1)
    }

    @Test func allButOneLostIsNotMoreThanAByte() {
        var statistics = ReceptionStatistics(clockRate: 90_000)
        _ = statistics.received(SequenceNumber(0), timestamp: 0, now: at(0))
        _ = statistics.report(on: ssrc, now: at(0))
        _ = statistics.received(SequenceNumber(2_900), timestamp: 0, now: at(0))
        expect(statistics.report(on: ssrc, now: at(1))?.fractionLost, is: 255)
    }

    @Test func cumulativeLossStaysWithin24SignedBits() {
        var statistics = ReceptionStatistics(clockRate: 90_000)
        var number: UInt16 = 0
        for _ in 0..<3_000 {
            _ = statistics.received(SequenceNumber(number), timestamp: 0, now: at(0))
            number &+= 2_999
        }
        #expect(statistics.lost > 0x7F_FFFF)
        expect(statistics.report(on: ssrc, now: at(0))?.cumulativeLost, is: 0x7F_FFFF)
        let lost = statistics.lost
        for _ in 0..<Int(lost) + 10 {
            _ = statistics.received(SequenceNumber(number &- 2_999), timestamp: 0, now: at(0))
        }
        #expect(statistics.lost == -10)
        expect(statistics.report(on: ssrc, now: at(0))?.cumulativeLost, is: -10)
    }

    @Test func theFirstReportAfterARestartIsSane() {
        var (statistics, _) = stream(Array(100..<200))
        _ = statistics.report(on: ssrc, now: at(2_000))
        for n: UInt16 in [20_000, 20_001, 20_002, 20_003] {
            _ = statistics.received(SequenceNumber(n), timestamp: 0, now: at(2_000))
        }
        let report = statistics.report(on: ssrc, now: at(2_100))
        #expect(report?.fractionLost == 64)
        #expect(report?.cumulativeLost == 1)
        #expect(report?.highestSequence == 20_003)
    }

    // MARK: Jitter

    @Test func regularArrivalHasNoJitter() {
        let (statistics, _) = stream(Array(0..<100))
        #expect(statistics.jitter == 0)
    }

    /// Every second packet 10 ms late: |D| is 10 ms for each, which the estimate approaches (RFC 3550 §6.4.1).
    @Test func alternatingDelayConvergesToItsSize() {
        var statistics = ReceptionStatistics(clockRate: 90_000)
        for n in Int64(0)..<400 {
            _ = statistics.received(
                SequenceNumber(UInt16(n)), timestamp: UInt32(n * 1_800), now: at(n * 20 + n % 2 * 10))
        }
        #expect(abs(statistics.jitter - 0.010) < 0.000_3)
        let report = statistics.report(on: ssrc, now: at(9_000))
        #expect((880...900).contains(report?.jitter ?? 0))
    }

    /// The first step of the filter: J = |D| / 16.
    @Test func oneLatePacketCountsASixteenth() {
        var statistics = ReceptionStatistics(clockRate: 8_000)
        _ = statistics.received(SequenceNumber(0), timestamp: 0, now: at(0))
        _ = statistics.received(SequenceNumber(1), timestamp: 160, now: at(40))
        expect(statistics.report(on: ssrc, now: at(40))?.jitter, is: 10)
    }

    @Test func packetsOfOneFrameAndLatePacketsAreNoJitter() {
        var statistics = ReceptionStatistics(clockRate: 90_000)
        for frame in Int64(0)..<50 {
            for packet in Int64(0)..<4 where frame * 4 + packet != 101 {
                _ = statistics.received(
                    SequenceNumber(UInt16(frame * 4 + packet)), timestamp: UInt32(frame * 3_600),
                    now: at(frame * 40 + packet * 2))
            }
        }
        _ = statistics.received(SequenceNumber(101), timestamp: 25 * 3_600, now: at(2_100))
        #expect(statistics.jitter == 0)
    }

    @Test func aJumpOfTheClockIsNoJitterAndTheTimestampMayWrap() {
        var statistics = ReceptionStatistics(clockRate: 90_000)
        var timestamp = UInt32.max - 5_000
        for n in Int64(0)..<200 {
            if n == 100 { timestamp &+= 0x6000_0000 }
            _ = statistics.received(SequenceNumber(UInt16(n)), timestamp: timestamp, now: at(n * 10))
            timestamp &+= 900
        }
        #expect(statistics.jitter == 0)
    }

    /// The new line's timestamps begin anywhere, here 3 s ahead: too little to be taken for a jump of the clock.
    @Test func aRestartIsNoJitter() {
        var statistics = ReceptionStatistics(clockRate: 90_000)
        for n in Int64(0)..<100 {
            let (number, timestamp) = n < 50 ? (n, n * 900) : (n + 20_000, n * 900 + 270_000)
            _ = statistics.received(SequenceNumber(UInt16(number)), timestamp: UInt32(timestamp), now: at(n * 10))
        }
        #expect(statistics.highest == 20_099)
        #expect(statistics.jitter == 0)
    }

    // MARK: Sender reports

    @Test func theLastSenderReportIsEchoed() {
        var (statistics, _) = stream([1, 2])
        expect(statistics.report(on: ssrc, now: at(0))?.lastSenderReport, is: 0)
        statistics.senderReport(NTPTime(rawValue: 0x0123_4567_89AB_CDEF), now: at(1_000))
        // 5.25 s, the example of RFC 3550 figure 2: DLSR 0x0005:4000.
        let report = statistics.report(on: ssrc, now: at(6_250))
        #expect(report?.lastSenderReport == 0x4567_89AB)
        #expect(report?.delaySinceLastSenderReport == 0x0005_4000)
    }

    /// Any arrival is answered without a trap, and the line never goes backwards.
    @Test(arguments: [UInt64(1), 2, 3])
    func survivesAnything(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var statistics = ReceptionStatistics(clockRate: .random(in: 0...(.max), using: &generator))
        var highest = Int64.min
        for _ in 0..<50_000 {
            let near = UInt16(truncatingIfNeeded: statistics.highest ?? 0)
            let number =
                Bool.random(using: &generator)
                ? near &+ .random(in: 0...4, using: &generator) : .random(in: 0...(.max), using: &generator)
            let now = Instant(nanoseconds: .random(in: (.min)...(.max), using: &generator))
            let timestamp = UInt32.random(in: 0...(.max), using: &generator)
            switch statistics.received(SequenceNumber(number), timestamp: timestamp, now: now) {
            case .accepted(let extended), .restarted(let extended):
                #expect(UInt16(truncatingIfNeeded: extended) == number)
            case .rejected: break
            }
            #expect((statistics.highest ?? highest) >= highest)
            highest = statistics.highest ?? highest
            if number % 16 == 0 { statistics.senderReport(NTPTime(rawValue: generator.next()), now: now) }
            if number % 16 == 1 { _ = statistics.report(on: ssrc, now: now) }
        }
    }
}
