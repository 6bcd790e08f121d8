// RTP timestamps in 64 bits: wraps in both directions, reordering, jumps.

import Testing

@testable import Forwarding

@Suite struct TimestampLineTests {
    @Test func theFirstIsItself() {
        var line = TimestampLine()
        #expect(line.last == nil)
        #expect(line.extended(4_000_000_000) == 4_000_000_000)
        expect(line.extend(4_000_000_000), is: 4_000_000_000)
        #expect(line.last == 4_000_000_000)
    }

    /// Where the line is, the timestamp, where it is then.
    @Test(arguments: [
        (0, 3_000, 3_000), (3_000, 0, 0), (0, 0, 0),
        (0xFFFF_FFFF, 0, 0x1_0000_0000), (0xFFFF_F000, 0x800, 0x1_0000_0800),
        (0x1_0000_0000, 0xFFFF_FFFF, 0xFFFF_FFFF), (0, 0xFFFF_FFFF, -1), (-1, 0, 0), (-1, 0xFFFF_FFFF, -1),
        (0, 0x7FFF_FFFF, 0x7FFF_FFFF), (0, 0x8000_0000, -0x8000_0000),
        (0x5_0000_0010, 0xFFFF_FFF0, 0x4_FFFF_FFF0),
    ])
    func nearestToTheLine(line reference: Int64, timestamp: Int64, extended: Int64) {
        var line = TimestampLine()
        // Steps of less than half the range lead anywhere.
        while line.last != reference {
            let step = (reference - (line.last ?? 0)).clamped(to: -0x7000_0000...0x7000_0000)
            _ = line.extend(UInt32(truncatingIfNeeded: (line.last ?? 0) + (line.last == nil ? 0 : step)))
        }
        #expect(line.extended(UInt32(timestamp)) == extended)
        expect(line.extend(UInt32(timestamp)), is: extended)
        #expect(line.last == extended)
    }

    @Test func reorderingAcrossTheWrapIsNoCycle() {
        var line = TimestampLine()
        let sent: [Int64] = [0xFFFF_FF00, 0x1_0000_0100, 0xFFFF_FFFF, 0x1_0000_0000, 0x1_0000_0200, 0xFFFF_FFF0]
        for value in sent { expect(line.extend(UInt32(truncatingIfNeeded: value)), is: value) }
    }

    @Test func manyCyclesAddUp() {
        var line = TimestampLine()
        for i in Int64(0)..<1_000 {
            expect(line.extend(UInt32(truncatingIfNeeded: i * 0x4000_0001)), is: i * 0x4000_0001)
        }
    }
}

extension Int64 {
    fileprivate func clamped(to range: ClosedRange<Int64>) -> Int64 {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}
