import Forwarding
import Routing
import WebRTC

/// Turns the text of `topology.yaml` into a `Topology`. All problems of the file are found in one pass: a part that is
/// wrong is left out, and what depends on it is checked as far as it can be.
struct TopologyParser {
    var reader: TopologyReader
    var secrets: SecretSource
    /// For whom the secrets are read; nil: for nobody.
    let request: NodeRequest?
    /// Of internal URLs: `https` where the file has `internal_tls`.
    var internalScheme = "http"

    init(file: String, secrets: SecretSource, request: NodeRequest?) {
        (reader, self.secrets, self.request) = (TopologyReader(file: file), secrets, request)
    }

    /// A node as far as it could be read.
    struct PartialNode {
        var path: String
        var name: String?
        var role: Topology.Role?
        var region: String?
        var publicListener: Topology.Listener?
        var front = Topology.Front()
        var internalListener: Topology.Listener?
        var media: Topology.Media?
        var viewers: Bool?
        /// In place with `upstream.static[i]`.
        var upstream: [String?]?
        var slices: Topology.SliceUpstream?
        var dns: Topology.DNSUpstream?
        var peers: Topology.PeerSources?
    }

    private static let rootKeys = [
        "version", "auth", "internal_tls", "on_conflict", "hold", "linger", "relay_timeout", "drain_deadline",
        "drain_window", "simulation", "logging", "limits", "dns", "regions", "zones", "nodes",
    ]

    mutating func parse(_ yaml: String) throws(ConfigurationError) -> (topology: Topology, node: Topology.Node?) {
        var topology = Topology()
        var nodes: [PartialNode] = []
        if let root = reader.mapping(reader.compose(yaml), keys: Self.rootKeys) {
            if let version = reader.required("version", in: root) { _ = reader.integer(version, in: 1...1) }
            topology.onConflict = reader.choice(root["on_conflict"], Topology.Conflict.self) ?? topology.onConflict
            readTimes(root, into: &topology)
            topology.simulation = reader.boolean(root["simulation"]) ?? topology.simulation
            topology.logAddresses = readLogAddresses(root["logging"]) ?? topology.logAddresses
            readLimits(root["limits"], into: &topology.limits)
            topology.internalTLS = readInternalTLS(root["internal_tls"])
            topology.regions = readRegions(reader.required("regions", in: root))
            topology.dns = readDomain(root["dns"], regions: topology.regions)
            topology.zones = readZones(root["zones"], regions: topology.regions)
            nodes = readNodes(reader.required("nodes", in: root))
            check(nodes, regions: topology.regions)
            let reading = select(among: nodes)
            topology.auth = readAuth(reader.required("auth", in: root), neededBy: reading)
            checkCertificates(topology.internalTLS, of: reading)
        }
        topology.nodes = nodes.compactMap(Self.complete)
        guard reader.problems.isEmpty else { throw ConfigurationError(problems: inFileOrder(reader.problems)) }
        return (topology, request?.chosen(among: topology.nodes))
    }

    private func inFileOrder(_ problems: [ConfigurationError.Problem]) -> [ConfigurationError.Problem] {
        // A stable sort by line; what has no line comes first.
        problems.enumerated().sorted { ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset) }
            .map(\.element)
    }

    /// Who will run: its secrets must be there. Without a choice (`--check` of a whole file): everyone of the role.
    private mutating func select(among nodes: [PartialNode]) -> [PartialNode] {
        guard let request else { return [] }
        switch request.choose(among: nodes.map { (name: $0.name, role: $0.role) }) {
        case .node(let index): return [nodes[index]]
        case .any: return nodes.filter { $0.role == request.role }
        case .problem(let message):
            // With broken nodes the choice is only a consequence.
            if nodes.allSatisfy({ $0.name != nil && $0.role != nil }), !nodes.isEmpty { reader.report("", message) }
            return nodes.filter { $0.role == request.role }
        }
    }

    private static func complete(_ node: PartialNode) -> Topology.Node? {
        guard let name = node.name, let role = node.role, let region = node.region,
            let publicListener = node.publicListener, let internalListener = node.internalListener,
            let media = node.media, let viewers = node.viewers
        else { return nil }
        let upstream = Topology.Upstream(
            nodes: (node.upstream ?? []).compactMap { $0 }, slices: node.slices, dns: node.dns,
            peers: node.peers)
        var complete = Topology.Node(
            name: name, role: role, region: region, publicListener: publicListener, internalListener: internalListener,
            media: media, viewers: viewers, upstream: upstream)
        complete.front = node.front
        return complete
    }
}

