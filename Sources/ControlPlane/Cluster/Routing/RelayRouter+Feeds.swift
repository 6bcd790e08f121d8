/// What the owner tells of broadcasts and relays, and what follows.
extension RelayRouter {
    // MARK: - Wishes

    /// Somebody here wants the broadcast, or, with `waiting`, nodes below do. `settled` follows, at once if there is a
    /// source already.
    package mutating func want(_ name: String, waiting: [String] = [], now: Duration) {
        feeds[name, default: Feed()].waiting.formUnion(waiting)
        if !waiting.isEmpty { feeds[name]?.isCertain = true }
        guard let feed = feeds[name] else { return }
        if canServe(name, now: now) {
            settle(name, .fed)
        } else if feed.search == nil {
            begin(name, now: now)
            // A source that is silent, like everybody's, does not make anybody look again so soon.
            if feeds[name]?.search == nil, feed.current != nil { settle(name, .notFound(.notLive(retryAfter: 2))) }
        }
    }

    /// Nobody wants it any more.
    package mutating func release(_ name: String) {
        guard let feed = feeds.removeValue(forKey: name) else { return }
        for source in [feed.current, feed.next].compactMap({ $0 }) { actions.append(.drop(name, source.attempt)) }
        dirty.insert(name)
    }

    /// Whether the answer to this request is still waited for.
    package func isAsking(_ name: String, _ attempt: Attempt) -> Bool {
        feeds[name]?.search?.asking?.attempt == attempt
    }

    package func isWanted(_ name: String) -> Bool { feeds[name] != nil }

    /// Whether a viewer who comes now gets a picture: a relay is being set up, or is up and brings something, and its
    /// other end still has it.
    package func canServe(_ name: String, now: Duration) -> Bool {
        guard let feed = feeds[name] else { return false }
        if feed.next != nil { return true }
        guard feed.isFlowing, let current = feed.current, fault(of: name, now: now)?.bringsNothing != true else {
            return false
        }
        return tables[current.neighbour]?.isFollowed != true
            || tables[current.neighbour]?.announcements[name] != nil
    }

    /// Whether a node that asks for the broadcast on behalf of those that wait may have it from us; nil: it may.
    package func objection(to waiting: [String], for name: String) -> Setback? {
        if waiting.contains(node) || waiting.count > Self.mostWaiting { return .loop }
        guard let feed = feeds[name], own[name] == nil else { return nil }
        let asking = Set(waiting)
        if let target = feed.search?.asking?.neighbour, asking.contains(target.name) { return .loop }
        let isOnPath = [feed.current, feed.next].compactMap { $0 }.contains { source in
            let said = tables[source.neighbour]?.announcements[name]?.path
            // What it agreed to counts until it is announced.
            let isNext = source.attempt == feed.next?.attempt
            let from = neighbour(source.neighbour)?.name
            return !asking.isDisjoint(with: said ?? source.path) || isNext && !asking.isDisjoint(with: source.path)
                || from.map { asking.contains($0) } == true
        }
        return isOnPath ? .loop : nil
    }

    /// The nodes that the media of a broadcast passes before and including this one.
    package func path(of name: String) -> [String] {
        if own[name] != nil { return [node] }
        guard let source = feeds[name].flatMap({ $0.next ?? $0.current }) else {
            return announced[name]?.path ?? [node]
        }
        let said = announcement(of: name, by: source.neighbour)?.path ?? source.path
        return (said.isEmpty ? [neighbour(source.neighbour)?.name].compactMap { $0 } : said) + [node]
    }

    // MARK: - Answers

    /// A neighbour has agreed. `path`: what it said of the nodes the media passes; `description`: what to announce if it
    /// announces nothing itself.
    package mutating func answered(
        _ name: String, _ attempt: Attempt, path: [String] = [], description: Announcement? = nil, now: Duration
    ) {
        guard let search = feeds[name]?.search, let asked = search.asking, asked.attempt == attempt else {
            return actions.append(.drop(name, attempt))
        }
        if path.contains(node) {
            actions.append(.drop(name, attempt))
            return refused(name, attempt, .loop, now: now)
        }
        if let older = feeds[name]?.next { actions.append(.drop(name, older.attempt)) }
        feeds[name]?.next = Feed.Source(
            attempt: attempt, neighbour: asked.neighbour.id, path: path, description: description,
            openBy: now + Self.openTimeout)
        feeds[name]?.search = nil
        feeds[name]?.retryAt = nil
        settle(name, .fed)
    }

