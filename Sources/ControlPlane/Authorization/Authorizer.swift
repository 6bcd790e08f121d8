import Synchronization

/// Says who may publish and watch which broadcast, from the topology's `auth`. Tokens may be replaced while the node runs.
package final class Authorizer: Sendable {
    package enum Scope: Sendable {
        case publish, watch
    }

    package enum Decision: Hashable, Sendable {
        case allowed
        /// No Bearer token: 401 with `WWW-Authenticate: Bearer` (RFC 6750 §3).
        case missingCredentials
        /// A Bearer token that does not open this: 403.
        case forbidden
    }

    private let current: Mutex<Topology.Auth>
    private var auth: Topology.Auth { current.withLock { $0 } }

    package init(_ auth: Topology.Auth) { current = Mutex(auth) }

    /// Reads the token of `file` again. Who has another one may begin nothing from now on; on failure all stays as it was.
    package func reload(file: String) throws(FollowedFiles.Failure) {
        switch SecretSource.read(absolute: file, named: file) {
        case .problem(let reason): throw .init(reason)
        case .secret(let text):
            guard TopologySyntax.isBearerToken(text) else { throw .init(TopologySyntax.bearerTokenRule) }
            current.withLock { $0.replace(file: file, by: Secret(text)) }
        }
    }

    /// `authorization`: the request's header field, or nil. The same answer for an unknown broadcast as for a known one.
    package func decide(_ scope: Scope, broadcast: String, authorization: String?) -> Decision {
        switch access(scope, broadcast: broadcast) {
        case .open: return .allowed
        case .closed: return BearerToken(authorization) == nil ? .missingCredentials : .forbidden
        case .secret(let secret, _):
            guard let token = BearerToken(authorization) else { return .missingCredentials }
            return token.equals(secret) ? .allowed : .forbidden
        }
    }

    /// Whether anybody may: nobody has shown a token then.
    package func isOpen(_ scope: Scope, broadcast: String) -> Bool {
        access(scope, broadcast: broadcast).isOpen
    }

    // MARK: - Lists

    /// Whether a list of what is live is to be had at all: not where everything needs a token and none of those that
    /// there are has come. Nothing is said by that of what is live.
    package func decideList(authorization: String?) -> Decision {
        let auth = auth
        let watching = [auth.watch] + auth.broadcasts.compactMap(\.watch)
        if watching.contains(where: \.isOpen) { return .allowed }
        guard let token = BearerToken(authorization) else { return .missingCredentials }
        let publishing = [auth.publish] + auth.broadcasts.compactMap(\.publish)
        let isKnown = (watching + publishing).contains { access in
            if case .secret(let secret, _) = access { token.equals(secret) } else { false }
        }
        return isKnown ? .allowed : .forbidden
    }

    /// Whether a list names the broadcast to whoever shows that: those who may watch it, and those whose token is for
    /// publishing it, since they ask what becomes of their stream.
    package func mayKnow(of broadcast: String, authorization: String?) -> Bool {
        if decide(.watch, broadcast: broadcast, authorization: authorization) == .allowed { return true }
        return !isOpen(.publish, broadcast: broadcast)
            && decide(.publish, broadcast: broadcast, authorization: authorization) == .allowed
    }

    private func access(_ scope: Scope, broadcast: String) -> Topology.Access {
        let auth = auth
        if let rule = auth.broadcasts.first(where: { Self.matches(broadcast, pattern: $0.pattern) }) {
            switch scope {
            case .publish: if let access = rule.publish { return access }
            case .watch: if let access = rule.watch { return access }
            }
        }
        return scope == .publish ? auth.publish : auth.watch
    }

    /// `*` stands for any run of bytes. Linear in time for one `*`, at worst name × pattern; both are at most 128 bytes.
    static func matches(_ name: String, pattern: String) -> Bool {
        let (name, pattern) = (Array(name.utf8), Array(pattern.utf8))
        var (n, p) = (0, 0)
        // Where to go on if the run that the last `*` stands for must grow by one.
        var retry: (n: Int, p: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                p += 1
                retry = (n, p)
            } else if p < pattern.count, pattern[p] == name[n] {
                (n, p) = (n + 1, p + 1)
            } else if let last = retry {
                retry = (last.n + 1, last.p)
                (n, p) = (last.n + 1, last.p)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

/// The credential of an `Authorization: Bearer` header field (RFC 6750 §2.1).
package struct BearerToken: Sendable {
    /// No token of ours is longer; a longer one is not looked at.
    static let longest = 4_096

    package let text: String

    /// nil: absent, another scheme, or not a token.
    package init?(_ authorization: String?) {
        guard let authorization, authorization.utf8.count <= Self.longest else { return nil }
        let parts = authorization.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let token = parts[1].drop { $0 == " " }
        guard TopologySyntax.isBearerToken(token) else { return nil }
        text = String(token)
    }

    /// Takes a time that depends on the length of this token only, not on how much of it is right.
    package func equals(_ secret: Secret) -> Bool {
        let expected = secret.bytes
        guard !expected.isEmpty else { return false }
        var difference = UInt(bitPattern: expected.count ^ text.utf8.count)
        var index = 0
        for byte in text.utf8 {
            difference |= UInt(byte ^ expected[index])
            index += 1
            if index == expected.count { index = 0 }
        }
        return difference == 0
    }
}
