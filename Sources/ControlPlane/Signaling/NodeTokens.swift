package import FoundationEssentials
import JWTKit

/// What nodes show each other on the internal listener: a JSON web token (RFC 7519) of HS256 with the deployment's node
/// secret, good for one broadcast and a short time. A viewer's or publisher's token never opens the relay.
package struct NodeTokens: Sendable {
    /// RFC 7518 §3.2: a key as long as the hash.
    package static let shortestSecret = 32
    /// The audience of the directory and of everything else that concerns no single broadcast. Not a broadcast name.
    package static let anyBroadcast = "*"
    /// Long enough for a slow handshake with retries, short enough that a leaked one is worth little.
    static let lifetime: TimeInterval = 60
    /// How far the clocks of two nodes may differ.
    static let leeway: TimeInterval = 30

    package enum Decision: Hashable, Sendable {
        /// `issuer`: the name of the asking node; nil under `node: open` without a token.
        case allowed(issuer: String?)
        /// 401
        case missingCredentials
        /// 403: not ours, expired, or for another broadcast.
        case forbidden
    }

    private enum Mode: Sendable {
        case open, closed
        case signed(JWTKeyCollection)
    }

    private let mode: Mode
    private let node: String

    /// `node`: the name of this node, which its tokens carry as issuer.
    package init(_ access: Topology.Access, node: String) async {
        self.node = node
        switch access {
        case .open: mode = .open
        case .closed: mode = .closed
        case .secret(let secret):
            precondition(secret.bytes.count >= Self.shortestSecret, "a node secret has at least 32 bytes")
            mode = .signed(await JWTKeyCollection().add(hmac: HMACKey(from: secret.bytes), digestAlgorithm: .sha256))
        }
    }

    private struct Claims: JWTPayload {
        var iss: IssuerClaim
        var aud: AudienceClaim
        var iat: IssuedAtClaim
        var exp: ExpirationClaim

        /// Times are judged by `authorize`, which knows the leeway.
        func verify(using _: some JWTAlgorithm) async throws {}
    }

    /// The value of the `Authorization` field for a request about `broadcast`; nil where nodes need none.
    package func authorization(for broadcast: String, now: Date = Date()) async -> String? {
        guard case .signed(let keys) = mode else { return nil }
        let claims = Claims(
            iss: IssuerClaim(value: node), aud: AudienceClaim(value: [broadcast]), iat: IssuedAtClaim(value: now),
            exp: ExpirationClaim(value: now.addingTimeInterval(Self.lifetime)))
        // Encoding four strings and numbers and an HMAC cannot fail.
        guard let token = try? await keys.sign(claims) else { return nil }
        return "Bearer " + token
    }

    /// Judges the `Authorization` field of a request about `broadcast` on the internal listener.
    package func decide(broadcast: String, authorization: String?, now: Date = Date()) async -> Decision {
        let token = BearerToken(authorization)
        switch mode {
        case .open: return .allowed(issuer: nil)
        case .closed: return token == nil ? .missingCredentials : .forbidden
        case .signed(let keys):
            guard let token else { return .missingCredentials }
            guard let claims = try? await keys.verify(token.text, as: Claims.self),
                claims.aud.value == [broadcast],
                TopologySyntax.isLabel(claims.iss.value),
                now < claims.exp.value.addingTimeInterval(Self.leeway),
                claims.iat.value <= now.addingTimeInterval(Self.leeway),
                claims.exp.value.timeIntervalSince(claims.iat.value) <= Self.lifetime
            else { return .forbidden }
            return .allowed(issuer: claims.iss.value)
        }
    }
}
