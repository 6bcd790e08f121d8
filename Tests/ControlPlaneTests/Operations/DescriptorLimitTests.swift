import Forwarding
import Testing
import WebRTC

@testable import ControlPlane

// A node's limits fit into what the system lets it open, so that the public can never take the last descriptor.

@Suite("Descriptors") struct DescriptorLimitTests {
    private func topology(connections: Int, broadcasts: Int = 1_000) -> Topology {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        topology.limits.connections = connections
        topology.limits.forwarding.broadcasts = broadcasts
        return topology
    }

    /// What is lowered, where: the edge has a socket for each relay on top.
    @Test(
        arguments: [
            ("origin-1", 20_000, 1 << 20, nil), ("edge-1", 20_000, 1 << 20, nil),
            ("origin-1", 20_000, 32_768, [16_384, 8_192, 4_096]), ("origin-1", 1_000, 256, [128, 64, 32]),
            ("origin-1", 100, 1_024, nil), ("origin-1", 100, 256, [100, 64, 20]), ("edge-1", 20, 1_024, [20, 20, 20]),
            ("origin-1", 1, 1, [1, 1, 1]),
        ] as [(String, Int, Int, [Int]?)])
    func limitsFit(name: String, connections: Int, descriptors: Int, lowered: [Int]?) throws {
        let topology = topology(connections: connections)
        let node = try #require(topology.node(named: name))
        var limits = topology.limits
        if connections < 1_000 { limits.viewers = 20 }
        let before = limits
        #expect(limits.fit(into: descriptors, of: node) == (lowered != nil))
        if let lowered {
            #expect(
                [limits.connections, limits.internalConnections, limits.eventStreams] == lowered.map(Optional.init))
        } else {
            #expect(limits == before)
        }
    }

    @Test func theLineToChangeIsSaidOnce() throws {
        let topology = topology(connections: 20_000)
        let record = LogRecord()
        let node = try #require(topology.node(named: "edge-1"))
        #expect(topology.fitting(into: 1 << 20, for: node, logger: record.logger).limits == topology.limits)
        #expect(record.lines == [])
        #expect(topology.fitting(into: 4_096, for: node, logger: record.logger).limits.connections == 2_048)
        #expect(record.lines.count == 1 && record.count("fewer descriptors than the limits need") == 1)
        for part in ["LimitNOFILE", "limits.connections", "connections=2048", "descriptors=4096", "needed=46"] {
            #expect(record.count(part) == 1, "\(part)")
        }
    }
}
