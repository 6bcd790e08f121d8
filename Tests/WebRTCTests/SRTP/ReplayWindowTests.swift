// The window of one sender against a set that forgets nothing.

import Testing

@testable import WebRTC

@Suite struct ReplayWindowTests {
    @Test func everyOrderIsJudgedAsByASetOfAllThatCame() {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<200 {
            var window = ReplayWindow()
            var taken: Set<UInt64> = []
            var highest: UInt64 = 0
            var next = UInt64.random(in: 0...3, using: &random)
            for _ in 0..<400 {
                let back = UInt64.random(in: 0...80, using: &random)
                let index = Bool.random(using: &random) ? next : (highest > back ? highest - back : 0)
                if index == next { next += [1, 1, 1, 5, 63, 64, 65, 1_000].randomElement(using: &random)! }
                let isTooOld = !taken.isEmpty && index < highest && highest - index >= ReplayWindow.length
                #expect(window.isNew(index) == (!isTooOld && !taken.contains(index)))
                if window.isNew(index) {
                    window.take(index)
                    taken.insert(index)
                    highest = max(highest, index)
                }
            }
        }
    }

    @Test func theLastIndexFollowsTheFirst() {
        let last = UInt64(SRTCPCipher.lastIndex)
        var window = ReplayWindow()
        window.take(0)
        #expect(!window.isNew(0))
        #expect(window.isNew(last))
        window.take(last)
        #expect(!window.isNew(last) && !window.isNew(0))
        #expect(window.isNew(last - 63) && !window.isNew(last - 64))
    }
}
