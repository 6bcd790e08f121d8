import Testing
import WebRTC

@testable import ControlPlane

@Suite("Rate limiter") struct RateLimiterTests {
    private let start = ContinuousClock.now

    @Test func burstThenRate() {
        let limiter = RateLimiter(perSecond: 2, burst: 3, addresses: 10)
        let address = ClientNetwork(TransportAddress("192.0.2.1", port: 1)!)
        for port in 1...3 {
            #expect(
                limiter.delay(for: ClientNetwork(TransportAddress("192.0.2.1", port: UInt16(port))!), now: start) == nil
            )
        }
        #expect(limiter.delay(for: address, now: start) == 1)
        #expect(limiter.delay(for: ClientNetwork(TransportAddress("192.0.2.2", port: 1)!), now: start) == nil)
        #expect(limiter.delay(for: address, now: start + .milliseconds(499)) == 1)
        #expect(limiter.delay(for: address, now: start + .milliseconds(500)) == nil)
        #expect(limiter.delay(for: address, now: start + .seconds(100)) == nil)
    }

    @Test func anIPv6HostIsOneAddress() {
        let limiter = RateLimiter(perSecond: 1, burst: 1, addresses: 10)
        #expect(limiter.delay(for: ClientNetwork(TransportAddress("2001:db8::1", port: 1)!), now: start) == nil)
        #expect(limiter.delay(for: ClientNetwork(TransportAddress("2001:db8::2", port: 1)!), now: start) != nil)
        #expect(limiter.delay(for: ClientNetwork(TransportAddress("2001:db8:0:1::2", port: 1)!), now: start) == nil)
    }

    @Test func theTableIsBounded() {
        let limiter = RateLimiter(perSecond: 1, burst: 1, addresses: 100)
        for n in 0..<10_000 {
            _ = limiter.delay(
                for: ClientNetwork(TransportAddress(ipv4: UInt32(n), port: 1)), now: start + .milliseconds(n))
            #expect(limiter.addresses <= 100)
        }
    }
}
