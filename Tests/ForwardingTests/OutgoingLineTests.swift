// The viewer's sequence numbers: continuous over switches and skips, invertible for NACKs, bounded memory.

import Testing
import WebRTC

@testable import Forwarding

@Suite struct OutgoingLineTests {
    /// A stretch moves timestamps and a codec's ids as well; each wraps as its field does, and back.
    @Test(arguments: [0, 1, 0x7FFF, 0x8000, 0xFFFF] as [UInt16])
    func stretchesMoveEverythingAndBack(by offset: UInt16) {
        let offsets = OutgoingLine.Offsets(
            timestamp: UInt32(offset) << 16 | 7, pictureID: offset,
            tl0PictureIndex: UInt8(truncatingIfNeeded: offset))
        for value in [0, 1, 100, 0x7FFE, 0x7FFF] as [UInt16] {
            let (moved, back) = (offsets.moved(pictureID: value), offsets.inverse)
            #expect(moved < 0x8000 && back.moved(pictureID: moved) == value)
            let (time, index) = (UInt32(value) << 17, UInt8(truncatingIfNeeded: value))
            #expect(back.moved(timestamp: offsets.moved(timestamp: time)) == time)
            #expect(back.moved(tl0PictureIndex: offsets.moved(tl0PictureIndex: index)) == index)
        }
        var line = OutgoingLine(next: 10)
        line.start(encoding: 0, source: 5, offsets: offsets)
        #expect(line.offsets == offsets)
        expect(line.forward(encoding: 0, source: 5), is: .init(number: 10, offsets: offsets))
        line.start(encoding: 1, source: 900)
        expect(line.forward(encoding: 1, source: 900), is: .init(number: 11, offsets: .init()))
        #expect(line.origin(of: 10) == .init(encoding: 0, sequence: 5, offsets: offsets), "each stretch has its own")
    }

    @Test func nothingIsForwardedBeforeTheStart() {
        var map = OutgoingLine(next: 1)
        #expect(map.encoding == nil)
        expect(map.forward(encoding: 0, source: 5)?.number, is: nil)
        #expect(map.outgoing(encoding: 0, source: 5) == nil)
        #expect(map.origin(of: 1) == nil)
        expect(map.skip(encoding: 0, source: 5), is: false)
        #expect(map.next == 1)
    }

    @Test func numbersCountAlike() {
        var map = OutgoingLine(next: 1_000)
        map.start(encoding: 0, source: 50)
        for n in Int64(0)..<100 { expect(map.forward(encoding: 0, source: 50 + n)?.number, is: 1_000 + n) }
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
        var map = OutgoingLine(next: 0)
        map.start(encoding: 0, source: 10)
        expect(map.forward(encoding: 0, source: 10)?.number, is: 0)
        expect(map.forward(encoding: 0, source: 13)?.number, is: 3)
        #expect(map.origin(of: 1) == .init(encoding: 0, sequence: 11))
        expect(map.forward(encoding: 0, source: 12)?.number, is: 2)
        expect(map.forward(encoding: 0, source: 11)?.number, is: 1)
        #expect(map.next == 4)
    }

    @Test func aDuplicateGetsTheSameNumber() {
        var map = OutgoingLine(next: 0)
        map.start(encoding: 0, source: 10)
        expect(map.forward(encoding: 0, source: 10)?.number, is: 0)
        expect(map.forward(encoding: 0, source: 10)?.number, is: 0)
        #expect(map.next == 1)
    }

    @Test func aSwitchContinuesTheLine() {
        var map = OutgoingLine(next: 0)
        map.start(encoding: 0, source: 100)
        for n in Int64(100)..<110 where n != 107 { _ = map.forward(encoding: 0, source: n)?.number }
        map.start(encoding: 1, source: 7)
        #expect(map.encoding == 1)
        expect(map.forward(encoding: 1, source: 7)?.number, is: 10)
        expect(map.forward(encoding: 1, source: 9)?.number, is: 12)
        // Before the switch: the repaired packet still has its place, later ones of the old encoding have none.
        expect(map.forward(encoding: 0, source: 107)?.number, is: 7)
        expect(map.forward(encoding: 0, source: 110)?.number, is: nil)
        expect(map.forward(encoding: 1, source: 6)?.number, is: nil)
        #expect(map.origin(of: 7) == .init(encoding: 0, sequence: 107))
        #expect(map.origin(of: 10) == .init(encoding: 1, sequence: 7))
        #expect(map.origin(of: 11) == .init(encoding: 1, sequence: 8))
    }

    @Test func aSwitchBackFindsBothSegmentsOfTheEncoding() {
        var map = OutgoingLine(next: 0)
        map.start(encoding: 0, source: 0)
        for n in Int64(0)..<5 { _ = map.forward(encoding: 0, source: n)?.number }
        map.start(encoding: 1, source: 500)
        for n in Int64(500)..<505 { _ = map.forward(encoding: 1, source: n)?.number }
        map.start(encoding: 0, source: 20)
        expect(map.forward(encoding: 0, source: 20)?.number, is: 10)
        #expect(map.outgoing(encoding: 0, source: 4) == 4)
        #expect(map.outgoing(encoding: 0, source: 5) == nil)
        #expect(map.outgoing(encoding: 0, source: 19) == nil)
        #expect(map.outgoing(encoding: 1, source: 504) == 9)
        #expect(map.outgoing(encoding: 1, source: 505) == nil)
    }

