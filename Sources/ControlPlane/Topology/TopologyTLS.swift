// MARK: - Certificates: the `internal_tls` section, and `tls` of a public listener

extension PeerTrust.Files {
    /// With the name of a node for each `{node}`.
    package func of(_ node: String) -> Self {
        let named = { (path: String) in path.replacing("{node}", with: node) }
        return .init(ca: ca.map(named), certificate: named(certificate), key: named(key))
    }
}

extension TopologyParser {
    mutating func readInternalTLS(_ field: TopologyReader.Field?) -> PeerTrust.Files? {
        // Even if it is broken: the URLs are not to blame.
        if field != nil { internalScheme = "https" }
        return readCertificates(field, ["ca", "certificate", "key"])
    }

    /// - Parameter keys: all of them are required.
    mutating func readCertificates(_ field: TopologyReader.Field?, _ keys: [String]) -> PeerTrust.Files? {
        guard let mapping = reader.mapping(field, keys: keys) else { return nil }
        var paths: [String: String] = [:]
        for key in keys {
            paths[key] = reader.text(reader.required(key, in: mapping), "a path").map(secrets.absolute)
        }
        guard paths.count == keys.count, let certificate = paths["certificate"], let key = paths["key"] else {
            return nil
        }
        return .init(ca: paths["ca"], certificate: certificate, key: key)
    }

    /// The files of those who will run must be there and fit together; the topology never holds a key itself.
    mutating func checkCertificates(_ shared: PeerTrust.Files?, of nodes: [PartialNode]) {
        // Files that nodes share are wrong once.
        var seen: Set<String> = []
        for node in nodes {
            if let name = node.name, let problem = problem(of: shared?.of(name)),
                seen.insert(problem.description).inserted
            {
                reader.report("internal_tls.\(problem.part.rawValue)", problem.reason)
            }
            if let problem = problem(of: node.front.tls) {
                reader.report("\(node.path).public.tls.\(problem.part.rawValue)", problem.reason)
            }
        }
    }

    private func problem(of files: PeerTrust.Files?) -> PeerTrust.Failure? {
        guard let files else { return nil }
        do throws(PeerTrust.Failure) {
            _ = try PeerTrust(files)
            return nil
        } catch {
            return error
        }
    }
}
