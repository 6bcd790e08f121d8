// Whatever comes from the network, a transport neither crashes, nor connects to the wrong peer, nor grows.

import Testing

@testable import WebRTC

@Suite struct DTLSGarbageTests {
    @Test(
        arguments: [
            [], [22], [22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0], [22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            [22, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [23, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [19, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [64, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ] as [[UInt8]])
    func whatCannotBeDTLSIsRefused(bytes: [UInt8]) throws {
        let pair = try DTLSPair()
        let server = pair.makeServer()
        #expect(!server.receive(bytes, now: .zero))
        if case .idle = server.state {} else { Issue.record("the state changed") }
    }

    @Test func forgedApplicationDataDoesNotEndAHandshake() throws {
        let pair = try DTLSPair()
        let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer())
        network.client.start(now: .zero)
        for hello in network.client.takeDatagrams() { network.server.receive(hello, now: .zero) }
        let forged: [UInt8] = [23, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 99, 0, 3, 1, 2, 3]
        #expect(!network.server.receive(forged, now: .zero))
        network.run()
        #expect(network.server.material != nil)
    }

    @Test func noiseAfterTheHandshakeChangesNothing() throws {
        let pair = try DTLSPair()
        let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer())
        network.run()
        var random = SeededGenerator(seed: 5)
        for _ in 0..<3_000 {
            var bytes = (0..<Int.random(in: 13...200, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            (bytes[0], bytes[1], bytes[2]) = (UInt8.random(in: 20...23, using: &random), 0xFE, 0xFD)
            (bytes[3], bytes[4]) = (0, UInt8.random(in: 0...2, using: &random))
            let length = bytes.count - 13
            (bytes[11], bytes[12]) = (UInt8(length >> 8), UInt8(length & 0xFF))
            network.server.receive(bytes, now: network.now)
        }
        #expect(network.server.material != nil)
        #expect(network.server.takeDatagrams().isEmpty)
    }

    /// Handshakes whose datagrams are mutated on the way, while good copies follow: thousands of broken records in every
    /// state. The outcome may be a failure, since alerts are not authenticated before the keys are; never a crash, and
    /// never two sides that believe in different keys.
    @Test func mutatedHandshakesDoNotCrash() throws {
        let pair = try DTLSPair()
        var mutations = 0
        var connected = 0
        for seed in UInt64(1)...250 {
            var random = SeededGenerator(seed: seed)
            let network = MutatingNetwork(pair: pair, random: random.next())
            network.run()
            mutations += network.mutations
            if let client = network.client.material, let server = network.server.material {
                connected += 1
                #expect(client.localKey == server.remoteKey)
            }
        }
        #expect(mutations > 2_000)
        #expect(connected > 0, "some get through, or the mutations reach nothing beyond the first flight")
    }
}

/// Delivers each datagram after a few broken versions of it.
private final class MutatingNetwork {
    let client: DTLSTransport
    let server: DTLSTransport
    private(set) var mutations = 0
    private var random: SeededGenerator

    init(pair: DTLSPair, random seed: UInt64) {
        (client, server) = (pair.makeClient(), pair.makeServer())
        random = SeededGenerator(seed: seed)
    }

    func run() {
        var now = Instant.zero
        client.start(now: now)
        for _ in 0..<16 {
            for (from, to) in [(client, server), (server, client)] {
                for bytes in from.takeDatagrams() {
                    for _ in 0..<Int.random(in: 0...3, using: &random) {
                        to.receive(mutated(bytes), now: now)
                        mutations += 1
                    }
                    to.receive(bytes, now: now)
                }
            }
            now = now + .milliseconds(100)
            client.advance(now: now)
            server.advance(now: now)
        }
    }

    private func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
        case 1:
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
        case 2:
            bytes[Int.random(in: 0..<min(40, bytes.count), using: &random)] ^=
                1 << Int.random(in: 0..<8, using: &random)
        default:
            bytes += (0..<Int.random(in: 1...64, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        return bytes
    }
}
