import Routing
import WebRTC

// MARK: - The `upstream` section of a node

extension TopologyParser {
    /// Items of `static` that are not text stay as nil, so that indices match the file.
    mutating func readUpstream(_ field: TopologyReader.Field?, into node: inout PartialNode) {
        guard let field, let mapping = reader.mapping(field, keys: ["static", "endpoint_slices", "dns", "peers"])
        else { return }
        node.slices = readSlices(mapping["endpoint_slices"])
        node.dns = readDNS(mapping["dns"])
        node.peers = readPeers(mapping["peers"])
        guard let list = mapping["static"] else {
            if mapping["endpoint_slices"] == nil, mapping["dns"] == nil { _ = reader.required("static", in: mapping) }
            return
        }
        guard let items = reader.sequence(list) else { return }
        if items.isEmpty { reader.report(list.path, "an empty list: name at least one node") }
        node.upstream = items.map { reader.text($0, "a node's name") }
    }

    private mutating func readPeers(_ field: TopologyReader.Field?) -> Topology.PeerSources? {
        guard let field, let peers = reader.mapping(field, keys: ["endpoint_slices", "dns"]) else { return nil }
        if peers["endpoint_slices"] == nil, peers["dns"] == nil {
            reader.report(field.path, "expected endpoint_slices, dns or both")
        }
        return .init(slices: readSlices(peers["endpoint_slices"]), dns: readDNS(peers["dns"]))
    }

    private mutating func readSlices(_ field: TopologyReader.Field?) -> Topology.SliceUpstream? {
        guard let slices = reader.mapping(field, keys: ["directory", "service", "port"]) else { return nil }
        let directory = reader.text(reader.required("directory", in: slices), "a path")
        let service = readText(reader.required("service", in: slices), "a service's name", NodeName.isValid)
        let port = slices["port"] == nil ? 9_080 : reader.integer(slices["port"], in: 1...65_535)
        guard let directory, let service, let port else { return nil }
        // Relative paths start at the topology file, as those of tokens do.
        let path = directory.hasPrefix("/") ? directory : secrets.directory + "/" + directory
        return .init(directory: path, service: service, port: UInt16(port))
    }

    private mutating func readDNS(_ field: TopologyReader.Field?) -> Topology.DNSUpstream? {
        guard let dns = reader.mapping(field, keys: ["name", "port", "record", "servers"]) else { return nil }
        // SRV names have labels that begin with `_` (RFC 2782); a dot at the end keeps search domains away.
        let name = readText(reader.required("name", in: dns), "a host name") { text in
            let labels = (text.hasSuffix(".") ? text.dropLast() : text[...])
                .split(separator: ".", omittingEmptySubsequences: false)
            return text.utf8.count <= 253
                && labels.allSatisfy { NodeName.isValid(($0.hasPrefix("_") ? $0.dropFirst() : $0).lowercased()) }
        }
        let port = dns["port"] == nil ? 9_080 : reader.integer(dns["port"], in: 1...65_535)
        let record = dns["record"] == nil ? .a : reader.choice(dns["record"], Topology.DNSUpstream.Record.self)
        var servers: [String] = []
        for item in reader.sequence(dns["servers"]) ?? [] {
            guard let text = reader.text(item, "an address") else { continue }
            if let (host, port) = TopologySyntax.hostAndPort(text), let address = TransportAddress(host, port: 0) {
                servers.append(address.isIPv4 ? "\(host):\(port)" : "[\(host)]:\(port)")
            } else if let address = TransportAddress(text, port: 53) {
                servers.append(address.description)
            } else {
                reader.report(
                    item.path, "\"\(QuotedText.shown(text))\" is not an IP address with or without a port")
            }
        }
        guard let name, let port, let record else { return nil }
        return .init(name: name, port: UInt16(port), record: record, servers: servers)
    }

    private mutating func readText(
        _ field: TopologyReader.Field?, _ expected: String, _ isValid: (String) -> Bool
    ) -> String? {
        guard let field, let text = reader.text(field, expected) else { return nil }
        if isValid(text) { return text }
        reader.report(field.path, "expected \(expected), found \"\(QuotedText.shown(text))\"")
        return nil
    }
}
