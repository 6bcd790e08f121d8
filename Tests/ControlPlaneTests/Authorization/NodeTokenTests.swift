import ControlPlane
import Foundation
import JWTKit
import Testing

// Nodes know each other by short-lived signed tokens that are good for one broadcast.

@Suite struct NodeTokenTests {
    private static let secret = Secret("0123456789abcdef0123456789abcdef")
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    private func tokens(_ secret: Secret = secret, node: String = "edge-1") async -> NodeTokens {
        await NodeTokens(.secret(secret), node: node)
    }

    @Test func aTokenNamesItsIssuerAndOpensOneBroadcast() async throws {
        let (edge, origin) = (await tokens(), await tokens(node: "origin-1"))
        let authorization = try #require(await edge.authorization(for: "a", now: now))
        #expect(authorization.hasPrefix("Bearer "))
        #expect(
            await origin.decide(broadcast: "a", authorization: authorization, now: now) == .allowed(issuer: "edge-1"))
        #expect(await origin.decide(broadcast: "b", authorization: authorization, now: now) == .forbidden)
        #expect(
            await origin.decide(broadcast: NodeTokens.anyBroadcast, authorization: authorization, now: now)
                == .forbidden)
    }

    @Test(arguments: [(-31.0, false), (-29, true), (0, true), (59, true), (89, true), (90, false), (86_400, false)])
    func itIsGoodForAMinuteAndTheClocksMayDiffer(seconds: Double, isGood: Bool) async throws {
        let authorization = try #require(await tokens().authorization(for: "a", now: now))
        let decision = await tokens().decide(
            broadcast: "a", authorization: authorization, now: now.addingTimeInterval(seconds))
        #expect((decision == .allowed(issuer: "edge-1")) == isGood)
        if !isGood { #expect(decision == .forbidden) }
    }

    @Test func otherSecretsAndViewerTokensDoNotOpenTheRelay() async throws {
        let other = await tokens(Secret("fedcba9876543210fedcba9876543210"))
        let authorization = try #require(await other.authorization(for: "a", now: now))
        let origin = await tokens()
        #expect(await origin.decide(broadcast: "a", authorization: authorization, now: now) == .forbidden)
        #expect(await origin.decide(broadcast: "a", authorization: "Bearer viewer-token", now: now) == .forbidden)
        // The secret itself is not a token.
        let bare = "Bearer 0123456789abcdef0123456789abcdef"
        #expect(await origin.decide(broadcast: "a", authorization: bare, now: now) == .forbidden)
        #expect(await origin.decide(broadcast: "a", authorization: nil, now: now) == .missingCredentials)
        #expect(await origin.decide(broadcast: "a", authorization: "Basic eDp5", now: now) == .missingCredentials)
    }

    @Test func openAndClosed() async {
        let open = await NodeTokens(.open, node: "a")
        #expect(await open.authorization(for: "x") == nil)
        #expect(await open.decide(broadcast: "x", authorization: nil) == .allowed(issuer: nil))
        let closed = await NodeTokens(.closed, node: "a")
        #expect(await closed.authorization(for: "x") == nil)
        #expect(await closed.decide(broadcast: "x", authorization: nil) == .missingCredentials)
        #expect(await closed.decide(broadcast: "x", authorization: "Bearer x") == .forbidden)
    }

    private struct Claims: JWTPayload {
        var iss: String?
        var aud: [String]?
        var iat: Int?
        var exp: Int?
        func verify(using _: some JWTAlgorithm) async throws {}
    }

    @Test func claimsAreAllNeededAndBounded() async throws {
        let keys = await JWTKeyCollection().add(hmac: HMACKey(from: Self.secret.bytes), digestAlgorithm: .sha256)
        let origin = await tokens()
        let time = Int(now.timeIntervalSince1970)
        func decision(_ claims: Claims, alg: String? = nil) async throws -> NodeTokens.Decision {
            var header = JWTHeader()
            if let alg { header.alg = alg }
            let token = try await keys.sign(claims, header: header)
            return await origin.decide(broadcast: "a", authorization: "Bearer " + token, now: now)
        }
        let good = Claims(iss: "edge-1", aud: ["a"], iat: time, exp: time + 60)
        #expect(try await decision(good) == .allowed(issuer: "edge-1"))
        let bad: [Claims] = [
            .init(iss: nil, aud: ["a"], iat: time, exp: time + 60),
            .init(iss: "edge-1", aud: nil, iat: time, exp: time + 60),
            .init(iss: "edge-1", aud: ["a"], iat: nil, exp: time + 60),
            .init(iss: "edge-1", aud: ["a"], iat: time, exp: nil),
            // Good for ever, for many, or from a name that is no node's.
            .init(iss: "edge-1", aud: ["a"], iat: time, exp: time + 86_400),
            .init(iss: "edge-1", aud: ["a", "b"], iat: time, exp: time + 60),
            .init(iss: "edge-1", aud: ["*"], iat: time, exp: time + 60),
            .init(iss: "edge 1\n", aud: ["a"], iat: time, exp: time + 60),
            .init(iss: "edge-1", aud: ["a"], iat: time - 3_600, exp: time - 3_540),
            .init(iss: "edge-1", aud: ["a"], iat: .max, exp: .max),
            .init(iss: "edge-1", aud: ["a"], iat: .min, exp: .max),
        ]
        for claims in bad { #expect(try await decision(claims) == .forbidden, "\(claims)") }
    }

    @Test func unsignedTokensAreRefused() async {
        let base64 = { (text: String) in
            Data(text.utf8).base64EncodedString().replacing("=", with: "").replacing("+", with: "-").replacing(
                "/", with: "_")
        }
        let time = Int(now.timeIntervalSince1970)
        let body = base64(#"{"iss":"edge-1","aud":"a","iat":\#(time),"exp":\#(time + 60)}"#)
        for alg in ["none", "HS256", "RS256", "HS512"] {
            let token = base64(#"{"alg":"\#(alg)","typ":"JWT"}"#) + "." + body + "."
            #expect(await tokens().decide(broadcast: "a", authorization: "Bearer " + token, now: now) == .forbidden)
        }
    }

    @Test func mutatedTokensAreRefused() async throws {
        let origin = await tokens()
        let authorization = try #require(await tokens().authorization(for: "a", now: now))
        let token = Array(authorization.dropFirst(7).utf8)
        var random = SystemRandomNumberGenerator()
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
            let decision = await origin.decide(broadcast: "a", authorization: header, now: now)
            #expect(changed == token || decision == .forbidden)
        }
    }
}
