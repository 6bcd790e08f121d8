import Forwarding
import FoundationEssentials
import Logging

/// What this node tells others of its broadcasts, and what others tell it.
extension Sessions {
    package func heard(_ event: DirectoryEvent) {
        router.apply(event, now: clock)
        route()
    }

    // MARK: - What is live here

    /// Brings what we announce of a published broadcast in step with its state.
    func refreshAnnouncement(of id: BroadcastID) {
        guard !pullsBroadcasts, let broadcast = broadcasts[id], names[broadcast.name] == id else { return }
        var announcement: Announcement?
        if isFlowing(broadcast), let publication = broadcast.publication {
            announcement = self.announcement(of: id, publication: publication)
        }
        router.setOwn(announcement, for: broadcast.name, now: clock)
        route()
    }

    func announcement(of id: BroadcastID, publication: Publication) -> Announcement? {
        guard let broadcast = broadcasts[id] else { return nil }
        let summary = summary(of: broadcast)
        return Announcement(
            name: broadcast.name, title: summary.title, publication: publication,
            path: publication.origin == node.name ? [node.name] : [publication.origin, node.name],
            since: summary.since, tracks: summary.tracks, encodings: summary.encodings)
    }

    // MARK: - Those who follow us

    private struct Snapshot: Encodable {
        var node: NodeFacts
        var broadcasts: [Announcement]
    }

    private struct Withdrawal: Encodable {
        var name: String
    }

    /// What this node says of itself.
    package var facts: NodeFacts {
        let viewers = tally.count(.viewer)
        return NodeFacts(
            node: node.name, role: node.role.rawValue, region: node.region, url: node.publicListener.url,
            viewers: node.viewers, ready: !draining && viewers < topology.limits.viewers, draining: draining,
            load: min(1, Double(viewers) / Double(max(1, topology.limits.viewers))), instance: instance)
    }

    /// More nodes than this do not follow one.
    static let maximumFollowers = 1_024

    package var takesFollowers: Bool { followers.count < Self.maximumFollowers && !stopping }

    /// From here on `stream` is told everything that can be had from here, then each change.
    package func follow(with stream: EventStream) {
        guard takesFollowers else { return stream.finish() }
        stream.send("snapshot", Snapshot(node: facts, broadcasts: router.announcements))
        followers[ObjectIdentifier(stream)] = stream
    }

    package func unfollow(_ stream: EventStream) { followers[ObjectIdentifier(stream)] = nil }

    func tellFollowers(_ changes: [RelayRouter.Change]) {
        guard !followers.isEmpty else { return }
        for change in changes {
            for stream in followers.values {
                switch change {
                case .announce(let announcement): stream.send("announce", announcement)
                case .withdraw(let name): stream.send("withdraw", Withdrawal(name: name))
                }
            }
        }
    }

    /// Readiness has changed.
    func tellFollowersOfNode() {
        let facts = facts
        for stream in followers.values { stream.send("node", facts) }
    }

    // MARK: - Lists

    /// The node that has the publication that counts; nil: nobody has the broadcast.
    package func origin(of name: String) -> String? { router.newestPublication(of: name)?.origin }

    /// What can be watched here: what is live on this node, and what others have.
    package func knownBroadcasts() -> [BroadcastSummary] {
        let here = liveBroadcasts()
        guard pullsBroadcasts else { return here }
        let counts = Dictionary(here.map { ($0.name, $0.viewers) }, uniquingKeysWith: { first, _ in first })
        return router.known.map { known in
            BroadcastSummary(
                name: known.name, title: known.title, origin: known.publication.origin, since: known.since,
                tracks: known.tracks, encodings: known.encodings, viewers: counts[known.name] ?? 0)
        }
    }
}
