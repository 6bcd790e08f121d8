// Addresses in and out of text (RFC 4291, RFC 5952); candidates come from strangers' SDP.
import Testing
import WebRTC

@Suite struct TransportAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1:7"), ("0.0.0.0", "0.0.0.0:7"), ("255.255.255.255", "255.255.255.255:7"),
        ("::", "[::]:7"), ("::1", "[::1]:7"), ("2001:DB8::1", "[2001:db8::1]:7"),
        ("2001:0db8:0000:0000:0000:0000:0000:0001", "[2001:db8::1]:7"), ("1::", "[1::]:7"),
        // RFC 5952: one zero group is not shortened, the longest run is, the first of equals.
        ("2001:db8:0:1:1:1:1:1", "[2001:db8:0:1:1:1:1:1]:7"), ("2001:0:0:1:0:0:0:1", "[2001:0:0:1::1]:7"),
        ("2001:db8:0:0:1:0:0:1", "[2001:db8::1:0:0:1]:7"), ("1:2:3:4:5:6:7::", "[1:2:3:4:5:6:7:0]:7"),
        ("::2:3:4:5:6:7:8", "[0:2:3:4:5:6:7:8]:7"), ("64:ff9b::192.0.2.33", "[64:ff9b::c000:221]:7"),
        ("::192.0.2.1", "[::c000:201]:7"), ("1:2:3:4:5:6:192.0.2.1", "[1:2:3:4:5:6:c000:201]:7"),
        // An IPv4-mapped address is the IPv4 address.
        ("::ffff:192.0.2.1", "192.0.2.1:7"), ("::FFFF:c000:201", "192.0.2.1:7"),
    ])
    func literals(text: String, printed: String) throws {
        let address = try #require(TransportAddress(text, port: 7))
        #expect(address.description == printed)
        #expect(TransportAddress(address.host, port: 7) == address)
    }

    @Test(arguments: [
        "", ".", "1.2.3", "1.2.3.", "1.2.3.4.5", "1.2.3.256", "1.2.3.4444", "01.2.3.4", "1.2.3.00", "1.2.3.-4",
        "+1.2.3.4",
        " 1.2.3.4", "1.2.3.4 ", "1.2.3.٤", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "::1::",
        "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "12345::", "g::", "-0::", "+1::1",
        "::-1", "fe80::1%eth0", "[::1]", "1.2.3.4::1", "1.2.3.4::", "::1.2.3.4:5", "::1.2.3", "::1.2.3.256",
        "1:2:3:4:5:6:7:1.2.3.4", "a1b2.local", "example.com", "0x7f.1", "::\u{0}", "é::",
    ])
    func notLiterals(text: String) {
        #expect(TransportAddress(text, port: 7) == nil)
    }

    @Test func kinds() throws {
        let cases: [(String, loopback: Bool, unspecified: Bool, linkLocal: Bool)] = [
            ("127.0.0.1", true, false, false), ("127.255.0.9", true, false, false), ("128.0.0.1", false, false, false),
            ("::1", true, false, false), ("::2", false, false, false), ("0.0.0.0", false, true, false),
            ("::", false, true, false), ("169.254.1.1", false, false, true), ("169.253.1.1", false, false, false),
            ("fe80::1", false, false, true), ("febf::1", false, false, true), ("fec0::1", false, false, false),
        ]
        for (text, loopback, unspecified, linkLocal) in cases {
            let address = try #require(TransportAddress(text, port: 1))
            #expect(address.isLoopback == loopback, "\(text)")
            #expect(address.isUnspecified == unspecified, "\(text)")
            #expect(address.isLinkLocal == linkLocal, "\(text)")
        }
    }

    @Test func everyAddressSurvivesText() {
        var generator = SeededGenerator(seed: 5952)
        for _ in 0..<3_000 {
            // Zero groups are what printing can get wrong, so many of them.
            let word = { (g: inout SeededGenerator) in
                (0..<4).reduce(UInt64(0)) { sum, _ in sum << 16 | (Bool.random(using: &g) ? 0 : g.next() >> 48) }
            }
            let v6 = TransportAddress(ipv6High: word(&generator), low: word(&generator), port: 9)
            #expect(TransportAddress(v6.host, port: 9) == v6)
            let v4 = TransportAddress(ipv4: UInt32(truncatingIfNeeded: generator.next()), port: 9)
            #expect(TransportAddress(v4.host, port: 9) == v4)
        }
    }

    @Test func noTextTraps() {
        var generator = SeededGenerator(seed: 4291)
        let alphabet = Array("0123456789abcdefF:::..%-+é g")
        for _ in 0..<5_000 {
            let text = String(
                (0..<Int.random(in: 0...20, using: &generator)).map { _ in alphabet.randomElement(using: &generator)! })
            if let address = TransportAddress(text, port: 1) {
                #expect(TransportAddress(address.host, port: 1) == address)
            }
        }
    }
}
