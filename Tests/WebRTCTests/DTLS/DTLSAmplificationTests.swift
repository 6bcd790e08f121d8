// Whoever can forge a source address can have a server's flight sent there: it gets few of them until somebody answers.
// Who really is there does not wait longer for it.

import Testing

@testable import WebRTC

@Suite struct DTLSAmplificationTests {
    private static func ms(_ n: Int64) -> Instant { .zero + .milliseconds(n) }

    private func hello(of client: DTLSTransport) throws -> [UInt8] {
        client.start(now: .zero)
        return try #require(client.takeDatagrams().first)
    }

    /// Everything that a transport sends by its own deadlines until `end`, with its time.
    private func sent(by transport: DTLSTransport, until end: Instant) -> [(at: Int64, bytes: Int)] {
        var all: [(Int64, Int)] = []
        while transport.nextDeadline <= end {
            let now = transport.nextDeadline
            transport.advance(now: now)
            all += transport.takeDatagrams().map { ((now - .zero).milliseconds, $0.count) }
        }
        return all
    }

    @Test func anAddressThatNeverAnswersGetsThreeFlights() throws {
        let pair = try DTLSPair()
        let server = pair.makeServer()
        let hello = try hello(of: pair.makeClient())
        server.receive(hello, now: .zero)
        let first = server.takeDatagrams().reduce(0) { $0 + $1.count }
        let repeats = sent(by: server, until: Self.ms(30_000))
        #expect(repeats.map(\.at) == [50, 150])
        #expect(first + repeats.reduce(0) { $0 + $1.bytes } <= 2_000)
        #expect(server.failure == .handshakeFailed, "given up when it always was")
    }

    /// A flood of ClientHellos is answered one by one, as long as there are repeats.
    @Test func eachHelloIsWorthOneRepeat() throws {
        let pair = try DTLSPair()
        let server = pair.makeServer()
        let hello = try hello(of: pair.makeClient())
        var flights = 0
        for n in Int64(0)..<40 {
            server.receive(hello, now: Self.ms(n * 200))
            flights += server.takeDatagrams().count + sent(by: server, until: Self.ms(n * 200 + 199)).count
            #expect(flights <= 3 + Int(n))
        }
        #expect(flights <= 1 + DTLSFlight.repeats)
    }

    /// The server's first flights are lost; a client that is slow to ask again (one second is common) is answered at once.
    @Test func aRepeatedHelloIsAnsweredAtOnce() throws {
        let pair = try DTLSPair()
        let (client, server) = (pair.makeClient(), pair.makeServer())
        let hello = try hello(of: client)
        server.receive(hello, now: .zero)
        _ = server.takeDatagrams()
        _ = sent(by: server, until: Self.ms(1_000))
        server.receive(hello, now: Self.ms(1_000))
        server.advance(now: Self.ms(1_000))
        let answer = server.takeDatagrams()
        #expect(!answer.isEmpty && server.nextDeadline > Self.ms(1_000))
        for bytes in answer { client.receive(bytes, now: Self.ms(1_010)) }
        for bytes in client.takeDatagrams() { server.receive(bytes, now: Self.ms(1_020)) }
        for bytes in server.takeDatagrams() { client.receive(bytes, now: Self.ms(1_030)) }
        #expect(client.material != nil && server.material != nil)
    }

    /// We open the handshake towards an address that has shown the ICE password once: FFmpeg's `setup:passive`.
    @Test func anActiveServerIsBoundToo() throws {
        let pair = try DTLSPair()
        let active = DTLSTransport(
            context: pair.serverContext, isClient: true, remoteFingerprints: [pair.clientIdentity.fingerprint])
        active.start(now: .zero)
        let first = active.takeDatagrams().reduce(0) { $0 + $1.count }
        let repeats = sent(by: active, until: Self.ms(30_000))
        #expect(repeats.map(\.at) == [50, 150, 350, 750, 1_550])
        #expect(first + repeats.reduce(0) { $0 + $1.bytes } <= 2_000)
    }

    /// It is no slower than before where datagrams get lost, as long as the client asks again as ours does.
    @Test(arguments: 0..<5) func threeLostAnswersCostNoTimeout(first: Int) throws {
        let pair = try DTLSPair()
        var lost = 0
        let network = DTLSNetwork(client: pair.makeClient(), server: pair.makeServer()) { number, fromClient, _ in
            guard !fromClient, number >= first, lost < 3 else { return .delivered }
            lost += 1
            return .lost
        }
        network.run()
        #expect(network.client.material != nil && network.server.material != nil)
        #expect(network.now < Self.ms(800), "\(network.now)")
    }
}