    package mutating func refused(_ name: String, _ attempt: Attempt, _ setback: Setback, now: Duration) {
        guard var search = feeds[name]?.search, let asked = search.asking, asked.attempt == attempt else { return }
        search.asking = nil
        search.tried.insert(asked.neighbour.id)
        search.setback = Self.moreTelling(search.setback, setback)
        feeds[name]?.search = search
        step(name, now: now)
    }

    /// "Not live" and "unacceptable" say more than silence, and the last of equals counts.
    private static func moreTelling(_ old: Setback?, _ new: Setback) -> Setback {
        switch (old, new) {
        case (.notLive?, .unavailable), (.unacceptable?, .unavailable), (.notLive?, .loop), (.unacceptable?, .loop):
            old!
        default: new
        }
    }

    // MARK: - Life of a source

    /// Its transport is up and, if the one before it still sends, its first keyframe has come: it feeds the broadcast from
    /// now on, and the one before it is closed by the owner.
    package mutating func feeds(_ name: String, _ attempt: Attempt, now: Duration) {
        guard let next = feeds[name]?.next, next.attempt == attempt else { return }
        feeds[name]?.current = next
        feeds[name]?.current?.openBy = nil
        // Until its first packet comes; a relay may be agreed to and bring nothing.
        feeds[name]?.current?.silentSince = now + Self.firstMedia
        feeds[name]?.current?.overdueSince = now + Self.firstMedia
        feeds[name]?.next = nil
        feeds[name]?.found()
        changed([name], now: now)
    }

    /// It is closed. `inOrder`: by the neighbour, which said good-bye.
    package mutating func lost(_ name: String, _ attempt: Attempt, inOrder: Bool, now: Duration) {
        guard let feed = feeds[name] else { return }
        if feed.next?.attempt == attempt {
            feeds[name]?.next = nil
            if feed.current != nil, fault(of: name, now: now)?.bringsNothing != true {
                // What sends so far is left for a better one only: that is looked for after a while.
                feeds[name]?.retryAt = now + feed.pause
                feeds[name]?.pause = min(feed.pause * 2, Self.longestPause)
            } else if feed.search == nil {
                begin(name, last: feed.next?.neighbour, now: now)
            }
        } else if feed.current?.attempt == attempt {
            feeds[name]?.current = nil
            feeds[name]?.endedBy = inOrder ? feed.current?.neighbour : nil
            if feed.next == nil, feed.search == nil { begin(name, last: feed.current?.neighbour, now: now) }
        }
        dirty.insert(name)
    }

    /// The owner's worker hears nothing from its other end any more, or hears from it again.
    package mutating func setReachable(_ isReachable: Bool, _ name: String, _ attempt: Attempt, now: Duration) {
        guard feeds[name]?.current?.attempt == attempt else { return }
        feeds[name]?.current?.isUnreachable = !isReachable
        changed([name], now: now)
    }

    /// No media has come for some time, or it comes again.
    package mutating func setSilent(_ isSilent: Bool, _ name: String, _ attempt: Attempt, now: Duration) {
        guard feeds[name]?.current?.attempt == attempt else { return }
        feeds[name]?.current?.silentSince = isSilent ? now : nil
        feeds[name]?.current?.overdueSince = isSilent ? now : nil
        feeds[name]?.current?.isStuck = false
        changed([name], now: now)
    }

    // MARK: - Whether there is a better one

    func fault(of name: String, now: Duration) -> Feed.Fault? {
        guard let current = feeds[name]?.current else { return nil }
        let said = tables[current.neighbour]?.announcements[name]
        if said?.path.contains(node) == true { return .loop }
        if current.isUnreachable { return .unreachable }
        if current.isStuck { return .stuck }
        let newest = newestPublication(of: name)
        let isFollowed = tables[current.neighbour]?.isFollowed == true
        // It brings nothing, and does not say that it has what others have.
        if let newest, let since = current.silentSince, since <= now,
            !isFollowed || said.map({ $0.publication < newest }) ?? true
        {
            return .stuck
        }
        if neighbour(current.neighbour)?.isReady == false { return .draining }
        guard let newest, isFollowed else { return nil }
        guard let said else { return .orphaned }
        return said.publication < newest ? .outdated : nil
    }

    /// The region has a better place to get it from, and nothing else is wrong.
    private func isMisplaced(_ name: String, _ feed: Feed) -> Bool {
        candidates(for: name, feed).contains { isBetter($0, for: name, feed, reason: .misplaced) }
    }

