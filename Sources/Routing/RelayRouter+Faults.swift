/// What is wrong with a source, and what follows.
extension RelayRouter {
    func fault(of name: String, now: Duration) -> Feed.Fault? {
        guard let current = feeds[name]?.current else { return nil }
        let said = tables[current.neighbour]?.announcements[name]
        if said?.path.contains(node) == true { return .loop }
        if current.isUnreachable { return .unreachable }
        if current.isStuck { return .stuck }
        let leading = leading(name)
        let isFollowed = tables[current.neighbour]?.isFollowed == true
        // It brings nothing, and does not say that it has what others have.
        if let leading, let since = current.silentSince, since <= now,
            isFollowed ? said?.isOutdone(by: leading) ?? true : leading.flows
        {
            return .stuck
        }
        if neighbour(current.neighbour)?.isReady == false { return .draining }
        guard let leading, isFollowed else { return nil }
        guard let said else { return .orphaned }
        return said.isOutdone(by: leading) ? .outdated : nil
    }

    /// The region has a better place to get it from, and nothing else is wrong.
    private func isMisplaced(_ name: String, _ feed: Feed) -> Bool {
        guard let present = feed.current.flatMap({ neighbour($0.neighbour) }) else { return false }
        // The cheap questions first: there may be a hundred neighbours, and hundreds of broadcasts.
        let placed = neighbours.filter { isSound($0) && isBetterPlaced($0, than: present, for: name) }
        guard !placed.isEmpty else { return false }
        let newest = newestPublication(of: name)
        return placed.contains { isBetter($0, than: present, newest: newest, for: name, feed, reason: .misplaced) }
    }

    /// An edge that ranks before us gets it through the node that drains as well: that one is the first to look further, or
    /// a whole region would ask above at once.
    private func hasLeader(_ name: String, besides source: Feed.Source) -> Bool {
        guard let draining = neighbour(source.neighbour) else { return false }
        let mine = RendezvousRank(of: node, for: name)
        return neighbours.contains {
            $0.kind == .peer && isSound($0) && mine < RendezvousRank(of: $0.name, for: name)
                && tables[$0.id]?.announcements[name]?.path.contains(draining.name) == true
        }
    }

    /// How long a fault is borne before another source is looked for.
    private mutating func patience(with fault: Feed.Fault, of source: Feed.Source) -> Duration {
        switch fault {
        // A node that is fed by another edge leaves it to that one to follow the broadcast, for a while. The origin
        // itself has nobody to turn to.
        case .outdated, .orphaned: source.path.count > 1 ? Self.grace : .zero
        case .misplaced: Self.calm * Double.random(in: 1...2, using: &generator)
        case .draining: Self.grace * 2
        case .unreachable, .stuck, .loop: .zero
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
            if search.reason != nil, fault(of: name, now: now)?.bringsNothing == true {
                feeds[name]?.search?.reason = nil
            }
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
        if fault == .draining, !hasLeader(name, besides: current) { borne?.until = now }
        feeds[name]?.borne = borne
        guard let until = borne?.until, until <= now else { return }
        feeds[name]?.borne = nil
        if fault.bringsNothing {
            begin(name, last: current.neighbour, now: now)
        } else {
            begin(name, leaving: current.neighbour, reason: fault, now: now)
        }
    }
}
