/// The search for a source.
extension RelayRouter {
    mutating func begin(
        _ name: String, last: Neighbour.ID? = nil, leaving: Neighbour.ID? = nil, reason: Feed.Fault? = nil,
        now: Duration
    ) {
        guard let feed = feeds[name] else { return }
        if now < feed.notBefore {
            feeds[name]?.retryAt = min(feed.retryAt ?? feed.notBefore, feed.notBefore)
            return
        }
        var search = Feed.Search(last: last, deadline: now + budget)
        if let leaving, let reason {
            search.tried.insert(leaving)
            // One that still sends is not left for nothing: without anybody else to ask it stays.
            search.reason = reason
            guard better(for: name, feed, reason: reason).contains(where: { $0.id != leaving }) else { return }
        }
        feeds[name]?.search = search
        feeds[name]?.retryAt = nil
        step(name, now: now)
    }

    /// Than a source that sends: one that announces the newest publication, and has not got what we leave that one for.
    func isBetter(
        _ candidate: Neighbour, than present: Neighbour, newest: Publication?, for name: String, _ feed: Feed,
        reason: Feed.Fault
    ) -> Bool {
        guard let said = announcement(of: name, by: candidate.id, without: feed.waiting), said.publication == newest
        else { return false }
        switch reason {
        // One that gets it through the node that we leave will lose it just so.
        case .draining: return isSound(candidate) && !said.path.contains(present.name)
        case .misplaced:
            // One that is itself fed by an edge of the region may be about to move as well: both would end in a circle.
            let isFedByPeer = said.path.dropLast().contains { ids[$0].flatMap(neighbour)?.kind == .peer }
            return isSound(candidate) && !isFedByPeer && isBetterPlaced(candidate, than: present, for: name)
        case .outdated, .orphaned, .unreachable, .stuck, .loop: return true
        }
    }

    /// Those of the candidates that are better than the present source.
    private func better(for name: String, _ feed: Feed, reason: Feed.Fault) -> [Neighbour] {
        guard let present = feed.current.flatMap({ neighbour($0.neighbour) }) else { return [] }
        let newest = newestPublication(of: name)
        return candidates(for: name, feed).filter {
            isBetter($0, than: present, newest: newest, for: name, feed, reason: reason)
        }
    }

    mutating func step(_ name: String, now: Duration) {
        guard let feed = feeds[name], var search = feed.search, search.asking == nil else { return }
        var list = (search.reason.map { better(for: name, feed, reason: $0) } ?? candidates(for: name, feed))
            .filter { !search.tried.contains($0.id) }
        if let last = search.last, let index = list.firstIndex(where: { $0.id == last }) {
            list.append(list.remove(at: index))
        }
        let remaining = search.deadline - now
        if let target = list.first, remaining > .zero {
            let share = share(of: remaining, for: target, isLast: list.count == 1)
            let attempt = attempt()
            search.asking = (attempt, target)
            search.settleAt = nil
            feeds[name]?.search = search
            return actions.append(
                .ask(
                    name, attempt, target, waiting: Array(feed.waiting.sorted().prefix(Self.mostWaiting - 1)) + [node],
                    timeout: share))
        }
        if search.tried.isEmpty, feed.current == nil, !neighbours.isEmpty {
            guard let settleAt = search.settleAt else {
                feeds[name]?.search?.settleAt = now + Self.patience
                return
            }
            if now < settleAt { return }
        }
        finish(name, search, now: now)
    }

    /// The one that is asked gives no sign of life, and there is news of another: nobody waits for it any longer.
    mutating func skipLifeless(_ name: String, _ search: Feed.Search, now: Duration) {
        guard let asked = search.asking, let feed = feeds[name], neighbour(asked.neighbour.id).map(isSound) != true,
            candidates(for: name, feed).contains(where: {
                $0.id != asked.neighbour.id && !search.tried.contains($0.id) && isSound($0)
            })
        else { return }
        refused(name, asked.attempt, .unavailable("no sign of life"), now: now)
    }

    /// How long one is waited for: the last for all that is left, unless it gives no sign of life.
    private func share(of remaining: Duration, for target: Neighbour, isLast: Bool) -> Duration {
        // The dead are asked last of all: all of them together must not cost the viewer's patience.
        guard isAlive(target) else { return min(Self.lifelessShare, remaining) }
        if isLast { return isSound(target) ? remaining : min(Self.longestShare, remaining) }
        return min(Self.longestShare, remaining / 2)
    }

    private mutating func finish(_ name: String, _ search: Feed.Search, now: Duration) {
        guard let feed = feeds[name] else { return }
        feeds[name]?.search = nil
        feeds[name]?.notBefore = now + Self.firstPause
        feeds[name]?.waiting = []
        // One that waited for us could not be asked, and may have found it meanwhile.
        let isOpen = !feed.waiting.isEmpty && newestPublication(of: name) != nil
        let pause = isOpen ? Self.firstPause : feed.pause
        feeds[name]?.retryAt = now + pause * Double.random(in: 0.5...1, using: &generator)
        feeds[name]?.pause = min(pause * 2, Self.longestPause)
        let setback =
            search.setback
            ?? (neighbours.isEmpty
                ? .unavailable("no upstream is known")
                : knowsAllAbove ? .notLive(retryAfter: 2) : .unavailable("no upstream answers"))
        settle(name, .notFound(setback))
        guard feed.current == nil, case .notLive = setback, let ended = feed.endedBy,
            neighbour(ended)?.isReady == true, tables[ended]?.isFollowed == true
        else { return }
        feeds[name] = nil
        dirty.insert(name)
        actions.append(.over(name))
    }

    mutating func settle(_ name: String, _ outcome: Outcome) {
        actions.append(.settled(name, outcome))
        dirty.insert(name)
    }
}
