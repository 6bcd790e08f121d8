/// Whom to ask for a broadcast.
extension RelayRouter {
    /// What a neighbour says of a broadcast, if a path through it can be of use to us and to those who wait for us.
    func announcement(of name: String, by id: Neighbour.ID, without avoided: Set<String> = []) -> Announcement? {
        guard let said = tables[id]?.announcements[name], isUsable(said), avoided.isDisjoint(with: said.path),
            !isStale(said)
        else { return nil }
        return said
    }

    /// We can be one more node on its path.
    func isUsable(_ said: Announcement) -> Bool {
        !said.path.contains(node) && said.path.count < Announcement.longestPath
    }

    /// A node on the path says otherwise itself, so that the one that says it will take it back as soon as it knows. With
    /// this a withdrawal does not send a region of edges through all the detours via each other (path exploration; Pei et
    /// al., "Improving BGP convergence through consistency assertions", 2002).
    private func isStale(_ said: Announcement) -> Bool {
        said.path.dropLast().enumerated().contains { index, hop in
            guard let id = ids[hop], let table = tables[id], table.isFollowed else { return false }
            return table.announcements[said.name]?.path.elementsEqual(said.path[...index]) != true
        }
    }

    /// The publication that counts, as the node says that is nearest to its publisher: of those that the living announce,
    /// or else of those that the others did, the newest that flows, or else the newest.
    func leading(_ name: String) -> Announcement? {
        var nearest: (alive: [Announcement], dead: [Announcement]) = ([], [])
        for neighbour in neighbours {
            guard let said = announcement(of: name, by: neighbour.id) else { continue }
            if isAlive(neighbour) {
                Self.note(said, in: &nearest.alive)
            } else {
                Self.note(said, in: &nearest.dead)
            }
        }
        return (nearest.alive.isEmpty ? nearest.dead : nearest.alive).max { $0.isOutdone(by: $1) }
    }

    /// One of each publication. Nodes further away hear later that it has fallen silent, or flows again.
    private static func note(_ said: Announcement, in nearest: inout [Announcement]) {
        guard let index = nearest.firstIndex(where: { $0.publication == said.publication }) else {
            return nearest.append(said)
        }
        if said.path.count < nearest[index].path.count { nearest[index] = said }
    }

    package func newestPublication(of name: String) -> Publication? { leading(name)?.publication }

    /// Whether every node above has told us all that it has: then what nobody announces is not live.
    var knowsAllAbove: Bool {
        neighbours.allSatisfy { $0.kind == .peer || tables[$0.id]?.isFollowed == true }
    }

    /// In the order in which they are asked:
    /// 1. living peers that rank before us for this broadcast: one of them fetches it for the region,
    /// 2. nodes above that announce the newest publication,
    /// 3. nodes above of which it is not known what they have, or, when nobody announces it and the request comes from
    ///    another node (which has seen an announcement), all nodes above,
    /// 4. peers that rank after us and have a way of their own,
    /// then the same again of those that drain, and last of those whose stream is lost or that are down.
    func candidates(for name: String, _ feed: Feed) -> [Neighbour] {
        let newest = newestPublication(of: name)
        let mine = RendezvousRank(of: node, for: name)
        var groups: [[Neighbour]] = Array(repeating: [], count: 12)
        for neighbour in neighbours where !feed.waiting.contains(neighbour.name) {
            let said = announcement(of: name, by: neighbour.id, without: feed.waiting)
            let isSilentOnIt = tables[neighbour.id]?.announcements[name] == nil
            let isFollowed = tables[neighbour.id]?.isFollowed == true
            let group: Int?
            switch neighbour.kind {
            case .peer where mine < RendezvousRank(of: neighbour.name, for: name):
                // One that says nothing has perhaps not heard of it yet; one whose way leads through us is of no use.
                let mayGetIt = isSilentOnIt && (newest != nil || feed.isCertain)
                group = isFollowed && (said != nil || mayGetIt) ? 0 : nil
            case .peer:
                group = said != nil && said?.publication == newest ? 3 : nil
            case .above:
                if let said {
                    group = said.publication == newest ? 1 : nil
                } else if !isSilentOnIt {
                    group = nil
                } else if !isFollowed {
                    group = 2
                } else {
                    group = newest == nil && feed.isCertain ? 2 : nil
                }
            }
            guard let group else { continue }
            groups[isSound(neighbour) ? group : isAlive(neighbour) ? 4 + group : 8 + group].append(neighbour)
        }
        for tier in [0, 4, 8] where groups[tier].count > 1 {
            groups[tier].sort { RendezvousRank(of: $0.name, for: name) > RendezvousRank(of: $1.name, for: name) }
        }
        return groups.flatMap { $0 }
    }

    /// Whether the order above would have us ask `candidate` before `present`: a region of edges has one copy again
    /// when the one that fetches for all is back.
    func isBetterPlaced(_ candidate: Neighbour, than present: Neighbour, for name: String) -> Bool {
        let (mine, rank) = (RendezvousRank(of: node, for: name), RendezvousRank(of: candidate.name, for: name))
        let presentRank = RendezvousRank(of: present.name, for: name)
        return switch (candidate.kind, present.kind) {
        case (.peer, .above): mine < rank
        case (.peer, .peer): mine < rank && presentRank < rank
        case (.above, .peer): presentRank < mine
        case (.above, .above): false
        }
    }

    /// Nothing speaks against asking it.
    func isSound(_ neighbour: Neighbour) -> Bool { neighbour.isReady && isAlive(neighbour) }

    /// Another kind of server never has a directory stream; one that has lost it has not answered since.
    func isAlive(_ neighbour: Neighbour) -> Bool {
        neighbour.state != .down && tables[neighbour.id]?.isFollowed != false
    }
}
