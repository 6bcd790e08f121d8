// The viewer's sequence numbers: continuous over switches and skips, invertible for NACKs, bounded memory.

import Testing
import WebRTC

@testable import Forwarding

@Suite struct SequenceMapTests {
    @Test func nothingIsForwardedBeforeTheStart() {
        var map = SequenceMap(next: 1)
        #expect(map.encoding == nil)
        expect(map.forward(encoding: 0, source: 5), is: nil)
        #expect(map.outgoing(encoding: 0, source: 5) == nil)
        #expect(map.origin(of: 1) == nil)
        expect(map.skip(encoding: 0, source: 5), is: false)
        #expect(map.next == 1)
    }

    @Test func numbersCountAlike() {
        var map = SequenceMap(next: 1_000)
        map.start(encoding: 0, source: 50)
        for n in Int64(0)..<100 { expect(map.forward(encoding: 0, source: 50 + n), is: 1_000 + n) }
        #expect(map.next == 1_100)
        for n in Int64(0)..<100 {
            #expect(map.origin(of: 1_000 + n) == .init(encoding: 0, sequence: 50 + n))
            #expect(map.outgoing(encoding: 0, source: 50 + n) == 1_000 + n)
        }
        #expect(map.origin(of: 999) == nil && map.origin(of: 1_100) == nil)
        #expect(map.outgoing(encoding: 0, source: 49) == nil)
        #expect(map.outgoing(encoding: 1, source: 50) == nil)
    }

    @Test func aMissingPacketKeepsItsNumber() {
        var map = SequenceMap(next: 0)
        map.start(encoding: 0, source: 10)
        expect(map.forward(encoding: 0, source: 10), is: 0)
        expect(map.forward(encoding: 0, source: 13), is: 3)
        #expect(map.origin(of: 1) == .init(encoding: 0, sequence: 11))
        expect(map.forward(encoding: 0, source: 12), is: 2)
        expect(map.forward(encoding: 0, source: 11), is: 1)
        #expect(map.next == 4)
    }

    @Test func aDuplicateGetsTheSameNumber() {
        var map = SequenceMap(next: 0)
        map.start(encoding: 0, source: 10)
        expect(map.forward(encoding: 0, source: 10), is: 0)
        expect(map.forward(encoding: 0, source: 10), is: 0)
        #expect(map.next == 1)
    }

    @Test func aSwitchContinuesTheLine() {
        var map = SequenceMap(next: 0)
        map.start(encoding: 0, source: 100)
        for n in Int64(100)..<110 where n != 107 { _ = map.forward(encoding: 0, source: n) }
        map.start(encoding: 1, source: 7)
        #expect(map.encoding == 1)
        expect(map.forward(encoding: 1, source: 7), is: 10)
        expect(map.forward(encoding: 1, source: 9), is: 12)
        // Before the switch: the repaired packet still has its place, later ones of the old encoding have none.
        expect(map.forward(encoding: 0, source: 107), is: 7)
        expect(map.forward(encoding: 0, source: 110), is: nil)
        expect(map.forward(encoding: 1, source: 6), is: nil)
        #expect(map.origin(of: 7) == .init(encoding: 0, sequence: 107))
        #expect(map.origin(of: 10) == .init(encoding: 1, sequence: 7))
        #expect(map.origin(of: 11) == .init(encoding: 1, sequence: 8))
    }

    @Test func aSwitchBackFindsBothSegmentsOfTheEncoding() {
        var map = SequenceMap(next: 0)
        map.start(encoding: 0, source: 0)
        for n in Int64(0)..<5 { _ = map.forward(encoding: 0, source: n) }
        map.start(encoding: 1, source: 500)
        for n in Int64(500)..<505 { _ = map.forward(encoding: 1, source: n) }
        map.start(encoding: 0, source: 20)
        expect(map.forward(encoding: 0, source: 20), is: 10)
        #expect(map.outgoing(encoding: 0, source: 4) == 4)
        #expect(map.outgoing(encoding: 0, source: 5) == nil)
        #expect(map.outgoing(encoding: 0, source: 19) == nil)
        #expect(map.outgoing(encoding: 1, source: 504) == 9)
        #expect(map.outgoing(encoding: 1, source: 505) == nil)
    }

    @Test func aRestartOfTheSourceLeavesNoGap() {
        var map = SequenceMap(next: 65_530)
        map.start(encoding: 0, source: 1_000)
        for n in Int64(1_000)..<1_010 { _ = map.forward(encoding: 0, source: n) }
        map.start(encoding: 0, source: 66_000)
        expect(map.forward(encoding: 0, source: 66_000), is: 65_540)
        #expect(map.origin(of: 65_539) == .init(encoding: 0, sequence: 1_009))
        #expect(map.outgoing(encoding: 0, source: 1_010) == nil)
    }

    @Test func startsWithoutPacketsBetweenThemUseUpNothing() {
        var map = SequenceMap(next: 0)
        map.start(encoding: 0, source: 0)
        expect(map.forward(encoding: 0, source: 0), is: 0)
        for encoding in 1..<100 { map.start(encoding: encoding, source: 9) }
        expect(map.forward(encoding: 99, source: 9), is: 1)
        #expect(map.origin(of: 0) == .init(encoding: 0, sequence: 0))
        expect(map.forward(encoding: 98, source: 9), is: nil)
    }

