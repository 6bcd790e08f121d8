/// What the owner tells of broadcasts and relays, and what follows.
extension RelayRouter {
    // MARK: - Wishes

    /// Somebody here wants the broadcast, or, with `waiting`, nodes below do. `settled` follows, at once if there is a
    /// source already.
    package mutating func want(_ name: String, waiting: [String] = [], now: Duration) {
        // The neighbours among them are not asked; a node below may name others than there are.
        let known = feeds[name, default: Feed()].waiting
        feeds[name, default: Feed()].waiting.formUnion(waiting.prefix(max(0, Self.mostRemembered - known.count)))
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

    /// Whether a viewer who comes now gets the picture when it comes: a relay is being set up, or is up and works, and its
    /// other end still has it, with a publisher who pauses or one who sends.
    package func canServe(_ name: String, now: Duration) -> Bool {
        guard let feed = feeds[name] else { return false }
        if feed.next != nil { return true }
        guard feed.isFlowing, let current = feed.current, fault(of: name, now: now)?.bringsNothing != true else {
            return false
        }
        return tables[current.neighbour]?.isFollowed != true
            || tables[current.neighbour]?.announcements[name] != nil
    }

    /// When `canServe` may become false without any news.
    package func nextSilence(of name: String, after now: Duration) -> Duration? {
        feeds[name]?.current?.silentSince.flatMap { $0 > now ? $0 : nil }
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
            isForOrder: search.reason == .draining || search.reason == .misplaced, openBy: now + Self.openTimeout)
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

    /// Its transport is up. It `feeds` or is `lost` soon.
    package mutating func connected(_ name: String, _ attempt: Attempt, now: Duration) {
        guard let next = feeds[name]?.next, next.attempt == attempt, !next.isForOrder else { return }
        feeds[name]?.next?.openBy = now + Self.longestSuccession
    }

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
            feeds[name]?.search?.reason = nil
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

    // MARK: - Time

    /// What is due for one broadcast.
    mutating func advance(_ name: String, now: Duration) {
        guard let feed = feeds[name] else { return }
        if let next = feed.next, let openBy = next.openBy, openBy <= now {
            actions.append(.drop(name, next.attempt))
            return lost(name, next.attempt, inOrder: false, now: now)
        }
        if let current = feed.current, let since = current.overdueSince, since + Self.grace <= now, !current.isStuck {
            // One whose other end says that nothing comes there either is not stuck. Neither is one that has nothing any
            // more and waits for a publisher; but nodes that wait for each other in a circle do so for ever.
            let said = tables[current.neighbour]?.announcements[name]
            let isOld = current.silentSince.map { $0 + Self.longestSilence <= now } ?? false
            if said?.flows ?? isOld {
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
