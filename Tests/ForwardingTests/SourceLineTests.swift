// Where a source's numbers lie on the line when packets of our own stand between them.
import Testing

@testable import Forwarding

@Suite struct SourceLineTests {
    @Test func numbersBehindAnInsertionMoveUp() {
        var line = SourceLine(sequenceOffset: 100, timestampOffset: 0, first: 100)
        #expect(line.sequence(of: 5) == 105)
        #expect(line.insert(2, before: 6) == 106)
        #expect(line.sequence(of: 5) == 105)
        #expect(line.sequence(of: 6) == 108)
        #expect(line.insert(3, before: 8) == 110)
        #expect([5, 6, 7, 8].map { line.sequence(of: $0) } == [105, 108, 109, 113])
        #expect(line.sequence(of: -1) == nil, "before the line")
    }

    @Test func thereIsOneInsertionInFrontOfAPacketAndNoneInFrontOfOldOnes() {
        var line = SourceLine(sequenceOffset: 0, timestampOffset: 0, first: 0)
        #expect(line.insert(2, before: 6) == 6)
        #expect(line.insert(2, before: 6) == nil)
        #expect(line.insert(2, before: 5) == nil)
        #expect(line.sequence(of: 6) == 8)
    }

    /// However many there are, no two packets get one number; those of long ago get none.
    @Test func manyInsertionsNeverCollide() {
        var line = SourceLine(sequenceOffset: 0, timestampOffset: 0, first: 0)
        var used: Set<Int64> = []
        for extended in Int64(0)..<1_000 {
            if extended % 7 == 0, let first = line.insert(2, before: extended) {
                for n in first..<first + 2 { #expect(used.insert(n).inserted) }
            }
            // The packets before it, late, where they had been.
            for late in max(0, extended - 60)..<extended {
                if let sequence = line.sequence(of: late) { #expect(used.contains(sequence)) }
            }
            #expect(used.insert(line.sequence(of: extended)!).inserted)
        }
        #expect(line.sequence(of: 0) == nil)
        #expect(line.sequence(of: 990) != nil)
    }
}
