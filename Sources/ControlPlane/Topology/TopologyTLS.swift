// MARK: - The `internal_tls` section

extension PeerTrust.Files {
    /// With the name of a node for each `{node}`.
    package func of(_ node: String) -> Self {
        let named = { (path: String) in path.replacing("{node}", with: node) }
        return .init(ca: named(ca), certificate: named(certificate), key: named(key))
    }
}

extension TopologyParser {
    mutating func readInternalTLS(_ field: TopologyReader.Field?) -> PeerTrust.Files? {
        guard let field else { return nil }
        // Even if it is broken: the URLs are not to blame.
        internalScheme = "https"
        guard let mapping = reader.mapping(field, keys: ["ca", "certificate", "key"]) else { return nil }
        let paths = ["ca", "certificate", "key"].map { key in
            reader.text(reader.required(key, in: mapping), "a path").map(secrets.absolute)
        }
        guard let ca = paths[0], let certificate = paths[1], let key = paths[2] else { return nil }
        return .init(ca: ca, certificate: certificate, key: key)
    }

    /// The files of those who will run must be there and fit together; the topology never holds a key itself.
    mutating func check(_ files: PeerTrust.Files?, neededBy nodes: [PartialNode]) {
        guard let files else { return }
        var seen: Set<String> = []
        for node in nodes {
            guard let name = node.name else { continue }
            do throws(PeerTrust.Failure) {
                _ = try PeerTrust(files.of(name))
            } catch {
                // Files that nodes share are wrong once.
                guard seen.insert(error.description).inserted else { continue }
                reader.report("internal_tls.\(error.part.rawValue)", error.reason)
            }
        }
    }
}
