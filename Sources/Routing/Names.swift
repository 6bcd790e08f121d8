/// `[A-Za-z0-9._~-]{1,128}`: unreserved characters of a URL. Not `.` and `..`: clients take those out of a path (RFC 3986
/// §5.2.4), so nobody could watch it.
package enum BroadcastName {
    package static func isValid(_ name: String) -> Bool {
        1...128 ~= name.utf8.count && name.utf8.allSatisfy(isAllowed) && name != "." && name != ".."
    }

    /// Unreserved characters of a URL (RFC 3986 §2.3).
    package static func isAllowed(_ c: UInt8) -> Bool {
        switch c {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            c == UInt8(ascii: ".") || c == UInt8(ascii: "_") || c == UInt8(ascii: "~") || c == UInt8(ascii: "-")
        }
    }
}

/// Names of nodes and regions: a DNS label (RFC 1123 §2.1) in lower case, since they stand in URLs, host names and tokens.
package enum NodeName {
    package static func isValid(_ text: some StringProtocol) -> Bool {
        1...63 ~= text.utf8.count && !text.hasPrefix("-") && !text.hasSuffix("-")
            && text.utf8.allSatisfy { c in
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= c || UInt8(ascii: "0")...UInt8(ascii: "9") ~= c
                    || c == UInt8(ascii: "-")
            }
    }
}
