// The handshake survives loss, duplication, reordering and fragments on its own deadlines, and never sends to a peer that
// has not spoken.

import COpenSSL
import Testing

@testable import WebRTC

@Suite struct DTLSLossTests {
    /// Which datagram is lost is the whole difference between these cases: each one in turn, and each pair.
    @Test(arguments: [1_200, 256]) func anyOneDatagramMayBeLost(mtu: Int) throws {
        let pair = try DTLSPair()
        for victim in 0..<24 {
            let network = DTLSNetwork(client: pair.makeClient(mtu: mtu), server: pair.makeServer(mtu: mtu)) {
                number, _, _ in number == victim ? .lost : .delivered
            }
            network.run()
            #expect(network.client.material != nil, "client without datagram \(victim)")
            #expect(network.server.material != nil, "server without datagram \(victim)")
        }
    }

    @Test func anyTwoDatagramsMayBeLost() throws {
        let pair = try DTLSPair()
        for first in 0..<8 {
            for second in (first + 1)..<9 {
                let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer()) { number, _, _ in
                    number == first || number == second ? .lost : .delivered
                }
                network.run()
                #expect(
                    network.client.material != nil && network.server.material != nil, "without \(first) and \(second)")
            }
        }
    }

    /// Heavy weather, one seed after the other: 25 % loss, 10 % twice, delays of 5…85 ms that reorder at will.
    @Test(arguments: [1_200, 300]) func lossyNetworksConnectInTheEnd(mtu: Int) throws {
        let pair = try DTLSPair()
        for seed in UInt64(1)...60 {
            var random = SeededGenerator(seed: seed)
            func delay() -> Interval { .milliseconds(Int64.random(in: 5...85, using: &random)) }
            let network = DTLSNetwork(client: pair.makeClient(mtu: mtu), server: pair.makeServer(mtu: mtu)) { _, _, _ in
                if Int.random(in: 0..<100, using: &random) < 25 { return .lost }
                return Fate(copies: Int.random(in: 0..<100, using: &random) < 10 ? [delay(), delay()] : [delay()])
            }
            network.run()
            #expect(network.client.material != nil, "client, seed \(seed), at \(network.now)")
            #expect(network.server.material != nil, "server, seed \(seed), at \(network.now)")
            #expect(network.client.material?.localKey == network.server.material?.remoteKey)
        }
    }

    /// OpenSSL throws a ChangeCipherSpec away that comes before its turn, and takes the same record again for a replay:
    /// only a repeat under new sequence numbers helps.
    @Test func aChangeCipherSpecThatOvertakesIsRepeatedAsANewRecord() throws {
        let pair = try DTLSPair()
        var firstFlightEnd: Int?
        let network = DTLSNetwork(client: pair.makeClient(mtu: 256), server: pair.makeServer()) {
            number, client, bytes in
            guard client, RecordHeader.all(in: bytes).contains(where: { $0.type == 20 }), firstFlightEnd == nil
            else { return .delivered }
            firstFlightEnd = number
            return Fate(copies: [.milliseconds(1)])
        }
        network.run()
        #expect(firstFlightEnd != nil)
        #expect(network.client.material != nil && network.server.material != nil)
    }

    @Test func everyRecordIsSentUnderItsOwnNumber() throws {
        let pair = try DTLSPair()
        for silentSide in [true, false] {
            let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer()) { number, fromClient, _ in
                fromClient == silentSide && number > 0 ? .lost : .delivered
            }
            network.run()
            for side in [true, false] {
                let headers = network.sent.filter { $0.fromClient == side }.flatMap { RecordHeader.all(in: $0.bytes) }
                #expect(Set(headers).count == headers.count)
            }
        }
    }

    @Test func finalFlightIsRepeatedWhenThePeerRepeatsItsOwn() throws {
        let pair = try DTLSPair()
        var lost = 0
        let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer()) { _, fromClient, bytes in
            guard !fromClient, RecordHeader.all(in: bytes).contains(where: { $0.epoch == 1 }), lost < 5
            else { return .delivered }
            lost += 1
            return .lost
        }
        network.run()
        #expect(lost == 5)
        #expect(network.client.material != nil && network.server.material != nil)
    }

    @Test func repeatsDoubleFromFiftyMillisecondsAndEnd() throws {
        let pair = try DTLSPair()
        let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer()) { _, _, _ in .lost }
        network.run()
        let times = network.sent.map { ($0.at - .zero).milliseconds }
        #expect(times == [0, 50, 150, 350, 750, 1_550, 3_150, 4_750, 6_350, 7_950, 9_550])
        #expect(network.client.failure == .handshakeFailed)
        #expect(network.now == .zero + .milliseconds(11_150))
        #expect(network.client.nextDeadline == .distantFuture)
    }

    @Test func serverSaysNothingBeforeItIsAsked() throws {
        let pair = try DTLSPair()
        let server = pair.makeServer()
        server.start(now: .zero)
        server.advance(now: .zero + .milliseconds(20_000))
        #expect(server.takeDatagrams().isEmpty && server.nextDeadline == .distantFuture)
        // Nor to half a ClientHello.
        let client = pair.makeClient()
        fillClientHello(of: client)
        client.start(now: .zero)
        let hello = client.takeDatagrams()
        #expect(hello.count == 2)
        server.receive(hello[0], now: .zero)
        #expect(server.takeDatagrams().isEmpty && server.nextDeadline == .distantFuture)
    }

    /// Chromium's ClientHello with a post-quantum key share: about 1,500 bytes, in two datagrams that come in any order,
    /// twice, or with one of them repeated late.
    @Test(arguments: [[0, 1], [1, 0], [0, 0, 1, 1], [1, 1, 0], [1, 0, 1, 0]])
    func clientHelloInTwoDatagrams(order: [Int]) throws {
        let pair = try DTLSPair()
        let client = pair.makeClient()
        let server = pair.makeServer()
        fillClientHello(of: client)
        client.start(now: .zero)
        let hello = client.takeDatagrams()
        #expect(hello.count == 2 && hello.allSatisfy { $0.count <= 1_200 } && hello.reduce(0) { $0 + $1.count } > 1_400)
        for index in order { server.receive(hello[index], now: .zero) }
        let network = DTLSNetwork(client: client, server: server)
        network.run()
        #expect(client.material != nil && server.material != nil)
        #expect(network.now <= .zero + .milliseconds(40), "no repeat was needed")
    }

    @Test func everyFragmentMayComeTwiceAndBackwards() throws {
        let pair = try DTLSPair()
        let (client, server) = (pair.makeClient(mtu: 256), pair.makeServer(mtu: 256))
        client.start(now: .zero)
        var now = Instant.zero
        for _ in 0..<60 where client.material == nil || server.material == nil {
            for (from, to) in [(client, server), (server, client)] {
                let flight = from.takeDatagrams()
                for bytes in flight.reversed() + flight { to.receive(bytes, now: now) }
            }
            now = now + .milliseconds(60)
            client.advance(now: now)
            server.advance(now: now)
        }
        #expect(client.material != nil && server.material != nil)
    }

    /// Makes the ClientHello about 1,500 bytes long, with protocol names that nobody knows.
    private func fillClientHello(of client: DTLSTransport) {
        let filler = (0..<5).flatMap { _ in [UInt8(250)] + [UInt8](repeating: 0x61, count: 250) }
        #expect(unsafe SSL_set_alpn_protos(client.ssl, filler, UInt32(filler.count)) == 0)
    }
}
