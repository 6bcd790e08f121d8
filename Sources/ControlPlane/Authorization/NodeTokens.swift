package import FoundationEssentials
import Routing
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
        case signed([Secret])
    }

    private let mode: Mutex<Mode>
    private let node: String

    /// - Parameters:
    ///   - access: its secret is one or several, as `NodeSecrets` reads them.
    ///   - node: the name of this node: the issuer of its tokens and the audience of those it accepts.
    package init(_ access: Topology.Access, node: String) {
        self.node = node
        switch access {
        case .open: mode = Mutex(.open)
        case .closed: mode = Mutex(.closed)
        case .secret(let text, _):
            guard let secrets = try? NodeSecrets(text) else {
                preconditionFailure("a checked topology has good secrets")
            }
            mode = Mutex(.signed(secrets.all))
        }
    }

    /// From now on the first of `secrets` signs and all verify. A node that was open or closed stays so.
    package func replace(by secrets: NodeSecrets) {
        mode.withLock { if case .signed = $0 { $0 = .signed(secrets.all) } }
    }

    /// RFC 7519 §4.1; times in seconds of 1970.
    private struct Claims: Codable {
        var iss: String
        var aud: [String]
        var iat: Double
        var exp: Double
    }

    /// Always these two, in this order.
    private static func audience(_ broadcast: String, at node: String) -> [String] { [broadcast, "node:\(node)"] }

    /// The value of the `Authorization` field for a request about `broadcast` to the node of that name; nil where nodes
    /// need none.
    package func authorization(for broadcast: String, at target: String, now: Date = Date()) -> String? {
        guard case .signed(let secrets) = mode.withLock({ $0 }) else { return nil }
        let time = now.timeIntervalSince1970.rounded(.down)
        let claims = Claims(
            iss: node, aud: Self.audience(broadcast, at: target), iat: time, exp: time + Self.lifetime)
        guard let json = try? JSONEncoder().encode(claims) else {
            preconditionFailure("some strings and numbers can be written as JSON")
        }
        return "Bearer " + SignedToken.sign(json, with: secrets[0])
    }

    /// Judges the `Authorization` field of a request about `broadcast` on this node's internal listener.
    package func decide(broadcast: String, authorization: String?, now: Date = Date()) -> Decision {
        let token = BearerToken(authorization)
        switch mode.withLock({ $0 }) {
        case .open: return .allowed(issuer: nil)
        case .closed: return token == nil ? .missingCredentials : .forbidden
        case .signed(let secrets):
            guard let token else { return .missingCredentials }
            let now = now.timeIntervalSince1970
            guard let claims = Self.claims(of: token, secrets),
                claims.aud == Self.audience(broadcast, at: node),
                NodeName.isValid(claims.iss),
                now < claims.exp + Self.leeway, claims.iat <= now + Self.leeway,
                claims.exp - claims.iat <= Self.lifetime
            else { return .forbidden }
            return .allowed(issuer: claims.iss)
        }
    }

    /// nil: not a token, or signed with none of the secrets.
    private static func claims(of token: BearerToken, _ secrets: [Secret]) -> Claims? {
        guard let token = SignedToken(token.text), secrets.contains(where: token.isSigned) else { return nil }
        return try? JSONDecoder().decode(Claims.self, from: Data(token.claims))
    }
}
