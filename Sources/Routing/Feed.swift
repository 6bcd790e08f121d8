/// A wanted broadcast: who sends it to us, who is about to, and the search for somebody who could.
struct Feed: Sendable {
    struct Source: Sendable {
        let attempt: RelayRouter.Attempt
        let neighbour: Neighbour.ID
        /// Nodes that the media passes, as the neighbour said when it agreed; empty where it says no such thing.
        let path: [String]
        /// What we announce of a source that announces nothing itself.
        let description: Announcement?
        /// There is time: the one before it can go on for a while without harm.
        let isForOrder: Bool
        /// Given up at this moment if it does not feed the broadcast.
        var openBy: Duration?
        var isUnreachable = false
        /// Since when nothing has come although the transport is up.
        var silentSince: Duration?
        /// Since when nothing has come although the other end says that media flows there; moves on while it does not.
        var overdueSince: Duration?
        /// Silent for longer than the news of a publisher's silence takes, and there is none.
        var isStuck = false
    }

    /// What is wrong with a source that is up.
    enum Fault: Hashable, Sendable {
        /// It brings nothing: anything else is better.
        case unreachable, stuck, loop
        /// It brings something; others would be better.
        case draining, outdated, orphaned
        /// It is as good as any, but another edge of the region fetches the broadcast for all.
        case misplaced

        var bringsNothing: Bool { self == .unreachable || self == .stuck || self == .loop }
    }

    struct Search: Sendable {
        var asking: (attempt: RelayRouter.Attempt, neighbour: Neighbour)?
        var tried: Set<Neighbour.ID> = []
        /// What is wrong with the present source, which sends: it is left for a better one only.
        var reason: Fault?
        /// Asked when nobody else is left.
        var last: Neighbour.ID?
        var deadline: Duration
        /// The most telling of the answers.
        var setback: RelayRouter.Setback?
        /// When not to wait for an announcement any longer.
        var settleAt: Duration?
    }

    /// Sends, or did until something went wrong with it.
    var current: Source?
    /// Has agreed; takes over from `current` when it brings media.
    var next: Source?
    var search: Search?
    /// Names of the nodes that wait for us to find a source.
    var waiting: Set<String> = []
    /// Another node has asked for it, so it is announced somewhere.
    var isCertain = false
    /// The neighbour that ended the source in order: it may know that the broadcast is over.
    var endedBy: Neighbour.ID?
    /// When to look again, and how long to wait after that.
    var retryAt: Duration?
    var pause = RelayRouter.firstPause
    /// No search begins before, whatever the news.
    var notBefore = Duration.zero
    /// What is wrong with `current`, and until when that is borne.
    var borne: (fault: Fault, until: Duration)?

    /// A source is up: what was noted for the search and for the one before it is void.
    mutating func found() {
        (pause, retryAt, endedBy, borne) = (RelayRouter.firstPause, nil, nil, nil)
        waiting = []
    }

    /// The source that came from this neighbour, if any.
    func source(from id: Neighbour.ID) -> RelayRouter.Attempt? {
        current?.neighbour == id ? current?.attempt : nil
    }

    /// Media comes, as far as is known, or would if the publisher sent any.
    var isFlowing: Bool { current.map { !$0.isUnreachable && !$0.isStuck } ?? false }

    /// What `RelayRouter.advance` waits for. While somebody is asked, or has agreed, nobody else is looked for.
    var nextDeadline: Duration? {
        let isLooking = search != nil || next != nil
        return [
            search?.settleAt, next?.openBy, isLooking ? nil : retryAt,
            isLooking || current == nil ? nil : borne?.until,
            current?.isStuck == false ? current?.overdueSince.map { $0 + RelayRouter.grace } : nil,
        ].compactMap { $0 }.min()
    }
}