// MARK: - Scalars of the root and limits

extension TopologyParser {
    private mutating func readTimes(_ root: TopologyReader.Mapping, into topology: inout Topology) {
        let times: [(String, WritableKeyPath<Topology, Duration>, ClosedRange<Duration>)] = [
            ("hold", \.hold, .zero ... .seconds(86_400)),
            ("linger", \.linger, .zero ... .seconds(3_600)),
            ("relay_timeout", \.relayTimeout, .milliseconds(100) ... .seconds(60)),
            ("drain_deadline", \.drainDeadline, .zero ... .seconds(86_400)),
        ]
        for (key, path, range) in times {
            topology[keyPath: path] = reader.duration(root[key], in: range) ?? topology[keyPath: path]
        }
        topology.drainWindow =
            reader.duration(root["drain_window"], in: .zero...topology.drainDeadline)
            ?? min(topology.drainWindow, topology.drainDeadline)
    }

    private mutating func readLogAddresses(_ field: TopologyReader.Field?) -> LogAddresses? {
        guard let field, let mapping = reader.mapping(field, keys: ["addresses"]) else { return nil }
        return reader.choice(mapping["addresses"], LogAddresses.self)
    }

    private mutating func readLimits(_ field: TopologyReader.Field?, into limits: inout NodeLimits) {
        let counts: [(String, WritableKeyPath<NodeLimits, Int>, ClosedRange<Int>)] = [
            ("viewers", \.viewers, 1...1_000_000),
            ("publishers", \.publishers, 0...100_000),
            ("relays", \.relays, 0...1_000_000),
            ("sessions", \.sessions, 1...1_000_000),
            ("sessions_half_open", \.sessionsHalfOpen, 1...1_000_000),
            ("body_bytes", \.bodyBytes, 4_096...1 << 20),
            ("requests_per_second", \.requestsPerSecond, 1...1_000_000),
            ("request_burst", \.requestBurst, 1...1_000_000),
            ("reads_per_second", \.readsPerSecond, 1...1_000_000),
            ("read_burst", \.readBurst, 1...1_000_000),
            ("rate_addresses", \.rateAddresses, 16...10_000_000),
            ("connections", \.connections, 1...1_000_000),
            ("forwarded_requests", \.forwardedRequests, 1...1_024),
            ("address_share", \.addressShare, 1...100),
            ("broadcasts", \.forwarding.broadcasts, 1...1_000_000),
            ("video_history_bytes", \.forwarding.videoHistoryBytes, 64 << 10...256 << 20),
            ("audio_history_bytes", \.forwarding.audioHistoryBytes, 16 << 10...16 << 20),
            ("streams_per_source", \.forwarding.streamsPerSource, 1...256),
            ("maximum_payload", \.forwarding.maximumPayload, 500...Limits().maximumPayload),
            ("missing_packets", \.forwarding.missingPackets, 16...32_768),
        ]
        let times: [(String, WritableKeyPath<NodeLimits, Interval>, ClosedRange<Duration>)] = [
            ("request_timeout", \.requestTimeout, .seconds(1) ... .seconds(300)),
            ("history_age", \.forwarding.historyAge, .milliseconds(100) ... .seconds(60)),
            ("setup_timeout", \.forwarding.setupTimeout, .seconds(1) ... .seconds(120)),
            ("consent_timeout", \.forwarding.consentTimeout, .seconds(5) ... .seconds(300)),
            ("source_silence", \.forwarding.sourceSilence, .milliseconds(500) ... .seconds(60)),
            ("relay_silence", \.forwarding.relaySilence, .milliseconds(100) ... .seconds(10)),
        ]
        guard let mapping = reader.mapping(field, keys: counts.map(\.0) + times.map(\.0)) else { return }
        for (key, path, range) in counts {
            limits[keyPath: path] = reader.integer(mapping[key], in: range) ?? limits[keyPath: path]
        }
        for (key, path, range) in times {
            guard let value = reader.duration(mapping[key], in: range) else { continue }
            limits[keyPath: path] = .milliseconds(Int64(value / .milliseconds(1)))
        }
        limits.forwarding.sessions = limits.sessions
    }
}

