package import Logging

/// The name of one request to a public listener and of all that nodes ask each other because of it: under it their logs
/// can be read together.
package struct HTTPRequestID: Hashable, Sendable, CustomStringConvertible {
    /// A longer one is not taken from anybody.
    package static let longest = 64

    package let description: String

    /// Of the request that the present task answers, or is part of.
    @TaskLocal package static var current: HTTPRequestID?

    /// nil: not 1 to `longest` of A-Z a-z 0-9 - and _.
    package init?(_ text: some StringProtocol) {
        guard 1...Self.longest ~= text.utf8.count, text.utf8.allSatisfy(Self.isAllowed) else { return nil }
        description = String(text)
    }

    private init(random: UInt64) {
        let digits = String(random, radix: 16)
        description = String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// 64 bits of the system generator.
    package static func generate() -> HTTPRequestID { HTTPRequestID(random: .random(in: 0...UInt64.max)) }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

extension Logger.MetadataProvider {
    /// `request` of the present task.
    package static let httpRequest = Logger.MetadataProvider {
        HTTPRequestID.current.map { ["request": "\($0)"] } ?? [:]
    }
}
