// A relay notices that its path or its upstream is gone, long before consent expires, and never takes a publisher that
// is merely silent for dead.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct LivenessTests {
    /// publisher → origin → edge, flowing for two seconds.
    private struct Relay {
        let cascade: Cascade
        let (publisher, origin, edge): (Host, Host, Host)
        let relay: SessionID
        static let start = Instant.zero + .seconds(Int64(2))

        init(seed: UInt64, link: Link = Link(delay: .milliseconds(10))) throws {
            cascade = Cascade(seed: seed)
            (publisher, origin, edge) = (
                try cascade.host("publisher"), try cascade.host("origin"), try cascade.host("edge")
            )
            cascade.network.link(origin, edge, link)
            cascade.publish(from: publisher, to: origin)
            (relay, _) = cascade.connect(source: edge, to: origin)
            cascade.play(from: publisher, until: Self.start)
        }

        func cut() { cascade.network.link(origin, edge, Link(loss: 1)) }
        func play(for time: Interval) { cascade.play(from: publisher, until: cascade.network.now + time) }
        /// Nobody speaks: a publisher that is muted and paused.
        func wait(for time: Interval) { cascade.network.run(until: cascade.network.now + time) }

        /// `unreachable` (true) and `reachable` (false) of the relay, with the time since the start.
        var reports: [(after: Interval, unreachable: Bool)] {
            edge.timeline.compactMap { entry in
                switch entry.event {
                case .unreachable(relay, Cascade.broadcast): (entry.at - Self.start, true)
                case .reachable(relay, Cascade.broadcast): (entry.at - Self.start, false)
                default: nil
                }
            }
        }
    }

    @Test(arguments: [1, 10, 40] as [Int64])
    func aCutLinkIsNoticedWithin1100ms(delay: Int64) throws {
        let relay = try Relay(seed: 41, link: Link(delay: .milliseconds(delay)))
        relay.cut()
        relay.play(for: .seconds(Int64(5)))
        try #require(relay.reports.count == 1, "said once")
        #expect(relay.reports[0].unreachable)
        #expect(relay.reports[0].after <= .milliseconds(1_100), "\(relay.reports[0].after.milliseconds) ms")
        #expect(relay.reports[0].after >= .milliseconds(900), "not sooner than silence and patience allow")
        #expect(relay.edge.unit.peers[relay.relay] != nil, "the session is the control plane's to close")
    }

    @Test func verifyingIsQuicker() throws {
        let relay = try Relay(seed: 42)
        relay.cut()
        relay.play(for: .milliseconds(100))
        relay.cascade.network.apply(.verify(relay.relay), to: relay.edge)
        relay.play(for: .seconds(Int64(3)))
        try #require(relay.reports.count == 1)
        let after = relay.reports[0].after - .milliseconds(100)
        #expect((.milliseconds(290) ... .milliseconds(400)).contains(after), "\(after.milliseconds) ms after verify")
    }

    @Test func verifyingALivingPeerIsAnsweredAndSaysNothing() throws {
        let relay = try Relay(seed: 43)
        for _ in 0..<20 {
            relay.cascade.network.apply(.verify(relay.relay), to: relay.edge)
            relay.wait(for: .milliseconds(700))
        }
        #expect(relay.reports.isEmpty)
    }

    @Test func aPublisherThatIsMerelySilentIsAlive() throws {
        let relay = try Relay(seed: 44)
        relay.wait(for: .seconds(Int64(60)))
        #expect(relay.reports.isEmpty)
        #expect(relay.edge.unit.peers[relay.relay]?.phase == .connected)
    }

    @Test func aLongWayIsGivenItsTime() throws {
        let relay = try Relay(seed: 45, link: Link(delay: .milliseconds(150)))
        relay.wait(for: .seconds(Int64(10)))
        relay.cascade.network.apply(.verify(relay.relay), to: relay.edge)
        relay.wait(for: .seconds(Int64(5)))
        #expect(relay.reports.isEmpty)
        relay.play(for: .seconds(Int64(1)))
        relay.cut()
        let cut = relay.cascade.network.now - Relay.start
        relay.play(for: .seconds(Int64(3)))
        try #require(relay.reports.count == 1)
        // 150 ms still on the way, 500 ms of silence, 3 × 300 ms + 100 ms of patience.
        let after = relay.reports[0].after - cut
        #expect((.milliseconds(1_500) ... .milliseconds(1_700)).contains(after), "\(after.milliseconds) ms")
    }

    /// Media that flows is proof enough: no loss short of a cut can hide 40 packets in a row.
    @Test(arguments: [46, 47, 48] as [UInt64])
    func heavyLossIsNotDeath(seed: UInt64) throws {
        let relay = try Relay(seed: seed)
        relay.cascade.network.link(relay.origin, relay.edge, Link(delay: .milliseconds(10), loss: 0.3))
        relay.play(for: .seconds(Int64(20)))
        #expect(relay.reports.isEmpty)
    }

    /// A silent publisher behind 30 % loss may be taken for gone: five checks can fail. Then the next answer heals it.
    @Test(arguments: 50..<60 as Range<UInt64>)
    func silenceUnderHeavyLossHeals(seed: UInt64) throws {
        let relay = try Relay(seed: seed)
        relay.cascade.network.link(relay.origin, relay.edge, Link(delay: .milliseconds(10), loss: 0.3))
        relay.wait(for: .seconds(Int64(20)))
        relay.cascade.network.link(relay.origin, relay.edge, Link(delay: .milliseconds(10)))
        relay.wait(for: .milliseconds(1_100))
        #expect(relay.reports.last?.unreachable != true)
        for (a, b) in zip(relay.reports, relay.reports.dropFirst()) { #expect(a.unreachable != b.unreachable) }
    }

    @Test func aLinkThatHealsIsReported() throws {
        let relay = try Relay(seed: 61)
        relay.cut()
        relay.play(for: .seconds(Int64(10)))
        let lost = relay.cascade.network.lost
        relay.wait(for: .seconds(Int64(5)))
        // Reports and checks, each once a second: the slow pace.
        #expect(relay.cascade.network.lost - lost < 60)
        relay.cascade.network.link(relay.origin, relay.edge, Link(delay: .milliseconds(10)))
        let healed = relay.cascade.network.now - Relay.start
        relay.play(for: .seconds(Int64(3)))
        try #require(relay.reports.map(\.unreachable) == [true, false])
        #expect(relay.reports[1].after - healed <= .milliseconds(100), "the first packet says so")
        // It is watched again.
        relay.cut()
        relay.play(for: .seconds(Int64(2)))
        #expect(relay.reports.map(\.unreachable) == [true, false, true])
        let log = relay.edge.unit.peers[relay.relay]?.transport.log.all.map(\.event) ?? []
        #expect(log.count { $0 == .unreachable } == 2)
        #expect(log.contains(.reachable))
    }

    @Test func consentStillEndsIt() throws {
        let relay = try Relay(seed: 62)
        relay.cut()
        relay.wait(for: .seconds(Int64(32)))
        #expect(
            relay.edge.events.contains { event in
                if case .closed(relay.relay, reason: .consentExpired, _) = event { true } else { false }
            })
        #expect(relay.reports.map(\.unreachable) == [true])
    }

    /// A publisher towards us and a viewer of ours are not watched: they are no clients of theirs.
    @Test func onlyClientSourcesAreWatched() throws {
        let relay = try Relay(seed: 63)
        let servers = relay.origin.unit.peers.keys.sorted { $0.rawValue < $1.rawValue }
        for id in servers { relay.cascade.network.apply(.verify(id), to: relay.origin) }
        relay.cascade.network.link(relay.publisher, relay.origin, Link(loss: 1))
        relay.wait(for: .seconds(Int64(5)))
        for host in [relay.publisher, relay.origin] {
            #expect(
                !host.events.contains { if case .unreachable = $0 { true } else { false } }, "\(host.name)")
        }
    }
}
