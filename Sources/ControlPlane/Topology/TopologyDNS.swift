package import WebRTC

// MARK: - The `dns` section, and who is sent to which region

extension Topology {
    /// Names that lead clients to the nearest node, for whoever answers them (`probe topology render`). Nodes do not need it.
    package struct DNS: Hashable, Sendable {
        /// Without a dot at the end; all names below are in it, and in lower case.
        package var zone: String
        /// Leads to the nearest ready edge.
        package var name: String
        /// Leads publishers to the nearest ready origin; nil: there is no such name.
        package var publish: String?
        /// How long an answer about a node is good.
        package var ttl = Duration.seconds(3)
        /// Of servers that render their zone themselves (gdnsd, CoreDNS).
        package var nameServers: [NameServer] = []
        /// A GeoIP2 or GeoLite2 database: of cities, to find the nearest region; of countries, for `clients.places`.
        package var geoip2: String?

        package init(zone: String, name: String) { (self.zone, self.name) = (zone, name) }

        package struct NameServer: Hashable, Sendable {
            package var name: String
            /// Needed where the name is in the zone (RFC 1035 §3.3.11: glue).
            package var addresses: [TransportAddress]
        }

        package func contains(_ name: String) -> Bool { name == zone || name.hasSuffix("." + zone) }

        /// Host names that lead to the edges of `region` alone.
        package func names(of region: Region) -> [String] {
            let given = region.hostnames.map { $0.lowercased() }.filter(contains)
            return given.isEmpty ? ["\(region.name).\(zone)"] : given
        }
    }

    /// Who is sent to a region first, wherever the region is.
    package struct Clients: Hashable, Sendable {
        package var networks: [AddressBlock] = []
        /// Codes of GeoIP2 from the continent down: `EU`, `AS/TR`, `NA/US/CA`.
        package var places: [String] = []

        package init() {}
    }
}

extension TopologyParser {
    mutating func readDomain(_ field: TopologyReader.Field?, regions: [Topology.Region]) -> Topology.DNS? {
        let keys = ["zone", "name", "publish", "ttl", "name_servers", "geoip2"]
        guard let section = reader.mapping(field, keys: keys) else { return nil }
        let zone = readHostname(reader.required("zone", in: section))
        let name = readHostname(reader.required("name", in: section))
        guard let zone, let name else { return nil }
        var dns = Topology.DNS(zone: zone, name: name)
        dns.publish = readHostname(section["publish"])
        dns.ttl = reader.duration(section["ttl"], in: .seconds(1) ... .seconds(3_600)) ?? dns.ttl
        dns.geoip2 = reader.text(section["geoip2"], "a path")
        for item in reader.sequence(section["name_servers"]) ?? [] {
            guard let server = readNameServer(item, of: dns) else { continue }
            dns.nameServers.append(server)
        }
        check(dns, regions: regions)
        return dns
    }

    private mutating func readNameServer(
        _ item: TopologyReader.Field, of dns: Topology.DNS
    ) -> Topology.DNS.NameServer? {
        guard let server = reader.mapping(item, keys: ["name", "addresses"]),
            let name = readHostname(reader.required("name", in: server))
        else { return nil }
        let addresses = readAddresses(server["addresses"])
        if addresses.isEmpty, server["addresses"] == nil, dns.contains(name) {
            reader.report(item.path + ".addresses", "is missing: \(name) is in the zone that it answers for")
        }
        return .init(name: name, addresses: addresses)
    }

    /// Every name is in the zone and leads to one thing.
    private mutating func check(_ dns: Topology.DNS, regions: [Topology.Region]) {
        var taken: [(name: String, by: String)] = []
        let names =
            [("dns.name", dns.name)] + (dns.publish.map { [("dns.publish", $0)] } ?? [])
            + regions.enumerated().flatMap { i, region in dns.names(of: region).map { ("regions[\(i)].hostnames", $0) }
            }
            + dns.nameServers.enumerated().map { ("dns.name_servers[\($0)].name", $1.name) }
        for (path, name) in names {
            if path == "dns.name" || path == "dns.publish", !dns.contains(name) {
                reader.report(path, "\"\(name)\" is not in the zone \(dns.zone)")
            }
            if let other = taken.first(where: { $0.name == name }) {
                reader.report(path, "\"\(name)\" is also \(other.by)")
            }
            taken.append((name, path))
        }
    }

    /// Names are compared, so they have one spelling (RFC 4343).
    private mutating func readHostname(_ field: TopologyReader.Field?) -> String? {
        guard let field, let text = reader.text(field, "a host name") else { return nil }
        if TopologySyntax.isHostname(text) { return text.lowercased() }
        reader.report(field.path, "\"\(QuotedText.shown(text))\" is not a host name")
        return nil
    }

    // MARK: - Parts of regions and nodes

    mutating func readClients(
        _ field: TopologyReader.Field?, others: [Topology.Region]
    ) -> Topology.Clients {
        var clients = Topology.Clients()
        guard let section = reader.mapping(field, keys: ["networks", "places"]) else { return clients }
        for item in reader.sequence(section["networks"]) ?? [] {
            guard let block = readBlock(item) else { continue }
            if let region = others.first(where: { $0.clients.networks.contains(block) }) {
                reader.report(item.path, "\(block) is sent to \(region.name) already")
            }
            clients.networks.append(block)
        }
        for item in reader.sequence(section["places"]) ?? [] {
            guard let place = reader.text(item, "a place") else { continue }
            if !TopologySyntax.isPlace(place) {
                reader.report(
                    item.path,
                    "\"\(QuotedText.shown(place))\" is not a place: expected a continent (AF, AN, AS, EU, NA, OC, SA), or "
                        + "with a country (EU/DE), or with a subdivision (NA/US/CA)")
            } else if let region = others.first(where: { $0.clients.places.contains(place) }) {
                reader.report(item.path, "\(place) is sent to \(region.name) already")
            } else {
                clients.places.append(place)
            }
        }
        return clients
    }

    mutating func readBlock(_ item: TopologyReader.Field) -> AddressBlock? {
        guard let text = reader.text(item, "an address or a block of them") else { return nil }
        do throws(AddressBlock.Failure) {
            return try AddressBlock(text)
        } catch {
            reader.report(item.path, "\"\(QuotedText.shown(text))\": \(error)")
            return nil
        }
    }
}

extension Topology.Listener {
    /// What `url` says of itself.
    package var reached: (isTLS: Bool, host: String, port: Int) {
        guard let parsed = TopologySyntax.baseURL(url) else { preconditionFailure("\(url) was read as a URL") }
        return (url.hasPrefix("https://"), parsed.host, parsed.port)
    }
}

extension Topology.Node {
    /// What names that lead here resolve to: what the file says, else the address in the URL, else where media goes.
    package var publicAddresses: [TransportAddress] {
        if !front.addresses.isEmpty { return front.addresses }
        if publicListener.isURLGiven, let literal = TransportAddress(publicListener.reached.host, port: 0) {
            return [literal]
        }
        return media.advertise ?? []
    }
}
