import FoundationEssentials

enum JSONText {
    /// Keys sorted, slashes as they are: the same value always gives the same bytes.
    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        do {
            return Array(try encoder.encode(value))
        } catch {
            preconditionFailure("our own plain values encode: \(error)")
        }
    }

    static func text(_ value: some Encodable) -> String { String(decoding: encode(value), as: UTF8.self) }
}
