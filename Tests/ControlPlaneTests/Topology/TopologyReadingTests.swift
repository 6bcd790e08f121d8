import ControlPlane
import Forwarding
import Foundation
import Testing
import WebRTC

// What a valid topology turns into, which node of it this process is, and which secrets it reads.

@Suite struct TopologyReadingTests {
    /// The file at the top of the repository.
    static var shippedFile: String {
        URL(filePath: #filePath).appending(path: "../../../../topology.yaml").standardized.path
    }

    static let shippedEnvironment = [
        "CASCADE_PUBLISH_TOKEN": "demo", "CASCADE_NODE_SECRET": "0123456789abcdef0123456789abcdef",
    ]

    @Test(arguments: [(Topology.Role.origin, "origin-1"), (.edge, "edge-eu"), (.edge, "edge-us")])
    func shippedTopologyIsValid(role: Topology.Role, name: String) throws {
        let request = NodeRequest(role: role, name: name, environment: Self.shippedEnvironment)
        let (topology, node) = try Topology.load(file: Self.shippedFile, for: request)
        #expect(node?.name == name)
        #expect(topology.nodes.map(\.publicListener.url) == (8_080...8_082).map { "http://127.0.0.1:\($0)" })
        #expect(topology.nodes.map(\.internalListener.url) == (9_080...9_082).map { "http://127.0.0.1:\($0)" })
        #expect(topology.nodes.map(\.media.ports) == [5_000...5_000, 7_000...7_000, 7_100...7_100])
        #expect(topology.nodes.map(\.region) == ["eu", "eu", "us"])
        // Firefox forms no pair with a server that offers 127.0.0.1 alone.
        #expect(topology.nodes.allSatisfy { $0.media.advertise == nil && $0.media.listen.isUnspecified })
        guard case .open = topology.auth.watch, case .secret = topology.auth.node else {
            Issue.record("everyone may watch, nodes sign")
            return
        }
    }

    /// As the documentation shows it: an edge may leave its listeners out.
    @Test func documentedExampleIsValid() throws {
        let yaml = """
            version: 1
            auth:
              publish: { token_env: CASCADE_PUBLISH_TOKEN }   # or `open`; `auth` may not be left out
              watch: open                                     # or { token_env: … }
              node: { secret_env: CASCADE_NODE_SECRET }       # what nodes sign their relay requests with; or `open`
              broadcasts:                                     # optional, first match wins over the two above
                - { name: "news-*", publish: { token_file: secrets/news }, watch: open }
            on_conflict: reject                               # or replace
            hold: 30s                                         # how long viewers stay without a source
            simulation: false                                 # true: sessions accept impairment
            limits: { viewers: 5000, sessions_half_open: 500 }
            regions:
              - { name: eu, location: [50.11, 8.68], hostnames: [eu.example.net] }
            nodes:
              - name: origin-1
                role: origin
                region: eu
                public: { listen: "0.0.0.0:8080", url: "http://127.0.0.1:8080" }
                internal: { listen: "127.0.0.1:9080", url: "http://127.0.0.1:9080" }
                media: { listen: "0.0.0.0", port: 5000, workers: 1 }
                viewers: true                           # people may watch at the origin too
              - name: edge-eu-1
                role: edge
                region: eu
                upstream: { static: [origin-1] }
            """
        let edge = NodeRequest(role: .edge, name: nil, environment: Self.shippedEnvironment)
        #expect(try Topology.parse(yaml, for: edge).node?.name == "edge-eu-1")
        // Only the origin reads publishers' tokens.
        let origin = NodeRequest(role: .origin, name: nil, environment: Self.shippedEnvironment)
        #expect(
            TopologySample.problems(yaml, for: origin)
                == ["t:7: auth.broadcasts[0].publish.token_file: secrets/news does not exist"])
    }

