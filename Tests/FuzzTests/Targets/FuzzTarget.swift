import Foundation

// What is fuzzed: functions of bytes that a stranger or a peer chooses. Whatever the bytes, none of them traps. The
// fuzzer (`make fuzz`) looks for bytes that do; the tests repeat what it found, and more at random.

struct FuzzTarget: Sendable {
    let name: String
    /// Longer inputs find nothing that shorter ones do not.
    var maximumLength = 1_500
    /// Random inputs in each run of the tests.
    var mutations = 20_000
    /// What a fuzzer begins with: well-formed inputs.
    let seeds: @Sendable () -> [[UInt8]]
    /// Makes what all executions share, and gives the function for one.
    let prepare: @Sendable () throws -> ([UInt8]) -> Void

    static var all: [FuzzTarget] {
        #if FUZZES_CONTROL_PLANE
            media + controlPlane
        #else
            media
        #endif
    }

    private static var media: [FuzzTarget] { [unit] + transports + packets + payloads + descriptions }
}

/// Reads an input as numbers and pieces. Behind its end there are zeros.
struct FuzzInput {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { offset >= bytes.count }

    mutating func byte() -> UInt8 {
        guard offset < bytes.count else { return 0 }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func number<T: FixedWidthInteger>(_: T.Type = T.self) -> T {
        (0..<T.bitWidth / 8).reduce(T.zero) { result, _ in result << 8 | T(truncatingIfNeeded: byte()) }
    }

    /// At most `count` bytes.
    mutating func take(_ count: Int) -> [UInt8] {
        let end = min(bytes.count, offset + count)
        defer { offset = end }
        return Array(bytes[offset..<end])
    }

    mutating func rest() -> [UInt8] { take(bytes.count) }

    mutating func choose<T>(_ choices: [T]) -> T { choices[Int(byte()) % choices.count] }
}

/// "80 60 0EBB" as bytes.
func hexBytes(_ hex: String) -> [UInt8] {
    let digits = hex.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// Texts that other tests keep between `"""`, indented by eight, in a file or a folder below `Tests`.
func textsOfTests(in path: String) -> [String] {
    let place = testsFolder.appendingPathComponent(path)
    let files =
        path.hasSuffix(".swift")
        ? [place] : (try? FileManager.default.contentsOfDirectory(at: place, includingPropertiesForKeys: nil)) ?? []
    let sources = files.sorted { $0.path < $1.path }.compactMap { try? String(contentsOf: $0, encoding: .utf8) }
    return sources.flatMap { source in
        let pieces = source.split(separator: "\"\"\"", omittingEmptySubsequences: false)
        return pieces.indices.filter { $0 % 2 == 1 }.map { i in
            let lines = pieces[i].split(separator: "\n", omittingEmptySubsequences: false)
                .dropFirst().dropLast()
            return lines.map { $0.trimmingPrefix(String(repeating: " ", count: 8)) + "\n" }.joined()
        }
    }
}

let testsFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
