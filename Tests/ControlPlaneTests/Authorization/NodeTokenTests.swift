import COpenSSL
import Foundation
import Testing

@testable import ControlPlane
@testable import WebRTC

// Nodes know each other by short-lived signed tokens that are good for one broadcast.

@Suite struct NodeTokenTests {
    private static let secret = Secret("0123456789abcdef0123456789abcdef")
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    private func tokens(_ secret: Secret = secret, node: String = "edge-1") -> NodeTokens {
        NodeTokens(.secret(secret), node: node)
    }

    @Test func aTokenOpensOneNode() throws {
        let authorization = try #require(tokens().authorization(for: "a", at: "origin-1", now: now))
        for (name, expected) in [("origin-1", true), ("origin-2", false), ("edge-1", false), ("origin-11", false)] {
            let decision = tokens(node: name).decide(broadcast: "a", authorization: authorization, now: now)
            #expect(decision == (expected ? .allowed(issuer: "edge-1") : .forbidden), "\(name)")
        }
    }

    @Test func ofSeveralSecretsTheFirstSignsAndAllVerify() throws {
        let (old, new) = (String(repeating: "o", count: 32), String(repeating: "n", count: 32))
        func sides(_ text: String) -> NodeTokens { tokens(Secret(text), node: "edge-1") }
        func opens(_ from: NodeTokens, _ to: NodeTokens) throws -> Bool {
            let authorization = try #require(from.authorization(for: "a", at: "edge-1", now: now))
            return to.decide(broadcast: "a", authorization: authorization, now: now)
                == .allowed(issuer: "edge-1")
        }
        let steps = [old, old + "\n" + new, new + "\n" + old, new]
        // A deployment in the middle of a step works, whichever way the request goes.
        for (before, after) in zip(steps, steps.dropFirst()) {
            let (a, b) = (sides(before), sides(after))
            #expect(try opens(a, b))
            #expect(try opens(b, a))
        }
        let (first, last) = (sides(old), sides(new))
        #expect(try !opens(first, last))
        // The same by replacement in a running node.
        first.replace(by: try NodeSecrets(Secret("\(new) \(old)")))
        #expect(try opens(first, last))
        #expect(try !opens(sides(old), last))
        first.replace(by: try NodeSecrets(Secret(new)))
        #expect(try !opens(sides(old), first))
    }

    @Test func openNodesStayOpenWhateverAFileSays() throws {
        let open = NodeTokens(.open, node: "a")
        open.replace(by: try NodeSecrets(Self.secret))
        #expect(open.decide(broadcast: "x", authorization: nil) == .allowed(issuer: nil))
    }

    @Test(arguments: [
        ("", "there is no secret"), (" \n\t", "there is no secret"),
        ("short", "the secret has 5 bytes; HS256 needs at least 32 (openssl rand -hex 32)"),
        (
            "0123456789abcdef0123456789abcdef\nshort",
            "secret 2 of 2 has 5 bytes; HS256 needs at least 32 (openssl rand -hex 32)"
        ),
        (String(repeating: "0123456789abcdef0123456789abcdef\r\n", count: 9), "there are 9 secrets; 8 are the most"),
    ])
    func unusableSecretsAreRefusedWithoutBeingQuoted(text: String, problem: String) {
        let error = #expect(throws: NodeSecrets.Failure.self) { try NodeSecrets(Secret(text)) }
        #expect(error?.description == problem)
    }

