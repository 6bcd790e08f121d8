import Logging
import Routing

/// The stream of one neighbour's directory, as far as this node knows it.
struct FollowedDirectory: Sendable {
    /// Of this attempt: what an earlier one still had to say does not count.
    let number: Int
    let task: Task<Void, Never>
    /// A snapshot has come, and the stream goes on.
    var isUp = false
    var names: Set<String> = []
    /// When the node last said something of itself between snapshots.
    var factsHeard: Duration?
}

/// What others have, by their own word.
extension NodeDirectory {
    private static let pauses: ClosedRange<Duration> = .milliseconds(100) ... .seconds(2)
    /// After an answer of a server that has no directory: a WHEP server of somebody else's.
    private static let pauseWithoutDirectory = Duration.seconds(10)
    private static let complaintInterval = Duration.seconds(60)
    /// Between two `node` events that count: each goes through all that is known, and a probe asks the same once a second.
    private static let factsPause = Duration.seconds(1)

    /// A stream for each neighbour that may live, none for anybody else. One that does not answer probes is not asked: the
    /// first answer of a probe changes its state, which comes here at once. A stream that goes on says more than probes.
    func followNeighbours() {
        let living = neighbours.lazy.filter { $0.state != .down || self.streams[$0.id]?.isUp == true }.map(\.id)
        let wanted = isRunning ? Set(living) : []
        for id in Array(streams.keys) where !wanted.contains(id) { stopStream(id) }
        for id in wanted where streams[id] == nil {
            nextStream += 1
            let number = nextStream
            streams[id] = .init(number: number, task: Task { await self.followDirectory(of: id, number) })
        }
    }

    func stopStream(_ id: Neighbour.ID) { streams.removeValue(forKey: id)?.task.cancel() }

    private func followDirectory(of id: Neighbour.ID, _ number: Int) async {
        var pause = Self.pauses.lowerBound
        var lastReason: String?
        var complaints = Complaints()
        while !Task.isCancelled {
            let begin = ContinuousClock.now
            // The name that the token is for.
            let name = entries[id]?.name ?? id
            let token = authorization(name)
            let request = EventStreamClient.Request(
                id + "/relay/directory",
                headers: [(CascadeField.instance, instance)] + (token.map { [("Authorization", $0)] } ?? []),
                peer: name)
            var end = EventStreamClient.End.finished
            for await item in streamClient.open(request) {
                switch item {
                case .opened: break
                case .ended(let reason): end = reason
                case .event(let name, let data):
                    let message = await DirectoryMessage.read(name, data)
                    let malformed = apply(message, from: id, number)
                    complain(of: malformed, name, from: id, &complaints)
                }
            }
            guard !Task.isCancelled, streams[id]?.number == number else { return }
            let wasUp = streams[id]?.isUp == true
            lose(id, end)
            guard streams[id]?.number == number else { return }
            if entries[id]?.health.state == .down {
                streams[id] = nil
                return
            }
            let hasNone =
                switch end {
                case .status(404), .contentType: true
                default: false
                }
            if !wasUp, "\(end)" != lastReason, !hasNone {
                logger.debug("no directory", metadata: ["upstream": "\(entries[id]?.name ?? id)", "reason": "\(end)"])
            }
            lastReason = wasUp ? nil : "\(end)"
            // A stream that breaks as soon as it is up is as good as none.
            if wasUp, .now - begin > Self.pauses.upperBound { pause = Self.pauses.lowerBound }
            let next = hasNone ? Self.pauseWithoutDirectory : pause
            pause = min(pause * 2, Self.pauses.upperBound)
            try? await Task.sleep(for: next * Double.random(in: 0.75...1.25))
        }
    }

    /// - Returns: how many things in it make no sense.
    private func apply(_ message: DirectoryMessage?, from id: Neighbour.ID, _ number: Int) -> Int {
        guard var stream = streams[id], stream.number == number else { return 0 }
        defer { streams[id] = stream }
        switch message {
        case .snapshot(let facts, let announcements, let malformed):
            var names: Set<String> = []
            let kept = announcements.filter { names.insert($0.name).inserted }.prefix(Self.mostAnnouncements)
            counters.ignoredAnnouncements += UInt64(announcements.count - kept.count)
            if !stream.isUp {
                logger.info(
                    "directory followed",
                    metadata: ["upstream": "\(entries[id]?.name ?? id)", "broadcasts": "\(kept.count)"])
            }
            (stream.isUp, stream.names) = (true, Set(kept.map(\.name)))
            emit(.snapshot(id, Array(kept)))
            hear(facts, from: id)
            return malformed
        case .announce(let announcement) where stream.isUp:
            guard stream.names.count < Self.mostAnnouncements || stream.names.contains(announcement.name) else {
                counters.ignoredAnnouncements += 1
                return 0
            }
            stream.names.insert(announcement.name)
            emit(.announced(id, announcement))
            return 0
        case .withdraw(let broadcast) where stream.isUp:
            if stream.names.remove(broadcast) != nil { emit(.withdrawn(id, broadcast: broadcast)) }
            return 0
        case .node(let facts) where stream.isUp:
            if let last = stream.factsHeard, now - last < Self.factsPause { return 0 }
            stream.factsHeard = now
            hear(facts, from: id)
            return 0
        default: return 1
        }
    }

    private func hear(_ facts: NodeFacts, from id: Neighbour.ID) {
        change(id) { entry in
            learn(facts, of: &entry)
            entry.health.hear(isReady: facts.ready, now: now)
        }
    }

    private func lose(_ id: Neighbour.ID, _ end: EventStreamClient.End) {
        guard streams[id]?.isUp == true else { return }
        streams[id]?.isUp = false
        streams[id]?.names = []
        counters.lostStreams += 1
        logger.notice(
            "directory lost", metadata: ["upstream": "\(entries[id]?.name ?? id)", "reason": "\(end)"])
        emit(.lost(id))
        doubt(id)
    }

    /// Rubbish from one neighbour since it was last logged.
    private struct Complaints {
        var last: Duration?
        var count = 0
    }

    private func complain(of malformed: Int, _ event: String, from id: Neighbour.ID, _ complaints: inout Complaints) {
        guard malformed > 0 else { return }
        counters.malformedEvents += UInt64(malformed)
        complaints.count += malformed
        if let last = complaints.last, now - last < Self.complaintInterval { return }
        logger.warning(
            "directory has malformed events",
            metadata: [
                "upstream": "\(entries[id]?.name ?? id)", "event": "\(QuotedText.shown(event))",
                "count": "\(complaints.count)", "effect": "they are skipped",
            ])
        complaints = Complaints(last: now)
    }
}