// MARK: - Regions

extension TopologyParser {
    private mutating func readRegions(_ field: TopologyReader.Field?) -> [Topology.Region] {
        var regions: [Topology.Region] = []
        for item in reader.sequence(field) ?? [] {
            let keys = ["name", "location", "hostnames", "hub", "clients", "node_template"]
            guard let region = reader.mapping(item, keys: keys) else { continue }
            readNodeTemplate(region["node_template"])
            let location = readLocation(region["location"])
            var hostnames: [String] = []
            for hostname in reader.sequence(region["hostnames"]) ?? [] {
                guard let text = reader.text(hostname, "a host name") else { continue }
                if TopologySyntax.isHostname(text) {
                    hostnames.append(text)
                } else {
                    reader.report(hostname.path, "\"\(QuotedText.shown(text))\" is not a host name")
                }
            }
            let hub = region["hub"] == nil ? .auto : reader.choice(region["hub"], Topology.Hub.self) ?? .auto
            let clients = readClients(region["clients"], others: regions)
            // A region whose name is wrong still counts, so that its nodes are not blamed.
            guard let name = readLabel(reader.required("name", in: region), taken: regions.map(\.name)) else {
                continue
            }
            regions.append(.init(name: name, location: location, hostnames: hostnames, hub: hub))
            regions[regions.count - 1].clients = clients
        }
        return regions
    }

    /// Zones are called as their cloud calls them: any word.
    private mutating func readZones(
        _ field: TopologyReader.Field?, regions: [Topology.Region]
    ) -> [String: String] {
        var zones: [String: String] = [:]
        for (zone, field) in reader.entries(field) {
            guard let name = reader.text(field, "a region's name") else { continue }
            if regions.contains(where: { $0.name == name }) {
                zones[zone] = name
            } else {
                reader.report(field.path, "there is no region \"\(QuotedText.shown(name))\"")
            }
        }
        return zones
    }

    private mutating func readLocation(_ field: TopologyReader.Field?) -> Topology.Location? {
        guard let field, let items = reader.sequence(field) else { return nil }
        guard items.count == 2 else {
            reader.report(field.path, "expected [latitude, longitude], found \(items.count) items")
            return nil
        }
        let latitude = reader.number(items[0], in: -90...90)
        let longitude = reader.number(items[1], in: -180...180)
        guard let latitude, let longitude else { return nil }
        return .init(latitude: latitude, longitude: longitude)
    }

    private mutating func readNodeTemplate(_ field: TopologyReader.Field?) {
        guard let field, let template = reader.mapping(field, keys: ["name_prefix"] + Self.nodeKeys) else { return }
        if let prefix = reader.text(reader.required("name_prefix", in: template), "a name's beginning"),
            !NodeName.isValid(prefix + "0")
        {
            reader.report(field.path + ".name_prefix", "\"\(QuotedText.shown(prefix))\" cannot begin a node's name")
        }
        reader.report(field.path, "not supported by this version")
    }

    /// A name of a region or node, unique among `taken`; returned even if it is malformed or taken.
    private mutating func readLabel(_ field: TopologyReader.Field?, taken: [String]) -> String? {
        guard let field, let name = reader.text(field, "a name") else { return nil }
        if !NodeName.isValid(name) {
            reader.report(
                field.path,
                "\"\(QuotedText.shown(name))\" is not a name (1 to 63 of a-z, 0-9 and -, not - at an end)")
        } else if taken.contains(name) {
            reader.report(field.path, "\"\(name)\" is already taken")
        }
        return name
    }
}

// MARK: - Nodes

extension TopologyParser {
    private static let nodeKeys = ["name", "role", "region", "public", "internal", "media", "viewers", "upstream"]