    @Test func upstreamsThatAreDiscovered() throws {
        func upstream(_ text: String) throws -> Topology.Upstream {
            let yaml = TopologySample.yaml.replacing("{ static: [origin-1] }", with: text)
            let edge = TopologySample.request(.edge, name: "edge-1")
            return try Topology.parse(yaml, directory: "/etc/cascade", for: edge).topology.node(named: "edge-1")!
                .upstream
        }
        #expect(
            try upstream("{ endpoint_slices: { directory: slices, service: origin } }")
                == .init(slices: .init(directory: "/etc/cascade/slices", service: "origin", port: 9_080)))
        #expect(
            try upstream("{ static: [origin-1], endpoint_slices: { directory: /s, service: o, port: 9081 } }")
                == .init(nodes: ["origin-1"], slices: .init(directory: "/s", service: "o", port: 9_081)))
        #expect(
            try upstream("{ dns: { name: origins.example.net } }") == .init(dns: .init(name: "origins.example.net")))
        #expect(
            try upstream("{ dns: { name: _internal._tcp.origin, record: SRV, servers: [\"::1\", \"10.0.0.1:5353\"] } }")
                == .init(
                    dns: .init(
                        name: "_internal._tcp.origin", record: .srv, servers: ["[::1]:53", "10.0.0.1:5353"])))
    }

    @Test(arguments: [
        ("", LogAddresses.full), ("logging: {}\n", .full), ("logging: { addresses: full }\n", .full),
        ("logging: { addresses: masked }\n", .masked),
    ])
    func addressesInTheLog(text: String, expected: LogAddresses) throws {
        let yaml = TopologySample.yaml + text
        #expect(try Topology.parse(yaml, file: "t", for: TopologySample.request()).topology.logAddresses == expected)
    }

    @Test func hubsPeersAndZones() throws {
        let yaml = TopologySample.yaml
            .replacing(
                "hostnames: [eu.example.net] }", with: "hostnames: [eu.example.net] }\n  - { name: us, hub: none }"
            )
            .replacing("nodes:\n", with: "zones: { eu-central-1a: eu, \"1\": us }\nnodes:\n")
            .replacing(
                "{ static: [origin-1] }",
                with:
                    "{ static: [origin-1], peers: { endpoint_slices: { directory: s, service: edge }, dns: { name: e } } }"
            )
        let topology = try Topology.parse(yaml, directory: "/d", for: TopologySample.request()).topology
        #expect(topology.regions.map(\.hub) == [.auto, .off])
        #expect(topology.zones == ["eu-central-1a": "eu", "1": "us"])
        let edge = try #require(topology.node(named: "edge-1"))
        #expect(
            edge.upstream
                == .init(
                    nodes: ["origin-1"],
                    peers: .init(slices: .init(directory: "/d/s", service: "edge"), dns: .init(name: "e"))))
        #expect(edge.upstream.isSame(as: .static(["origin-1"])))
    }

    @Test func valuesOfTheSample() throws {
        let (topology, node) = try Topology.parse(TopologySample.yaml, for: TopologySample.request(isCheck: false))
        #expect(topology.hold == .seconds(30))
        #expect(topology.linger == .seconds(10))
        #expect(topology.relayTimeout == .seconds(3))
        #expect(topology.onConflict == .reject)
        #expect(topology.limits == NodeLimits())
        #expect(topology.limits.forwarding == Limits())
        #expect(topology.region(named: "eu")?.location == .init(latitude: 50.11, longitude: 8.68))
        let origin = try #require(node)
        #expect(origin.name == "origin-1" && origin.viewers && origin.upstream == .none)
        #expect(origin.media.ports == 5_000...5_001)
        // The n-th edge from 0, where the file says nothing.
        let edge = try #require(topology.node(named: "edge-2"))
        var listener = Topology.Listener(
            host: "0.0.0.0", port: 8_082, url: "http://127.0.0.1:8082", isURLGiven: false)
        #expect(edge.publicListener == listener)
        listener = .init(host: "127.0.0.1", port: 9_082, url: "http://127.0.0.1:9082", isURLGiven: false)
        #expect(edge.internalListener == listener)
        #expect(edge.media == .init(listen: TransportAddress(ipv4: 0, port: 7_100)))
        #expect(edge.viewers && edge.upstream == .static(["edge-1", "origin-1"]))
    }

    @Test(arguments: [
        ("500ms", Duration.milliseconds(500)), ("1.5s", .milliseconds(1_500)), ("2m", .seconds(120)),
        ("1h", .seconds(3_600)), ("0s", .zero),
    ])
    func durations(text: String, expected: Duration) throws {
        let yaml = TopologySample.yaml.replacing("hold: 30s", with: "hold: \(text)")
        #expect(try Topology.parse(yaml, for: TopologySample.request()).topology.hold == expected)
    }

    @Test func limitsReachTheForwardingUnit() throws {
        let yaml = TopologySample.yaml.replacing(
            "limits: { viewers: 5000 }",
            with:
                "limits: { sessions: 7, broadcasts: 8, sessions_half_open: 9, setup_timeout: 2s, video_history_bytes: 65536 }"
        )
        let limits = try Topology.parse(yaml, for: TopologySample.request()).topology.limits
        #expect(limits.sessions == 7 && limits.sessionsHalfOpen == 9)
        #expect(limits.forwarding.sessions == 7 && limits.forwarding.broadcasts == 8)
        #expect(limits.forwarding.setupTimeout == .seconds(Int64(2)))
        #expect(limits.forwarding.videoHistoryBytes == 65_536)
    }

    @Test func addressesAndURLs() throws {
        let yaml = TopologySample.yaml
            .replacing(
                "listen: \"0.0.0.0:8080\", url: \"http://127.0.0.1:8080\"",
                with: "listen: \"[::]:8080\", url: \"https://Live.example.net/\""
            )
            .replacing(
                "listen: \"0.0.0.0\", port: 5000", with: "listen: \"::\", advertise: [192.0.2.1, \"2001:db8::1\"]")
        let node = try #require(try Topology.parse(yaml, for: TopologySample.request()).node)
        #expect(node.publicListener == .init(host: "::", port: 8_080, url: "https://Live.example.net"))
        #expect(node.media.listen.description == "[::]:5000")
        #expect(node.media.advertise?.map(\.host) == ["192.0.2.1", "2001:db8::1"])
    }

    @Test func sameHostMeansSameInternalHost() {
        // Two machines may use the same ports; two addresses of one machine may, too.
        let apart = TopologySample.yaml
            .replacing(
                "media: { port: 7000 }", with: "internal: { url: \"http://10.0.0.2:9081\" }\n    media: { port: 5000 }")
        #expect(TopologySample.problems(apart) == [])
        let addresses = TopologySample.yaml
            .replacing("listen: \"0.0.0.0\", port: 5000", with: "listen: 127.0.0.2, port: 5000")
            .replacing("media: { port: 7000 }", with: "media: { listen: 127.0.0.3, port: 5000 }")
        #expect(TopologySample.problems(addresses) == [])
    }
}

