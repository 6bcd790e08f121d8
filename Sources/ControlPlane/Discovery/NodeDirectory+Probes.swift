import FoundationEssentials
import Logging
package import Routing

/// How others are: small requests at times that `UpstreamHealth` chooses.
extension NodeDirectory {
    private static let probeTimeout = Duration.seconds(1)

    func watch() async {
        await withDiscardingTaskGroup { group in
            await alarm.run {
                for entry in self.due(now: self.now) {
                    self.entries[entry.url]?.isBeingProbed = true
                    let client = entry.health.state == .down ? self.deadHTTP : self.livingHTTP
                    group.addTask { await self.probe(entry.url, entry.name, client) }
                }
                self.catchUp()
                self.alarm.set(self.nextDeadline)
            }
        }
    }

    /// Whoever reads too slowly is looked at again and again: nobody says when he has caught up.
    private var nextDeadline: ContinuousClock.Instant? {
        if isBehind { return .now }
        return entries.values.lazy.filter { !$0.isBeingProbed }.map(\.health.nextProbe).min().map { begin + $0 }
    }

    /// An array, so that what is changed while it is walked over is not copied as a whole for that.
    private func due(now: Duration) -> [DirectoryEntry] {
        entries.values.filter { !$0.isBeingProbed && $0.health.nextProbe <= now }
    }

    /// Something has failed at this neighbour: it is asked at once how it is.
    package func doubt(_ id: Neighbour.ID) {
        change(id) { $0.health.doubt(now: now) }
    }

    /// Whether nodes of kind other are asked every second and not every five: somebody is to be sent to one of them.
    package func watchOthers(closely: Bool) {
        watchesClosely = closely
        guard closely else { return }
        for entry in entries.values where entry.kind == .other { entries[entry.url]?.health.hurry(now: now) }
    }

    private func probe(_ url: String, _ name: String, _ client: HTTPClient) async {
        let (outcome, facts) = await Self.ask(url, name, client)
        if outcome == .silent { counters.failedProbes += 1 }
        let isAlone = !entries.values.contains { $0.kind == .above && $0.url != url && $0.health.isReachable }
        let pace: Duration? = watchesClosely ? .seconds(1) : .seconds(5)
        change(url) { entry in
            entry.isBeingProbed = false
            entry.health.record(
                outcome, now: now, isAlone: isAlone, jitter: .random(in: 0...1),
                pace: entry.kind == .other ? pace : nil)
            entry.settleRoundTrip()
            if let facts { learn(facts, of: &entry) }
        }
    }

    private static func ask(
        _ url: String, _ name: String, _ client: HTTPClient
    ) async -> (UpstreamHealth.Outcome, NodeFacts?) {
        let begin = ContinuousClock.now
        let request = HTTPClient.Request("GET", "\(url)/readyz", timeout: probeTimeout, peer: name)
        guard let answer = try? await client.perform(request),
            answer.status == 200 || answer.status == 503
        else { return (.silent, nil) }
        let roundTrip = ContinuousClock.now - begin
        let facts = try? JSONDecoder().decode(NodeFacts.self, from: Data(answer.body))
        return (
            answer.status == 200 ? .ready(roundTrip: roundTrip) : .notReady(roundTrip: roundTrip),
            facts.flatMap { $0.isValid ? $0 : nil }
        )
    }

    /// What a node says of itself, by either way.
    func learn(_ facts: NodeFacts, of entry: inout DirectoryEntry) {
        entry.facts = facts
        hear(facts.node, facts.instance, at: entry.url)
        guard let listed = entry.listed, listed.name != facts.node, !entry.isImpostor else { return }
        entry.isImpostor = true
        logger.warning(
            "a node has another name than the topology says",
            metadata: [
                "upstream": "\(listed.name)", "url": "\(entry.url)", "says": "\(facts.node)",
                "effect": "it is known by the topology's name",
            ])
    }

    /// A process says that it is the node `name`: in its answers, or in a request to this node.
    ///
    /// - Parameter address: where it was heard, for people.
    package func hear(_ name: String, _ instance: String, at address: String) {
        guard let conflict = claims.hear(name, instance, at: address, now: now) else { return }
        logger.warning(
            "two processes have one node name",
            metadata: [
                "name": "\(name)", "addresses": "\(conflict.addresses.joined(separator: ", "))",
                "effect": "they take each other's relays and viewers",
            ])
    }

    /// Changes an entry, and tells whom it concerns if that matters to anybody.
    func change(_ url: String, _ body: (inout DirectoryEntry) -> Void) {
        guard var entry = entries[url] else { return }
        let before = entry
        body(&entry)
        entries[url] = entry
        logChange(of: entry, from: before.health.state)
        guard entry.kind != .other else { return }
        if entry.health.state != before.health.state || entry.facts?.draining != before.facts?.draining
            || entry.steps != before.steps || entry.name != before.name || entry.facts?.region != before.facts?.region
            || entry.facts?.role != before.facts?.role
        {
            publishNeighbours()
        }
    }

    private func logChange(of entry: DirectoryEntry, from before: UpstreamHealth.State) {
        let state = entry.health.state
        guard state != before else { return }
        let level: Logger.Level =
            entry.kind == .other ? .debug : state == .up ? .info : state == .suspect ? .notice : .warning
        logger.log(
            level: level, "\(entry.kind == .above ? "upstream" : entry.kind.rawValue) \(state.rawValue)",
            metadata: ["upstream": "\(entry.name)", "url": "\(entry.url)", "was": "\(before.rawValue)"])
    }
}
