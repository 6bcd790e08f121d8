import ControlPlane
import Testing
import WebRTC

// The `dns` section, who is sent where, and what names resolve to.

@Suite struct TopologyDNSTests {
    private static let section = """
        dns:
          zone: Example.net
          name: live.example.net
          publish: in.example.net
          ttl: 30s
          name_servers: [{ name: ns1.example.net, addresses: [192.0.2.53] }]
        hold: 30s
        """

    /// The sample with the section, which is its lines 9 to 14.
    private static func yaml(_ old: String = "", _ new: String = "") -> String {
        let whole = TopologySample.yaml.replacing("hold: 30s", with: section)
        return old.isEmpty ? whole : whole.replacing(old, with: new)
    }

    @Test func readsTheSection() throws {
        let topology = try Topology.parse(Self.yaml()).topology
        let dns = try #require(topology.dns)
        #expect((dns.zone, dns.name, dns.publish) == ("example.net", "live.example.net", "in.example.net"))
        #expect(dns.ttl == .seconds(30) && dns.nameServers.map(\.name) == ["ns1.example.net"])
        #expect(dns.names(of: topology.regions[0]) == ["eu.example.net"])
        #expect(dns.names(of: .init(name: "us", hostnames: ["us.elsewhere.example"])) == ["us.example.net"])
    }

    static let mistakes: [TopologyMistake] = [
        .init(
            "zone: Example.net", "zone: example", "t:11: dns.name: \"live.example.net\" is not in the zone example",
            "t:12: dns.publish: \"in.example.net\" is not in the zone example"),
        .init("zone: Example.net", "zone: a b", "t:10: dns.zone: \"a b\" is not a host name"),
        .init("  zone: Example.net\n", "", "t:9: dns.zone: is missing"),
        .init("ttl: 30s", "ttl: 500ms", "t:13: dns.ttl: 500ms is not between 1.0 seconds and 3600.0 seconds"),
        .init(
            "publish: in.example.net", "publish: live.example.net",
            "t:12: dns.publish: \"live.example.net\" is also dns.name"),
        .init(
            "name: live.example.net", "name: eu.example.net",
            "t:19: regions[0].hostnames: \"eu.example.net\" is also dns.name"),
        .init(
            ", addresses: [192.0.2.53]", "",
            "t:14: dns.name_servers[0].addresses: is missing: ns1.example.net is in the zone that it answers for"),
        .init(
            "addresses: [192.0.2.53]", "addresses: [ns]",
            "t:14: dns.name_servers[0].addresses[0]: \"ns\" is not an IP address"),
        .init(
            "hostnames: [eu.example.net]", "clients: { networks: [10.1.0.1/16], places: [Europe] }",
            "t:19: regions[0].clients.networks[0]: \"10.1.0.1/16\": has bits behind its length; expected 10.1.0.0/16",
            "t:19: regions[0].clients.places[0]: \"Europe\" is not a place: expected a continent (AF, AN, AS, EU, NA, OC, SA),"
                + " or with a country (EU/DE), or with a subdivision (NA/US/CA)"),
        .init(
            "hostnames: [eu.example.net] }",
            "clients: { networks: [10.1.0.0/16] } }\n  - { name: us, clients: { networks: [10.1.0.0/16] } }",
            "t:20: regions[1].clients.networks[0]: 10.1.0.0/16 is sent to eu already"),
        .init(
            "media: { port: 7000 }", "media: { port: 7000 }\n    public: { addresses: [0.0.0.0] }",
            "t:32: nodes[1].public.addresses[0]: 0.0.0.0 is not an address that others can reach"),
    ]

    @Test(arguments: mistakes) func mistake(_ mistake: TopologyMistake) {
        #expect(Self.yaml().contains(mistake.old))
        #expect(TopologySample.problems(Self.yaml(mistake.old, mistake.new)) == mistake.problems)
    }

    @Test(arguments: [
        ("public: { addresses: [192.0.2.1, \"2001:db8::1\"] }", ["192.0.2.1", "2001:db8::1"]),
        ("public: { url: \"http://192.0.2.2:8081\" }", ["192.0.2.2"]),
        ("public: { url: \"http://edge.example.net:8081\" }", []),
        ("media: { advertise: [192.0.2.3] }", ["192.0.2.3"]),
        ("public: { url: \"http://edge.example.net:8081\", addresses: [192.0.2.4] }", ["192.0.2.4"]),
    ])
    func whatANameResolvesTo(section: String, expected: [String]) throws {
        let yaml = TopologySample.yaml.replacing("media: { port: 7000 }", with: section)
        let node = try #require(try Topology.parse(yaml).topology.node(named: "edge-1"))
        #expect(node.publicAddresses.map(\.host) == expected)
    }

    /// Who renders or checks a deployment need not have its secrets, nor its certificates.
    @Test func noNodeNeedsNoSecret() throws {
        let yaml = TopologySample.yaml.replacing(
            "on_conflict: reject", with: "internal_tls: { ca: none, certificate: none, key: none }\non_conflict: reject"
        ).replacing("http://127.0.0.1:9080", with: "https://127.0.0.1:9080")
        let (topology, node) = try Topology.parse(yaml)
        #expect(topology.nodes.count == 3 && node == nil)
        guard case .closed = topology.auth.publish else {
            Issue.record("nobody's token was read")
            return
        }
    }
}
