// What a source is told of the arrival of its packets: everything once, late ones in addition, nothing invented, with
// bounded memory whatever numbers come.

import Testing

@testable import WebRTC

@Suite struct TransportFeedbackRecorderTests {
    private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    /// Base and, for each number from there on, the arrival in ms (250 µs ticks / 4) or nil.
    private struct Told: Equatable {
        var base: UInt16
        var arrivals: [Int64?]
        init(_ base: UInt16, _ arrivals: [Int64?]) { (self.base, self.arrivals) = (base, arrivals) }
    }

    private func due(_ recorder: inout TransportFeedbackRecorder, _ milliseconds: Int64) -> [Told] {
        recorder.due(now: at(milliseconds), sender: SSRC(1), media: SSRC(2)).map { feedback in
            #expect(feedback.sender == SSRC(1) && feedback.media == SSRC(2))
            return Told(feedback.baseSequence, feedback.arrivals.map { $0.map { $0 / 4 } })
        }
    }

    @Test func nothingArrivedNothingTold() {
        var recorder = TransportFeedbackRecorder()
        #expect(recorder.nextDeadline == .distantFuture)
        #expect(due(&recorder, 1_000) == [])
    }

    @Test func arrivalsAreToldAfterTheInterval() {
        var recorder = TransportFeedbackRecorder(interval: .milliseconds(50))
        recorder.record(100, arrival: at(10))
        recorder.record(101, arrival: at(12))
        recorder.record(104, arrival: at(30))
        #expect(recorder.nextDeadline == at(60))
        #expect(due(&recorder, 59) == [])
        #expect(due(&recorder, 60) == [Told(100, [10, 12, nil, nil, 30])])
        #expect(recorder.nextDeadline == .distantFuture)
        #expect(due(&recorder, 500) == [])
    }

    @Test func theNextFeedbackBeginsWhereTheLastEnded() {
        var recorder = TransportFeedbackRecorder(interval: .milliseconds(50))
        recorder.record(1, arrival: at(0))
        #expect(due(&recorder, 50) == [Told(1, [0])])
        recorder.record(4, arrival: at(70))
        #expect(due(&recorder, 120) == [Told(2, [nil, nil, 70])])
    }

    @Test func aReorderedPacketIsToldInItsPlace() {
        var recorder = TransportFeedbackRecorder()
        for (number, time) in [(5, 0), (7, 1), (6, 2), (4, 3)] as [(UInt16, Int64)] {
            recorder.record(number, arrival: at(time))
        }
        #expect(due(&recorder, 50) == [Told(4, [3, 0, 2, 1])])
    }

    @Test func aPacketAfterItsFeedbackIsToldWithWhatFollowsIt() {
        var recorder = TransportFeedbackRecorder()
        for number: UInt16 in [5, 7, 8] { recorder.record(number, arrival: at(0)) }
        #expect(due(&recorder, 50) == [Told(5, [0, nil, 0, 0])])
        recorder.record(6, arrival: at(60))
        #expect(recorder.nextDeadline == at(110))
        #expect(due(&recorder, 110) == [Told(6, [60, 0, 0])])
        recorder.record(9, arrival: at(120))
        #expect(due(&recorder, 170) == [Told(9, [120])])
    }

    @Test func ofADuplicateTheFirstArrivalCounts() {
        var recorder = TransportFeedbackRecorder()
        recorder.record(5, arrival: at(0))
        recorder.record(5, arrival: at(9))
        #expect(due(&recorder, 50) == [Told(5, [0])])
        recorder.record(5, arrival: at(60))
        #expect(recorder.nextDeadline == .distantFuture)
    }

    @Test func numbersWrap() {
        var recorder = TransportFeedbackRecorder()
        for (i, number) in ([65_534, 65_535, 1, 0] as [UInt16]).enumerated() {
            recorder.record(number, arrival: at(Int64(i)))
        }
        #expect(due(&recorder, 50) == [Told(65_534, [0, 1, 3, 2])])
        recorder.record(2, arrival: at(60))
        #expect(due(&recorder, 110) == [Told(2, [60])])
    }

