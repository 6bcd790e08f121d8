/// Which node of the topology this process is.
package struct NodeRequest: Sendable {
    /// The program: `origin` or `edge`.
    package var role: Topology.Role
    /// `--node`.
    package var name: String?
    /// For `NODE_NAME` and the secrets.
    package var environment: [String: String]
    /// `--check`: a file with several nodes of the role is fine, and is then checked for all of them.
    package var isCheck: Bool

    package init(role: Topology.Role, name: String?, environment: [String: String], isCheck: Bool = false) {
        (self.role, self.name, self.environment, self.isCheck) = (role, name, environment, isCheck)
    }

    enum Choice: Equatable {
        case node(index: Int)
        /// Every node of the role (`--check` only).
        case any
        case problem(String)
    }

    /// `--node`, else `NODE_NAME`, else the only node of the role.
    func choose(among nodes: [(name: String?, role: Topology.Role?)]) -> Choice {
        let variable = environment["NODE_NAME"].flatMap { $0.isEmpty ? nil : $0 }
        if let wanted = name ?? variable {
            let source = name != nil ? "--node" : "NODE_NAME"
            let shown = QuotedText.shown(wanted)
            guard let index = nodes.firstIndex(where: { $0.name == wanted }) else {
                let known = nodes.compactMap { $0.role == role ? $0.name : nil }.prefix(20).joined(separator: ", ")
                let list = known.isEmpty ? "it has no \(role.rawValue)" : "its \(role.rawValue)s: \(known)"
                return .problem("\(source): there is no node \"\(shown)\"; \(list)")
            }
            guard nodes[index].role == role else {
                return .problem("\(source): \"\(shown)\" is not an \(role.rawValue)")
            }
            return .node(index: index)
        }
        let candidates = nodes.indices.filter { nodes[$0].role == role }
        if candidates.count == 1 { return .node(index: candidates[0]) }
        if candidates.isEmpty { return .problem("there is no node with the role \(role.rawValue)") }
        if isCheck { return .any }
        let names = candidates.prefix(20).compactMap { nodes[$0].name }.joined(separator: ", ")
        return .problem("there are \(candidates.count) \(role.rawValue)s; say which with --node or NODE_NAME: \(names)")
    }

    /// nil: `--check` of them all.
    func chosen(among nodes: [Topology.Node]) -> Topology.Node? {
        guard case .node(let index) = choose(among: nodes.map { ($0.name, $0.role) }) else { return nil }
        return nodes[index]
    }
}

extension Topology {
    /// Largest topology file.
    static let longestFile = 1 << 20

    /// Reads, checks and completes `file`, and finds the node that `request` means. `node` is nil only for a `--check`
    /// that no one node was named for, and without a request: then no secret and no certificate is looked at, since who
    /// reads a deployment's file need not have them.
    package static func load(
        file: String, for request: NodeRequest? = nil
    ) throws(ConfigurationError) -> (topology: Topology, node: Node?) {
        switch TextFile.read(file, atMost: longestFile) {
        case .problem(let reason):
            throw ConfigurationError(problems: [.init(file: file, message: reason)])
        case .text(let yaml):
            let directory = file.lastIndex(of: "/").map { String(file[...$0]) } ?? "."
            return try parse(yaml, file: file, directory: directory, for: request)
        }
    }

    /// As `load`; `file` is for messages only, `directory` is where relative `token_file` paths start.
    package static func parse(
        _ yaml: String, file: String = "topology.yaml", directory: String = ".", for request: NodeRequest? = nil
    ) throws(ConfigurationError) -> (topology: Topology, node: Node?) {
        let secrets = SecretSource(environment: request?.environment ?? [:], directory: directory)
        var parser = TopologyParser(file: file, secrets: secrets, request: request)
        return try parser.parse(yaml)
    }
}
