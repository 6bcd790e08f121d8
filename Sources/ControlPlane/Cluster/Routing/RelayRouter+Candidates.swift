/// Whom to ask for a broadcast.
extension RelayRouter {
    /// What a neighbour says of a broadcast, if a path through it can be of use to us and to those who wait for us.
    func announcement(of name: String, by id: Neighbour.ID, without avoided: Set<String> = []) -> Announcement? {
        guard let said = tables[id]?.announcements[name], !said.path.contains(node),
            said.path.count < Announcement.longestPath, avoided.isDisjoint(with: said.path)
        else { return nil }
        return said
    }

    /// The publication that counts: the newest of those that can be reached.
    func newestPublication(of name: String) -> Publication? {
        neighbours.compactMap { announcement(of: name, by: $0.id)?.publication }.max()
    }

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
    /// 5. the same again of those that drain, or whose stream is lost, or that are down.
    func candidates(for name: String, avoiding: Set<String>, isCertain: Bool) -> [Neighbour] {
        let newest = newestPublication(of: name)
        let mine = RendezvousRank(of: node, for: name)
        var groups: [[Neighbour]] = Array(repeating: [], count: 8)
        for neighbour in neighbours where !avoiding.contains(neighbour.name) {
            let said = announcement(of: name, by: neighbour.id, without: avoiding)
            let isSilentOnIt = tables[neighbour.id]?.announcements[name] == nil
            let isFollowed = tables[neighbour.id]?.isFollowed == true
            let isSound = neighbour.isReady && neighbour.state != .down && (isFollowed || !hasTable(neighbour))
            let group: Int?
            switch neighbour.kind {
            case .peer where mine < RendezvousRank(of: neighbour.name, for: name):
                // One that says nothing has perhaps not heard of it yet; one whose way leads through us is of no use.
                group = isFollowed && (said != nil || (isSilentOnIt && (newest != nil || isCertain))) ? 0 : nil
            case .peer:
                group = said?.publication == newest && said != nil ? 3 : nil
            case .above:
                if let said {
                    group = said.publication == newest ? 1 : nil
                } else if !isSilentOnIt {
                    group = nil
                } else if !isFollowed {
                    group = 2
                } else {
                    group = newest == nil && isCertain ? 2 : nil
                }
            }
            guard let group else { continue }
            groups[isSound ? group : 4 + group].append(neighbour)
        }
        groups[0].sort { RendezvousRank(of: $0.name, for: name) > RendezvousRank(of: $1.name, for: name) }
        groups[4].sort { RendezvousRank(of: $0.name, for: name) > RendezvousRank(of: $1.name, for: name) }
        return groups.flatMap { $0 }
    }

    /// A neighbour that has had a directory stream; another kind of server never has one.
    private func hasTable(_ neighbour: Neighbour) -> Bool { tables[neighbour.id] != nil }
}
