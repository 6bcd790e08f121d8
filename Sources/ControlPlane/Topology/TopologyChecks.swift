import WebRTC

/// What no single place of the file can tell: references between parts, and ports that two would want.
extension TopologyParser {
    mutating func check(_ nodes: [PartialNode], regions: [Topology.Region]) {
        for node in nodes {
            if let region = node.region, !regions.contains(where: { $0.name == region }) {
                reader.report(
                    node.path + ".region", "there is no region \"\(QuotedText.shown(region))\"")
            }
            checkUpstream(of: node, among: nodes)
            checkPeers(of: node, among: nodes, regions: regions)
            if let media = node.media, let port = RestrictedPort.first(in: media.ports) {
                reader.report(
                    node.path + ".media.port", "browsers refuse UDP port \(port) (in use: \(Self.shown(media.ports)))")
            }
            checkListeners(of: node)
        }
        checkCycles(nodes)
        // Nodes whose internal URLs name the same host run on the same machine.
        var byMachine: [String: [PartialNode]] = [:]
        for node in nodes {
            guard let url = node.internalListener?.url, let host = TopologySyntax.baseURL(url)?.host else { continue }
            let machine = TopologySyntax.machine(host)
            // The first collision of a node is enough: a hundred copies of one mistake are not 5,000 problems.
            for earlier in byMachine[machine] ?? [] where checkCollisions(of: node, with: earlier) { break }
            byMachine[machine, default: []].append(node)
        }
    }

    private mutating func checkUpstream(of node: PartialNode, among nodes: [PartialNode]) {
        var seen: Set<String> = []
        for (i, name) in (node.upstream ?? []).enumerated() {
            guard let name else { continue }
            let path = "\(node.path).upstream.static[\(i)]"
            if name == node.name {
                reader.report(path, "a node cannot be its own upstream")
            } else if !nodes.contains(where: { $0.name == name }) {
                reader.report(path, "there is no node \"\(QuotedText.shown(name))\"")
            } else if !seen.insert(name).inserted {
                reader.report(path, "\"\(name)\" is named twice")
            }
        }
    }

    private mutating func checkPeers(
        of node: PartialNode, among nodes: [PartialNode], regions: [Topology.Region]
    ) {
        guard node.peers != nil else { return }
        let path = node.path + ".upstream.peers"
        if regions.contains(where: { $0.name == node.region && $0.hub == .off }) {
            reader.report(path, "the region says hub: none")
        } else if let parent = nodes.first(where: {
            $0.role == .edge && $0.region == node.region && $0.name != nil && (node.upstream ?? []).contains($0.name)
        }) {
            reader.report(path, "\(parent.name ?? "") of the same region is the parent already")
        }
    }

    /// A broadcast must not travel in a circle: reported once per circle, at the node that comes first in the file.
    private mutating func checkCycles(_ nodes: [PartialNode]) {
        let byName = Dictionary(
            nodes.enumerated().compactMap { i, node in node.name.map { ($0, i) } },
            uniquingKeysWith: { first, _ in first })
        let above = nodes.map { node in
            (node.upstream ?? []).compactMap { name in name.flatMap { $0 == node.name ? nil : byName[$0] } }
        }
        // Depth first with an explicit stack; a node is `done` when everything above it has been followed.
        enum Mark { case new, open, done }
        var marks = nodes.map { _ in Mark.new }
        for start in nodes.indices where marks[start] == .new {
            var stack = [(node: start, next: 0)]
            marks[start] = .open
            while let top = stack.last {
                let (node, next) = top
                guard next < above[node].count else {
                    marks[node] = .done
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].next += 1
                let upper = above[node][next]
                switch marks[upper] {
                case .new:
                    marks[upper] = .open
                    stack.append((upper, 0))
                case .open:
                    let circle = stack.map(\.node).drop { $0 != upper } + [upper]
                    let names = circle.compactMap { nodes[$0].name }.joined(separator: " → ")
                    reader.report(nodes[upper].path + ".upstream", "the upstreams form a circle: \(names)")
                case .done: break
                }
            }
        }
    }

    /// A TCP port that a node wants.
    private struct Wanted {
        /// Where the file says so, from the node on.
        var path: String
        var kind: ListenerKind
        var host: String
        var port: Int

        func collides(with other: Wanted) -> Bool {
            port == other.port && TopologySyntax.collide(host, other.host)
        }
    }

    private static func listeners(of node: PartialNode) -> [Wanted] {
        let outer = node.publicListener.map {
            Wanted(path: "public.listen", kind: .public, host: $0.host, port: $0.port)
        }
        let plain = node.front.plain.map { Wanted(path: "public.http", kind: .plain, host: $0.host, port: $0.port) }
        let inner = node.internalListener.map {
            Wanted(path: "internal.listen", kind: .internal, host: $0.host, port: $0.port)
        }
        return [outer, plain, inner].compactMap(\.self)
    }

    private mutating func checkListeners(of node: PartialNode) {
        var taken: [Wanted] = []
        for listener in Self.listeners(of: node) {
            if let first = taken.first(where: { $0.collides(with: listener) }) {
                reader.report(
                    "\(node.path).\(listener.path)", "port \(listener.port) is the \(first.kind) listener's")
            }
            taken.append(listener)
        }
    }

    /// Whether two nodes of one machine want the same thing.
    private mutating func checkCollisions(of node: PartialNode, with earlier: PartialNode) -> Bool {
        let before = reader.problems.count
        let name = earlier.name ?? earlier.path
        if let mine = node.internalListener?.url, mine == earlier.internalListener?.url {
            reader.report(node.path + ".internal.url", "\(mine) is also \(name)'s")
        }
        for listener in Self.listeners(of: node) {
            for taken in Self.listeners(of: earlier) where taken.collides(with: listener) {
                reader.report(
                    "\(node.path).\(listener.path)",
                    "port \(listener.port) is also that of \(name)'s \(taken.kind) listener, on the same host")
            }
        }
        if let media = node.media, let taken = earlier.media, media.ports.overlaps(taken.ports),
            TopologySyntax.collide(media.listen.host, taken.listen.host)
        {
            reader.report(
                node.path + ".media.port",
                "UDP \(Self.shown(media.ports)): also in \(name)'s \(Self.shown(taken.ports)), on the same host")
        }
        return reader.problems.count > before
    }

    private static func shown(_ ports: ClosedRange<Int>) -> String {
        ports.count == 1 ? "port \(ports.lowerBound)" : "ports \(ports.lowerBound) to \(ports.upperBound)"
    }
}
