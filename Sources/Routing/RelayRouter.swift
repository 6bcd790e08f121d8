import WebRTC

/// Decides from which node each wanted broadcast is fetched, and what this node tells others about what can be had from
/// it. A pure value: news and time in (`now` on any clock that only goes forward), `Action`s and announcements out; it
/// opens no connection and reads no clock, so that a simulation can run a whole cluster of it.
///
/// - Who has what is known by path vector: every announcement names all nodes that its media passes, so that nobody
///   follows a path through itself.
/// - Of several publications the newest that flows counts. One whose publisher pauses can be had all the same.
/// - Of the edges of a region the first by `RendezvousRank` that lives asks above, the others ask it.
/// - A source that is lost, cut off, stuck, draining or outdated is replaced by another, which takes over when it is up.
package struct RelayRouter: Sendable {
    /// A source of a broadcast, from the request for it to its end.
    package struct Attempt: RawRepresentable, Hashable, Sendable {
        package var rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }
    }

    /// Why a neighbour did not agree to a relay.
    package enum Setback: Hashable, Sendable {
        case notLive(retryAfter: Int)
        /// It waits for us itself, or gets the broadcast through us.
        case loop
        /// It has the broadcast and refuses our offer.
        case unacceptable(String)
        /// No answer, or one that says that it cannot at present.
        case unavailable(String)
    }

    /// How a search for a source ended.
    package enum Outcome: Hashable, Sendable {
        /// A neighbour has agreed; its media transport is being set up, or is up.
        case fed
        case notFound(Setback)
    }

    /// What the owner has to do.
    package enum Action: Hashable, Sendable {
        /// Ask for a relay; answer with `answered` or `refused` within `timeout`.
        case ask(String, Attempt, Neighbour, waiting: [String], timeout: Duration)
        /// Close that relay.
        case drop(String, Attempt)
        /// Check that the other end of that relay lives.
        case verify(String, Attempt)
        /// Whoever waits for the broadcast need not wait longer.
        case settled(String, Outcome)
        /// The broadcast is over: its source was ended in order, after the hold time above, and nobody else has it.
        case over(String)
    }

    /// What the nodes that follow us are to be told.
    package enum Change: Hashable, Sendable {
        case announce(Announcement)
        case withdraw(String)
    }

    /// What a neighbour has said.
    struct Table: Sendable {
        var announcements: [String: Announcement] = [:]
        /// Its directory stream is up.
        var isFollowed = false
        /// When what it said is forgotten, once the stream is lost.
        var expires: Duration?
    }

    /// How long what a neighbour said outlives its directory stream.
    package static let lease = Duration.seconds(2)
    /// How long a node that nobody has announced a broadcast to waits for that before it says "not live": a viewer may be
    /// quicker than the news.
    static let patience = Duration.milliseconds(150)
    /// How long a node waits for the one it is fed by to get its own source back, before it looks elsewhere.
    static let grace = Duration.seconds(1)
    /// How long a source is kept, at the least, although another edge of the region could fetch for all again: one that
    /// keeps dying must not make viewers move each time it is back. Up to twice as long, so that edges do not move at once.
    static let calm = Duration.seconds(10)
    /// A source of which its other end says nothing any more, since its publisher has gone, is not waited for longer.
    static let longestSilence = Duration.seconds(10)
    /// A relay that brings nothing for so long after its transport is up counts as silent.
    static let firstMedia = Duration.seconds(2)
    /// A relay whose media transport is not up within this is given up; one that is there for order alone also when it has
    /// brought no keyframe by then.
    static let openTimeout = Duration.seconds(4)
    /// One whose transport is up has so long to take over from one that still sends: its owner decides before.
    static let longestSuccession = Duration.seconds(6)
    /// Between searches that found nothing.
    static let firstPause = Duration.milliseconds(100)
    static let longestPause = Duration.seconds(2)
    /// While others are left to ask, nobody is waited for longer.
    static let longestShare = Duration.seconds(1)
    /// One that is down, or whose stream is lost.
    static let lifelessShare = Duration.milliseconds(600)
    /// More waiting nodes in one request are a loop.
    package static let mostWaiting = 16
    /// Waiting nodes that one search remembers, of all requests together.
    static let mostRemembered = 256

    package let node: String
    /// For all requests of one search.
    let budget: Duration
    var generator: SeededGenerator
    /// In order of preference.
    private(set) var neighbours: [Neighbour] = []
    /// By name.
    private(set) var ids: [String: Neighbour.ID] = [:]
    var tables: [Neighbour.ID: Table] = [:]
    var own: [String: Announcement] = [:]
    var feeds: [String: Feed] = [:]
    var actions: [Action] = []
    private var nextAttempt: UInt64 = 1
    /// Names whose announcement may have changed, and what was announced last.
    var dirty: Set<String> = []
    var announced: [String: Announcement] = [:]

    package init(node: String, budget: Duration, seed: UInt64) {
        (self.node, self.budget) = (node, budget)
        generator = SeededGenerator(seed: seed)
    }

    // MARK: - Output

    package mutating func takeActions() -> [Action] {
        defer { actions = [] }
        return actions
    }

    mutating func attempt() -> Attempt {
        defer { nextAttempt += 1 }
        return Attempt(rawValue: nextAttempt)
    }

    // MARK: - News of neighbours

    package mutating func apply(_ event: DirectoryEvent, now: Duration) {
        switch event {
        case .neighbours(let list):
            setNeighbours(list, now: now)
        case .snapshot(let id, let announcements):
            let before = allNames
            let valid = announcements.filter { $0.isValid }
            let next = Dictionary(valid.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
            for said in next.values { expectMedia(said, from: id, now: now) }
            tables[id] = Table(announcements: next, isFollowed: true)
            // What others say of paths through it counts as long as it does not say otherwise: so all may have changed.
            changed(before.union(next.keys), now: now)
        case .announced(let id, let announcement):
            guard announcement.isValid, tables[id]?.announcements[announcement.name] != announcement else { return }
            expectMedia(announcement, from: id, now: now)
            tables[id, default: Table(isFollowed: true)].announcements[announcement.name] = announcement
            changed([announcement.name], now: now)
        case .withdrawn(let id, let name):
            guard tables[id]?.announcements.removeValue(forKey: name) != nil else { return }
            changed([name], now: now)
        case .lost(let id):
            guard tables[id]?.isFollowed == true else { return }
            tables[id]?.isFollowed = false
            tables[id]?.expires = now + Self.lease
            for (name, feed) in feeds.sorted(by: { $0.key < $1.key }) {
                if let source = feed.source(from: id) { actions.append(.verify(name, source)) }
            }
            changed(allNames, now: now)
        }
    }

    /// The neighbour that feeds a broadcast says that media flows there (again): it may take as long as the news to come.
    private mutating func expectMedia(_ said: Announcement, from id: Neighbour.ID, now: Duration) {
        let flowed = tables[id]?.announcements[said.name]?.flows == true
        guard said.flows, !flowed, let current = feeds[said.name]?.current, current.neighbour == id,
            let since = current.overdueSince
        else { return }
        feeds[said.name]?.current?.overdueSince = max(since, now)
    }

    private mutating func setNeighbours(_ list: [Neighbour], now: Duration) {
        neighbours = list
        ids = Dictionary(list.map { ($0.name, $0.id) }, uniquingKeysWith: { first, _ in first })
        let present = Set(list.map(\.id))
        for id in tables.keys where !present.contains(id) { tables[id] = nil }
        changed(allNames, now: now)
    }

    func neighbour(_ id: Neighbour.ID) -> Neighbour? { neighbours.first { $0.id == id } }

    /// Every name that anything is known of.
    var allNames: Set<String> {
        tables.values.reduce(into: Set(feeds.keys).union(announced.keys).union(own.keys)) {
            $0.formUnion($1.announcements.keys)
        }
    }

    /// What is known of these broadcasts is not what it was.
    mutating func changed(_ names: Set<String>, now: Duration) {
        dirty.formUnion(names)
        for name in names.sorted() where feeds[name] != nil { reconsider(name, now: now, isNews: true) }
    }

    // MARK: - Time

    /// When `advance` has something to do; nil: not before there is news.
    package var nextDeadline: Duration? {
        (tables.values.compactMap(\.expires) + feeds.values.compactMap(\.nextDeadline)).min()
    }

    package mutating func advance(now: Duration) {
        for (id, table) in tables.sorted(by: { $0.key < $1.key }) where table.expires.map({ $0 <= now }) == true {
            tables[id]?.expires = nil
            tables[id]?.announcements = [:]
            changed(Set(table.announcements.keys), now: now)
        }
        for (name, feed) in feeds.sorted(by: { $0.key < $1.key }) where feed.nextDeadline.map({ $0 <= now }) == true {
            advance(name, now: now)
        }
    }
}
