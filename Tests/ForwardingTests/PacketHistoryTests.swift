// What an encoding's history still holds, and that it is byte for byte what was put in: order, duplicates, wrap of the
// slab, window of the index, groups of pictures.

import Testing
import WebRTC

@testable import Forwarding

@Suite struct PacketHistoryTests {
    @Test func payloadsComeBackAsTheyWent() {
        var history = PacketHistory(byteCapacity: 10_000, slots: 16)
        #expect(history.newest == nil && history.entry(0) == nil && history.groupStart == nil)
        for n in Int64(0)..<10 { expect(history.insert(n, length: Int(n) * 7), is: true) }
        for n in Int64(0)..<10 {
            let entry = history.entry(n)
            #expect(entry?.sequence == n)
            #expect(entry?.length == Int(n) * 7)
            #expect(entry?.timestamp == UInt32(n) * 3_000)
            #expect(entry?.arrival == Instant(nanoseconds: n))
            #expect(history.bytes(n) == pattern(n, length: Int(n) * 7))
        }
        #expect(history.newest == 9)
        #expect(history.entry(-1) == nil && history.entry(10) == nil)
    }

    @Test func flagsAreKept() {
        var history = PacketHistory(byteCapacity: 1_000, slots: 8)
        for n in Int64(0)..<4 { expect(history.insert(n, marker: n & 1 != 0, keyframe: n & 2 != 0), is: true) }
        for n in Int64(0)..<4 {
            #expect(history.entry(n)?.marker == (n & 1 != 0))
            #expect(history.entry(n)?.keyframe == (n & 2 != 0))
        }
    }

    @Test func duplicatesAreRefusedAndChangeNothing() {
        var history = PacketHistory(byteCapacity: 1_000, slots: 8)
        expect(history.insert(5, length: 20), is: true)
        expect(history.insert(5, length: 30), is: false)
        #expect(history.entry(5)?.length == 20)
        #expect(history.bytes(5) == pattern(5, length: 20))
    }

    @Test func aDuplicateIsKnownEvenWhenItsBytesAreOverwritten() {
        var history = PacketHistory(byteCapacity: 100, slots: 8)
        expect(history.insert(0, length: 60), is: true)
        expect(history.insert(1, length: 60), is: true)
        #expect(history.entry(0) == nil)
        expect(history.insert(0, length: 10), is: false)
        #expect(history.bytes(1) == pattern(1, length: 60))
    }

