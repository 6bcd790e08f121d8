import WebRTC

/// Damages well-formed packets in the ways networks and attackers do: flipped bits, replaced bytes, cuts, insertions,
/// and lengths at their extremes. Repeatable: a failure names its seed and round.
struct PacketMutator {
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func mutate(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0...Int.random(in: 0...3, using: &random) {
            let at = bytes.isEmpty ? 0 : Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0 where !bytes.isEmpty: bytes[at] ^= 1 << UInt8.random(in: 0...7, using: &random)
            case 1 where !bytes.isEmpty: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 2 where !bytes.isEmpty: bytes[at] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random)!
            case 3: bytes.removeLast(bytes.count - at)
            case 4: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
            default: bytes += bytes[at...].prefix(64)
            }
        }
        return bytes
    }

    /// Bytes without any structure.
    mutating func noise(upTo count: Int) -> [UInt8] {
        (0..<Int.random(in: 0...count, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    }
}

/// Reads "80 60 0EBB"; blanks are ignored.
func packetBytes(_ hex: String) -> [UInt8] {
    let digits = hex.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue!) }
    precondition(digits.count % 2 == 0, "whole bytes")
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

func parseRTP(_ bytes: [UInt8]) -> RTPPacket? { unsafe RTPPacket.parse(bytes.span.bytes) }
