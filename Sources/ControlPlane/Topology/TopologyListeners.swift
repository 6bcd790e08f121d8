// MARK: - The listeners of a node

extension TopologyParser {
    /// What URLs of a listener have to begin with, and why.
    private typealias Scheme = (name: String, reason: String)

    mutating func readListeners(
        _ mapping: TopologyReader.Mapping, publicPort: Int, internalPort: Int, into node: inout PartialNode
    ) {
        let outer = reader.mapping(
            mapping["public"], keys: ["listen", "url", "addresses", "tls", "http", "acme_challenges", "proxies"])
        let inner = reader.mapping(mapping["internal"], keys: ["listen", "url"])
        node.front = readFront(outer, of: node.name)
        // Even if the section is broken: the URL is not to blame.
        node.publicListener = readListener(
            outer, default: ("0.0.0.0", publicPort), outer?["tls"].map { _ in ("https", "public.tls is set") })
        node.internalListener = readListener(
            inner, default: ("127.0.0.1", internalPort),
            (internalScheme, internalScheme == "https" ? "internal_tls is set" : "https needs internal_tls"))
    }

    private mutating func readListener(
        _ section: TopologyReader.Mapping?, default standard: (host: String, port: Int), _ scheme: Scheme?
    ) -> Topology.Listener? {
        let listen = section?["listen"] == nil ? standard : readHostAndPort(section?["listen"])
        var url: String?
        if let field = section?["url"] {
            guard let read = readURL(field, scheme) else { return nil }
            url = read
        }
        guard let (host, port) = listen else { return nil }
        let standardURL = TopologySyntax.defaultURL(host: host, port: port, scheme: scheme?.name ?? "http")
        return .init(host: host, port: port, url: url ?? standardURL, isURLGiven: url != nil)
    }

    private mutating func readHostAndPort(_ field: TopologyReader.Field?) -> (host: String, port: Int)? {
        guard let field, let text = reader.text(field, "host:port") else { return nil }
        if let parsed = TopologySyntax.hostAndPort(text) { return parsed }
        reader.report(field.path, "expected host:port or [IPv6]:port, found \"\(QuotedText.shown(text))\"")
        return nil
    }

    private mutating func readURL(_ field: TopologyReader.Field, _ scheme: Scheme?) -> String? {
        guard let text = reader.text(field, "a URL") else { return nil }
        guard let parsed = TopologySyntax.baseURL(text) else {
            reader.report(
                field.path,
                "expected http://host:port or https://host without a path, found \"\(QuotedText.shown(text))\"")
            return nil
        }
        if let scheme, !parsed.url.hasPrefix(scheme.name + "://") {
            reader.report(field.path, "expected \(scheme.name)://…: \(scheme.reason)")
        }
        return parsed.url
    }

    // MARK: - Where the public listener meets the internet

    private mutating func readFront(_ section: TopologyReader.Mapping?, of node: String?) -> Topology.Front {
        var front = Topology.Front()
        guard let section else { return front }
        front.tls = readCertificates(section["tls"], ["certificate", "key"])?.of(node ?? "")
        front.plain = readPlain(section)
        front.addresses = readAddresses(section["addresses"])
        for item in reader.sequence(section["proxies"]) ?? [] {
            if let block = readBlock(item) { front.proxies.append(block) }
        }
        return front
    }

    private mutating func readPlain(_ section: TopologyReader.Mapping) -> Topology.Plain? {
        for (key, other) in [("http", "tls"), ("acme_challenges", "http")] {
            guard let field = section[key], section[other] == nil else { continue }
            reader.report(field.path, "needs public.\(other) beside it")
        }
        let challenges = section["acme_challenges"].flatMap { reader.text($0, "a path") }.map(secrets.absolute)
        guard let (host, port) = readHostAndPort(section["http"]) else { return nil }
        return .init(host: host, port: port, challenges: challenges)
    }
}
