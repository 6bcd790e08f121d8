import Testing
import WebRTC

@testable import ControlPlane

// Whom a request counts for behind proxies, and which addresses are theirs.

@Suite struct TrustedProxiesTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.0", false), ("10.0.0.0/8", "::a00:1", false),
        ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7", "192.0.2.6", false),
        ("192.0.2.6/31", "192.0.2.7", true), ("192.0.2.7/32", "192.0.2.6", false), ("128.0.0.0/1", "255.0.0.1", true),
        ("::ffff:10.0.0.0/104", "10.1.2.3", true), ("::ffff:10.0.0.0/104", "11.1.2.3", false),
        ("::ffff:192.0.2.7", "192.0.2.7", true), ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::", false), ("2001:db8::/64", "2001:db8::1:0:0:1", true),
        ("2001:db8::/64", "2001:db8:0:1::", false), ("2001:db8::8/125", "2001:db8::f", true),
        ("2001:db8::8/125", "2001:db8::10", false), ("::1", "::1", true), ("8000::/1", "ffff::", true),
        ("::/64", "::ffff:192.0.2.1", false),
    ])
    func blocks(block: String, address: String, isIn: Bool) throws {
        let address = try #require(TransportAddress(address, port: 7))
        #expect(try AddressBlock(block).contains(address) == isIn)
    }

    @Test(arguments: [
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8",
        "10.0.0.0/ 8", "10.0.0.0/99999999999999999999", "10.0.0/8", "10.0.0.1/8", "010.0.0.0/8", "lb.example",
        "10.0.0.0:80", "::/0", "2001:db8::/129", "2001:db8::1/64", "[::1]", "::ffff:10.0.0.0/96", "::ffff:10.0.0.0/8",
        "::ffff:10.0.0.1/104", "fe80::1%eth0",
    ])
    func noBlocks(text: String) {
        #expect(throws: AddressBlock.Failure.self) { try AddressBlock(text) }
    }

    /// Proxies are 10.0.0.0/8 and 2001:db8::/32.
    @Test(arguments: [
        // Nobody says, or somebody who is no proxy.
        ("10.0.0.1", nil, "10.0.0.1"), ("192.0.2.1", "198.51.100.1", "192.0.2.1"), ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"), ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("2001:db8::1", " 2001:DB9::1\t", "2001:db9::1"), ("10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        // What stands left of the first address that is no proxy's was written by its owner.
        ("10.0.0.1", "203.0.113.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "127.0.0.1,198.51.100.1,10.0.0.2 , 2001:db8::2", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        // With ports, as some proxies write them.
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"), ("10.0.0.1", "[2001:db9::1]:4711", "2001:db9::1"),
        ("10.0.0.1", "[2001:db9::1]", "2001:db9::1"),
        // No addresses: the proxy that wrote it counts.
        ("10.0.0.1", "unknown", "10.0.0.1"), ("10.0.0.1", "198.51.100.1, _hidden", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, _hidden, 10.0.0.2", "10.0.0.2"), ("10.0.0.1", "198.51.100.1,", "10.0.0.1"),
        ("10.0.0.1", ",,,", "10.0.0.1"), ("10.0.0.1", "198.51.100.1:99999", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.256", "10.0.0.1"), ("10.0.0.1", "[]", "10.0.0.1"), ("10.0.0.1", "[", "10.0.0.1"),
    ])
    func clients(remote: String, field: String?, client: String) throws {
        let proxies = TrustedProxies([try AddressBlock("10.0.0.0/8"), try AddressBlock("2001:db8::/32")])
        let remote = try #require(TransportAddress(remote, port: 7))
        #expect(proxies.client(behind: remote, forwardedFor: field).host == client)
    }

    @Test func aLongFieldIsReadOnce() throws {
        let proxies = TrustedProxies([try AddressBlock("10.0.0.0/8")])
        let field = String(repeating: "10.0.0.1,", count: 10_000) + "10.0.0.1"
        #expect(
            proxies.client(behind: try #require(.init("10.0.0.2", port: 7)), forwardedFor: field).host == "10.0.0.1")
    }
}