    @Test func feedbackPacketsAreCountedModulo256() {
        var recorder = TransportFeedbackRecorder()
        for i in 0..<600 {
            recorder.record(UInt16(i), arrival: at(Int64(i) * 100))
            let feedback = recorder.due(now: at(Int64(i) * 100 + 50), sender: SSRC(1), media: SSRC(2))
            #expect(feedback.map(\.feedbackCount) == [UInt8(truncatingIfNeeded: i)])
        }
    }

    @Test func muchTrafficIsToldEarlyAndInSeveralPackets() {
        var recorder = TransportFeedbackRecorder()
        for number in UInt16(0)..<512 { recorder.record(number, arrival: at(1)) }
        #expect(recorder.nextDeadline == at(51))
        recorder.record(512, arrival: at(2))
        #expect(recorder.nextDeadline == at(2))
        let feedback = recorder.due(now: at(2), sender: SSRC(1), media: SSRC(2))
        #expect(feedback.count > 1)
        #expect(feedback.map(\.feedbackCount) == feedback.indices.map { UInt8($0) })
        #expect(feedback.flatMap(\.arrivals) == [Int64?](repeating: 4, count: 512) + [8])
        recorder.record(513, arrival: at(60))
        let next = recorder.due(now: at(110), sender: SSRC(1), media: SSRC(2))
        #expect(next.map(\.feedbackCount) == [UInt8(feedback.count)])
    }

    @Test func aGapUpToTheWindowIsAGap() {
        var recorder = TransportFeedbackRecorder()
        let last = UInt16(TransportFeedbackRecorder.capacity - 1)
        recorder.record(0, arrival: at(0))
        recorder.record(last, arrival: at(1))
        let told = due(&recorder, 50)
        #expect(told.flatMap(\.arrivals).count == TransportFeedbackRecorder.capacity)
        #expect(told.first?.base == 0 && told.first?.arrivals.first == 0)
        #expect(told.last?.arrivals.last == 1)
    }

    /// An old arrival in the same slot of the ring must not be taken for a skipped number's.
    @Test func skippedNumbersAreMissingAlsoWhenTheRingWasUsedBefore() {
        var recorder = TransportFeedbackRecorder()
        let capacity = UInt16(TransportFeedbackRecorder.capacity)
        for number in UInt16(0)..<capacity {
            recorder.record(number, arrival: at(0))
            if number % 256 == 255 { _ = due(&recorder, 50) }
        }
        recorder.record(capacity + 3, arrival: at(60))
        #expect(due(&recorder, 110) == [Told(capacity, [nil, nil, nil, 60])])
    }

    @Test func oneStrayNumberChangesNothing() {
        var recorder = TransportFeedbackRecorder()
        recorder.record(10, arrival: at(0))
        recorder.record(30_000, arrival: at(1))
        recorder.record(11, arrival: at(2))
        recorder.record(30_001, arrival: at(3))
        recorder.record(12, arrival: at(4))
        #expect(due(&recorder, 60) == [Told(10, [0, 2, 4])])
    }

    @Test(arguments: [30_000, 8_000, 50_000, 65_535] as [UInt16])
    func twoInARowAreANewLine(start: UInt16) {
        var recorder = TransportFeedbackRecorder()
        recorder.record(10_000, arrival: at(0))
        #expect(due(&recorder, 50) == [Told(10_000, [0])])
        let capacity = TransportFeedbackRecorder.capacity
        #expect(abs(Int(start) - 10_000) >= capacity || start == 8_000)
        recorder.record(start, arrival: at(100))
        recorder.record(start &+ 1, arrival: at(101))
        recorder.record(start &+ 2, arrival: at(102))
        if start == 8_000 {
            // Within the window: late packets, told with all that follows.
            #expect(due(&recorder, 200).first?.arrivals.prefix(3) == [100, 101, 102])
        } else {
            #expect(due(&recorder, 200) == [Told(start &+ 1, [101, 102])])
        }
    }

