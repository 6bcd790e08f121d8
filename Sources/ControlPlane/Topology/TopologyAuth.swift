import FoundationEssentials
import Yams

// MARK: - The `auth` section

extension TopologyParser {
    private enum Kind {
        case publish, watch, node

        var prefix: String { self == .node ? "secret" : "token" }
    }

    /// Secrets are fetched only where one of `nodes` needs them: an edge is not given the publishers' tokens.
    mutating func readAuth(_ field: TopologyReader.Field?, neededBy nodes: [PartialNode]) -> Topology.Auth {
        var auth = Topology.Auth()
        guard let mapping = reader.mapping(field, keys: ["publish", "watch", "node", "broadcasts"]) else { return auth }
        let origins = nodes.contains { $0.role == .origin }
        let viewers = nodes.contains { $0.viewers ?? true }
        auth.publish = readAccess(reader.required("publish", in: mapping), .publish, needed: origins) ?? .closed
        auth.watch = readAccess(reader.required("watch", in: mapping), .watch, needed: viewers) ?? .closed
        auth.node = readAccess(reader.required("node", in: mapping), .node, needed: !nodes.isEmpty) ?? .closed
        for item in reader.sequence(mapping["broadcasts"]) ?? [] {
            guard let rule = reader.mapping(item, keys: ["name", "publish", "watch"]) else { continue }
            let publish = readAccess(rule["publish"], .publish, needed: origins)
            let watch = readAccess(rule["watch"], .watch, needed: viewers)
            if rule["publish"] == nil, rule["watch"] == nil {
                reader.report(item.path, "changes neither publish nor watch")
            }
            guard let field = reader.required("name", in: rule), let pattern = reader.text(field, "a name or pattern")
            else { continue }
            guard TopologySyntax.isBroadcastPattern(pattern) else {
                reader.report(
                    field.path, "\"\(QuotedText.shown(pattern))\" is not a broadcast name or a pattern with *")
                continue
            }
            auth.broadcasts.append(.init(pattern: pattern, publish: publish, watch: watch))
        }
        return auth
    }

    private mutating func readAccess(_ field: TopologyReader.Field?, _ kind: Kind, needed: Bool) -> Topology.Access? {
        guard let field else { return nil }
        let (variableKey, fileKey) = (kind.prefix + "_env", kind.prefix + "_file")
        let expected = "open, { \(variableKey): NAME } or { \(fileKey): PATH }"
        if case .scalar(let scalar) = field.node {
            if scalar.string == "open" { return .open }
            // Not quoted: it may be a token.
            reader.report(field.path, "expected \(expected)")
            return nil
        }
        guard let mapping = reader.mapping(field, keys: [variableKey, fileKey]) else { return nil }
        let found: SecretSource.Found
        let place: String
        var path: String?
        switch (mapping[variableKey], mapping[fileKey]) {
        case (let variable?, nil):
            guard let name = reader.text(variable, "an environment variable's name") else { return nil }
            guard TopologySyntax.isEnvironmentName(name) else {
                reader.report(variable.path, "expected an environment variable's name (A-Z, a-z, 0-9 and _)")
                return nil
            }
            guard needed else { return .closed }
            (found, place) = (secrets.read(environmentVariable: name), variable.path)
        case (nil, let file?):
            guard let text = reader.text(file, "a path") else { return nil }
            guard needed else { return .closed }
            path = secrets.absolute(text)
            (found, place) = (secrets.read(file: text), file.path)
        default:
            // An unknown key has been reported; only an empty or doubled mapping is news.
            if case .mapping(let pairs) = field.node, pairs.count != 1 {
                reader.report(field.path, "expected \(expected)")
            }
            return nil
        }
        return secret(found, kind, at: place).map { .secret($0, file: path) }
    }

    private mutating func secret(_ found: SecretSource.Found, _ kind: Kind, at path: String) -> Secret? {
        switch found {
        case .problem(let message):
            reader.report(path, message)
            return nil
        case .secret(let text):
            if kind == .node {
                do throws(NodeSecrets.Failure) {
                    _ = try NodeSecrets(Secret(text))
                } catch {
                    reader.report(path, error.description)
                    return nil
                }
            } else if !TopologySyntax.isBearerToken(text) {
                reader.report(path, TopologySyntax.bearerTokenRule)
                return nil
            }
            return Secret(text)
        }
    }
}