    @Test func aRestartOfTheSourceLeavesNoGap() {
        var map = OutgoingLine(next: 65_530)
        map.start(encoding: 0, source: 1_000)
        for n in Int64(1_000)..<1_010 { _ = map.forward(encoding: 0, source: n)?.number }
        map.start(encoding: 0, source: 66_000)
        expect(map.forward(encoding: 0, source: 66_000)?.number, is: 65_540)
        #expect(map.origin(of: 65_539) == .init(encoding: 0, sequence: 1_009))
        #expect(map.outgoing(encoding: 0, source: 1_010) == nil)
    }

    @Test func startsWithoutPacketsBetweenThemUseUpNothing() {
        var map = OutgoingLine(next: 0)
        map.start(encoding: 0, source: 0)
        expect(map.forward(encoding: 0, source: 0)?.number, is: 0)
        for encoding in 1..<100 { map.start(encoding: encoding, source: 9) }
        expect(map.forward(encoding: 99, source: 9)?.number, is: 1)
        #expect(map.origin(of: 0) == .init(encoding: 0, sequence: 0))
        expect(map.forward(encoding: 98, source: 9)?.number, is: nil)
    }

    @Test func skippedPacketsLeaveNoGap() {
        var map = OutgoingLine(next: 0)
        map.start(encoding: 0, source: 0)
        var expected: Int64 = 0
        for n in Int64(0)..<10 {
            if [0, 3, 4, 5, 9].contains(n) {
                expect(map.skip(encoding: 0, source: n), is: true)
                #expect(map.outgoing(encoding: 0, source: n) == nil)
            } else {
                expect(map.forward(encoding: 0, source: n)?.number, is: expected)
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
        var map = OutgoingLine(next: 0)
        map.start(encoding: 0, source: 10)
        expect(map.forward(encoding: 0, source: 10)?.number, is: 0)
        expect(map.skip(encoding: 0, source: 12), is: true)
        expect(map.skip(encoding: 0, source: 14), is: true)
        expect(map.forward(encoding: 0, source: 15)?.number, is: 3)
        expect(map.forward(encoding: 0, source: 11)?.number, is: 1)
        expect(map.forward(encoding: 0, source: 13)?.number, is: 2)
        #expect(map.outgoing(encoding: 0, source: 12) == nil)
        #expect(map.outgoing(encoding: 0, source: 14) == nil)
        #expect(map.next == 4)
    }

    @Test func aSwitchAfterASkipKeepsTheMissingPacketsPlace() {
        var map = OutgoingLine(next: 0)
        map.start(encoding: 0, source: 10)
        expect(map.forward(encoding: 0, source: 10)?.number, is: 0)
        expect(map.skip(encoding: 0, source: 12), is: true)
        map.start(encoding: 1, source: 90)
        expect(map.forward(encoding: 1, source: 90)?.number, is: 2)
        expect(map.forward(encoding: 0, source: 11)?.number, is: 1)
        #expect(map.outgoing(encoding: 0, source: 12) == nil)
        #expect(map.outgoing(encoding: 0, source: 13) == nil)
    }

    @Test func whatWasOvertakenCannotBeSkipped() {
        var map = OutgoingLine(next: 0)
        map.start(encoding: 0, source: 0)
        expect(map.forward(encoding: 0, source: 0)?.number, is: 0)
        expect(map.forward(encoding: 0, source: 2)?.number, is: 2)
        expect(map.skip(encoding: 0, source: 1), is: false)
        expect(map.skip(encoding: 0, source: 2), is: false)
        expect(map.skip(encoding: 1, source: 3), is: false)
        expect(map.skip(encoding: 0, source: -1), is: false)
        expect(map.forward(encoding: 0, source: 3)?.number, is: 3)
    }

    @Test func theOldestSegmentsAreForgotten() {
        var map = OutgoingLine(next: 0)
        let segments = OutgoingLine.capacity + 5
        for i in 0..<segments {
            map.start(encoding: i, source: 0)
            expect(map.forward(encoding: i, source: 0)?.number, is: Int64(i * 2))
            expect(map.forward(encoding: i, source: 1)?.number, is: Int64(i * 2 + 1))
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
        var map = OutgoingLine(next: 40_000)
        var given: [Int64: OutgoingLine.Origin] = [:]
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
                guard let outgoing = map.forward(encoding: late.encoding, source: late.sequence)?.number else { break }
                #expect(given[outgoing] == nil)
                given[outgoing] = .init(encoding: late.encoding, sequence: late.sequence)
            default:
                let outgoing = map.forward(encoding: encoding, source: source)?.number
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
