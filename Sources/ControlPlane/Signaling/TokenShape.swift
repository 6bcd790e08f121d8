import FoundationEssentials

/// Whether a text is a node token by its shape: a JSON web signature in compact form (RFC 7515 §7.1) as nodes make it, and
/// in no other spelling. Says nothing of the signature.
enum TokenShape {
    /// Longest parts, in characters: nodes' and broadcasts' names are bounded, and HS256 has 32 bytes.
    private static let longest = (header: 256, claims: 1_024)
    private static let signature = 43

    private struct Header: Decodable {
        var alg: String
        var typ: String?
    }

    static func isGood(_ token: String) -> Bool {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].utf8.count <= longest.header, parts[1].utf8.count <= longest.claims,
            parts[2].utf8.count == signature, let header = bytes(parts[0]), let claims = bytes(parts[1]),
            bytes(parts[2]) != nil, let names = memberNames(of: header), memberNames(of: claims) != nil,
            // Extensions that have to be understood (§4.1.11): none is.
            !names.contains("crit"),
            let fields = try? JSONDecoder().decode(Header.self, from: Data(header))
        else { return false }
        return fields.alg == "HS256" && fields.typ.map { $0.lowercased() == "jwt" } ?? true
    }

    /// base64url without padding (RFC 7515 §2), in the one spelling that there is of each value.
    private static func bytes(_ text: Substring) -> [UInt8]? {
        guard !text.utf8.contains(where: { [UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "=")].contains($0) })
        else { return nil }
        let standard = text.replacing("-", with: "+").replacing("_", with: "/")
        let padded = String(standard) + String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: padded), data.base64EncodedString() == padded else { return nil }
        return Array(data)
    }

    /// Names of a JSON object's own members; nil when one comes twice, or is written with an escape, so that two readers
    /// could understand it in two ways. Whether it is JSON at all, the decoder says.
    private static func memberNames(of json: [UInt8]) -> Set<String>? {
        var names: Set<String> = []
        var depth = 0
        var position = 0
        while position < json.count {
            switch json[position] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                let begin = position + 1
                position = begin
                while position < json.count, json[position] != UInt8(ascii: "\"") {
                    position += json[position] == UInt8(ascii: "\\") ? 2 : 1
                }
                guard position < json.count else { return nil }
                let isName = json[(position + 1)...].first { !isSpace($0) } == UInt8(ascii: ":")
                if depth == 1, isName {
                    let name = json[begin..<position]
                    guard !name.contains(UInt8(ascii: "\\")),
                        names.insert(String(decoding: name, as: UTF8.self)).inserted
                    else { return nil }
                }
            default: break
            }
            position += 1
        }
        return names
    }

    private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
}