    @Test func latePacketsFillTheirPlace() {
        var history = PacketHistory(byteCapacity: 1_000, slots: 8)
        for n: Int64 in [0, 3, 2, 7, 1, 5] { expect(history.insert(n), is: true) }
        #expect(history.newest == 7)
        for n in Int64(0)...7 { #expect((history.entry(n) != nil) == [0, 1, 2, 3, 5, 7].contains(n), "\(n)") }
    }

    /// newest, then a late one: whether it still fits an index of 8.
    @Test(arguments: [
        (100, 93, true), (100, 92, false), (100, 50, false), (7, 0, true), (7, -1, false), (-3, -10, true),
    ])
    func theIndexBoundsHowLateAPacketMayBe(newest: Int64, late: Int64, fits: Bool) {
        var history = PacketHistory(byteCapacity: 1_000, slots: 8)
        expect(history.insert(newest), is: true)
        expect(history.insert(late), is: fits)
        #expect((history.entry(late) != nil) == fits)
        #expect(history.newest == newest)
    }

    @Test func theIndexForgetsWhatIsOutsideItsWindow() {
        var history = PacketHistory(byteCapacity: 100_000, slots: 8)
        for n in Int64(0)..<8 { expect(history.insert(n), is: true) }
        #expect(history.entry(0) != nil)
        expect(history.insert(8), is: true)
        #expect(history.entry(0) == nil && history.entry(1) != nil)
        // A jump leaves old entries in their slots; they must not be found again.
        expect(history.insert(1_000_001), is: true)
        for n in Int64(0)...8 { #expect(history.entry(n) == nil) }
        expect(history.insert(1_000_000), is: true)
        expect(history.insert(7), is: false)
    }

    /// 3 payloads of 30 fit a slab of 100; the fourth skips the unused tail and overwrites the first.
    @Test func aPayloadNeverWraps() {
        var history = PacketHistory(byteCapacity: 100, slots: 16)
        for n in Int64(0)..<3 { expect(history.insert(n, length: 30), is: true) }
        for n in Int64(0)..<3 { #expect(history.bytes(n) == pattern(n, length: 30)) }
        expect(history.insert(3, length: 30), is: true)
        #expect(history.entry(0) == nil)
        for n in Int64(1)...3 { #expect(history.bytes(n) == pattern(n, length: 30)) }
    }

    @Test func anExactFitKeepsEverything() {
        var history = PacketHistory(byteCapacity: 90, slots: 16)
        for n in Int64(0)..<3 { expect(history.insert(n, length: 30), is: true) }
        for n in Int64(0)..<3 { #expect(history.bytes(n) == pattern(n, length: 30)) }
        expect(history.insert(3, length: 1), is: true)
        #expect(history.entry(0) == nil)
        #expect(history.bytes(1) == pattern(1, length: 30))
    }

    @Test func aPayloadAsLargeAsTheSlabFitsAndALargerOneIsRefused() {
        var history = PacketHistory(byteCapacity: 50, slots: 4)
        expect(history.insert(0, length: 51), is: false)
        #expect(history.newest == nil)
        expect(history.insert(0, length: 50), is: true)
        #expect(history.bytes(0) == pattern(0, length: 50))
        expect(history.insert(1, length: 50), is: true)
        #expect(history.entry(0) == nil)
        #expect(history.bytes(1) == pattern(1, length: 50))
    }

    @Test func nothingIsAllocatedBeforeTheFirstPacket() {
        // 2^45 bytes would not be granted; that this is no crash shows that nothing asked for them.
        let history = PacketHistory(byteCapacity: 1 << 45, slots: 1 << 20)
        #expect(history.entry(3) == nil)
    }

    @Test func theGroupStartsAtTheFirstPacketOfTheNewestKeyframe() {
        var history = PacketHistory(byteCapacity: 10_000, slots: 32)
        expect(history.insert(10, timestamp: 1_000), is: true)
        #expect(history.groupStart == nil)
        // SPS, PPS, IDR: one picture.
        for n in Int64(11)...13 { expect(history.insert(n, timestamp: 2_000, keyframe: true), is: true) }
        #expect(history.groupStart == 11)
        expect(history.insert(15, timestamp: 3_000), is: true)
        #expect(history.groupStart == 11)
        expect(history.insert(21, timestamp: 9_000, keyframe: true), is: true)
        #expect(history.groupStart == 21)
        // The first packet of that keyframe comes late; one of the keyframe before changes nothing.
        expect(history.insert(20, timestamp: 9_000, keyframe: true), is: true)
        #expect(history.groupStart == 20)
        expect(history.insert(9, timestamp: 500, keyframe: true), is: true)
        #expect(history.groupStart == 20)
    }

    @Test func aKeyframePacketLeadsToItsFirst() {
        var history = PacketHistory(byteCapacity: 10_000, slots: 32)
        for n in Int64(11)...13 { expect(history.insert(n, timestamp: 2_000, keyframe: true), is: true) }
        expect(history.insert(14, timestamp: 5_000), is: true)
        for n in Int64(11)...13 { #expect(history.keyframeStart(of: n) == 11) }
        // Neither another picture nor what is not held leads there.
        for n: Int64 in [10, 14, 15] { #expect(history.keyframeStart(of: n) == n) }
    }

    @Test func anOverwrittenGroupIsNoGroup() {
        var history = PacketHistory(byteCapacity: 100, slots: 4)
        expect(history.insert(0, length: 40, keyframe: true), is: true)
        expect(history.insert(1, length: 40), is: true)
        #expect(history.groupStart == 0)
        expect(history.insert(2, length: 40), is: true)
        #expect(history.groupStart == nil)
        for n in Int64(3)..<10 { expect(history.insert(n, length: 1), is: true) }
        #expect(history.groupStart == nil)
        expect(history.insert(10, length: 1, keyframe: true), is: true)
        #expect(history.groupStart == 10)
    }

    /// Against a model that keeps everything: whatever the history returns is right, the newest bytes are always there.
    @Test(arguments: [UInt64(1), 2, 3, 4])
    func agreesWithAModel(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let (capacity, slots) = (4_000, 64)
        var history = PacketHistory(byteCapacity: capacity, slots: slots)
        var lengths: [Int64: Int] = [:]
        var order: [Int64] = []
        var line: Int64 = -20
        for _ in 0..<20_000 {
            line += Int64.random(in: 0...2, using: &generator)
            let late = Int.random(in: 0..<8, using: &generator) == 0 ? Int64.random(in: 0...80, using: &generator) : 0
            let n = line - late
            let length = Int.random(in: 0...200, using: &generator)
            if history.insert(n, length: length) {
                #expect(lengths[n] == nil, "a duplicate was taken")
                lengths[n] = length
                order.append(n)
            } else {
                #expect(lengths[n] != nil || n <= (history.newest ?? n) - Int64(slots))
            }
            // All within half the slab, counted back from the last insert, must be held if the index still has it.
            var bytes = 0
            for n in order.reversed() {
                bytes += lengths[n] ?? 0
                guard bytes <= capacity / 2 else { break }
                guard let newest = history.newest, n > newest - Int64(slots) else { continue }
                #expect(history.entry(n)?.length == lengths[n])
            }
            let probe = line - Int64.random(in: 0...100, using: &generator)
            if let entry = history.entry(probe) {
                #expect(entry.length == lengths[probe])
                #expect(history.bytes(probe) == pattern(probe, length: entry.length))
            }
        }
        #expect(order.count > 10_000)
    }
}

private func pattern(_ sequence: Int64, length: Int) -> [UInt8] {
    (0..<length).map { UInt8(truncatingIfNeeded: sequence &* 31 &+ Int64($0)) }
}

extension PacketHistory {
    fileprivate mutating func insert(
        _ sequence: Int64, length: Int = 10, timestamp: UInt32? = nil, marker: Bool = false, keyframe: Bool = false
    ) -> Bool {
        let payload = pattern(sequence, length: length)
        return unsafe insert(
            sequence: sequence, timestamp: timestamp ?? UInt32(truncatingIfNeeded: sequence &* 3_000), marker: marker,
            keyframe: keyframe, arrival: Instant(nanoseconds: sequence), payload: payload.span.bytes)
    }

    fileprivate func bytes(_ sequence: Int64) -> [UInt8]? {
        guard let entry = entry(sequence) else { return nil }
        let payload = unsafe UnsafeRawBufferPointer(start: payload(of: entry), count: entry.length)
        return unsafe Array(payload)
    }
}
