/// The node secrets of a deployment: one as a rule, two while one replaces the other. The first signs, all verify.
package struct NodeSecrets: Sendable {
    /// RFC 7518 §3.2: a key as long as the hash.
    package static let shortest = 32
    /// More are a mistake, and each is tried against every bad token.
    package static let most = 8

    package struct Failure: Error, CustomStringConvertible {
        /// Follows the name of the place; never quotes a secret.
        package var description: String
    }

    /// Never empty.
    package let all: [Secret]

    /// - Parameter text: one per line of a file, or with white space of any kind between them.
    package init(_ text: Secret) throws(Failure) {
        all = text.bytes.split { $0 == UInt8(ascii: " ") || 9...13 ~= $0 }.map { Secret(bytes: Array($0)) }
        guard !all.isEmpty else { throw Failure(description: "there is no secret") }
        guard all.count <= Self.most else {
            throw Failure(description: "there are \(all.count) secrets; \(Self.most) are the most")
        }
        for (index, secret) in all.enumerated() where secret.bytes.count < Self.shortest {
            let which = all.count == 1 ? "the secret" : "secret \(index + 1) of \(all.count)"
            throw Failure(
                description: "\(which) has \(secret.bytes.count) bytes; HS256 needs at least \(Self.shortest) "
                    + "(openssl rand -hex 32)")
        }
    }
}

extension NodeSecrets {
    /// What a `secret_file` holds at the moment.
    init(file path: String) throws(FollowedFiles.Failure) {
        switch TextFile.read(path, atMost: SecretSource.longestFile) {
        case .problem(let reason): throw .init(reason)
        case .text(let text):
            do throws(Failure) {
                try self.init(Secret(text))
            } catch {
                throw .init(error.description)
            }
        }
    }
}
