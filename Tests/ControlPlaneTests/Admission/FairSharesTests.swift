import Testing
import WebRTC

@testable import ControlPlane

struct FairSharesTests {
    private func network(_ literal: String, port: UInt16 = 1) throws -> ClientNetwork {
        ClientNetwork(try #require(TransportAddress(literal, port: port)))
    }

    /// Which addresses are one client.
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
        ("2001:db8::1", "2001:db8::ffff:1", true), ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ("::ffff:192.0.2.1", "192.0.2.1", true), ("::1", "::2", false),
    ])
    func addressesOfOneNetwork(_ a: String, _ b: String, isOne: Bool) throws {
        #expect(try (network(a) == network(b, port: 2)) == isOne)
    }

    @Test func nobodyGetsMoreThanAShareAndAllGetTheWhole() throws {
        let shares = FairShares([.connections: 100], percent: 25)
        let (one, two) = (try network("192.0.2.1"), try network("2001:db8::1"))
        var places: [FairShares.Place] = []
        for _ in 0..<25 { places.append(try shares.take(.connections, for: one).get()) }
        #expect(shares.take(.connections, for: one) == .failure(.init(refusal: .share)))
        for _ in 0..<25 { places.append(try shares.take(.connections, for: two).get()) }
        // The deployment's own get what is left.
        for _ in 0..<50 { places.append(try shares.take(.connections, for: nil).get()) }
        #expect(shares.take(.connections, for: try network("192.0.2.3")) == .failure(.init(refusal: .full)))
        #expect(shares.refused[.connections] == [.share: 1, .full: 1])
        for place in places { shares.giveBack(place) }
        #expect(shares.taken(.connections) == 0 && shares.taken(.connections, by: one) == 0)
        _ = try shares.take(.connections, for: one).get()
    }

    /// A proxy on the same host brings everybody.
    @Test func thisHostHasNoShare() throws {
        let local = try network("127.0.0.1")
        let shares = FairShares([.viewers: 40], percent: 25)
        for _ in 0..<40 { _ = try shares.take(.viewers, for: local).get() }
        #expect(shares.take(.viewers, for: local) == .failure(.init(refusal: .full)))
        let strict = FairShares([.viewers: 80], percent: 25, sharesLoopback: true)
        for _ in 0..<20 { _ = try strict.take(.viewers, for: local).get() }
        #expect(strict.take(.viewers, for: local) == .failure(.init(refusal: .share)))
    }

    /// Small bounds are not cut into nothing; a hundred percent is no share at all.
    @Test(arguments: [(10, 25, 10), (100, 1, 16), (1_000, 25, 250), (1_000, 100, 1_000), (20, 50, 16)])
    func sizes(bound: Int, percent: Int, expected: Int) throws {
        let shares = FairShares([.connections: bound], percent: percent)
        let one = try network("192.0.2.1")
        var taken = 0
        while case .success = shares.take(.connections, for: one) { taken += 1 }
        #expect(taken == expected)
    }
}
