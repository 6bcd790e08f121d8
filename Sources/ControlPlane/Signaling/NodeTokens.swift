package import FoundationEssentials
import JWTKit
import Synchronization

/// What nodes show each other on the internal listener: a JSON web token (RFC 7519) of HS256 with the deployment's node
/// secret, good for one broadcast at one node and a short time. A viewer's or publisher's token never opens the relay.
///
/// Of several secrets the first signs and all verify, so that a secret can be replaced while the nodes run.
package final class NodeTokens: Sendable {
    /// The audience of the directory and of everything else that concerns no single broadcast. Not a broadcast name.
    package static let anyBroadcast = "*"
    /// Long enough for a slow handshake with retries, short enough that a leaked one is worth little.
    static let lifetime: TimeInterval = 60
    /// How far the clocks of two nodes may differ.
    static let leeway: TimeInterval = 30

    package enum Decision: Hashable, Sendable {
        /// `issuer`: the name of the asking node; nil under `node: open`.
        case allowed(issuer: String?)
        /// 401
        case missingCredentials
        /// 403: not ours, expired, for another broadcast or for another node.
        case forbidden
    }

    private enum Mode: Sendable {
        case open, closed
        /// Never empty; the first signs.
        case signed([JWTKeyCollection])
    }

    private let mode: Mutex<Mode>
    private let node: String

    /// - Parameters:
    ///   - access: its secret is one or several, as `NodeSecrets` reads them.
    ///   - node: the name of this node: the issuer of its tokens and the audience of those it accepts.
    package init(_ access: Topology.Access, node: String) async {
        self.node = node
        switch access {
        case .open: mode = Mutex(.open)
        case .closed: mode = Mutex(.closed)
        case .secret(let text):
            guard let secrets = try? NodeSecrets(text) else {
                preconditionFailure("a checked topology has good secrets")
            }
            mode = Mutex(.signed(await Self.keys(secrets)))
        }
    }

    /// From now on the first of `secrets` signs and all verify. A node that was open or closed stays so.
    package func replace(by secrets: NodeSecrets) async {
        let keys = await Self.keys(secrets)
        mode.withLock { if case .signed = $0 { $0 = .signed(keys) } }
    }

    private static func keys(_ secrets: NodeSecrets) async -> [JWTKeyCollection] {
        var keys: [JWTKeyCollection] = []
        for secret in secrets.all {
            keys.append(await JWTKeyCollection().add(hmac: HMACKey(from: secret.bytes), digestAlgorithm: .sha256))
        }
        return keys
    }

    private struct Claims: JWTPayload {
        var iss: IssuerClaim
        var aud: AudienceClaim
        var iat: IssuedAtClaim
        var exp: ExpirationClaim

        /// Times are judged by `decide`, which knows the leeway.
        func verify(using _: some JWTAlgorithm) async throws {}
    }

    /// Always these two, in this order.
    private static func audience(_ broadcast: String, at node: String) -> [String] { [broadcast, "node:\(node)"] }

    /// The value of the `Authorization` field for a request about `broadcast` to the node of that name; nil where nodes
    /// need none.
    package func authorization(for broadcast: String, at target: String, now: Date = Date()) async -> String? {
        guard case .signed(let keys) = mode.withLock({ $0 }) else { return nil }
        let claims = Claims(
            iss: IssuerClaim(value: node), aud: AudienceClaim(value: Self.audience(broadcast, at: target)),
            iat: IssuedAtClaim(value: now), exp: ExpirationClaim(value: now.addingTimeInterval(Self.lifetime)))
        // Encoding some strings and numbers and an HMAC cannot fail.
        guard let token = try? await keys[0].sign(claims) else { return nil }
        return "Bearer " + token
    }

    /// Judges the `Authorization` field of a request about `broadcast` on this node's internal listener.
    package func decide(broadcast: String, authorization: String?, now: Date = Date()) async -> Decision {
        let token = BearerToken(authorization)
        switch mode.withLock({ $0 }) {
        case .open: return .allowed(issuer: nil)
        case .closed: return token == nil ? .missingCredentials : .forbidden
        case .signed(let keys):
            guard let token else { return .missingCredentials }
            guard TokenShape.isGood(token.text), let claims = await Self.claims(of: token, keys),
                claims.aud.value == Self.audience(broadcast, at: node),
                TopologySyntax.isLabel(claims.iss.value),
                now < claims.exp.value.addingTimeInterval(Self.leeway),
                claims.iat.value <= now.addingTimeInterval(Self.leeway),
                claims.exp.value.timeIntervalSince(claims.iat.value) <= Self.lifetime
            else { return .forbidden }
            return .allowed(issuer: claims.iss.value)
        }
    }

    /// nil: signed with none of the secrets.
    private static func claims(of token: BearerToken, _ keys: [JWTKeyCollection]) async -> Claims? {
        for key in keys {
            if let claims = try? await key.verify(token.text, as: Claims.self) { return claims }
        }
        return nil
    }
}