@Suite struct NodeSelectionTests {
    private func outcome(_ request: NodeRequest) -> String {
        do throws(ConfigurationError) {
            return try Topology.parse(TopologySample.yaml, file: "t", for: request).node?.name ?? "all"
        } catch {
            return error.description
        }
    }

    private func request(
        _ role: Topology.Role, _ name: String?, variable: String? = nil, isCheck: Bool = false
    ) -> NodeRequest {
        var environment = TopologySample.environment
        environment["NODE_NAME"] = variable
        return NodeRequest(role: role, name: name, environment: environment, isCheck: isCheck)
    }

    @Test func flagThenVariableThenTheOnlyOne() {
        #expect(outcome(request(.edge, "edge-2", variable: "edge-1")) == "edge-2")
        #expect(outcome(request(.edge, nil, variable: "edge-1")) == "edge-1")
        #expect(outcome(request(.origin, nil)) == "origin-1")
        #expect(outcome(request(.origin, nil, variable: "")) == "origin-1")
        #expect(outcome(request(.edge, nil, isCheck: true)) == "all")
    }

    @Test func noChoiceIsAConfigurationError() {
        #expect(
            outcome(request(.edge, nil)) == "t: there are 2 edges; say which with --node or NODE_NAME: edge-1, edge-2")
        #expect(outcome(request(.edge, "origin-1")) == "t: --node: \"origin-1\" is not an edge")
        #expect(
            outcome(request(.edge, "edge-9", isCheck: true))
                == "t: --node: there is no node \"edge-9\"; its edges: edge-1, edge-2")
        #expect(
            outcome(request(.origin, nil, variable: "x"))
                == "t: NODE_NAME: there is no node \"x\"; its origins: origin-1")
    }
}

