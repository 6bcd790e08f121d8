import ControlPlane
import Testing

// Whatever is wrong with a topology is said with its path and line, all at once, and a secret that stands in the file by
// mistake is not repeated. Each row changes one place of the valid sample.

struct TopologyMistake: Sendable, CustomTestStringConvertible {
    var old: String
    var new: String
    var problems: [String]

    init(_ old: String, _ new: String, _ problems: String...) {
        (self.old, self.new, self.problems) = (old, new, problems)
    }

    var testDescription: String { "\(old) → \(new)" }
}

@Suite struct TopologyProblemsTests {
    @Test func sampleIsValid() {
        #expect(TopologySample.problems(TopologySample.yaml) == [])
        #expect(TopologySample.problems(TopologySample.yaml, for: TopologySample.request(.edge)) == [])
    }

    /// A file with a mistake in each line gets a list that somebody can read.
    @Test func aHundredProblemsAreShown() throws {
        let keys = (0..<5_000).map { "key-\($0): 1\n" }.joined()
        let error = #expect(throws: ConfigurationError.self) {
            try Topology.parse(TopologySample.yaml + keys, file: "t", for: TopologySample.request(.edge))
        }
        let lines = try #require(error).description.split(separator: "\n")
        #expect(lines.count == 101 && lines.last == "and 4900 more")
        #expect(error?.problems.count == 5_000)
    }

    private func check(_ mistake: TopologyMistake) {
        #expect(TopologySample.yaml.contains(mistake.old))
        let range = TopologySample.yaml.firstRange(of: mistake.old)!
        var yaml = TopologySample.yaml
        yaml.replaceSubrange(range, with: mistake.new)
        #expect(TopologySample.problems(yaml) == mistake.problems)
    }

    static let shapes: [TopologyMistake] = [
        .init("version: 1", "version: 2", "t:1: version: 2 is not between 1 and 1"),
        .init("version: 1\n", "", "t: version: is missing"),
        .init("version: 1", "version: '1'", "t:1: version: expected a whole number, found text in quotes"),
        .init(
            "version: 1", "version: 1\nextra: 5",
            "t:2: extra: unknown key; known here: version, auth, internal_tls, on_conflict, hold, linger, relay_timeout, "
                + "drain_deadline, drain_window, simulation, logging, limits, dns, regions, zones, nodes"),
        .init("hold: 30s", "hold: 30", "t:9: hold: expected a duration such as 30s, 500ms, 2m or 1h, found \"30\""),
        .init("hold: 30s", "hold: -1s", "t:9: hold: expected a duration such as 30s, 500ms, 2m or 1h, found \"-1s\""),
        .init("hold: 30s", "hold: 1e9h", "t:9: hold: expected a duration such as 30s, 500ms, 2m or 1h, found \"1e9h\""),
        .init("hold: 30s", "hold: 48h", "t:9: hold: 48h is not between 0.0 seconds and 86400.0 seconds"),
        .init("hold: 30s", "hold: [30s]", "t:9: hold: expected a duration, found a list"),
        .init("hold: 30s", "hold:", "t:9: hold: expected a duration, found nothing"),
        .init("simulation: false", "simulation: no", "t:10: simulation: expected true or false, found \"no\""),
        .init(
            "simulation: false", "logging: { addresses: none }",
            "t:10: logging.addresses: expected full or masked, found \"none\""),
        .init("simulation: false", "logging: masked", "t:10: logging: expected a mapping, found a single value"),
        .init("on_conflict: reject", "on_conflict: win", "t:8: on_conflict: expected reject or replace, found \"win\""),
        .init("viewers: 5000", "viewers: many", "t:11: limits.viewers: expected a whole number, found \"many\""),
        .init("viewers: 5000", "body_bytes: 1", "t:11: limits.body_bytes: 1 is not between 4096 and 1048576"),
        .init(
            "viewers: 5000", "viewers: 99999999999999999999",
            "t:11: limits.viewers: expected a whole number, found \"99999999999999999999\""),
        .init("limits: { viewers: 5000 }", "limits: 5", "t:11: limits: expected a mapping, found a single value"),
        .init("hold: 30s", "hold: 30s\nhold: 10s", "t:9: is not YAML: the same key twice: hold"),
        .init("hold: 30s", "hold: {", "t:11: is not YAML: did not find expected ',' or '}'"),
        .init("hold: 30s", "? [a]\n: b", "t:9: a key here is a list, not a word"),
        .init("nodes:", "---\nnodes:", "t:14: is not YAML: but found another document"),
    ]

    @Test(arguments: shapes) func shape(_ mistake: TopologyMistake) { check(mistake) }

    static let auth: [TopologyMistake] = [
        .init("  watch: open\n", "", "t:2: auth.watch: is missing"),
        .init(
            "watch: open", "watch: opne", "t:4: auth.watch: expected open, { token_env: NAME } or { token_file: PATH }"),
        .init(
            "watch: open", "watch: { token: hunter2 }",
            "t:4: auth.watch.token: unknown key; known here: token_env, token_file"),
        .init(
            "watch: open", "watch: {}", "t:4: auth.watch: expected open, { token_env: NAME } or { token_file: PATH }"),
        .init(
            "watch: open", "watch: { token_env: PUBLISH, token_file: x }",
            "t:4: auth.watch: expected open, { token_env: NAME } or { token_file: PATH }"),
        .init(
            "watch: open", "watch: { token_env: ABSENT }",
            "t:4: auth.watch.token_env: environment variable ABSENT is not set"),
        .init(
            "watch: open", "watch: { token_env: hunter-2 }",
            "t:4: auth.watch.token_env: expected an environment variable's name (A-Z, a-z, 0-9 and _)"),
        .init(
            "watch: open", "watch: { token_file: /nowhere/token }",
            "t:4: auth.watch.token_file: /nowhere/token does not exist"),
        .init(
            "watch: open", "watch: { token_file: / }",
            "t:4: auth.watch.token_file: / cannot be read (is it a regular file?)"),
        .init(
            "{ secret_env: NODE }", "{ secret_env: PUBLISH }",
            "t:5: auth.node.secret_env: the secret has 13 bytes; HS256 needs at least 32 (openssl rand -hex 32)"),
        .init(
            "{ secret_env: NODE }", "{ token_env: NODE }",
            "t:5: auth.node.token_env: unknown key; known here: secret_env, secret_file"),
        .init(
            "\"news-*\"", "\"news/*\"",
            "t:7: auth.broadcasts[0].name: \"news/*\" is not a broadcast name or a pattern with *"),
        .init("name: \"news-*\", ", "", "t:7: auth.broadcasts[0].name: is missing"),
        .init(
            ", publish: { token_env: NEWS }, watch: open", "",
            "t:7: auth.broadcasts[0]: changes neither publish nor watch"),
    ]

    @Test(arguments: auth) func authorization(_ mistake: TopologyMistake) { check(mistake) }

    static let nodes: [TopologyMistake] = [
        .init("[50.11, 8.68]", "[150.11, 8.68]", "t:13: regions[0].location[0]: 150.11 is not between -90.0 and 90.0"),
        .init("[50.11, 8.68]", "[50.11, nan]", "t:13: regions[0].location[1]: expected a number, found \"nan\""),
        .init("[50.11, 8.68]", "[50.11]", "t:13: regions[0].location: expected [latitude, longitude], found 1 items"),
        .init("eu.example.net", "eu_example", "t:13: regions[0].hostnames[0]: \"eu_example\" is not a host name"),
        .init(
            "location: [50.11, 8.68]", "node_template: { name_prefix: edge-eu- }",
            "t:13: regions[0].node_template: not supported by this version"),
        .init("nodes:", "  - { name: eu }\nnodes:", "t:14: regions[1].name: \"eu\" is already taken"),
        .init(
            "region: eu\n    public", "region: moon\n    public", "t:17: nodes[0].region: there is no region \"moon\""),
        .init(
            "name: origin-1", "name: Origin_1",
            "t:15: nodes[0].name: \"Origin_1\" is not a name (1 to 63 of a-z, 0-9 and -, not - at an end)",
            "t:26: nodes[1].upstream.static[0]: there is no node \"origin-1\"",
            "t:30: nodes[2].upstream.static[1]: there is no node \"origin-1\""),
        .init(
            "name: edge-2", "name: edge-1",
            "t:27: nodes[2].name: \"edge-1\" is already taken",
            "t:30: nodes[2].upstream.static[0]: a node cannot be its own upstream"),
        .init("role: origin", "role: hub", "t:16: nodes[0].role: expected origin or edge, found \"hub\""),
        .init("    role: origin\n", "", "t:15: nodes[0].role: is missing"),
        .init(
            "\"0.0.0.0:8080\"", "\"8080\"",
            "t:18: nodes[0].public.listen: expected host:port or [IPv6]:port, found \"8080\""),
        .init(
            "\"0.0.0.0:8080\"", "\"0.0.0.0:0\"",
            "t:18: nodes[0].public.listen: expected host:port or [IPv6]:port, found \"0.0.0.0:0\""),
        .init(
            "\"http://127.0.0.1:8080\"", "\"ftp://127.0.0.1:8080\"",
            "t:18: nodes[0].public.url: expected http://host:port or https://host without a path, "
                + "found \"ftp://127.0.0.1:8080\""),
        .init(
            "\"http://127.0.0.1:8080\"", "\"http://a/path\"",
            "t:18: nodes[0].public.url: expected http://host:port or https://host without a path, found \"http://a/path\""
        ),
        .init(
            "\"127.0.0.1:9080\"", "\"127.0.0.1:8080\"",
            "t:19: nodes[0].internal.listen: port 8080 is the public listener's"),
        .init(
            "\"0.0.0.0:8080\"", "\"0.0.0.0:8080\", http: \"0.0.0.0:80\", acme_challenges: c",
            "t:18: nodes[0].public.http: needs public.tls beside it"),
        .init(
            "\"0.0.0.0:8080\"", "\"0.0.0.0:8080\", acme_challenges: c",
            "t:18: nodes[0].public.acme_challenges: needs public.http beside it"),
        .init(
            "\"0.0.0.0:8080\"", "\"0.0.0.0:8080\", http: 80",
            "t:18: nodes[0].public.http: needs public.tls beside it",
            "t:18: nodes[0].public.http: expected host:port or [IPv6]:port, found \"80\""),
        .init(
            "\"http://127.0.0.1:8080\" }", "\"http://a\", tls: { certificate: c }, http: \"[::]:9080\" }",
            "t:18: nodes[0].public.tls.key: is missing",
            "t:18: nodes[0].public.url: expected https://…: public.tls is set",
            "t:19: nodes[0].internal.listen: port 9080 is the plain listener's"),
        .init(
            "\"0.0.0.0:8080\"", "\"0.0.0.0:8080\", proxies: [\"10.0.0.0/8\", lb, \"10.1.0.0/8\", \"::/0\"]",
            "t:18: nodes[0].public.proxies[1]: \"lb\": expected an IP address or a block such as 10.0.0.0/8",
            "t:18: nodes[0].public.proxies[2]: \"10.1.0.0/8\": has bits behind its length; expected 10.0.0.0/8",
            "t:18: nodes[0].public.proxies[3]: \"::/0\": expected 1 to 128 after the slash"),
        .init(
            "\"0.0.0.0:8080\"", "\"0.0.0.0:8080\", proxies: \"10.0.0.0/8\"",
            "t:18: nodes[0].public.proxies: expected a list, found a single value"),
        .init(
            "listen: \"0.0.0.0\", port: 5000", "listen: localhost, port: 5000",
            "t:20: nodes[0].media.listen: \"localhost\" is not an IP address"),
        .init(
            "port: 5000", "port: 5059",
            "t:20: nodes[0].media.port: browsers refuse UDP port 5060 (in use: ports 5059 to 5060)"),
        .init(
            "port: 5000", "port: 5999",
            "t:20: nodes[0].media.port: browsers refuse UDP port 6000 (in use: ports 5999 to 6000)"),
        .init(
            "port: 5000", "port: 1022",
            "t:20: nodes[0].media.port: browsers refuse UDP port 1022 (in use: ports 1022 to 1023)"),
        .init("port: 5000", "port: 65535", "t:20: nodes[0].media.port: 2 workers from port 65535 on pass 65535"),
        .init(
            "port: 5000", "port: 6999",
            "t:25: nodes[1].media.port: UDP port 7000: also in origin-1's ports 6999 to 7000, on the same host"),
        .init("workers: 2", "workers: 0", "t:20: nodes[0].media.workers: 0 is not between 1 and 64"),
        .init(
            "workers: 2", "advertise: [\"0.0.0.0\"]",
            "t:20: nodes[0].media.advertise[0]: 0.0.0.0 is not an address that others can reach"),
        .init(
            "workers: 2", "advertise: []",
            "t:20: nodes[0].media.advertise: an empty list: nobody could connect; leave it out for all"),
        .init(
            "viewers: true", "upstream: { static: [edge-1] }",
            "t:21: nodes[0].upstream: an origin has no upstream",
            "t:21: nodes[0].upstream: the upstreams form a circle: origin-1 → edge-1 → origin-1"),
        .init("    upstream: { static: [origin-1] }\n", "", "t:22: nodes[1].upstream: is missing"),
        .init("[origin-1]", "[]", "t:26: nodes[1].upstream.static: an empty list: name at least one node"),
        .init("[origin-1]", "[origin-9]", "t:26: nodes[1].upstream.static[0]: there is no node \"origin-9\""),
        .init("[origin-1]", "[origin-1, origin-1]", "t:26: nodes[1].upstream.static[1]: \"origin-1\" is named twice"),
        .init(
            "[origin-1]", "[edge-2]", "t:26: nodes[1].upstream: the upstreams form a circle: edge-1 → edge-2 → edge-1"),
        .init(
            "{ static: [origin-1] }", "{ dns: { name: origins.example.net, port: 9080, record: MX } }",
            "t:26: nodes[1].upstream.dns.record: expected A or AAAA or SRV, found \"MX\""),
        .init(
            "{ static: [origin-1] }", "{ dns: { name: \"a b\", servers: [10.0.0.1, \"[::1]:5353\", ns.example.net] } }",
            "t:26: nodes[1].upstream.dns.name: expected a host name, found \"a b\"",
            "t:26: nodes[1].upstream.dns.servers[2]: \"ns.example.net\" is not an IP address with or without a port"),
        .init(
            "{ static: [origin-1] }", "{ endpoint_slices: { service: Origin } }",
            "t:26: nodes[1].upstream.endpoint_slices.directory: is missing",
            "t:26: nodes[1].upstream.endpoint_slices.service: expected a service's name, found \"Origin\""),
        .init(
            "{ static: [origin-1] }", "{ endpoint_slices: { directory: /slices, service: origin, port: 0 } }",
            "t:26: nodes[1].upstream.endpoint_slices.port: 0 is not between 1 and 65535"),
        .init(
            "    media: { port: 7000 }",
            "    internal: { url: \"http://127.0.0.1:9080\" }",
            "t:25: nodes[1].internal.url: http://127.0.0.1:9080 is also origin-1's"),
        .init(
            "    media: { port: 7000 }",
            "    internal: { listen: \"0.0.0.0:9080\", url: \"http://localhost:9080\" }\n    media: { port: 7000 }",
            "t:25: nodes[1].internal.listen: port 9080 is also that of origin-1's internal listener, on the same host"),
    ]

    static let clusters: [TopologyMistake] = [
        .init(
            "hostnames: [eu.example.net] }", "hub: maybe }",
            "t:13: regions[0].hub: expected auto or none, found \"maybe\""),
        .init(
            "simulation: false", "zones: { a: us, b: [eu], c: eu }", "t:10: zones.a: there is no region \"us\"",
            "t:10: zones.b: expected a region's name, found a list"),
        .init("simulation: false", "zones: [eu]", "t:10: zones: expected a mapping, found a list"),
        .init(
            "upstream: { static: [origin-1] }", "upstream: { static: [origin-1], peers: {} }",
            "t:26: nodes[1].upstream.peers: expected endpoint_slices, dns or both"),
        .init(
            "upstream: { static: [origin-1] }",
            "upstream: { static: [origin-1], peers: { dns: { name: e, ports: 1 } } }",
            "t:26: nodes[1].upstream.peers.dns.ports: unknown key; known here: name, port, record, servers"),
        .init(
            "upstream: { static: [origin-1] }", "upstream: { peers: { dns: { name: e } } }",
            "t:26: nodes[1].upstream.static: is missing"),
        .init(
            "upstream: { static: [edge-1, origin-1] }", "upstream: { static: [edge-1], peers: { dns: { name: e } } }",
            "t:30: nodes[2].upstream.peers: edge-1 of the same region is the parent already"),
    ]

    @Test(arguments: clusters) func cluster(_ mistake: TopologyMistake) { check(mistake) }

    @Test func peersInARegionWithoutHub() {
        let yaml = TopologySample.yaml.replacing("hostnames: [eu.example.net]", with: "hub: none")
            .replacing("static: [origin-1] }", with: "static: [origin-1], peers: { dns: { name: e } } }")
        #expect(TopologySample.problems(yaml) == ["t:26: nodes[1].upstream.peers: the region says hub: none"])
    }

    @Test(arguments: nodes) func node(_ mistake: TopologyMistake) { check(mistake) }

    @Test func everythingIsListedAtOnce() {
        let yaml = """
            version: 1
            auth: { publish: open, watch: { token_env: ABSENT }, node: open }
            hold: soon
            regions: [{ name: eu, location: [91, 0] }]
            nodes:
              - { name: a, role: origin, region: us, media: { port: 6000 } }
              - { name: b, role: edge, region: eu, upstrem: { static: [c] } }
            """
        #expect(
            TopologySample.problems(yaml, for: TopologySample.request(.edge)) == [
                "t:2: auth.watch.token_env: environment variable ABSENT is not set",
                "t:3: hold: expected a duration such as 30s, 500ms, 2m or 1h, found \"soon\"",
                "t:4: regions[0].location[0]: 91 is not between -90.0 and 90.0",
                "t:6: nodes[0].region: there is no region \"us\"",
                "t:6: nodes[0].media.port: browsers refuse UDP port 6000 (in use: port 6000)",
                "t:7: nodes[1].upstrem: unknown key; known here: name, role, region, public, internal, media, viewers, "
                    + "upstream",
                "t:7: nodes[1].upstream: is missing",
            ])
    }

    @Test(arguments: ["", "# nothing\n", "--- \n"]) func nothingAtAll(_ yaml: String) {
        #expect(["t: is empty", "t: expected a mapping, found nothing"].contains(TopologySample.problems(yaml).first))
    }

    @Test func authMayNotBeLeftOut() {
        let yaml = "version: 1\nregions: [{name: eu}]\nnodes: [{name: a, role: origin, region: eu}]\n"
        #expect(TopologySample.problems(yaml) == ["t: auth: is missing"])
    }

    @Test func misplacedTokensAreNotRepeated() {
        for wrong in ["hunter2-secret", "[hunter2-secret]", "{ token_env: hunter2-secret }", "\"hunter2-secret"] {
            let yaml = TopologySample.yaml.replacing("watch: open\n  node", with: "watch: \(wrong)\n  node")
            let problems = TopologySample.problems(yaml)
            #expect(!problems.isEmpty)
            #expect(!problems.contains { $0.contains("hunter2") })
        }
    }

    @Test func everyRestrictedPortIsRefused() {
        let restricted = [
            1, 80, 1_023, 1_719, 1_720, 1_723, 2_049, 3_659, 4_045, 4_190, 5_060, 5_061, 6_000, 6_566, 6_665, 6_666,
            6_667,
            6_668, 6_669, 6_697, 10_080,
        ]
        for port in restricted {
            let yaml = TopologySample.yaml.replacing("port: 7000", with: "port: \(port)")
            #expect(TopologySample.problems(yaml).contains { $0.contains("browsers refuse UDP port \(port) ") })
        }
    }
}
