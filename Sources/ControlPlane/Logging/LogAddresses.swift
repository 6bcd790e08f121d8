import WebRTC

/// How IP addresses appear in log lines.
package enum LogAddresses: String, CaseIterable, Sendable {
    case full
    /// The /24 of an IPv4 address, the /48 of an IPv6 address; the rest is zero. Ports stay.
    case masked

    /// `text` with the addresses in it as they are to appear. Anything that reads as one counts: what tells addresses is
    /// not only fields of ours but also libraries' errors, URLs and other nodes' words.
    package func shown(in text: String) -> String {
        guard self == .masked else { return text }
        let bytes = Array(text.utf8)
        guard bytes.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") }) else { return text }
        var result: [UInt8] = []
        var position = 0
        while position < bytes.count {
            let end = bytes[position...].firstIndex { !Self.isOfAddress($0) } ?? bytes.count
            if end > position {
                let isWord =
                    (position > 0 && Self.isOfWord(bytes[position - 1]))
                    || (end < bytes.count && Self.isOfWord(bytes[end]))
                result += Self.masked(String(decoding: bytes[position..<end], as: UTF8.self), isPartOfWord: isWord).utf8
            }
            if end < bytes.count { result.append(bytes[end]) }
            position = end + 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// - Parameters:
    ///   - run: of the characters that addresses consist of, as long as there are any.
    ///   - isPartOfWord: letters stand next to it, as in `std::bad`, which is no IPv6 address.
    private static func masked(_ run: String, isPartOfWord: Bool) -> String {
        if run.count(where: { $0 == ":" }) >= (isPartOfWord ? 3 : 2) {
            // Without a point or colon of the sentence around it.
            for (head, tail) in [(0, 0), (0, 1), (1, 0), (1, 1)] where run.utf8.count > head + tail {
                guard (run.prefix(head) + run.suffix(tail)).allSatisfy({ $0 == ":" || $0 == "." }),
                    let address = TransportAddress(run.dropFirst(head).dropLast(tail), port: 0)
                else { continue }
                return "\(run.prefix(head))\(address.masked.host)\(run.suffix(tail))"
            }
        }
        return maskedIPv4(run)
    }

    /// Four numbers with points between them, whatever they stand in.
    private static func maskedIPv4(_ run: String) -> String {
        var rest = run[...]
        var result = ""
        while !rest.isEmpty {
            let numbers = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            result += maskedNumbers(numbers)
            rest = rest.dropFirst(numbers.count)
            if let other = rest.popFirst() { result.append(other) }
        }
        return result
    }

    private static func maskedNumbers(_ text: Substring) -> String {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 4 else { return String(text) }
        var shown = parts.map(String.init)
        for last in 3..<parts.count
        where TransportAddress(parts[(last - 3)...last].joined(separator: "."), port: 0) != nil {
            shown[last] = "0"
        }
        return shown.joined(separator: ".")
    }

    private static func isOfAddress(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "."), UInt8(ascii: ":"):
            true
        default: false
        }
    }

    private static func isOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "g")...UInt8(ascii: "z"), UInt8(ascii: "G")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        default: false
        }
    }
}

extension TransportAddress {
    /// What `LogAddresses.masked` leaves of it.
    fileprivate var masked: TransportAddress {
        var address = self
        if isIPv4 {
            address.low &= ~0xFF
        } else {
            (address.high, address.low) = (high & ~0xFFFF, 0)
        }
        return address
    }
}
