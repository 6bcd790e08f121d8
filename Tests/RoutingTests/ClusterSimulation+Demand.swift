@testable import Routing

/// Viewers, who want broadcasts, and publishers, who bring them.
extension ClusterSimulation {
    /// A page that was refused tries again.
    private static let retryPause = Duration.seconds(2)

    // MARK: - Viewers

    func arrive(_ viewer: Int) {
        let (edge, name) = (nodes[viewers[viewer].edge], viewers[viewer].name)
        guard edge.isAlive, !edge.isDraining else { return retry(viewer) }
        if isWatchable(edge, name) { return watch(viewer) }
        set(viewer, .hoping)
        edge.hoping[name, default: []].insert(viewer)
        let turn = viewers[viewer].turn
        time.after(.seconds(10)) { [self] in
            if viewers[viewer].turn == turn { fail("a viewer of \(name) at \(edge.plan.name) never got an answer") }
        }
        route(edge) { $0.want(name, now: now) }
    }

    func answer(_ viewer: Int, isFed: Bool, at edge: SimulatedNode) {
        if isFed, isWatchable(edge, viewers[viewer].name) { watch(viewer) } else { retry(viewer) }
    }

    private func watch(_ viewer: Int) {
        set(viewer, .watching)
        let edge = nodes[viewers[viewer].edge]
        edge.watching[viewers[viewer].name, default: []].insert(viewer)
        edge.lingering[viewers[viewer].name, default: 0] += 1
    }

    func retry(_ viewer: Int) {
        set(viewer, .retrying)
        let turn = viewers[viewer].turn
        time.after(Self.retryPause) { [self] in if viewers[viewer].turn == turn { arrive(viewer) } }
    }

    /// His edge has died.
    func sendAway(_ viewer: Int) {
        if viewers[viewer].state != .away { retry(viewer) }
    }

    func leave(_ viewer: Int) {
        let (edge, name) = (nodes[viewers[viewer].edge], viewers[viewer].name)
        set(viewer, .away)
        edge.hoping[name]?.remove(viewer)
        guard edge.watching[name]?.remove(viewer) != nil, edge.isAlive else { return }
        lingerIfUnused(edge, name)
    }

    private func set(_ viewer: Int, _ state: SimulatedViewer.State) {
        viewers[viewer].state = state
        viewers[viewer].turn += 1
    }

    // MARK: - Publishers

    func publish(_ name: String, at origin: SimulatedNode) {
        guard origin.isAlive else { return }
        note("PUBLISH \(name) at \(origin.plan.name)")
        nextTurn += 1
        // Clocks of origins differ a little.
        let started = UInt64(now / .milliseconds(1)) + UInt64(1_000 + 200 * origin.index)
        let publication = Publication(started: started, origin: origin.plan.name)
        origin.publishing[name] = .init(publication: publication, turn: nextTurn)
        announce(name, at: origin)
        // Slides, a still picture: of two publishers those who pause would take turns.
        let others = nodes.contains { $0 !== origin && $0.publishing[name]?.isLive == true }
        guard !others, Int.random(in: 0..<3, using: &random) == 0 else { return }
        origin.publishing[name]?.pause = random(.milliseconds(500), .seconds(12))
        showPicture(name, at: origin, turn: nextTurn)
    }

    private func announce(_ name: String, at origin: SimulatedNode, silent: Bool = false) {
        guard let publication = origin.publishing[name]?.publication else { return }
        var announcement = Announcement(
            name: name, title: name, publication: publication, path: [origin.plan.name], since: "", tracks: [],
            encodings: [])
        if silent { announcement.silent = true }
        route(origin) { $0.setOwn(announcement, for: name, now: now) }
    }

    /// One picture of a publisher who pauses, and the next.
    private func showPicture(_ name: String, at origin: SimulatedNode, turn: Int) {
        guard let publishing = origin.publishing[name], publishing.turn == turn, publishing.isLive,
            let pause = publishing.pause
        else { return }
        origin.publishing[name]?.pictureAt = now
        announce(name, at: origin)
        fallSilent(name, at: origin, turn: turn)
        at(origin, after: pause) { [self] in showPicture(name, at: origin, turn: turn) }
    }

    /// Unless there is another picture before.
    private func fallSilent(_ name: String, at origin: SimulatedNode, turn: Int) {
        let last = origin.publishing[name]?.pictureAt
        at(origin, after: Self.silence) { [self] in
            guard let publishing = origin.publishing[name], publishing.turn == turn, publishing.isOpen,
                publishing.pictureAt == last
            else { return }
            announce(name, at: origin, silent: true)
        }
    }

    /// Without a word, or in order.
    func endPublication(_ name: String, at origin: SimulatedNode, inOrder: Bool) {
        guard let turn = origin.publishing[name]?.turn else { return }
        note("PUBLISHER of \(name) at \(origin.plan.name) ends, in order \(inOrder)")
        origin.publishing[name]?.isLive = false
        let expired = inOrder ? .zero : Self.consent
        if !inOrder { fallSilent(name, at: origin, turn: turn) }
        at(origin, after: expired) { [self] in
            guard origin.publishing[name]?.turn == turn else { return }
            origin.publishing[name]?.isOpen = false
            route(origin) { $0.setOwn(nil, for: name, now: now) }
        }
        at(origin, after: expired + Self.hold) { [self] in
            guard origin.publishing[name]?.turn == turn else { return }
            origin.publishing[name] = nil
            closeBroadcast(origin, name)
        }
    }
}
