/// Why a text is not a session description, and where.
package struct SDPError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Line number, the first is 1; 0 when the text as a whole is meant.
    package var line: Int
    package var reason: String

    package init(line: Int, reason: String) { (self.line, self.reason) = (line, reason) }

    package var description: String { line == 0 ? reason : "line \(line): \(reason)" }
}

/// A session description (RFC 8866): syntax only, what the attributes mean is for `Negotiation`.
///
/// Lines that WebRTC gives no meaning to (`b=`, `i=`, `k=` …) are skipped and not written again.
package struct SessionDescription: Hashable, Sendable {
    /// An `a=` line; a property attribute such as `a=rtcp-mux` has an empty value.
    package struct Attribute: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String = "") { (self.name, self.value) = (name, value) }
    }

    /// An m-line with what belongs to it.
    package struct Media: Hashable, Sendable {
        /// "audio", "video", "application" …
        package var kind: String
        /// 0: rejected, or only alive within its bundle (`a=bundle-only`).
        package var port: UInt16
        package var transportProtocol: String
        /// Payload types as text, for RTP protocols.
        package var formats: [String]
        package var attributes: [Attribute]

        package init(
            kind: String, port: UInt16, transportProtocol: String, formats: [String], attributes: [Attribute] = []
        ) {
            (self.kind, self.port, self.transportProtocol) = (kind, port, transportProtocol)
            (self.formats, self.attributes) = (formats, attributes)
        }
    }

    /// The `o=` line's value.
    package var origin: String
    package var attributes: [Attribute]
    package var media: [Media]

    package init(origin: String, attributes: [Attribute] = [], media: [Media] = []) {
        (self.origin, self.attributes, self.media) = (origin, attributes, media)
    }

    /// `a=mid` of each m-line, "" where it has none.
    package var mids: [String] { media.map { $0.attributes.first { $0.name == "mid" }?.value.trimmed ?? "" } }

    /// Longer texts are refused before they are looked at.
    package static let maximumBytes = 64 << 10
    package static let maximumMedia = 64
    /// There are no more RTP payload types than that.
    package static let maximumFormats = 128
}

// MARK: - Writing

extension SessionDescription: CustomStringConvertible {
    /// The text, with CRLF line ends.
    package var description: String {
        var lines = ["v=0", "o=" + origin, "s=-", "t=0 0"]
        lines += attributes.map(\.line)
        for section in media { lines += section.lines }
        return lines.map { $0 + "\r\n" }.joined()
    }
}

extension SessionDescription.Attribute {
    var line: String { value.isEmpty ? "a=" + name : "a=" + name + ":" + value }
}

extension SessionDescription.Media {
    var lines: [String] {
        let head = [kind, String(port), transportProtocol] + formats
        // The address says nothing under ICE; JSEP (RFC 9429 §5.2.1) wants this one.
        return ["m=" + head.joined(separator: " "), "c=IN IP4 0.0.0.0"] + attributes.map(\.line)
    }
}

// MARK: - Parsing

extension SessionDescription {
    /// Parses an offer or answer, leniently: lines end with CRLF or LF (or with CR where no LF is), blanks and NULs at the
    /// ends of a line, empty lines, attributes without a name and a byte order mark are ignored.
    package static func parse(_ text: String) throws(SDPError) -> SessionDescription {
        try parse(Array(text.utf8))
    }

    /// The same for the bytes of an HTTP body; what is not UTF-8 becomes U+FFFD, as only free text may hold it.
    package static func parse(_ bytes: [UInt8]) throws(SDPError) -> SessionDescription {
        var parser = SDPLineParser()
        try parser.read(bytes)
        guard parser.hasVersion else { throw SDPError(line: 1, reason: "a session description begins with v=0") }
        return parser.result
    }

    /// Parses the same lines without the session header, as `application/trickle-ice-sdpfrag` has them (RFC 8840 §9).
    static func parseFragment(_ bytes: [UInt8]) throws(SDPError) -> SessionDescription {
        var parser = SDPLineParser()
        try parser.read(bytes)
        return parser.result
    }
}

/// Reads line by line; knows where it is for the sake of errors.
private struct SDPLineParser {
    var result = SessionDescription(origin: "- 0 0 IN IP4 0.0.0.0")
    var hasVersion = false
    private var line = 0

