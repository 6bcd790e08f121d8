import Forwarding
import Logging
package import Routing

/// Draining: nothing new, viewers are asked to go elsewhere, and after a signal the node waits for them.
extension Sessions {
    /// Where a client of a draining node goes.
    package enum Elsewhere: Sendable {
        /// Nowhere else: the node does not drain.
        case here
        case node(NodeFacts)
        /// No other node is known to be ready.
        case nowhere
    }

    /// Nothing new is taken.
    var draining: Bool { stopping || drain.isUnderWay }

    package func beginDrain(_ cause: Drain.Cause) {
        let viewers = viewerEvents.streams.keys.filter { viewerEvents.wants(.reconnect, $0) }
            .sorted { $0.rawValue < $1.rawValue }
        let begun = drain.begin(cause, viewers: viewers, now: .now)
        guard begun != .already else { return }
        tellFollowersOfNode()
        var fields = drainMetadata
        fields["cause"] = "\(cause.rawValue)"
        fields["to-be-told"] = "\(drain.waiting)"
        if cause == .signal { fields["deadline"] = "\(drain.deadline)" }
        logger.notice(begun == .begun ? "drain begun" : "drain ends with the process", metadata: fields)
        // At once where there is nothing to wait for, and not with the next look: nodes that stop together stay together.
        endDrainIfOver(now: .now)
    }

    /// false: it was begun by a signal and cannot be taken back.
    package func cancelDrain() -> Bool {
        let wasUnderWay = drain.isUnderWay
        guard drain.cancel() else { return false }
        if wasUnderWay {
            tellFollowersOfNode()
            logger.notice("drain cancelled", metadata: drainMetadata)
        }
        return true
    }

    /// Whether a node that was told to stop may do so.
    package func isDrained(now: ContinuousClock.Instant) -> Bool { drain.isOver(sessions: clients, now: now) }

    /// Ends what is left after the drain.
    package func stopAfterDrain() async {
        var fields = drainMetadata
        fields["told"] = "\(drain.told.count)"
        fields["seconds"] = "\(drainSeconds(now: .now))"
        if drain.isUnderWay { logger.notice("drain finished", metadata: fields) }
        await stop()
    }

    package func elsewhere(for purpose: SessionPurpose) async -> Elsewhere {
        guard draining else { return .here }
        return choose(among: await alternatives(purpose)).map { .node($0) } ?? .nowhere
    }

    /// Sends those away whose moment has come, and says when the drain is over.
    func advanceDrain(now: ContinuousClock.Instant) {
        endDrainIfOver(now: now)
        let due = drain.due(now: now)
        if !due.isEmpty { Task { await sendAway(due) } }
    }

    private func endDrainIfOver(now: ContinuousClock.Instant) {
        if isDrained(now: now) { endDrained.finish() }
    }

    private func sendAway(_ viewers: [SessionID]) async {
        let nodes = await alternatives(.viewer)
        guard drain.isUnderWay else { return }
        for id in viewers {
            guard let record = sessions[id], let node = choose(among: nodes) else { continue }
            // Names of broadcasts and URLs of nodes have no character that JSON would escape.
            let url = topology.url(node.url, forClientOf: record.host)
            viewerEvents.send(.reconnect, #"{"url":"\#(url)/whep/\#(record.name)"}"#, to: id)
            drain.tell(id)
            counters.viewersSentAway += 1
        }
    }

    private func choose(among nodes: [NodeFacts]) -> NodeFacts? {
        turn += 1
        return Alternatives.choose(among: nodes, region: node.region, turn: turn)
    }

    /// Sessions that a stop would cut off.
    private var clients: Int { tally.count(.viewer) + tally.count(.publisher) + tally.count(.relay) }

    /// 0 without a drain.
    func drainSeconds(now: ContinuousClock.Instant) -> Double {
        drain.since.map { (now - $0) / .seconds(1) } ?? 0
    }

    private var drainMetadata: Logger.Metadata {
        [
            "viewers": "\(tally.count(.viewer))", "publishers": "\(tally.count(.publisher))",
            "relays": "\(tally.count(.relay))",
        ]
    }
}
