import Routing
import Testing

@testable import ControlPlane

@Suite struct DirectoryEntryTests {
    @Test func noiseDoesNotChangeTheSteps() {
        var entry = DirectoryEntry(url: "http://a", kind: .above, hint: "a", now: .zero)
        #expect(entry.steps == .max)
        var steps: [Int] = []
        // Around the border between two steps, then far away. The first counts fully, later ones by a quarter.
        for time in [4.9, 5.2, 4.8, 5.4, 4.6, 6, 40, 40, 40] {
            entry.health.record(.ready(roundTrip: .milliseconds(time)), now: .zero, isAlone: false, jitter: 0.5)
            entry.settleRoundTrip()
            steps.append(entry.steps)
        }
        #expect(steps.prefix(6) == [0, 0, 0, 0, 0, 0])
        #expect(steps.last! >= 4)
    }
}
