import WebRTC

@testable import Routing

/// What a simulated cluster consists of.
struct ClusterPlan {
    struct Node {
        var name: String
        var region: String
        var isOrigin = false
        /// Indexes of the nodes above it, in order of preference.
        var above: [Int] = []
        /// Edges of the same region with the same upstreams.
        var peers: [Int] = []
        var url: String { "http://\(name).internal" }
    }

    var nodes: [Node] = []
    /// One way, by node and node.
    var latency: [[Duration]] = []
    var broadcasts: [String]
    /// Edges at which a viewer is, and what he watches.
    var viewers: [(edge: Int, name: String)] = []

    /// One or two origins; two or three regions of edges that elect who asks above, one of which is itself below
    /// another region's edges now and then; and a region with parents that the topology names (depth 3).
    init(edges: Int = 20, viewers count: Int = 200, using random: inout SeededGenerator) {
        broadcasts = (0..<Int.random(in: 1...3, using: &random)).map { "live\($0)" }
        for index in 0..<Int.random(in: 1...2, using: &random) {
            nodes.append(Node(name: "origin-\(index)", region: "core", isOrigin: true))
        }
        let origins = Array(nodes.indices)
        let parents = Int.random(in: 1...2, using: &random)
        addRegion("c", parents, above: origins, havePeers: true)
        let parentIndexes = Array(nodes.indices.suffix(parents))
        let children = Int.random(in: 2...4, using: &random)
        // Its own parents are in its region: nobody is elected.
        addRegion("c", children, above: parentIndexes + (Bool.random(using: &random) ? origins : []), havePeers: false)
        let regions = Int.random(in: 2...3, using: &random)
        var left = edges - parents - children
        for region in 0..<regions {
            let size = left / (regions - region)
            left -= size
            let isBelow = region > 0 && Int.random(in: 0..<3, using: &random) == 0
            let isAlsoBelowOrigins = Bool.random(using: &random)
            let above = isBelow ? parentIndexes + (isAlsoBelowOrigins ? origins : []) : origins.shuffled(using: &random)
            addRegion("h\(region)", size, above: above, havePeers: true)
        }
        setLatencies(using: &random)
        let places = nodes.indices.filter { !nodes[$0].isOrigin }
        for _ in 0..<count {
            guard let edge = places.randomElement(using: &random), let name = broadcasts.randomElement(using: &random)
            else { continue }
            viewers.append((edge, name))
        }
    }

    private mutating func addRegion(_ region: String, _ size: Int, above: [Int], havePeers: Bool) {
        let first = nodes.count
        for index in 0..<size {
            let peers = havePeers ? (first..<first + size).filter { $0 != first + index } : []
            nodes.append(Node(name: "edge-\(region)-\(first + index)", region: region, above: above, peers: peers))
        }
    }

    private mutating func setLatencies(using random: inout SeededGenerator) {
        latency = Array(repeating: Array(repeating: .zero, count: nodes.count), count: nodes.count)
        for a in nodes.indices {
            for b in nodes.indices where a < b {
                let isNear = nodes[a].region == nodes[b].region
                let value = Duration.microseconds(
                    isNear
                        ? Int.random(in: 5_000...15_000, using: &random)
                        : Int.random(in: 15_000...150_000, using: &random))
                (latency[a][b], latency[b][a]) = (value, value)
            }
        }
    }

    /// The edges that elect one of them: by region.
    var hubRegions: [[Int]] {
        Dictionary(grouping: nodes.indices.filter { !nodes[$0].peers.isEmpty }) { nodes[$0].region }
            .sorted { $0.key < $1.key }.map(\.value)
    }
}
