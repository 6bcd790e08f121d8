/// What this node tells others.
extension RelayRouter {
    /// A broadcast that is published at this node; nil: it is not any more, or says nothing at present.
    package mutating func setOwn(_ announcement: Announcement?, for name: String, now: Duration) {
        guard own[name] != announcement else { return }
        own[name] = announcement
        changed([name], now: now)
    }

    /// What has changed since the last call, in the order of names.
    package mutating func takeChanges() -> [Change] {
        defer { dirty = [] }
        return dirty.sorted().compactMap { name in
            let next = best(name)
            guard next != announced[name] else { return nil }
            announced[name] = next
            return next.map { .announce($0) } ?? .withdraw(name)
        }
    }

    /// All that can be had from this node, by name.
    package var announcements: [Announcement] { announced.values.sorted { $0.name < $1.name } }

    /// The best that is known of a broadcast, through whomever; also of what this node could not pass on.
    package var known: [Announcement] {
        allNames.sorted().compactMap { best($0) }
    }

    private func best(_ name: String) -> Announcement? {
        if let published = own[name] { return published }
        if let feed = feeds[name], feed.isFlowing, let id = feed.current?.neighbour {
            // What feeds us is the truth, and nothing else while it does: nodes that feed each other in a circle have nothing.
            if let said = tables[id]?.announcements[name] { return isUsable(said) ? extended(said) : nil }
            // Another kind of server, which announces nothing, but sends.
            return tables[id]?.isFollowed == true ? nil : feed.current?.description
        }
        // By length, not in the order of asking: nodes that prefer each other's longer paths never come to rest.
        let newest = newestPublication(of: name)
        return neighbours.compactMap { announcement(of: name, by: $0.id) }.filter { $0.publication == newest }
            .min { $0.path.count < $1.path.count }.map(extended)
    }

    private func extended(_ said: Announcement) -> Announcement {
        var mine = said
        mine.path.append(node)
        return mine
    }
}