    @Test func aTokenNamesItsIssuerAndOpensOneBroadcast() throws {
        let (edge, origin) = (tokens(), tokens(node: "origin-1"))
        let authorization = try #require(edge.authorization(for: "a", at: "origin-1", now: now))
        #expect(authorization.hasPrefix("Bearer "))
        #expect(
            origin.decide(broadcast: "a", authorization: authorization, now: now) == .allowed(issuer: "edge-1"))
        #expect(origin.decide(broadcast: "b", authorization: authorization, now: now) == .forbidden)
        #expect(
            origin.decide(broadcast: NodeTokens.anyBroadcast, authorization: authorization, now: now)
                == .forbidden)
    }

    @Test(arguments: [(-31.0, false), (-29, true), (0, true), (59, true), (89, true), (90, false), (86_400, false)])
    func itIsGoodForAMinuteAndTheClocksMayDiffer(seconds: Double, isGood: Bool) throws {
        let authorization = try #require(tokens().authorization(for: "a", at: "edge-1", now: now))
        let decision = tokens().decide(
            broadcast: "a", authorization: authorization, now: now.addingTimeInterval(seconds))
        #expect((decision == .allowed(issuer: "edge-1")) == isGood)
        if !isGood { #expect(decision == .forbidden) }
    }

    @Test func otherSecretsAndViewerTokensDoNotOpenTheRelay() throws {
        let other = tokens(Secret("fedcba9876543210fedcba9876543210"))
        let authorization = try #require(other.authorization(for: "a", at: "edge-1", now: now))
        let origin = tokens()
        #expect(origin.decide(broadcast: "a", authorization: authorization, now: now) == .forbidden)
        #expect(origin.decide(broadcast: "a", authorization: "Bearer viewer-token", now: now) == .forbidden)
        // The secret itself is not a token.
        let bare = "Bearer 0123456789abcdef0123456789abcdef"
        #expect(origin.decide(broadcast: "a", authorization: bare, now: now) == .forbidden)
        #expect(origin.decide(broadcast: "a", authorization: nil, now: now) == .missingCredentials)
        #expect(origin.decide(broadcast: "a", authorization: "Basic eDp5", now: now) == .missingCredentials)
    }

    @Test func openAndClosed() {
        let open = NodeTokens(.open, node: "a")
        #expect(open.authorization(for: "x", at: "a") == nil)
        #expect(open.decide(broadcast: "x", authorization: nil) == .allowed(issuer: nil))
        let closed = NodeTokens(.closed, node: "a")
        #expect(closed.authorization(for: "x", at: "a") == nil)
        #expect(closed.decide(broadcast: "x", authorization: nil) == .missingCredentials)
        #expect(closed.decide(broadcast: "x", authorization: "Bearer x") == .forbidden)
    }

    private struct Claims: Encodable {
        var iss: String?
        var aud: [String]?
        var iat: Int?
        var exp: Int?
    }

    @Test func claimsAreAllNeededAndBounded() throws {
        let origin = tokens()
        let time = Int(now.timeIntervalSince1970)
        func decision(_ claims: Claims) throws -> NodeTokens.Decision {
            let token = SignedToken.sign(try JSONEncoder().encode(claims), with: Self.secret)
            return origin.decide(broadcast: "a", authorization: "Bearer " + token, now: now)
        }
        let both = ["a", "node:edge-1"]
        let good = Claims(iss: "edge-1", aud: both, iat: time, exp: time + 60)
        #expect(try decision(good) == .allowed(issuer: "edge-1"))
        let bad: [Claims] = [
            .init(iss: nil, aud: both, iat: time, exp: time + 60),
            .init(iss: "edge-1", aud: nil, iat: time, exp: time + 60),
            .init(iss: "edge-1", aud: both, iat: nil, exp: time + 60),
            .init(iss: "edge-1", aud: both, iat: time, exp: nil),
            // Good for ever, for many, or from a name that is no node's.
            .init(iss: "edge-1", aud: both, iat: time, exp: time + 86_400),
            .init(iss: "edge-1", aud: ["a"], iat: time, exp: time + 60),
            .init(iss: "edge-1", aud: ["node:edge-1"], iat: time, exp: time + 60),
            .init(iss: "edge-1", aud: ["node:edge-1", "a"], iat: time, exp: time + 60),
            .init(iss: "edge-1", aud: ["a", "b", "node:edge-1"], iat: time, exp: time + 60),
            .init(iss: "edge-1", aud: ["a", "node:edge-1", "node:edge-2"], iat: time, exp: time + 60),
            .init(iss: "edge-1", aud: ["a", "node:edge-2"], iat: time, exp: time + 60),
            .init(iss: "edge-1", aud: ["a", "edge-1"], iat: time, exp: time + 60),
            .init(iss: "edge-1", aud: ["*", "node:edge-1"], iat: time, exp: time + 60),
            .init(iss: "edge 1\n", aud: both, iat: time, exp: time + 60),
            .init(iss: "edge-1", aud: both, iat: time - 3_600, exp: time - 3_540),
            .init(iss: "edge-1", aud: both, iat: .max, exp: .max),
            .init(iss: "edge-1", aud: both, iat: .min, exp: .max),
        ]
        for claims in bad { #expect(try decision(claims) == .forbidden, "\(claims)") }
    }

    @Test func unsignedTokensAreRefused() {
        let base64 = { (text: String) in
            Data(text.utf8).base64EncodedString().replacing("=", with: "").replacing("+", with: "-").replacing(
                "/", with: "_")
        }
        let time = Int(now.timeIntervalSince1970)
        let body = base64(#"{"iss":"edge-1","aud":["a","node:edge-1"],"iat":\#(time),"exp":\#(time + 60)}"#)
        for alg in ["none", "HS256", "RS256", "HS512"] {
            let token = base64(#"{"alg":"\#(alg)","typ":"JWT"}"#) + "." + body + "."
            #expect(tokens().decide(broadcast: "a", authorization: "Bearer " + token, now: now) == .forbidden)
        }
    }

    @Test func mutatedTokensAreRefused() throws {
        let origin = tokens()
        let authorization = try #require(tokens().authorization(for: "a", at: "edge-1", now: now))
        let token = Array(authorization.dropFirst(7).utf8)
        var random = SeededGenerator(seed: 1)
        let lastOfSignature = token.count - 1
        for _ in 0..<500 {
            var changed = token
            // The last character holds spare bits (RFC 4648 §3.5) that no decoder need look at.
            let position = Int.random(in: 0..<lastOfSignature, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: changed[position] = changed[position] == 65 ? 66 : 65
            case 1: changed.remove(at: position)
            default: changed.insert(UInt8(ascii: "."), at: position)
            }
            let header = "Bearer " + String(decoding: changed, as: UTF8.self)
            let decision = origin.decide(broadcast: "a", authorization: header, now: now)
            #expect(changed == token || decision == .forbidden)
        }
    }
}

/// Tokens whose signature is right and whose shape is not (RFC 7515, RFC 7519).
@Suite struct NodeTokenShapeTests {
    /// Long enough for HS512.
    private static let secret = Secret(String(repeating: "0123456789abcdef", count: 4))
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)

    /// HMAC of SHA-256, or of another hash, by a way of its own.
    private static func signature(_ text: String, _ secret: Secret, sha512: Bool) -> String {
        let (key, bytes) = (secret.bytes, Array(text.utf8))
        var (digest, length) = ([UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE)), UInt32(0))
        _ = unsafe HMAC(
            sha512 ? EVP_sha512() : EVP_sha256(), key, CInt(key.count), bytes, bytes.count, &digest, &length)
        return base64url(Data(digest.prefix(Int(length))))
    }

    private static func base64url(_ text: String) -> String { base64url(Data(text.utf8)) }

    private static func base64url(_ data: Data) -> String {
        let standard = data.base64EncodedString().replacing("=", with: "")
        return standard.replacing("+", with: "-").replacing("/", with: "_")
    }

    private static let header = #"{"alg":"HS256","typ":"JWT"}"#
    private static let claims = #"{"iss":"edge-1","aud":["a","node:edge-1"],"iat":1800000000,"exp":1800000060"#

    private func isGood(
        header: String = header, claims: String, sha512: Bool = false, _ change: (String) -> String = { $0 }
    ) -> Bool {
        let input = Self.base64url(header) + "." + claims
        let token = change(input + "." + Self.signature(input, Self.secret, sha512: sha512))
        let node = NodeTokens(.secret(Self.secret), node: "edge-1")
        let decision = node.decide(broadcast: "a", authorization: "Bearer " + token, now: Self.now)
        return decision == .allowed(issuer: "edge-1")
    }

    /// RFC 7515 appendix A.1.
    @Test func theStandardsOwnExampleIsVerified() throws {
        let token =
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
            + ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
            + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
        let standard = key.replacing("-", with: "+").replacing("_", with: "/") + "=="
        let secret = Secret(bytes: Array(try #require(Data(base64Encoded: standard))))
        let signed = try #require(SignedToken(token))
        #expect(signed.isSigned(with: secret))
        #expect(!signed.isSigned(with: Secret(bytes: secret.bytes.dropLast() + [0])))
        #expect(String(decoding: signed.claims, as: UTF8.self).contains(#""iss":"joe""#))
    }

    @Test(arguments: [
        (#"{"alg":"HS256","typ":"JWT"}"#, true), (#"{"typ":"jwt","alg":"HS256"}"#, true), (#"{"alg":"HS256"}"#, true),
        (#"{ "alg" : "HS256" , "later" : { "alg" : 1 } }"#, true),
        (#"{"alg":"RS256","typ":"JWT"}"#, false), (#"{"alg":"none"}"#, false), (#"{"alg":"hs256"}"#, false),
        (#"{"alg":"HS512"}"#, false), (#"{"alg":["HS256"]}"#, false), (#"{"alg":null}"#, false), (#"{}"#, false),
        (#"{"typ":"JWT"}"#, false), (#"{"alg":"HS256","typ":"JWE"}"#, false), (#"{"alg":"HS256","typ":1}"#, false),
        (#"{"alg":"HS256","crit":["exp"]}"#, false), (#"{"alg":"HS256","crit":[]}"#, false),
        (#"{"alg":"HS256","crit":null}"#, false), (#"{"alg":"HS256","b64":false,"crit":["b64"]}"#, false),
        (#"{"alg":"HS256","alg":"HS256"}"#, false), (#"{"alg":"none","alg":"HS256"}"#, false),
        (#"{"alg":"HS256","\u0061lg":"none"}"#, false), (#"{"alg":"HS256","cri\u0074":["x"]}"#, false),
        (#"["HS256"]"#, false), ("HS256", false), ("", false), (#"{"alg":"HS256""#, false),
        (#"{"alg":"HS256","x":""# + String(repeating: "x", count: 300) + #""}"#, false),
    ])
    func headers(header: String, isGood expected: Bool) throws {
        let good = isGood(header: header, claims: Self.base64url(Self.claims + "}"))
        #expect(good == expected, "\(header.prefix(80))")
    }

    @Test(arguments: [
        ("}", true), (#","later":{"iss":"x","iss":"y"}}"#, true), (#","iss":"edge-2"}"#, false),
        (#","exp":1800000060}"#, false), (#","e\u0078p":1}"#, false),
        (#","x":""# + String(repeating: "x", count: 1_000) + #""}"#, false), ("", false),
    ])
    func claims(end: String, isGood expected: Bool) throws {
        let good = isGood(claims: Self.base64url(Self.claims + end))
        #expect(good == expected, "\(end.prefix(80))")
    }

    @Test func spelling() throws {
        // Somewhere in it six bits in a row are ones.
        let text = Self.claims + #","x":"~~?~~~?~~~?~"}"#
        let claims = Self.base64url(text)
        #expect(claims.contains("_"))
        #expect(isGood(claims: claims))
        #expect(!isGood(claims: claims.replacing("-", with: "+").replacing("_", with: "/")))
        let short = Self.base64url(Self.claims + "}")
        let padding = String(repeating: "=", count: (4 - short.utf8.count % 4) % 4)
        if !padding.isEmpty { #expect(!isGood(claims: short + padding)) }
        #expect(isGood(claims: short))
        #expect(!isGood(claims: short) { $0 + "=" })
        #expect(!isGood(claims: short) { $0 + "." })
        #expect(!isGood(claims: short) { "." + $0 })
        #expect(!isGood(claims: short, sha512: true))
        // The last character of 32 bytes has two spare bits (RFC 4648 §3.5): one spelling counts.
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        #expect(
            !isGood(claims: short) { token in
                let last = alphabet.firstIndex(of: token.last!)!
                return token.dropLast() + String(alphabet[last ^ 1])
            })
    }
}
