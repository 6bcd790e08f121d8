import WebRTC

@testable import Routing

/// A cluster in virtual time. Every node has a real `RelayRouter` and a real `UpstreamHealth` for each neighbour; what
/// is around them (links, directory streams, relay requests, media sessions, viewers) is modelled in the extensions.
final class ClusterSimulation {
    let plan: ClusterPlan
    let time = VirtualTime()
    var random: SeededGenerator
    let nodes: [SimulatedNode]
    /// Links that are cut, by node and node, and how often each was cut.
    var isCut: [[Bool]]
    var cuts: [[Int]]
    var cutAt: [Int: Duration] = [:]
    /// Who watches a node's directory: (node, index in its `watched`).
    let followers: [[(node: Int, entry: Int)]]
    let indexes: [Neighbour.ID: Int]
    /// Relays that at least one end has not closed.
    var relays: [SimulatedRelay] = []
    var viewers: [SimulatedViewer]
    var nextTurn = 0
    var lastFault = Duration.zero
    /// Until when it was open which of a broadcast's publications counts.
    var unsettled: [String: Duration] = [:]
    /// What went wrong, as soon as it did.
    var failures: [String] = []
    var figures = Figures()
    /// Since when relays of a broadcast have formed a loop.
    var loopSince: [String: Duration] = [:]
    /// The time of faults is over.
    var isQuiet = false
    var trace: ((String) -> Void)?
    /// Routers are told the time at each step as well, where they announce nothing for it.
    var isTicking = false

    struct Figures {
        /// Longest time after the last fault that somebody who could have had media had none.
        var recovery = Duration.zero
        /// Most actions of one router in a virtual second.
        var busiest = 0
        var asks = 0
        var events: UInt64 = 0
    }

    struct SimulatedViewer {
        enum State { case away, hoping, watching, retrying }
        let edge: Int
        let name: String
        var state = State.away
        /// Counts state changes.
        var turn = 0
    }

    /// A router that does more in a second than this storms.
    static let mostActions = 200

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        let plan = ClusterPlan(using: &random)
        self.plan = plan
        nodes = plan.nodes.enumerated().map { SimulatedNode(index: $0.offset, plan: $0.element, seed: seed) }
        let line = Array(repeating: false, count: plan.nodes.count)
        isCut = Array(repeating: line, count: plan.nodes.count)
        cuts = isCut.map { $0.map { _ in 0 } }
        indexes = Dictionary(uniqueKeysWithValues: plan.nodes.enumerated().map { ($0.element.url, $0.offset) })
        viewers = plan.viewers.map { SimulatedViewer(edge: $0.edge, name: $0.name) }
        var followers: [[(Int, Int)]] = Array(repeating: [], count: plan.nodes.count)
        for (index, node) in plan.nodes.enumerated() {
            for (entry, other) in (node.above + node.peers).enumerated() { followers[other].append((index, entry)) }
        }
        self.followers = followers
        for node in nodes { start(node) }
        tick()
    }

    var now: Duration { time.now }

    func note(_ text: @autoclosure () -> String) {
        if let trace { trace("\(Double(now / .milliseconds(1)) / 1_000) \(text())") }
    }

    func fail(_ text: String) {
        if failures.count < 10 { failures.append("at \(now): \(text)") }
        note("FAILURE \(text)")
    }

    /// Uniform.
    func random(_ low: Duration, _ high: Duration) -> Duration {
        low + (high - low) * Double.random(in: 0...1, using: &random)
    }

    // MARK: - Network

    func latency(_ a: Int, _ b: Int) -> Duration { plan.latency[a][b] }

    /// What TCP carries arrives; while the link is cut it is sent again, at growing intervals, for some seconds.
    func transmit(between a: Int, _ b: Int, pause: Duration = .milliseconds(200), _ body: @escaping () -> Void) {
        if !isCut[a][b] {
            time.after(latency(a, b), body)
        } else if pause < .seconds(4) {
            time.after(pause) { [self] in transmit(between: a, b, pause: pause * 2, body) }
        }
    }

    /// Does something at a node, unless that has died or started anew meanwhile.
    func at(_ node: SimulatedNode, after delay: Duration, _ body: @escaping () -> Void) {
        let life = node.life
        time.after(delay) { if node.isAlive, node.life == life { body() } }
    }

    // MARK: - Routers

    /// Tells a router something and does what it wants done.
    func route(_ node: SimulatedNode, _ change: (inout RelayRouter) -> Void) {
        change(&node.router)
        guard !node.isRouting else { return }
        node.isRouting = true
        var actions = node.router.takeActions()
        while !actions.isEmpty {
            for action in actions {
                count(action, at: node)
                perform(action, at: node)
            }
            actions = node.router.takeActions()
        }
        tellFollowers(of: node, node.router.takeChanges())
        node.isRouting = false
        wake(node)
    }

    private func wake(_ node: SimulatedNode) {
        guard let deadline = node.router.nextDeadline else { return node.wakeAt = nil }
        // More than one thing may be due at once, and each takes one call.
        node.late = deadline <= now ? node.late + 1 : 0
        if node.late == Self.mostActions { fail("\(node.plan.name) is woken for nothing") }
        if let wakeAt = node.wakeAt, wakeAt <= max(deadline, now) { return }
        node.wakeAt = max(deadline, now)
        at(node, after: deadline - now) { [self] in
            guard node.wakeAt == now else { return }
            node.wakeAt = nil
            route(node) { $0.advance(now: now) }
        }
    }

    private func count(_ action: RelayRouter.Action, at node: SimulatedNode) {
        let second = Int(now / .seconds(1))
        node.actions = node.actions.second == second ? (second, node.actions.count + 1) : (second, 1)
        figures.busiest = max(figures.busiest, node.actions.count)
        if case .ask = action { figures.asks += 1 }
        if node.actions.count == Self.mostActions { fail("\(node.plan.name) storms") }
        note("\(node.plan.name): \(action)")
    }

    // MARK: - Life and death

    /// Begins to watch its neighbours; it knows nothing of before.
    func start(_ node: SimulatedNode) {
        node.isAlive = true
        node.watched =
            node.plan.above.map { SimulatedNode.Watched(index: $0, kind: .above, now: now) }
            + node.plan.peers.map { SimulatedNode.Watched(index: $0, kind: .peer, now: now) }
        node.lastNeighbours = []
        tellNeighbours(node)
        for watched in node.watched {
            probe(node, watched)
            follow(node, watched)
        }
    }

    func kill(_ node: SimulatedNode) {
        note("KILL \(node.plan.name)")
        node.life += 1
        (node.isAlive, node.isDraining, node.wakeAt) = (false, false, nil)
        node.router = RelayRouter(node: node.plan.name, budget: .seconds(4), seed: random.next())
        node.publishing = [:]
        (node.asks, node.sources, node.current, node.heldUntil) = ([:], [:], [:], [:])
        (node.served, node.requests, node.watching, node.hoping) = ([], [], [:], [:])
        breakStreams(from: node)
        for index in viewers.indices where viewers[index].edge == node.index { sendAway(index) }
    }
}
