// Three tiny files as ffmpeg 5.1 wrote them, and the mutations that every parser has to survive.

import WebRTC

func bytes(hex: String) -> [UInt8] {
    let digits = hex.filter(\.isHexDigit).compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

enum Sample {
    /// VP8, 16×16, 10 frames per second, 3 frames of 57, 24 and 24 bytes.
    static let ivf = bytes(
        hex: """
            444b49460000200056503830100010000a000000010000000300000000000000390000000000000000000000f002009d012a1000100000
            470885858885848802020275aa03f803fa020d4d1800fefd6ef3ffe3993730c4ff8e6dfff1613c0e28c8fff15100110000000100000000
            000000b1010001101000180018582ff400080000110000000200000000000000b1010001101000180018582ff400080000
            """)

    /// H.264 baseline, 3 frames of two slices with access unit delimiters; frames 0 and 2 are IDR with parameters.
    static let annexB = bytes(
        hex: """
            000000010910000000016742c00ad9096c0440000003004000000503c489920000000168cb804d2c800000016588843ff88ab830217e28
            cb85e137f5f704d64773d7b724526c6ab497291da10820b19c0c282009b3921c36f5034c2804c4909fb73e4331479744565ce222126e09
            cb018d28717e8fc1b4caec223bfda5f6f147a4c8a4a425d73a440c0180c3a694b1eb35c41c59be711d9a37ce28f973772caea4fabb56ec
            fde7e00000016562210fc3181f8001d16bf5afc7062014b2b281f0ae587c2b963306a0d00c000ffb89b0e7d88000000001093000000141
            9a39ee00000141668e7b80000000010910000000016742c00ad9096c0440000003004000000503c489920000000168cb804d2c80000001
            6588820ffe224e0c085f881c2bf38c26febee1e44ee5ae0ececa554615a4b949ebd900a847030904026e6c9c1b7a89c1754a1801300117
            3b549737fb73e4ff57a4ba3e88acbe223426276f96031a512fefb9fe0da653f97524697c68e2b6d17cac71252eb9d200600c0611952963
            d66b8838b37ce23b346f9c51f2e6ee595d49f576add9fbcfc000000165622083f0c607e000745afd6bf1c188052caca07c2b961f0ae58c
            c1a834030003fee26c39f620
            """)

    /// Opus, mono, 4 packets of 20 ms.
    static let ogg = bytes(
        hex: """
            4f6767530002000000000000000069cefe6a000000002981dc2a01134f707573486561640101380180bb00000000004f67675300000000
            00000000000069cefe6a0100000025c8646a013e4f707573546167730d0000004c61766635392e32372e313030010000001d000000656e
            636f6465723d4c61766335392e33372e313030206c69626f7075734f6767530004780c00000000000069cefe6a02000000120450d20411
            17101708836d82d01cfdedc4ece7f38fa492479808a71a5d853c55c01ed92e6ae8a913ba79d2eaf44151f008a12f10e4a3f87f86edd001
            93f5fc3a08b57870c3a80512dc01dd69bcf2bfe7b6f759c37907e0
            """)

    /// `count` variants of `original`, cut, overwritten, lengthened and spliced at random, the same ones for one seed.
    static func mutations(of original: [UInt8], count: Int, seed: UInt64) -> [[UInt8]] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes.removeSubrange(at...)
                case 1: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 2: bytes[at] = [0, 0x7F, 0x80, 0xFF].randomElement(using: &random)!
                case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
                default: bytes.insert(contentsOf: original[..<min(at, original.count)], at: at)
                }
            }
            return bytes
        }
    }
}
