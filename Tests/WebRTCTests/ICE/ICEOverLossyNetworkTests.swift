// A lite server and a controlling client against each other, over virtual time with delay, loss, duplicates and
// reordering.
import Testing
import WebRTC

/// One client, with one address per route, and one server with several; datagrams take their time or get lost.
private struct LossyNetwork {
    struct Datagram {
        var arrival: Instant
        var toServer: Bool
        /// Source as the receiver sees it.
        var source: TransportAddress
        /// Server side: on which of its addresses.
        var route: Int
        var bytes: [UInt8]
    }

    static let serverCredentials = ICECredentials(ufrag: "SERVERuf", password: "server-password-0123456789")
    static let clientCredentials = ICECredentials(ufrag: "CLIENTuf", password: "client-password-0123456789")
    static let newServer = ICECredentials(ufrag: "SERVERu2", password: "server-password-9876543210")
    static let newClient = ICECredentials(ufrag: "CLIENTu2", password: "client-password-9876543210")

    var server: ICEAgent
    var client: ICEAgent
    let serverOutbox = Outbox()
    let clientOutbox = Outbox()
    var now = Instant.zero
    var flying: [Datagram] = []
    var generator: SeededGenerator
    var loss: Double
    /// Routes that lead nowhere.
    var dead: Set<Int> = []
    let delay = Interval.milliseconds(20)
    var drops: [DropReason] = []

    static func serverAddress(_ route: Int) -> TransportAddress {
        TransportAddress(ipv4: 0xCB00_7100 + UInt32(route), port: 5_000)
    }
    static func clientAddress(_ route: Int) -> TransportAddress {
        TransportAddress(ipv4: 0x0A00_0000 + UInt32(route), port: 4_000)
    }

    init(routes: Int, loss: Double, seed: UInt64) {
        (generator, self.loss) = (SeededGenerator(seed: seed), loss)
        let make = { (role: TransportParameters.Role, candidates: [TransportAddress]) in
            let (server, client) = (Self.serverCredentials, Self.clientCredentials)
            return ICEAgent(
                role: role, local: role == .server ? server : client, remote: role == .server ? client : server,
                candidates: candidates, setupTimeout: .seconds(Int64(15)), consentTimeout: .seconds(Int64(30)),
                now: .zero,
                seed: seed)
        }
        server = make(.server, [])
        client = make(.client, (0..<routes).map(Self.serverAddress))
    }

    /// Runs until `end`, or until `condition` holds; whether it did.
    mutating func run(until end: Instant, _ condition: (LossyNetwork) -> Bool = { _ in false }) -> Bool {
        while true {
            collect()
            if condition(self) { return true }
            let next = min(flying.map(\.arrival).min() ?? .distantFuture, server.nextDeadline, client.nextDeadline)
            guard next <= end else { now = end; return false }
            precondition(next >= now || next == server.nextDeadline || next == client.nextDeadline, "time runs forward")
            now = max(now, next)
            deliver()
            server.advance(now: now, outbox: serverOutbox)
            client.advance(now: now, outbox: clientOutbox)
        }
    }

    private mutating func collect() {
        for (destination, bytes) in clientOutbox.datagramsForTesting() {
            guard let route = (0..<8).first(where: { Self.serverAddress($0) == destination }) else { continue }
            launch(
                Datagram(arrival: now, toServer: true, source: Self.clientAddress(route), route: route, bytes: bytes))
        }
        for (destination, bytes) in serverOutbox.datagramsForTesting() {
            guard let route = (0..<8).first(where: { Self.clientAddress($0) == destination }) else { continue }
            launch(
                Datagram(arrival: now, toServer: false, source: Self.serverAddress(route), route: route, bytes: bytes))
        }
        clientOutbox.removeAll()
        serverOutbox.removeAll()
    }

    private mutating func launch(_ datagram: Datagram) {
        for _ in 0..<(Double.random(in: 0..<1, using: &generator) < 0.05 ? 2 : 1) {
            if dead.contains(datagram.route) || Double.random(in: 0..<1, using: &generator) < loss { continue }
            var copy = datagram
            copy.arrival = now + delay + .milliseconds(Int64.random(in: 0...15, using: &generator))
            flying.append(copy)
        }
    }

