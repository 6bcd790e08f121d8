import WebRTC

/// Inputs made of others, by a few edits each, the same for the same seed.
struct InputMutator {
    private var random: SeededGenerator
    private let inputs: [[UInt8]]
    private let maximumLength: Int

    private static let extremes: [UInt8] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF]

    init(seed: UInt64, inputs: [[UInt8]], maximumLength: Int) {
        (random, self.inputs, self.maximumLength) = (SeededGenerator(seed: seed), inputs, maximumLength)
    }

    mutating func next() -> [UInt8] {
        var bytes = inputs.randomElement(using: &random) ?? []
        for _ in 0...Int.random(in: 0...4, using: &random) { edit(&bytes) }
        return Array(bytes.prefix(maximumLength))
    }

    private mutating func edit(_ bytes: inout [UInt8]) {
        let at = Int.random(in: 0...bytes.count, using: &random)
        let end = min(bytes.count, at + Int.random(in: 0...16, using: &random))
        switch Int.random(in: 0..<7, using: &random) {
        case 0 where at < bytes.count: bytes[at] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 1 where at < bytes.count: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 2: for i in at..<end { bytes[i] = Self.extremes.randomElement(using: &random)! }
        case 3: bytes.removeSubrange(at..<end)
        case 4: bytes.insert(contentsOf: bytes[at..<end], at: at)
        case 5: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
        default:
            let other = inputs.randomElement(using: &random) ?? []
            bytes.replaceSubrange(at..., with: other.dropFirst(Int.random(in: 0...other.count, using: &random)))
        }
    }
}
