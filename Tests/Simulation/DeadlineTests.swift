// Why sessions are woken: a unit that wakes too often says for what.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct DeadlineTests {
    @Test func deadlinesAreCountedByReason() throws {
        let cascade = Cascade(seed: 103)
        let (publisher, origin) = (try cascade.host("publisher"), try cascade.host("origin"))
        cascade.network.link(publisher, origin, Link(delay: .milliseconds(20), loss: 0.02))
        cascade.publish(from: publisher, to: origin)
        _ = try cascade.viewer("viewer", of: origin)
        cascade.play(from: publisher, until: .zero + .seconds(Int64(10)))
        cascade.network.run(until: cascade.network.now + .seconds(Int64(3)))
        let count = { (reason: DeadlineReason) in origin.unit.statistics.deadlines[Int(reason.rawValue)] }
        #expect(20...26 ~= count(.report), "two sessions, one report a second each: \(count(.report))")
        #expect(count(.feedback) > 10, "losses were asked for again")
        #expect(count(.silence) >= 1, "and in the end nothing came")
        #expect(count(.succession) == 0)
        #expect(origin.unit.statistics.deadlines.reduce(0, +) < 1_000)
    }
}