    mutating func read(_ bytes: [UInt8]) throws(SDPError) {
        guard bytes.count <= SessionDescription.maximumBytes else {
            throw SDPError(line: 0, reason: "longer than \(SessionDescription.maximumBytes) bytes")
        }
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = bytes.starts(with: byteOrderMark) ? bytes[byteOrderMark.count...] : bytes[...]
        let lineEnd = UInt8(ascii: text.contains(UInt8(ascii: "\n")) ? "\n" : "\r")
        for part in text.split(separator: lineEnd, omittingEmptySubsequences: false) {
            line += 1
            let part = Self.trimmed(part)
            // What is read here may be written into an answer: a stray CR must not smuggle in a line.
            guard !part.contains(where: { $0 == 0 || $0 == UInt8(ascii: "\r") }) else {
                throw error("a NUL or a carriage return within a line")
            }
            if !part.isEmpty { try read(line: part) }
        }
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isBlank = { (byte: UInt8) in byte == 0 || byte == 0x09 || byte == 0x0D || byte == 0x20 }
        guard let last = bytes.lastIndex(where: { !isBlank($0) }) else { return [] }
        return bytes[...last].drop(while: isBlank)
    }

    private func error(_ reason: String) -> SDPError { SDPError(line: line, reason: reason) }

    private mutating func read(line bytes: ArraySlice<UInt8>) throws(SDPError) {
        guard let type = bytes.first, bytes.count >= 2, bytes[bytes.startIndex + 1] == UInt8(ascii: "=") else {
            throw error("not of the form x=value")
        }
        var value: String { String(decoding: bytes.dropFirst(2), as: UTF8.self) }
        switch type {
        case UInt8(ascii: "v"):
            guard value == "0" else { throw error("version \(value.prefix(8)), only 0 is known") }
            hasVersion = true
        case UInt8(ascii: "o"): result.origin = value
        case UInt8(ascii: "m"):
            guard result.media.count < SessionDescription.maximumMedia else {
                throw error("more than \(SessionDescription.maximumMedia) m-lines")
            }
            result.media.append(try media(value))
        case UInt8(ascii: "a"):
            let attribute = Self.attribute(bytes.dropFirst(2))
            guard !attribute.name.isEmpty else { return }
            if let last = result.media.indices.last {
                result.media[last].attributes.append(attribute)
            } else {
                result.attributes.append(attribute)
            }
        default: break
        }
    }

    private static func attribute(_ bytes: ArraySlice<UInt8>) -> SessionDescription.Attribute {
        let colon = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
        return SessionDescription.Attribute(
            String(decoding: trimmed(bytes[..<colon]), as: UTF8.self),
            String(decoding: bytes[colon...].dropFirst(), as: UTF8.self))
    }

    private func media(_ value: String) throws(SDPError) -> SessionDescription.Media {
        let parts = value.words
        guard parts.count >= 4 else { throw error("m= needs a media type, a port, a protocol and a format") }
        guard let port = UInt16(parts[1].prefix { $0 != "/" }) else {
            throw error("m= with the port \"\(parts[1].prefix(16))\"")
        }
        let formats = parts[3...]
        guard formats.count <= SessionDescription.maximumFormats else {
            throw error("m= with more than \(SessionDescription.maximumFormats) formats")
        }
        return SessionDescription.Media(
            kind: String(parts[0]), port: port, transportProtocol: String(parts[2]), formats: formats.map(String.init))
    }
}

/// Byte by byte: an offer has hundreds of lines, and blanks are single bytes.
extension StringProtocol {
    /// What stands between blanks, single or several.
    var words: [SubSequence] {
        var words: [SubSequence] = []
        var rest = utf8.startIndex
        while let word = word(from: rest) {
            words.append(self[word])
            rest = word.upperBound
        }
        return words
    }

    /// The text without blanks at either end.
    var trimmed: String {
        guard let first = word(from: utf8.startIndex) else { return "" }
        var end = first.upperBound
        while let word = word(from: end) { end = word.upperBound }
        return String(self[first.lowerBound..<end])
    }

    /// The first word, and what follows it; nil when there is only one.
    var headAndRest: (head: SubSequence, rest: String)? {
        guard let first = word(from: utf8.startIndex), first.upperBound < utf8.endIndex else { return nil }
        return (self[first], self[first.upperBound...].trimmed)
    }

    /// The next run of bytes that are no blanks.
    private func word(from start: Index) -> Range<Index>? {
        var first = start
        while first < utf8.endIndex, Self.isBlank(utf8[first]) { utf8.formIndex(after: &first) }
        guard first < utf8.endIndex else { return nil }
        var end = first
        while end < utf8.endIndex, !Self.isBlank(utf8[end]) { utf8.formIndex(after: &end) }
        return first..<end
    }

    fileprivate static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}

extension String {
    /// The same; most texts are trimmed already.
    var trimmed: String {
        guard let first = utf8.first, let last = utf8.last, Self.isBlank(first) || Self.isBlank(last) else {
            return self
        }
        return self[...].trimmed
    }
}