    /// How long a fault is borne before another source is looked for.
    private mutating func patience(with fault: Feed.Fault, of source: Feed.Source) -> Duration {
        switch fault {
        // A node that is fed by another edge leaves it to that one to follow the broadcast, for a while. The origin
        // itself has nobody to turn to.
        case .outdated, .orphaned: source.path.count > 1 ? Self.grace : .zero
        case .misplaced: Self.calm * Double.random(in: 1...2, using: &generator)
        case .unreachable, .stuck, .loop, .draining: .zero
        }
    }

    mutating func reconsider(_ name: String, now: Duration, isNews: Bool) {
        if let current = feeds[name]?.current, let fault = fault(of: name, now: now), fault == .loop || fault == .stuck
        {
            // Nodes that feed each other would wait for each other for ever.
            actions.append(.drop(name, current.attempt))
            return lost(name, current.attempt, inOrder: false, now: now)
        }
        guard let feed = feeds[name], feed.next == nil else { return }
        if let search = feed.search {
            if search.asking == nil {
                step(name, now: now)
            } else if isNews {
                skipLifeless(name, search, now: now)
            }
            return
        }
        guard let current = feed.current else {
            if isNews, !candidates(for: name, feed).isEmpty {
                begin(name, now: now)
            }
            return
        }
        guard let fault = fault(of: name, now: now) ?? (isMisplaced(name, feed) ? .misplaced : nil) else {
            feeds[name]?.borne = nil
            return
        }
        var borne = feed.borne
        if borne?.fault != fault { borne = (fault, now + patience(with: fault, of: current)) }
        feeds[name]?.borne = borne
        guard let until = borne?.until, until <= now else { return }
        feeds[name]?.borne = nil
        if fault.bringsNothing {
            begin(name, last: current.neighbour, now: now)
        } else {
            begin(name, leaving: current.neighbour, reason: fault, now: now)
        }
    }

    // MARK: - The search

    private mutating func begin(
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
            guard
                candidates(for: name, feed).contains(where: {
                    $0.id != leaving && isBetter($0, for: name, feed, reason: reason)
                })
            else { return }
        }
        feeds[name]?.search = search
        feeds[name]?.retryAt = nil
        step(name, now: now)
    }

    /// Than a source that sends: one that announces the newest publication, and has not got what we leave that one for.
    private func isBetter(_ candidate: Neighbour, for name: String, _ feed: Feed, reason: Feed.Fault) -> Bool {
        guard let said = announcement(of: name, by: candidate.id, without: feed.waiting),
            said.publication == newestPublication(of: name),
            let present = feed.current.flatMap({ neighbour($0.neighbour) })
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

    private mutating func step(_ name: String, now: Duration) {
        guard let feed = feeds[name], var search = feed.search, search.asking == nil else { return }
        var list = candidates(for: name, feed)
            .filter { candidate in
                !search.tried.contains(candidate.id)
                    && (search.reason.map { isBetter(candidate, for: name, feed, reason: $0) } ?? true)
            }
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
                .ask(name, attempt, target, waiting: feed.waiting.sorted() + [node], timeout: share))
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
    private mutating func skipLifeless(_ name: String, _ search: Feed.Search, now: Duration) {
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

    private mutating func settle(_ name: String, _ outcome: Outcome) {
        actions.append(.settled(name, outcome))
        dirty.insert(name)
    }

    /// What is due for one broadcast.
    mutating func advance(_ name: String, now: Duration) {
        guard let feed = feeds[name] else { return }
        if let next = feed.next, let openBy = next.openBy, openBy <= now {
            actions.append(.drop(name, next.attempt))
            return lost(name, next.attempt, inOrder: false, now: now)
        }
        if let current = feed.current, let since = current.overdueSince, since + Self.grace <= now, !current.isStuck {
            // One whose other end has told that it has nothing either is not stuck; but nodes that wait for each other
            // in a circle say nothing for ever.
            let isAnnounced = tables[current.neighbour]?.announcements[name] != nil
            let isOld = current.silentSince.map { $0 + Self.longestSilence <= now } ?? false
            if isAnnounced || isOld {
                feeds[name]?.current?.isStuck = true
                return changed([name], now: now)
            }
            feeds[name]?.current?.overdueSince = now
        }
        if let search = feed.search, let settleAt = search.settleAt, settleAt <= now { return step(name, now: now) }
        guard feed.search == nil, feed.next == nil else { return }
        if let retryAt = feed.retryAt, retryAt <= now {
            feeds[name]?.retryAt = nil
            if feed.current == nil { begin(name, now: now) } else { reconsider(name, now: now, isNews: false) }
        } else if let borne = feed.borne, borne.until <= now {
            reconsider(name, now: now, isNews: false)
        }
    }
}