    private mutating func deliver() {
        let due = flying.filter { $0.arrival <= now }
        flying.removeAll { $0.arrival <= now }
        for datagram in due {
            let received: ICEAgent.Received
            if datagram.toServer {
                // As the forwarding unit does it: the user fragment finds the session, or the source of an answer.
                guard let message = STUNMessage.parse(datagram.bytes) else { continue }
                let key = message.localUfragKey(in: datagram.bytes)
                guard message.messageClass != .request || server.localUfragKeys.contains(where: { $0 == key }) else {
                    drops.append(.unknownUfrag); continue
                }
                received = server.receive(
                    message, in: RawSpan(_elements: datagram.bytes.span), from: datagram.source, now: now,
                    outbox: serverOutbox)
            } else {
                received = client.receive(
                    datagram.bytes, from: datagram.source, now: now, outbox: clientOutbox)
            }
            if case .dropped(let reason) = received { drops.append(reason) }
        }
    }

    /// Both have settled on the two ends of one route.
    var agree: Bool {
        guard let route = (0..<8).first(where: { Self.serverAddress($0) == client.remote }) else { return false }
        return client.state == .connected && server.state == .connected && server.remote == Self.clientAddress(route)
    }
}

@Suite struct ICEOverLossyNetworkTests {
    @Test func withoutLossOneRoundTripConnects() {
        var network = LossyNetwork(routes: 3, loss: 0, seed: 1)
        #expect(network.run(until: ICEFixture.ms(80)) { $0.client.state == .connected })
        #expect(network.run(until: ICEFixture.ms(200)) { $0.agree })
    }

    @Test(arguments: [0.1, 0.3, 0.5])
    func lossDelaysButDoesNotPrevent(loss: Double) {
        for seed in UInt64(1)...50 {
            var network = LossyNetwork(routes: 3, loss: loss, seed: seed)
            #expect(network.run(until: ICEFixture.ms(14_000)) { $0.client.state == .connected }, "seed \(seed)")
            // The nomination goes on until it is answered, so both end up on one pair.
            // The server checks the nominated pair as well, once in 1.6 s, and half of the round trips may fail.
            #expect(network.run(until: network.now + .seconds(Int64(30))) { $0.agree }, "seed \(seed)")
            let route = network.client.remote
            // Six consent checks in a row must fail to end it: that happens where half of the round trips do.
            let lost = network.run(until: network.now + .seconds(Int64(60))) { !$0.agree }
            #expect(!lost || loss > 0.2, "seed \(seed)")
            #expect(network.client.remote == route)
            #expect(network.drops.allSatisfy { $0 == .unexpectedSTUN }, "only duplicates: \(network.drops)")
            #expect((network.client.roundTrip?.milliseconds).map { 40...71 ~= $0 } == true)
        }
    }

    @Test func deadRoutesAreAvoided() {
        for seed in UInt64(1)...20 {
            var network = LossyNetwork(routes: 4, loss: 0.1, seed: seed)
            network.dead = [0, 1, 3]
            #expect(network.run(until: ICEFixture.ms(14_000)) { $0.agree }, "seed \(seed)")
            #expect(network.client.remote == LossyNetwork.serverAddress(2))
        }
    }

    @Test func deadNetworkFailsBoth() {
        var network = LossyNetwork(routes: 2, loss: 1, seed: 3)
        #expect(!network.run(until: ICEFixture.ms(20_000)) { $0.client.state == .connected })
        #expect(network.client.state == .failed)
        #expect(network.server.state == .failed)
    }

    @Test func lostPathEndsBothWithinTheConsentTimeout() {
        var network = LossyNetwork(routes: 1, loss: 0, seed: 4)
        #expect(network.run(until: ICEFixture.ms(1_000)) { $0.agree })
        #expect(!network.run(until: ICEFixture.ms(100_000)) { !$0.agree }, "consent holds it")
        network.dead = [0]
        _ = network.run(until: network.now + .milliseconds(36_200))
        #expect(network.client.state == .failed)
        #expect(network.server.state == .failed)
    }

    @Test func restartMovesBothToTheNewPair() {
        for seed in UInt64(1)...20 {
            var network = LossyNetwork(routes: 1, loss: 0.2, seed: seed)
            #expect(network.run(until: ICEFixture.ms(14_000)) { $0.agree })
            let restart = network.now
            network.server.restart(
                local: LossyNetwork.newServer, remote: LossyNetwork.newClient, candidates: [], now: restart)
            // The answer takes its time to reach the client, which keeps using the old pair.
            #expect(
                !network.run(until: restart + .seconds(Int64(7))) {
                    $0.client.state != .connected || $0.server.remote == nil
                })
            network.client.restart(
                local: LossyNetwork.newClient, remote: LossyNetwork.newServer,
                candidates: [LossyNetwork.serverAddress(5)], now: network.now)
            #expect(
                network.run(until: network.now + .seconds(Int64(14))) { $0.agree && !$0.server.isRestarting },
                "seed \(seed)")
            #expect(network.client.remote == LossyNetwork.serverAddress(5))
            #expect(!network.client.isRestarting)
        }
    }
}
