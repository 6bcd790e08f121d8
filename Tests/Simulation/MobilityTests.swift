// A peer whose address changes is followed, with media and feedback, also when it nominates nothing. Who can forge source
// addresses, and has all keys of a session of its own, neither sends media to a stranger nor takes a stranger's media away.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct MobilityTests {
    /// publisher → origin → viewer, playing for two seconds.
    private struct Stage {
        let cascade: Cascade
        let (publisher, origin, viewer): (Host, Host, Host)
        /// The origin's sessions.
        let (source, sink): (SessionID, SessionID)
        static let victim = TransportAddress(ipv4: 0xC000_0263, port: 4_444)

        init(seed: UInt64) throws {
            cascade = Cascade(seed: seed)
            (publisher, origin, viewer) = (
                try cascade.host("publisher"), try cascade.host("origin"), try cascade.watcher("viewer")
            )
            (_, source) = cascade.publish(from: publisher, to: origin)
            (_, sink) = cascade.connect(source: viewer, to: origin)
            play(for: .seconds(Int64(2)))
        }

        var network: VirtualNetwork { cascade.network }
        func play(for time: Interval) { cascade.play(from: publisher, until: network.now + time) }
        func remote(of session: SessionID) -> TransportAddress? { origin.unit.peers[session]?.transport.remote }
        func pictures(since start: Instant) -> [Instant] {
            cascade.line(of: "viewer", track: 0).map(\.at).filter { $0 > start }.sorted()
        }

        /// A check of `session`'s peer that arrives at the origin from `address`.
        @discardableResult
        func check(_ session: SessionID, from address: TransportAddress, nominating: Bool = false) -> Int {
            let (client, server) = cascade.credentials[session]!
            var request = STUNWriter(.request, transactionID: .init(high: 9, low: UInt64(network.now.nanoseconds)))
            request.addUsername(Array("\(server.ufrag):\(client.ufrag)".utf8))
            request.addPriority(1)
            request.addControlling(tieBreaker: 1)
            if nominating { request.addUseCandidate() }
            let bytes = request.finish(key: Array(server.password.utf8))
            network.inject(bytes, from: address, to: origin)
            return bytes.count
        }

        /// The NAT before `host` gives its session another port. Nothing that the host itself nominates gets through, as if
        /// its checks were for consent alone.
        func rebind(_ host: Host, of session: SessionID) -> TransportAddress {
            host.translation = 100
            network.passes = { bytes, from, _ in
                from.low != host.address.low || STUNMessage.parse(RawSpan(_elements: bytes.span))?.useCandidate != true
            }
            var address = remote(of: session)!
            address.port += 100
            return address
        }
    }

    @Test func aViewerThatMovedGetsMediaThere() throws {
        let stage = try Stage(seed: 81)
        let start = stage.network.now
        let address = stage.rebind(stage.viewer, of: stage.sink)
        for _ in 0..<8 {
            stage.check(stage.sink, from: address)
            stage.play(for: .milliseconds(500))
        }
        #expect(stage.remote(of: stage.sink) == address)
        let pictures = stage.pictures(since: start + .milliseconds(10))
        let first = try #require(pictures.first)
        #expect(first - start < .seconds(Int64(3)), "\((first - start).milliseconds) ms")
        // The viewer reported from its old address less than a second before.
        #expect(first - start > .milliseconds(650), "not before that one is silent")
        #expect(pictures.count > 100)
    }

    @Test func aPublisherThatMovedIsAskedThere() throws {
        let stage = try Stage(seed: 82)
        let start = stage.network.now
        let address = stage.rebind(stage.publisher, of: stage.source)
        for _ in 0..<6 {
            stage.check(stage.source, from: address)
            stage.play(for: .milliseconds(500))
        }
        #expect(stage.remote(of: stage.source) == address)
        // Its media counts from its first check on.
        #expect(stage.pictures(since: start + .milliseconds(100)).count > 300)
        let requests = stage.publisher.unit.statistics.keyframeRequestsReceived
        let late = try stage.cascade.host("late")
        stage.cascade.connect(source: late, to: stage.origin)
        stage.play(for: .seconds(Int64(1)))
        #expect(stage.publisher.unit.statistics.keyframeRequestsReceived > requests)
    }

    /// Consent checks of Firefox: five seconds apart.
    @Test func oneCheckIsEnough() throws {
        let stage = try Stage(seed: 83)
        let address = stage.rebind(stage.viewer, of: stage.sink)
        stage.play(for: .milliseconds(4_500))
        #expect(stage.remote(of: stage.sink) != address)
        stage.check(stage.sink, from: address)
        stage.play(for: .seconds(Int64(1)))
        #expect(stage.remote(of: stage.sink) == address)
    }

    @Test(arguments: [false, true]) func aForgedCheckMovesNothingWhileThePeerLives(nominating: Bool) throws {
        let stage = try Stage(seed: 84)
        let (start, before) = (stage.network.now, stage.remote(of: stage.sink))
        stage.check(stage.sink, from: Stage.victim, nominating: nominating)
        stage.play(for: .seconds(Int64(10)))
        #expect(stage.remote(of: stage.sink) == before)
        #expect(stage.pictures(since: start).count > 1_700)
        #expect(stage.network.stray[Stage.victim, default: 0] < 800)
    }

    /// The attack: forged nominations from the victim's address, reports from one's own. It keeps what it gets.
    @Test func nominationsInAStrangersNameLeadNowhere() throws {
        let stage = try Stage(seed: 85)
        let (start, before) = (stage.network.now, stage.remote(of: stage.sink))
        var spent = 0
        for _ in 0..<12 {
            spent += stage.check(stage.sink, from: Stage.victim, nominating: true)
            stage.play(for: .milliseconds(3_300))
        }
        #expect(stage.remote(of: stage.sink) == before)
        #expect(stage.pictures(since: start).count > 7_000)
        let victim = stage.network.stray[Stage.victim, default: 0]
        #expect(victim <= 3 * spent, "\(victim) bytes for \(spent)")
    }

    /// The same with everything in the victim's name, authentic reports too: nothing comes back, so nothing moves, and
    /// the session ends.
    @Test func notEvenWithAuthenticReports() throws {
        let stage = try Stage(seed: 86)
        let address = stage.rebind(stage.viewer, of: stage.sink)
        var bytes = 0
        stage.network.passes = { datagram, _, to in
            if to == address { bytes += datagram.count }
            return to != address
        }
        for _ in 0..<70 {
            stage.check(stage.sink, from: address, nominating: true)
            stage.play(for: .milliseconds(500))
        }
        #expect(stage.origin.unit.peers[stage.sink] == nil)
        #expect(bytes < 12_000, "\(bytes) bytes in 35 s, checks answered and asked")
        let reason = stage.origin.events.compactMap { event in
            if case .closed(stage.sink, let reason, _) = event { reason } else { nil }
        }
        #expect(reason == [.consentExpired])
    }

    /// Who may watch cannot have the publisher's datagrams for its own; an address that fell silent may be somebody
    /// else's by now.
    @Test func anAddressBelongsToWhoLivesThere() throws {
        let stage = try Stage(seed: 87)
        let (start, address) = (stage.network.now, try #require(stage.remote(of: stage.source)))
        let owner = { stage.origin.unit.demultiplexer.owner(of: address)?.id }
        for _ in 0..<20 {
            stage.check(stage.sink, from: address, nominating: true)
            stage.play(for: .milliseconds(100))
            #expect(owner() == stage.source)
        }
        #expect(stage.pictures(since: start).count > 300)
        stage.network.passes = { _, from, _ in from.low != stage.publisher.address.low }
        stage.play(for: .milliseconds(1_900))
        stage.check(stage.sink, from: address)
        stage.play(for: .milliseconds(10))
        #expect(owner() == stage.source)
        stage.play(for: .milliseconds(200))
        stage.check(stage.sink, from: address)
        stage.play(for: .milliseconds(10))
        #expect(owner() == stage.sink)
        // It was a disturbance only: the publisher has it back with its next check, since nobody lives there.
        stage.network.passes = { _, _, _ in true }
        stage.check(stage.source, from: address)
        stage.play(for: .milliseconds(10))
        #expect(owner() == stage.source)
    }
}
