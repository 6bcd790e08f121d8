import Forwarding
import FoundationEssentials
import Logging
package import Routing

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
        if broadcast.liveSource != nil, let publication = broadcast.publication {
            announcement = self.announcement(of: id, publication: publication)
            if !isFlowing(broadcast) { announcement?.silent = true }
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

    /// More nodes than this do not follow one.
    static let maximumFollowers = 1_024

    package var takesFollowers: Bool { followers.count < Self.maximumFollowers && !stopping }

    /// From here on `stream` is told everything that can be had from here, then each change.
    package func follow(with stream: EventStream) {
        guard takesFollowers else { return stream.finish() }
        stream.send("snapshot", Snapshot(node: facts(readiness), broadcasts: router.announcements))
        followers[ObjectIdentifier(stream)] = stream
    }

    package func unfollow(_ stream: EventStream) { followers[ObjectIdentifier(stream)] = nil }

    func tellFollowers(_ changes: [RelayRouter.Change]) {
        guard !followers.isEmpty else { return }
        for change in changes {
            let (event, data) =
                switch change {
                case .announce(let announcement): ("announce", JSONText.text(announcement))
                case .withdraw(let name): ("withdraw", JSONText.text(Withdrawal(name: name)))
                }
            for stream in followers.values { stream.send(event, data) }
        }
    }

    /// A drain has begun or is taken back.
    func tellFollowersOfNode() {
        let facts = JSONText.text(facts(readiness))
        for stream in followers.values { stream.send("node", facts) }
    }

    // MARK: - Lists

    /// The node that has the publication that counts; nil: nobody has the broadcast.
    package func origin(of name: String) -> String? { router.newestPublication(of: name)?.origin }

    /// What flows, on this node and at others. What pauses can be watched as well, by those who know of it.
    package func knownBroadcasts() -> [BroadcastSummary] {
        let here = liveBroadcasts()
        guard pullsBroadcasts else { return here }
        let counts = Dictionary(here.map { ($0.name, $0.viewers) }, uniquingKeysWith: { first, _ in first })
        return router.known.filter(\.flows).map { known in
            BroadcastSummary(
                name: known.name, title: known.title, origin: known.publication.origin, since: known.since,
                tracks: known.tracks, encodings: known.encodings, viewers: counts[known.name] ?? 0)
        }
    }
}
