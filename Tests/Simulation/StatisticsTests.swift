// What `/metrics` asks of a worker costs it no work per session; the sums are the same.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct StatisticsTests {
    @Test func sumsDoNotNeedTheSessions() throws {
        let cascade = Cascade(seed: 98)
        let (publisher, edge) = (try cascade.host("publisher"), try cascade.host("edge"))
        cascade.publish(from: publisher, to: edge)
        let viewers = try (0..<3).map { try cascade.viewer("viewer-\($0)", of: edge) }
        cascade.play(from: publisher, until: .zero + .seconds(Int64(2)))
        // One that has ended counts as well.
        cascade.network.apply(.close(SessionID(rawValue: 4), reason: .requested), to: edge)
        cascade.network.run(until: cascade.network.now + .milliseconds(10))
        let (sums, all) = (statistics(edge, ofSessions: false), statistics(edge, ofSessions: true))
        #expect(sums.sessions.isEmpty && all.sessions.count == 3)
        #expect((sums.sources, sums.sinks) == (1, 2) && (all.sources, all.sinks) == (1, 2))
        #expect(sums.datagramsOut == all.datagramsOut && sums.bytesOut == all.bytesOut)
        #expect(sums.datagramsOut >= sums.packetsOut && sums.packetsOut > 1_000)
        #expect(viewers.allSatisfy { $0.unit.statistics.packetsIn > 300 })
    }

    private func statistics(_ host: Host, ofSessions: Bool) -> UnitStatistics {
        host.unit.apply(.collectStatistics(RequestID(rawValue: 1), ofSessions: ofSessions), now: .zero)
        for case .statistics(_, let statistics) in host.unit.takeEvents() { return statistics }
        return UnitStatistics()
    }
}
