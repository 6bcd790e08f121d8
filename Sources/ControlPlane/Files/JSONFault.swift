/// Where and why a text is not JSON (RFC 8259), for people. Foundation's decoder says only that it is not.
///
/// Says where and what was expected there, and quotes nothing but JSON's own punctuation: the text may be anybody's, that of
/// a secret included.
///
/// Looks at structure and at what stands where; what may be inside a string or a number it takes from the decoder, so a
/// text may be refused there in which no fault is found here.
struct JSONFault: Hashable, CustomStringConvertible {
    /// From 1.
    var line: Int
    /// From 1, in bytes.
    var column: Int
    /// One short line.
    var problem: String

    var description: String { "line \(line), column \(column): \(problem)" }

    /// The first one; nil: none is found.
    static func find(in text: String) -> JSONFault? {
        var scanner = JSONScanner(bytes: Array(text.utf8))
        guard let problem = scanner.problem() else { return nil }
        let before = scanner.bytes[..<min(scanner.position, scanner.bytes.count)]
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return JSONFault(
            line: before.count { $0 == UInt8(ascii: "\n") } + 1, column: before.count - lineStart + 1, problem: problem)
    }
}

/// Walks over a text; where it stops, something is wrong. Without recursion, since files may be nested to any depth.
private struct JSONScanner {
    enum Expected {
        case value, valueOrEnd, key, keyOrEnd, colon, commaOrEnd, nothing
    }

    static let deepest = 512

    let bytes: [UInt8]
    private(set) var position = 0
    /// Opening brackets that are not closed yet.
    private var open: [UInt8] = []
    private var expected = Expected.value

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func problem() -> String? {
        while true {
            while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
            guard position < bytes.count else { return expected == .nothing ? nil : ending }
            if let problem = take(bytes[position]) { return problem }
        }
    }

    /// Why a text that ends here is not whole.
    private var ending: String {
        switch open.last {
        case UInt8(ascii: "{"): "the text ends inside an object"
        case UInt8(ascii: "["): "the text ends inside an array"
        default: "the text ends where a value is expected"
        }
    }

    private mutating func take(_ byte: UInt8) -> String? {
        switch (expected, byte) {
        case (.key, UInt8(ascii: "\"")), (.keyOrEnd, UInt8(ascii: "\"")):
            expected = .colon
            return takeString()
        case (.colon, UInt8(ascii: ":")):
            (position, expected) = (position + 1, .value)
        case (.commaOrEnd, UInt8(ascii: ",")):
            (position, expected) = (position + 1, open.last == UInt8(ascii: "{") ? .key : .value)
        case _ where isClosing(byte):
            open.removeLast()
            endValue()
            position += 1
        case (.value, _), (.valueOrEnd, _): return takeValue(byte)
        default: return "unexpected \(shown(byte))"
        }
        return nil
    }

    private func isClosing(_ byte: UInt8) -> Bool {
        switch expected {
        case .keyOrEnd: byte == UInt8(ascii: "}")
        case .valueOrEnd: byte == UInt8(ascii: "]")
        case .commaOrEnd: byte == UInt8(ascii: open.last == UInt8(ascii: "{") ? "}" : "]")
        default: false
        }
    }

    private mutating func endValue() { expected = open.isEmpty ? .nothing : .commaOrEnd }

    private mutating func takeValue(_ byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard open.count < Self.deepest else { return "nested more than \(Self.deepest) deep" }
            open.append(byte)
            (position, expected) = (position + 1, byte == UInt8(ascii: "{") ? .keyOrEnd : .valueOrEnd)
            return nil
        case UInt8(ascii: "\""):
            endValue()
            return takeString()
        default: return takeWord()
        }
    }

    /// A number or one of three names.
    private mutating func takeWord() -> String? {
        let isPart = { (byte: UInt8) in
            0x30...0x39 ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte || [0x2B, 0x2D, 0x2E].contains(byte)
        }
        let rest = bytes[position...]
        let word = rest.prefix { isPart($0) }
        guard let first = word.first else { return "unexpected \(shown(bytes[position]))" }
        let isName = ["true", "false", "null"].contains { word.elementsEqual($0.utf8) }
        guard isName || 0x30...0x39 ~= first || first == 0x2D else {
            let isWhole = word.count < rest.count
            if !isWhole { position = bytes.count }
            return isWhole ? "unexpected word" : "the text ends inside a value"
        }
        position += word.count
        endValue()
        return nil
    }

    private mutating func takeString() -> String? {
        position += 1
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return nil
            case UInt8(ascii: "\\"): position += 2
            case ..<0x20: return "control character in a string"
            default: position += 1
            }
        }
        return "the text ends inside a string"
    }

    private func shown(_ byte: UInt8) -> String {
        if "{}[]:,\"".utf8.contains(byte) { return "\"\(Character(UnicodeScalar(byte)))\"" }
        return 0x21...0x7E ~= byte ? "character" : "byte \(byte)"
    }
}
