import Routing
import Testing
import WebRTC

@testable import ControlPlane

// Who is a peer, and to whom viewers and publishers are sent.

@Suite(.timeLimit(.minutes(5))) struct PeersAndAlternativesTests {
    private static func kinds(_ change: (inout Topology) -> Void = { _ in }) -> [NodeDirectory.Kind] {
        var topology = Topology.forTests()
        topology.regions.append(.init(name: "us", location: .init(latitude: 38.9, longitude: -77)))
        topology.addNode("origin-1", .origin)
        for name in ["edge-1", "edge-2", "edge-3", "edge-us"] { topology.addNode(name, .edge, upstream: ["origin-1"]) }
        topology.nodes[4].region = "us"
        change(&topology)
        let edge = topology.nodes[1]
        return topology.nodes.filter { $0.name != "edge-1" }.map { topology.kind(of: $0, seenFrom: edge) }
    }

    @Test func edgesOfTheRegionWithTheSameUpstreamArePeers() {
        #expect(Self.kinds() == [.above, .peer, .peer, .other])
        #expect(Self.kinds { $0.nodes[2].upstream.dns = .init(name: "x") } == [.above, .other, .peer, .other])
        // However they are found.
        let peers = Topology.PeerSources(dns: .init(name: "edges"))
        #expect(Self.kinds { $0.nodes[2].upstream.peers = peers } == [.above, .peer, .peer, .other])
        #expect(Self.kinds { $0.regions[0].hub = .off } == [.above, .other, .other, .other])
        // A parent in the region is enough; one elsewhere is an upstream like any other.
        #expect(
            Self.kinds { for i in [1, 2] { $0.nodes[i].upstream = .static(["edge-3"]) } }
                == [.other, .other, .above, .other])
        #expect(
            Self.kinds { for i in 1...3 { $0.nodes[i].upstream = .static(["edge-us"]) } }
                == [.other, .peer, .peer, .above])
        #expect(Self.kinds { $0.nodes[1].role = .origin } == [.above, .other, .other, .other])
    }

    /// Slices of a service of edges may name edges of other regions, this node, and rubbish.
    @Test func discoveredPeersMustSayThatTheyAre() async throws {
        let origin = FakeNode("origin-1")
        let (near, far, twin) = (
            FakeNode("edge-b", .edge), FakeNode("edge-us", .edge, region: "us"), FakeNode("edge-1", .edge)
        )
        var topology = Topology.below([origin])
        topology.nodes[1].upstream.peers = .init(slices: .init(directory: "/nowhere", service: "edge"))
        let edge = topology.nodes[1]
        let sealed = topology
        try await withFakeNodes([origin, near, far, twin]) {
            try await Follower.run(edge, in: sealed) { follower in
                let ports = [near, far, twin, origin].map(\.port) + [edge.internalListener.port]
                await follower.directory.replace(
                    .peerSlices,
                    by: ports.map { .init(TransportAddress("127.0.0.1", port: UInt16($0))!, hostname: "same") })
                #expect(await eventually { follower.neighbours.map(\.name) == ["origin-1", "edge-b"] })
                #expect(follower.neighbours.map(\.kind) == [.above, .peer])
                #expect(await eventually { await follower.directory.snapshot().streams == [.above: 1, .peer: 1] })
                #expect(await follower.directory.observations.map(\.kind) == [.above, .peer, .peer, .peer])
                // Peers are not upstreams.
                #expect(await follower.directory.candidates().map(\.name) == ["origin-1"])
                await follower.directory.replace(.peerSlices, by: [.init(TransportAddress("10.0.0.1", port: 1)!)])
                #expect(await eventually { follower.neighbours.map(\.name) == ["origin-1"] })
                #expect(await follower.directory.snapshot().streams == [.above: 1])
            }
        }
    }

    @Test func aNodeUnderAForeignNameKeepsTheTopologys() async throws {
        let origin = FakeNode("origin-1")
        let topology = Topology.below([origin])
        origin.change { $0.facts.node = "origin-9" }
        try await withFakeNodes([origin]) {
            try await Follower.run(topology.nodes[1], in: topology) { follower in
                #expect(await eventually { await follower.directory.entries[origin.url]?.isImpostor == true })
                #expect(await eventually { follower.neighbours.map(\.state) == [.up] })
                #expect(follower.neighbours.map(\.name) == ["origin-1"])
            }
        }
    }

    @Test func alternativesAreReadyAndNear() async throws {
        let nodes = [
            FakeNode("origin-us", region: "us"), FakeNode("origin-eu"), FakeNode("edge-a", .edge),
            FakeNode("edge-b", .edge),
            FakeNode("edge-jp", .edge, region: "jp"), FakeNode("edge-us", .edge, region: "us"),
            FakeNode("edge-c", .edge),
        ]
        var topology = Topology.forTests()
        topology.regions += [
            .init(name: "jp", location: .init(latitude: 35.7, longitude: 139.7)),
            .init(name: "us", location: .init(latitude: 38.9, longitude: -77)),
        ]
        for node in nodes { topology.addNode(node) }
        for i in [0, 1] { topology.nodes[i].viewers = false }
        nodes[2].change { $0.facts.load = 0.75 }
        nodes[6].change { $0.facts.ready = false }
        topology.addNode("edge-1", .edge, upstream: ["origin-us"])
        let sealed = topology
        try await withFakeNodes(nodes) {
            try await Follower.run(sealed.nodes[7], in: sealed) { follower in
                let directory = follower.directory
                // The topology's word before anybody was asked.
                #expect(await directory.origin(preferring: nil) == sealed.nodes[0].publicListener.url)
                #expect(await directory.origin(preferring: "origin-eu") == sealed.nodes[1].publicListener.url)
                await directory.watchOthers(closely: true)
                #expect(
                    await eventually {
                        await directory.alternatives(for: .viewers).map(\.node)
                            == ["edge-b", "edge-a", "edge-us", "edge-jp"]
                    })
                #expect(await eventually { await directory.alternatives(for: .publishers).count == 2 })
                #expect(await directory.alternatives(for: .publishers).map(\.node) == ["origin-eu", "origin-us"])
                #expect(await directory.origin(preferring: nil) == sealed.nodes[1].publicListener.url)
                #expect(await directory.origin(preferring: "origin-us") == sealed.nodes[0].publicListener.url)
                #expect(await directory.origin(preferring: "edge-a") == sealed.nodes[1].publicListener.url)
                nodes[1].change { $0.facts.ready = false }
                #expect(
                    await eventually {
                        await directory.origin(preferring: "origin-eu") == sealed.nodes[0].publicListener.url
                    })
            }
        }
    }

    @Test func publishersAreSentToADiscoveredOrigin() async throws {
        let origin = FakeNode("origin-1", url: "http://origin.example.net:8080")
        var topology = Topology.forTests()
        topology.addNode("edge-1", .edge)
        topology.nodes[0].upstream.slices = .init(directory: "/nowhere", service: "origin")
        let sealed = topology
        try await withFakeNodes([origin]) {
            try await Follower.run(sealed.nodes[0], in: sealed) { follower in
                #expect(await follower.directory.origin(preferring: nil) == nil)
                await follower.directory.replace(
                    .slices, by: [.init(TransportAddress("127.0.0.1", port: UInt16(origin.port))!)])
                #expect(
                    await eventually {
                        await follower.directory.origin(preferring: nil) == "http://origin.example.net:8080"
                    })
            }
        }
    }

    @Test func distances() {
        let (frankfurt, ashburn) = (
            Topology.Location(latitude: 50.11, longitude: 8.68), Topology.Location(latitude: 39.04, longitude: -77.49)
        )
        #expect(abs(frankfurt.distance(to: ashburn) - 6_540) < 50)
        #expect(frankfurt.distance(to: frankfurt) == 0)
        #expect(
            abs(Topology.Location(latitude: 0, longitude: 179).distance(to: .init(latitude: 0, longitude: -179)) - 222)
                < 2)
    }
}