    @Test func skippedPacketsLeaveNoGap() {
        var map = SequenceMap(next: 0)
        map.start(encoding: 0, source: 0)
        var expected: Int64 = 0
        for n in Int64(0)..<10 {
            if [0, 3, 4, 5, 9].contains(n) {
                expect(map.skip(encoding: 0, source: n), is: true)
                #expect(map.outgoing(encoding: 0, source: n) == nil)
            } else {
                expect(map.forward(encoding: 0, source: n), is: expected)
                expected += 1
            }
        }
        let origins: [Int64] = [1, 2, 6, 7, 8]
        for (outgoing, source) in origins.enumerated() {
            #expect(map.origin(of: Int64(outgoing)) == .init(encoding: 0, sequence: source))
            #expect(map.outgoing(encoding: 0, source: source) == Int64(outgoing))
        }
        #expect(map.next == 5)
    }

    /// 11 is missing when 12 is skipped: its number must stay free for it.
    @Test func aSkipAfterAMissingPacketKeepsThatOnesPlace() {
        var map = SequenceMap(next: 0)
        map.start(encoding: 0, source: 10)
        expect(map.forward(encoding: 0, source: 10), is: 0)
        expect(map.skip(encoding: 0, source: 12), is: true)
        expect(map.skip(encoding: 0, source: 14), is: true)
        expect(map.forward(encoding: 0, source: 15), is: 3)
        expect(map.forward(encoding: 0, source: 11), is: 1)
        expect(map.forward(encoding: 0, source: 13), is: 2)
        #expect(map.outgoing(encoding: 0, source: 12) == nil)
        #expect(map.outgoing(encoding: 0, source: 14) == nil)
        #expect(map.next == 4)
    }

    @Test func aSwitchAfterASkipKeepsTheMissingPacketsPlace() {
        var map = SequenceMap(next: 0)
        map.start(encoding: 0, source: 10)
        expect(map.forward(encoding: 0, source: 10), is: 0)
        expect(map.skip(encoding: 0, source: 12), is: true)
        map.start(encoding: 1, source: 90)
        expect(map.forward(encoding: 1, source: 90), is: 2)
        expect(map.forward(encoding: 0, source: 11), is: 1)
        #expect(map.outgoing(encoding: 0, source: 12) == nil)
        #expect(map.outgoing(encoding: 0, source: 13) == nil)
    }

    @Test func whatWasOvertakenCannotBeSkipped() {
        var map = SequenceMap(next: 0)
        map.start(encoding: 0, source: 0)
        expect(map.forward(encoding: 0, source: 0), is: 0)
        expect(map.forward(encoding: 0, source: 2), is: 2)
        expect(map.skip(encoding: 0, source: 1), is: false)
        expect(map.skip(encoding: 0, source: 2), is: false)
        expect(map.skip(encoding: 1, source: 3), is: false)
        expect(map.skip(encoding: 0, source: -1), is: false)
        expect(map.forward(encoding: 0, source: 3), is: 3)
    }

    @Test func theOldestSegmentsAreForgotten() {
        var map = SequenceMap(next: 0)
        let segments = SequenceMap.capacity + 5
        for i in 0..<segments {
            map.start(encoding: i, source: 0)
            expect(map.forward(encoding: i, source: 0), is: Int64(i * 2))
            expect(map.forward(encoding: i, source: 1), is: Int64(i * 2 + 1))
        }
        for i in 0..<segments {
            let known = i >= 5
            #expect((map.outgoing(encoding: i, source: 0) != nil) == known)
            #expect((map.origin(of: Int64(i * 2)) != nil) == known)
        }
        #expect(map.next == Int64(segments * 2))
    }

    /// Random traffic with loss, reordering, skips and switches: every number is given to one packet only, in order,
    /// without self-made gaps, and leads back to it.
    @Test(arguments: [UInt64(11), 12, 13, 14, 15])
    func staysInvertible(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var map = SequenceMap(next: 40_000)
        var given: [Int64: SequenceMap.Origin] = [:]
        var recent: [Int64] = []
        var (encoding, source) = (0, Int64(0))
        var missing: [(encoding: Int, sequence: Int64)] = []
        map.start(encoding: 0, source: 0)
        for _ in 0..<5_000 {
            switch Int.random(in: 0..<40, using: &generator) {
            case 0:
                encoding = (encoding + 1) % 3
                source += 1_000
                map.start(encoding: encoding, source: source)
            case 1...3:
                if map.skip(encoding: encoding, source: source) {
                    #expect(map.outgoing(encoding: encoding, source: source) == nil)
                }
                source += 1
            case 4...6:
                missing.append((encoding, source))
                source += 1
            case 7...9 where !missing.isEmpty:
                let late = missing.removeFirst()
                guard let outgoing = map.forward(encoding: late.encoding, source: late.sequence) else { break }
                #expect(given[outgoing] == nil)
                given[outgoing] = .init(encoding: late.encoding, sequence: late.sequence)
            default:
                let outgoing = map.forward(encoding: encoding, source: source)
                #expect(outgoing != nil)
                guard let outgoing else { break }
                #expect(given[outgoing] == nil)
                #expect(outgoing == map.next - 1)
                given[outgoing] = .init(encoding: encoding, sequence: source)
                recent.append(outgoing)
                source += 1
            }
            for outgoing in recent.suffix(20) {
                guard let origin = map.origin(of: outgoing) else { continue }
                #expect(origin == given[outgoing])
                #expect(map.outgoing(encoding: origin.encoding, source: origin.sequence) == outgoing)
            }
        }
        // Numbers never given belong to packets that never came, no more of them than that.
        let holes = (40_000..<map.next).filter { given[$0] == nil }.count
        #expect(holes <= 5_000 * 3 / 40 + 200)
    }
}