@Suite struct TopologySecretsTests {
    @Test func aNodeNeedsOnlyTheSecretsOfItsRole() throws {
        var environment = TopologySample.environment
        environment["PUBLISH"] = nil
        environment["NEWS"] = nil
        let edge = TopologySample.request(.edge, environment: environment)
        let auth = try Topology.parse(TopologySample.yaml, for: edge).topology.auth
        guard case .closed = auth.publish else {
            Issue.record("a token that is not there lets nobody in")
            return
        }
        #expect(
            TopologySample.problems(TopologySample.yaml, for: TopologySample.request(environment: environment)) == [
                "t:3: auth.publish.token_env: environment variable PUBLISH is not set",
                "t:7: auth.broadcasts[0].publish.token_env: environment variable NEWS is not set",
            ])
    }

    @Test(arguments: [
        ("token with spaces", "the token has characters that a Bearer token cannot have (RFC 6750: A-Za-z0-9-._~+/=)"),
        ("tökën", "the token has characters that a Bearer token cannot have (RFC 6750: A-Za-z0-9-._~+/=)"),
        ("", "environment variable PUBLISH is empty"),
    ])
    func unusableTokens(value: String, message: String) {
        var environment = TopologySample.environment
        environment["PUBLISH"] = value
        let problems = TopologySample.problems(
            TopologySample.yaml, for: TopologySample.request(environment: environment))
        #expect(problems == ["t:3: auth.publish.token_env: " + message])
    }

    @Test func tokenFilesAreRelativeToTheTopologyAndTrimmed() throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "cascade-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(
            at: directory.appending(path: "secrets"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let yaml = TopologySample.yaml.replacing("{ token_env: PUBLISH }", with: "{ token_file: secrets/token }")
        let file = directory.appending(path: "topology.yaml").path
        let token = directory.appending(path: "secrets/token")
        try Data(yaml.utf8).write(to: URL(filePath: file))

        func problem(_ content: [UInt8]) throws -> String? {
            try Data(content).write(to: token)
            do throws(ConfigurationError) {
                _ = try Topology.load(file: file, for: TopologySample.request())
                return nil
            } catch {
                return error.problems.map { "\($0.path): \($0.message)" }.joined()
            }
        }
        #expect(try problem(Array(" from-a-file\n".utf8)) == nil)
        let authorizer = Authorizer(try Topology.load(file: file, for: TopologySample.request()).topology.auth)
        #expect(authorizer.decide(.publish, broadcast: "a", authorization: "Bearer from-a-file") == .allowed)
        #expect(try problem(Array(" \n".utf8)) == "auth.publish.token_file: secrets/token is empty")
        #expect(try problem([0xFF, 0xFE]) == "auth.publish.token_file: secrets/token is not UTF-8")
        #expect(
            try problem([UInt8](repeating: 65, count: 70_000))
                == "auth.publish.token_file: secrets/token has 70000 bytes; 65536 are the most")
    }

    @Test func secretsDoNotPrint() throws {
        let topology = try Topology.parse(TopologySample.yaml, for: TopologySample.request()).topology
        var dumped = ""
        dump(topology, to: &dumped)
        for text in ["\(topology)", String(reflecting: topology), dumped] {
            for secret in TopologySample.environment.values { #expect(!text.contains(secret)) }
            let bytes = Array(TopologySample.environment["PUBLISH"]!.utf8).prefix(4)
            #expect(!text.contains(bytes.map { "\($0)" }.joined(separator: ", ")))
        }
    }

    @Test func unreadableTopologies() {
        for (file, message) in [
            ("/nowhere/topology.yaml", "/nowhere/topology.yaml: does not exist"),
            ("/", "/: cannot be read (is it a regular file?)"),
        ] {
            #expect(
                throws: ConfigurationError(problems: [
                    .init(file: file, message: String(message.dropFirst(file.count + 2)))
                ])
            ) {
                try Topology.load(file: file, for: TopologySample.request())
            }
        }
    }
}
