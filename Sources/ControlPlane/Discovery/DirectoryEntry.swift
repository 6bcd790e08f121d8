import Routing
import WebRTC

/// Another node as the directory knows it: from the topology or a source, from its own probes, and from what the node
/// says.
struct DirectoryEntry: Sendable {
    /// Its internal URL.
    let url: String
    var kind: NodeDirectory.Kind
    /// nil: a source has found it, and the topology does not know the address.
    var listed: Topology.Node?
    /// What its source calls it.
    var hint: String
    /// Position in the topology's list of upstreams; those found elsewhere come after all of them.
    var order = Int.max
    /// Among entries that are alike otherwise.
    var position = 0
    var priority = 0
    /// What its source says; a node of the topology is always ready in this sense.
    var isHinted = true
    var hintedRegion: String?
    var health: UpstreamHealth
    /// Valid, and the last that it said.
    var facts: NodeFacts?
    var isBeingProbed = false
    /// It has said another name than the topology's, and that has been logged.
    var isImpostor = false
    /// Round-trip time in steps of 5 ms that noise does not change; `Int.max`: never measured.
    private(set) var steps = Int.max

    init(url: String, kind: NodeDirectory.Kind, hint: String, listed: Topology.Node? = nil, now: Duration) {
        (self.url, self.kind, self.hint, self.listed) = (url, kind, hint, listed)
        health = .init(now: now)
    }

    /// The topology's word before its own, and that before its source's.
    var name: String { listed?.name ?? facts?.node ?? hint }
    var region: String? { listed?.region ?? facts.flatMap { $0.region.isEmpty ? nil : $0.region } ?? hintedRegion }
    /// Nobody else can be meant by `name`.
    var isNamed: Bool { listed != nil || facts != nil }

    var observation: NodeDirectory.Observation {
        .init(
            name: name, url: url, kind: kind, region: region, state: health.state, isReady: health.isReady,
            roundTrip: health.roundTrip, facts: publicFacts)
    }

    /// What the node says of itself, corrected by the topology and by what probes say; nil: nobody has said anything.
    var publicFacts: NodeFacts? {
        let ready = health.isReady && health.state != .down
        guard let listed else {
            guard var facts else { return nil }
            facts.ready = ready
            return facts
        }
        return NodeFacts(
            node: listed.name, role: listed.role.rawValue, region: listed.region, url: listed.publicListener.url,
            viewers: listed.viewers, ready: ready, draining: facts?.draining ?? false, load: facts?.load ?? 0,
            instance: facts?.instance ?? "")
    }

    /// To be called after each probe: a step is left only when the time is more than 2.5 ms outside it.
    mutating func settleRoundTrip() {
        guard let time = health.roundTrip else { return }
        let milliseconds = time / .milliseconds(1)
        if steps != .max, Double(steps) * 5 - 2.5...Double(steps) * 5 + 7.5 ~= milliseconds { return }
        steps = Int(milliseconds / 5)
    }
}

extension NodeFacts {
    /// Fits what a node may say of itself. Browsers are sent to its `url`.
    var isValid: Bool {
        NodeName.isValid(node) && (region.isEmpty || NodeName.isValid(region))
            && Topology.Role(rawValue: role) != nil && (url.isEmpty || TopologySyntax.baseURL(url)?.url == url)
            && (0...1).contains(load) && instance.utf8.count <= Self.longestInstance
    }
}

extension Topology {
    /// Edges of `node`'s region that pull from the same nodes fetch a broadcast once for all of them: unless the region
    /// says otherwise, or one of the upstreams is an edge of the region, which then does that for the others.
    func hasPeers(_ node: Node) -> Bool {
        node.role == .edge && node.upstream.hasSources && region(named: node.region)?.hub != .off
            && !node.upstream.nodes.contains { name in
                self.node(named: name).map { $0.role == .edge && $0.region == node.region } ?? false
            }
    }

    /// What `other` is to `node` by the file alone.
    func kind(of other: Node, seenFrom node: Node) -> NodeDirectory.Kind {
        if node.upstream.nodes.contains(other.name) { return .above }
        let isPeer =
            hasPeers(node) && other.role == .edge && other.region == node.region
            && other.upstream.isSame(as: node.upstream)
        return isPeer ? .peer : .other
    }
}
