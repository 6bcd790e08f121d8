internal import COpenSSL
import FoundationEssentials

/// A JSON web signature in compact form (RFC 7515 §7.1) by HMAC with SHA-256 (`HS256`, RFC 7518 §3.2), in the spelling in
/// which nodes make it and in no other.
struct SignedToken {
    /// Longest parts, in characters: nodes' and broadcasts' names are bounded, and HS256 has 32 bytes.
    private static let longest = (header: 256, claims: 1_024)
    private static let signatureLength = 43

    /// JSON, an object without double members; what the members are, the reader says.
    let claims: [UInt8]
    private let signingInput: Substring
    private let signature: [UInt8]

    /// nil: not of that shape. Says nothing of who signed it.
    init?(_ token: String) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].utf8.count <= Self.longest.header,
            parts[1].utf8.count <= Self.longest.claims, parts[2].utf8.count == Self.signatureLength,
            let header = Self.bytes(parts[0]), Self.isGood(header: header),
            let claims = Self.bytes(parts[1]), Self.memberNames(of: claims) != nil,
            let signature = Self.bytes(parts[2])
        else { return nil }
        (self.claims, self.signature) = (claims, signature)
        signingInput = token[..<parts[1].endIndex]
    }

    /// Takes as long whatever the signature is.
    func isSigned(with secret: Secret) -> Bool {
        let own = Self.signature(of: signingInput, with: secret)
        return unsafe own.count == signature.count && CRYPTO_memcmp(own, signature, own.count) == 0
    }

    /// The token that says `claims`, a JSON object.
    static func sign(_ claims: Data, with secret: Secret) -> String {
        let input = base64url(Data(#"{"alg":"HS256","typ":"JWT"}"#.utf8)) + "." + base64url(claims)
        return input + "." + base64url(Data(signature(of: input[...], with: secret)))
    }

    /// RFC 2104 with SHA-256: 32 bytes.
    private static func signature(of input: Substring, with secret: Secret) -> [UInt8] {
        let (key, bytes) = (secret.bytes, Array(input.utf8))
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        let result = unsafe HMAC(EVP_sha256(), key, CInt(key.count), bytes, bytes.count, &digest, nil)
        precondition(unsafe result != nil, "OpenSSL computes HMAC with SHA-256")
        return digest
    }

    private static func base64url(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private struct Header: Decodable {
        var alg: String
        var typ: String?
    }

    private static func isGood(header: [UInt8]) -> Bool {
        // Extensions that have to be understood (RFC 7515 §4.1.11): none is.
        guard let names = memberNames(of: header), !names.contains("crit"),
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