    private mutating func readNodes(_ field: TopologyReader.Field?) -> [PartialNode] {
        var nodes: [PartialNode] = []
        guard let items = reader.sequence(field) else { return [] }
        if let field, items.isEmpty { reader.report(field.path, "there must be at least one node") }
        for item in items {
            var node = PartialNode(path: item.path)
            if let mapping = reader.mapping(item, keys: Self.nodeKeys) {
                let edges = nodes.count { $0.role == .edge }
                readNode(mapping, edges: edges, taken: nodes.compactMap(\.name), into: &node)
            }
            nodes.append(node)
        }
        return nodes
    }

    /// The defaults are those of a local deployment: origins on 8080, 9080 and 5000, the n-th edge (from 0) on 8081 + n,
    /// 9081 + n and 7000 + 100 n.
    private mutating func readNode(
        _ mapping: TopologyReader.Mapping, edges: Int, taken: [String], into node: inout PartialNode
    ) {
        node.name = readLabel(reader.required("name", in: mapping), taken: taken)
        node.role = reader.choice(reader.required("role", in: mapping), Topology.Role.self)
        node.region = reader.text(reader.required("region", in: mapping), "a region's name")
        let index = min(edges, 100)
        let isEdge = node.role == .edge
        readListeners(
            mapping, publicPort: isEdge ? 8_081 + index : 8_080, internalPort: isEdge ? 9_081 + index : 9_080,
            into: &node)
        node.media = readMedia(mapping["media"], defaultPort: isEdge ? 7_000 + 100 * index : 5_000)
        node.viewers = mapping["viewers"] == nil ? isEdge : reader.boolean(mapping["viewers"])
        readUpstream(mapping["upstream"], into: &node)
        guard let role = node.role else { return }
        if role == .origin, let upstream = mapping["upstream"] {
            reader.report(upstream.path, "an origin has no upstream")
        }
        if role == .edge, mapping["upstream"] == nil { _ = reader.required("upstream", in: mapping) }
    }

    private mutating func readMedia(_ field: TopologyReader.Field?, defaultPort: Int) -> Topology.Media? {
        let fallback = TransportAddress(ipv4: 0, port: UInt16(defaultPort))
        guard let field else { return .init(listen: fallback) }
        guard let mapping = reader.mapping(field, keys: ["listen", "port", "workers", "advertise"]) else { return nil }
        let listen = mapping["listen"] == nil ? fallback : readAddress(mapping["listen"])
        let port = mapping["port"] == nil ? defaultPort : reader.integer(mapping["port"], in: 1...65_535)
        let workers = mapping["workers"] == nil ? 1 : reader.integer(mapping["workers"], in: 1...64)
        var advertise: [TransportAddress]?
        if let list = mapping["advertise"], let items = reader.sequence(list) {
            advertise = items.compactMap { readAddress($0, toAdvertise: true) }
            if items.isEmpty { reader.report(list.path, "an empty list: nobody could connect; leave it out for all") }
        }
        guard var listen, let port, let workers else { return nil }
        guard port + workers - 1 <= 65_535 else {
            reader.report(field.path + ".port", "\(workers) workers from port \(port) on pass 65535")
            return nil
        }
        listen.port = UInt16(port)
        return .init(listen: listen, workers: workers, advertise: advertise)
    }

    /// Of what others reach.
    mutating func readAddresses(_ field: TopologyReader.Field?) -> [TransportAddress] {
        (reader.sequence(field) ?? []).compactMap { readAddress($0, toAdvertise: true) }
    }

    private mutating func readAddress(_ field: TopologyReader.Field?, toAdvertise: Bool = false) -> TransportAddress? {
        guard let field, let text = reader.text(field, "an IP address") else { return nil }
        guard let address = TransportAddress(text, port: 0) else {
            reader.report(field.path, "\"\(QuotedText.shown(text))\" is not an IP address")
            return nil
        }
        if toAdvertise, address.isUnspecified || address.isLinkLocal {
            reader.report(field.path, "\(text) is not an address that others can reach")
            return nil
        }
        return address
    }
}