    @Test func aNewLineKnowsNothingOfTheOldOne() {
        var recorder = TransportFeedbackRecorder()
        for number in 0..<UInt16(TransportFeedbackRecorder.capacity) { recorder.record(number, arrival: at(0)) }
        _ = due(&recorder, 50)
        for number: UInt16 in [30_000, 30_001, 29_998] { recorder.record(number, arrival: at(100)) }
        #expect(due(&recorder, 150) == [Told(29_998, [100, nil, nil, 100])])
    }

    /// Whoever does not ask in time is told of the newest numbers only.
    @Test func theRingKeepsTheNewest() {
        var recorder = TransportFeedbackRecorder()
        for number in UInt16(0)..<4_000 { recorder.record(number, arrival: at(Int64(number))) }
        let told = due(&recorder, 5_000)
        let oldest = 4_000 - TransportFeedbackRecorder.capacity
        #expect(told.first?.base == UInt16(oldest))
        #expect(told.flatMap(\.arrivals) == (Int64(oldest)..<4_000).map { $0 })
    }

    @Test func arrivalsTooFarApartForOnePacketAreSplit() {
        var recorder = TransportFeedbackRecorder(interval: .seconds(Int64(60)))
        recorder.record(1, arrival: at(0))
        recorder.record(2, arrival: at(9_000))
        #expect(due(&recorder, 60_000) == [Told(1, [0]), Told(2, [9_000])])
    }

    /// Random loss, reordering and stray numbers: what is told is what was recorded, and everything recorded is told.
    @Test(arguments: [UInt64(1), 2, 3])
    func tellsTheTruth(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var recorder = TransportFeedbackRecorder()
        var recorded: [UInt16: Int64] = [:]
        var told: Set<UInt16> = []
        var line: UInt16 = 60_000
        for i in Int64(0)..<12_000 {
            line &+= Int.random(in: 0..<20, using: &generator) == 0 ? .random(in: 2...30, using: &generator) : 1
            // A number of the cycle before is of no use for comparing.
            for old in UInt16(0)...40 { recorded[line &+ 30_000 &+ old] = nil }
            let number =
                Int.random(in: 0..<10, using: &generator) == 0 ? line &- .random(in: 0...9, using: &generator) : line
            recorder.record(number, arrival: at(i))
            if recorded[number] == nil {
                recorded[number] = i
                told.remove(number)
            }
            guard recorder.nextDeadline <= at(i) else { continue }
            for feedback in due(&recorder, i) {
                for (offset, arrival) in feedback.arrivals.enumerated() {
                    let number = feedback.base &+ UInt16(offset)
                    #expect(recorded[number] == arrival)
                    if arrival != nil { told.insert(number) }
                }
            }
            #expect((0..<600).allSatisfy { recorded[line &- $0] == nil || told.contains(line &- $0) })
        }
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func survivesAnything(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var recorder = TransportFeedbackRecorder()
        var line: UInt16 = 0
        for _ in 0..<5_000 {
            let jump = Int.random(in: 0..<8, using: &generator)
            line &+= jump == 0 ? .random(in: 0...(.max), using: &generator) : jump == 1 ? 1_500 : 1
            let now = Instant(nanoseconds: .random(in: 0...(.max / 2), using: &generator))
            recorder.record(line, arrival: now)
            let feedback = recorder.due(now: now, sender: SSRC(1), media: SSRC(2))
            #expect(feedback.reduce(0) { $0 + $1.arrivals.count } <= TransportFeedbackRecorder.capacity)
            #expect(feedback.allSatisfy { $0.arrivals.contains { $0 != nil } })
        }
    }
}
