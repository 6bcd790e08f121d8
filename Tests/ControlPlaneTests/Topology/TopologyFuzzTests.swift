import ControlPlane
import Testing
import WebRTC

// No text makes the topology parser trap, and whatever it refuses, it refuses with a reason.

@Suite struct TopologyFuzzTests {
    static let fragments = [
        "[", "]", "{", "}", "- ", ": ", "&a ", "*a", "!!binary ", "|", ">", "\t", "\n", "? ", "---\n", "...\n",
        "%YAML 1.1\n",
        "\u{0}", "\"", "'", "#", "<<: *a\n", "~", "0x1F", "-9223372036854775808", "99999999999999999999", "1e999",
        "nan",
        "-.inf", "65536", "\u{FEFF}", "\u{2028}", "é", "🐟", "\\", "\"\\ud800\"", "::", "[::1]:99999", "http://", "*",
        "%",
    ]

    @Test(arguments: [UInt64(1), 2, 3, 4]) func mutations(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let sample = Array(TopologySample.yaml.utf8)
        var refused = 0
        for _ in 0..<750 {
            var bytes = sample
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                let end = min(bytes.count, position + Int.random(in: 0...12, using: &random))
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[position] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.removeSubrange(position..<end)
                case 2: bytes.insert(contentsOf: Self.fragments.randomElement(using: &random)!.utf8, at: position)
                case 3: bytes.replaceSubrange(position..<end, with: Self.fragments.randomElement(using: &random)!.utf8)
                default:
                    bytes.insert(
                        contentsOf: sample[sample.indices.randomElement(using: &random)!...].prefix(40), at: position)
                }
                if bytes.isEmpty { bytes = [0x20] }
            }
            let problems = TopologySample.problems(String(decoding: bytes, as: UTF8.self))
            refused += problems.isEmpty ? 0 : 1
            #expect(problems.allSatisfy { $0.hasPrefix("t:") && !$0.contains("\n") })
        }
        // Most of them break something: the mutations reach the checks.
        #expect(refused > 375)
    }

    @Test func deepAndWideDocumentsAreRefused() {
        for bracket in ["[", "{a: ", "- ", "? "] {
            #expect(!TopologySample.problems(String(repeating: bracket, count: 20_000)).isEmpty)
        }
        let wide = "nodes: [" + String(repeating: "{}, ", count: 1_500) + "]\n"
        #expect(TopologySample.problems(wide).contains("t:1: nodes: has 1500 items; 1000 are the most"))
        // Every level names the one before ten times: 10^9 nodes if it were written out.
        var bomb = "a0: &a0 [x]\n"
        for level in 1...9 {
            bomb += "a\(level): &a\(level) [\((0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ", "))]\n"
        }
        #expect(!TopologySample.problems(bomb + "nodes: *a9\n").isEmpty)
        // Each level within the next: a tree too deep to be given back.
        let chain = "- &a0 []\n" + (1...60_000).map { "- &a\($0) [*a\($0 - 1)]\n" }.joined()
        #expect(TopologySample.problems(chain) == ["t: has 60000 aliases; 1000 are the most"])
    }
}
