@testable import Routing

/// A router with neighbours of which a test says what they say. What it wants done is read as text: `ask origin-1 #1`,
/// `drop #1`, `verify #1`, `fed`, `not live`, `unavailable`, `loop`, `over`.
struct ScriptedRouter {
    var router: RelayRouter
    var now = Duration.zero
    private(set) var neighbours: [Neighbour] = []
    /// The only broadcast here.
    static let name = "live"

    /// Every neighbour is up and has announced nothing yet.
    init(_ node: String = "edge-1", above: [String] = [], peers: [String] = []) {
        router = RelayRouter(node: node, budget: .seconds(4), seed: 1)
        neighbours =
            above.map { Neighbour(id: Self.id($0), name: $0, kind: .above) }
            + peers.map { Neighbour(id: Self.id($0), name: $0, kind: .peer) }
        router.apply(.neighbours(neighbours), now: now)
        for neighbour in neighbours { router.apply(.snapshot(neighbour.id, []), now: now) }
    }

    static func id(_ name: String) -> Neighbour.ID { "http://\(name).internal" }

    /// What the last of `path` says.
    static func announcement(_ path: [String], started: UInt64 = 1, silent: Bool = false) -> Announcement {
        var announcement = Announcement(
            name: name, title: name, publication: Publication(started: started, origin: path[0]), path: path, since: "",
            tracks: [], encodings: [])
        if silent { announcement.silent = true }
        return announcement
    }

    // MARK: - News

    mutating func hears(_ path: String..., started: UInt64 = 1, silent: Bool = false) {
        let said = Self.announcement(path, started: started, silent: silent)
        router.apply(.announced(Self.id(path[path.count - 1]), said), now: now)
    }

    mutating func hearsNoMore(_ neighbour: String) {
        router.apply(.withdrawn(Self.id(neighbour), broadcast: Self.name), now: now)
    }

    mutating func loses(_ neighbour: String) { router.apply(.lost(Self.id(neighbour)), now: now) }

    mutating func sees(_ name: String, _ state: UpstreamHealth.State, isReady: Bool = true) {
        for index in neighbours.indices where neighbours[index].name == name {
            (neighbours[index].state, neighbours[index].isReady) = (state, isReady)
        }
        router.apply(.neighbours(neighbours), now: now)
    }

    mutating func forgets(_ name: String) {
        neighbours.removeAll { $0.name == name }
        router.apply(.neighbours(neighbours), now: now)
    }

    // MARK: - Wishes and answers

    mutating func wants(for waiting: String...) { router.want(Self.name, waiting: waiting, now: now) }

    mutating func agrees(_ attempt: UInt64, path: String...) {
        router.answered(Self.name, .init(rawValue: attempt), path: path, now: now)
    }

    mutating func refuses(_ attempt: UInt64, _ setback: RelayRouter.Setback) {
        router.refused(Self.name, .init(rawValue: attempt), setback, now: now)
    }

    mutating func connects(_ attempt: UInt64) {
        router.feeds(Self.name, .init(rawValue: attempt), now: now)
        router.setSilent(false, Self.name, .init(rawValue: attempt), now: now)
    }

    mutating func ends(_ attempt: UInt64, inOrder: Bool) {
        router.lost(Self.name, .init(rawValue: attempt), inOrder: inOrder, now: now)
    }

    mutating func isReachable(_ isReachable: Bool, _ attempt: UInt64) {
        router.setReachable(isReachable, Self.name, .init(rawValue: attempt), now: now)
    }

    mutating func isSilent(_ isSilent: Bool, _ attempt: UInt64) {
        router.setSilent(isSilent, Self.name, .init(rawValue: attempt), now: now)
    }

    /// Everything that is due meanwhile is done in its time.
    mutating func passes(_ milliseconds: Int) {
        let end = now + .milliseconds(milliseconds)
        while let next = router.nextDeadline, next <= end {
            now = max(now, next)
            router.advance(now: now)
        }
        now = max(now, end)
    }

    /// Wanted, announced by this neighbour, and fed by it as attempt 1.
    mutating func isFed(by path: String...) {
        router.apply(.announced(Self.id(path[path.count - 1]), Self.announcement(path)), now: now)
        wants()
        router.answered(Self.name, .init(rawValue: 1), path: path, now: now)
        connects(1)
        _ = actions
    }

    // MARK: - What it does

    /// What it has wanted done since this was asked last.
    var actions: [String] {
        mutating get {
            router.takeActions().map { action in
                switch action {
                case .ask(_, let attempt, let neighbour, _, _): "ask \(neighbour.name) #\(attempt.rawValue)"
                case .drop(_, let attempt): "drop #\(attempt.rawValue)"
                case .verify(_, let attempt): "verify #\(attempt.rawValue)"
                case .settled(_, .fed): "fed"
                case .settled(_, .notFound(.notLive)): "not live"
                case .settled(_, .notFound(.loop)): "loop"
                case .settled(_, .notFound(.unacceptable)): "unacceptable"
                case .settled(_, .notFound(.unavailable)): "unavailable"
                case .over: "over"
                }
            }
        }
    }

    /// What it tells others now, as the path; nil: nothing.
    var says: [String]? {
        mutating get {
            _ = router.takeChanges()
            return router.announcements.first?.path
        }
    }
}
