// MARK: - The `internal_tls` section

extension Topology {
    /// TLS of the internal listeners, with an authority of the deployment's own. Paths; `{node}` stands for a node's name.
    package struct InternalTLS: Hashable, Sendable {
        package var ca: String
        package var certificate: String
        package var key: String

        package init(ca: String, certificate: String, key: String) {
            (self.ca, self.certificate, self.key) = (ca, certificate, key)
        }

        package func files(of node: String) -> PeerTrust.Files {
            let named = { (path: String) in path.replacing("{node}", with: node) }
            return .init(ca: named(ca), certificate: named(certificate), key: named(key))
        }
    }
}

extension TopologyParser {
    mutating func readInternalTLS(_ field: TopologyReader.Field?) -> Topology.InternalTLS? {
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
    mutating func check(_ tls: Topology.InternalTLS?, neededBy nodes: [PartialNode]) {
        guard let tls else { return }
        var seen: Set<String> = []
        for node in nodes {
            guard let name = node.name else { continue }
            do throws(PeerTrust.Failure) {
                _ = try PeerTrust(tls.files(of: name))
            } catch {
                // Files that nodes share are wrong once.
                guard seen.insert(error.description).inserted else { continue }
                reader.report("internal_tls.\(error.part.rawValue)", error.reason)
            }
        }
    }
}
