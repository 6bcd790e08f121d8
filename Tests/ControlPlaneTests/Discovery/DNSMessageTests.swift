import Testing
import WebRTC

@testable import ControlPlane

// Answers as name servers send them, and bytes that nobody should.

@Suite struct DNSMessageTests {
    /// origin.example → CNAME a.example (TTL 60) → two A records (TTL 300 and 30), names compressed.
    static let alias: [UInt8] =
        [0, 1, 0x81, 0x80, 0, 1, 0, 3, 0, 0, 0, 0]
        + [6] + Array("origin".utf8) + [7] + Array("example".utf8) + [0, 0, 1, 0, 1]
        + [0xC0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, 0x61, 0xC0, 19]
        + [0xC0, 44, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 10, 0, 0, 1]
        + [0xC0, 44, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 10, 0, 0, 2]

    /// _i._tcp.example: SRV 1 5 9080 a.example, SRV 2 0 9081 "." and, out of place, an AAAA record.
    static let services: [UInt8] =
        [0, 1, 0x81, 0x80, 0, 1, 0, 3, 0, 0, 0, 0]
        + [2, 0x5F, 0x69, 4] + Array("_tcp".utf8) + [7] + Array("example".utf8) + [0, 0, 33, 0, 1]
        + [0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 5, 0, 10, 0, 1, 0, 5, 0x23, 0x78, 1, 0x61, 0xC0, 20]
        + [0xC0, 12, 0, 33, 0, 1, 0xFF, 0, 0, 0, 0, 7, 0, 2, 0, 0, 0x23, 0x79, 0]
        + [0xC0, 12, 0, 28, 0, 1, 0, 0, 0, 5, 0, 16, 0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]

    @Test func aliasesAndAddresses() throws {
        let message = try #require(DNSMessage.parse(Self.alias))
        #expect(message.addresses.map(\.host) == ["10.0.0.1", "10.0.0.2"])
        #expect(message.secondsToLive == 30)
    }

    @Test func services() throws {
        let message = try #require(DNSMessage.parse(Self.services))
        #expect(
            message.services == [
                .init(priority: 1, weight: 5, port: 9_080, target: "a.example"),
                .init(priority: 2, weight: 0, port: 9_081, target: ""),
            ])
        #expect(message.addresses.map(\.host) == ["2001:db8::1"])
        // A TTL with its top bit set counts as zero (RFC 2181 §8).
        #expect(message.secondsToLive == 0)
    }

    @Test func truncatedAndLooping() {
        for length in 0..<Self.alias.count { #expect(DNSMessage.parse(Array(Self.alias.prefix(length))) == nil) }
        var loop = Self.alias
        (loop[12], loop[13]) = (0xC0, 12)
        #expect(DNSMessage.parse(loop) == nil)
    }

    /// A name at the end of a chain of pointers, each of which leads to the one before.
    @Test(arguments: [(1, true), (16, true), (17, false), (4_000, false)])
    func chainsOfPointersAreBounded(length: Int, isRead: Bool) {
        func pointer(_ target: Int) -> [UInt8] { [0xC0 | UInt8(target >> 8), UInt8(truncatingIfNeeded: target)] }
        // The data of a record of another class: the name `a`, then the chain.
        let first = 12 + 11
        func place(_ link: Int) -> Int { link == 0 ? first : first + 3 + 2 * (link - 1) }
        let data: [UInt8] = [1, 0x61, 0] + (0..<length - 1).flatMap { pointer(place($0)) }
        var bytes: [UInt8] = [0, 1, 0x81, 0x80, 0, 0, 0, 2, 0, 0, 0, 0] + [0, 0, 16, 0, 3, 0, 0, 0, 0]
        bytes += [UInt8(data.count >> 8), UInt8(truncatingIfNeeded: data.count)]
        bytes += data + pointer(place(length - 1))
        bytes += [0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 1]
        #expect(DNSMessage.parse(bytes)?.addresses.map(\.host) == (isRead ? ["10.0.0.1"] : nil))
    }

    /// Counts are the message's own claim.
    @Test func hugeCountsAreBoundedByTheBytes() {
        for place in [4, 6, 8, 10] {
            var bytes = Self.alias
            (bytes[place], bytes[place + 1]) = (0xFF, 0xFF)
            #expect((DNSMessage.parse(bytes) == nil) == (place < 8), "authority and additional records are not read")
        }
        var many: [UInt8] = [0, 1, 0x81, 0x80, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0]
        for _ in 0..<65_535 { many += [0, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 1] }
        #expect(DNSMessage.parse(many)?.addresses.count == DNSMessage.mostRecords)
    }

    @Test func validityIsBounded() {
        for (seconds, expected) in [(UInt32(0), 1), (1, 1), (30, 30), (300, 300), (86_400, 300), (.max, 300)] {
            #expect(DNSSource.bounded(seconds) == .seconds(expected))
        }
    }

    @Test(arguments: [UInt64(1), 2]) func mutations(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var refused = 0
        for round in 0..<20_000 {
            var bytes = round % 2 == 0 ? Self.alias : Self.services
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: .min ... .max, using: &random)
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            }
            guard let message = DNSMessage.parse(bytes) else { refused += 1; continue }
            #expect(message.addresses.count + message.services.count <= bytes.count)
        }
        #expect(refused > 2_000)
    }
}
