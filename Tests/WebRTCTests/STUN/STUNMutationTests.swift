// Seeded mutations of valid messages: nothing may trap, and nothing whose signed part was touched may count as
// authentic.
import Testing
import WebRTC

@Suite struct STUNMutationTests {
    static let seeds = [RFC5769.request, RFC5769.ipv4Response, RFC5769.ipv6Response]

    /// Flips, overwrites, cuts, grows or splices; half of the time the length field is made right again, so that the
    /// attributes are reached.
    static func mutate(_ original: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[at] = UInt8.random(in: 0...255, using: &generator)
            case 2: bytes.removeLast(min(bytes.count, Int.random(in: 1...24, using: &generator)))
            case 3: bytes += (0..<4).map { _ in UInt8.random(in: 0...255, using: &generator) }
            case 4: bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][Int.random(in: 0..<5, using: &generator)]
            default:
                bytes.replaceSubrange(at..., with: original[Int.random(in: 0..<original.count, using: &generator)...])
            }
        }
        if bytes.count >= 20, bytes.count < 0x10000, Bool.random(using: &generator) {
            bytes.removeLast(bytes.count & 3)
            bytes[2] = UInt8((bytes.count - 20) >> 8)
            bytes[3] = UInt8((bytes.count - 20) & 0xFF)
        }
        return bytes
    }

    @Test func parserSurvives() {
        var generator = SeededGenerator(seed: 0x5769)
        var parsed = 0
        for round in 0..<30_000 {
            let original = Self.seeds[round % Self.seeds.count]
            let bytes = Self.mutate(original, using: &generator)
            guard let message = STUNMessage.parse(bytes) else { continue }
            parsed += 1
            _ = message.localUfragKey(in: bytes)
            _ = message.unknownAttributes(in: bytes)
            if let username = message.username { #expect(username.upperBound <= bytes.count) }
            if message.verifyIntegrity(key: RFC5769.password, in: bytes) {
                #expect(Self.signedPart(bytes) == Self.signedPart(original))
            }
        }
        #expect(parsed > 3_000, "mutations that all fail at the header test nothing: \(parsed)")
    }

    /// Everything in front of MESSAGE-INTEGRITY but the length field, which is not covered as it stands.
    static func signedPart(_ bytes: [UInt8]) -> [UInt8] {
        var offset = 20
        while offset + 4 <= bytes.count, bytes[offset] != 0 || bytes[offset + 1] != 8 {
            offset += 4 + (Int(bytes[offset + 2]) << 8 + Int(bytes[offset + 3]) + 3) & ~3
        }
        return Array(bytes[..<2] + bytes[4..<min(offset, bytes.count)])
    }
}
