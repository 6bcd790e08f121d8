package import Forwarding

/// The drain of a node: whether it is under way, which viewer is told when to go elsewhere, and when the node may stop.
/// A plain state machine; its owner says what time it is.
package struct Drain: Sendable {
    package typealias Moment = ContinuousClock.Instant

    package enum Cause: String, Sendable {
        /// `POST /drain`: the node keeps running, and `DELETE /drain` takes it back.
        case request
        /// SIGTERM or SIGINT: the node stops at the end.
        case signal
    }

    package enum Begun: Hashable, Sendable {
        case begun
        /// It was under way by request; now it ends with the process.
        case escalated
        case already
    }

    /// A viewer for whom there was nowhere to go is looked at again after this.
    package static let pause = Duration.seconds(1)

    /// Viewers are told over this long, evenly.
    package let window: Duration
    /// From the signal on: then the node stops whoever is left.
    package let deadline: Duration
    package private(set) var cause: Cause?
    package private(set) var since: Moment?
    /// Viewers who were told, in this drain.
    package private(set) var told: Set<SessionID> = []
    private var stopAt: Moment?
    private var moments: [SessionID: Moment] = [:]
    private var latecomers = 0

    package init(window: Duration, deadline: Duration) {
        (self.window, self.deadline) = (min(window, deadline), deadline)
    }

    package var isUnderWay: Bool { cause != nil }
    /// Viewers who are to be told yet.
    package var waiting: Int { moments.count }

    /// - Parameter viewers: who can be told, in the order in which they will be.
    package mutating func begin(_ cause: Cause, viewers: [SessionID], now: Moment) -> Begun {
        let former = self.cause
        if former == .signal || former == cause { return .already }
        self.cause = cause
        if cause == .signal { stopAt = now + deadline }
        guard former == nil else { return .escalated }
        (since, told, latecomers) = (now, [], 0)
        moments = [:]
        for (index, viewer) in viewers.enumerated() { moments[viewer] = now + window * index / viewers.count }
        return .begun
    }

    /// false: a signal cannot be taken back.
    package mutating func cancel() -> Bool {
        guard cause != .signal else { return false }
        (cause, since, stopAt) = (nil, nil, nil)
        (moments, told) = ([:], [])
        return true
    }

    /// A viewer can be told from now on: he gets a moment in what is left of the window. One who has been told and asks
    /// again has missed it.
    package mutating func joined(_ viewer: SessionID, now: Moment) {
        guard let since, moments[viewer] == nil else { return }
        guard told.remove(viewer) == nil else { return moments[viewer] = now }
        let left = max(.zero, since + window - now)
        // Multiples of the golden ratio, modulo 1, lie evenly in 0..<1 however many there are.
        latecomers += 1
        let share = (Double(latecomers) * 0.618_033_988_749_895).truncatingRemainder(dividingBy: 1)
        moments[viewer] = now + left * share
    }

    /// A viewer has gone, or cannot be told any more.
    package mutating func left(_ viewer: SessionID) {
        moments[viewer] = nil
        told.remove(viewer)
    }

    /// When a viewer is to be told, or the node stops whoever is left.
    package func nextDeadline(after now: Moment) -> Moment? {
        [moments.values.min(), stopAt.flatMap { $0 > now ? $0 : nil }].compactMap { $0 }.min()
    }

    /// Whose moment has come, the longest waiting first. Each is due again after a pause unless `tell` says that he knows.
    package mutating func due(now: Moment) -> [SessionID] {
        let due = moments.filter { $0.value <= now }.sorted {
            ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue)
        }
        for (viewer, _) in due { moments[viewer] = now + Self.pause }
        return due.map(\.key)
    }

    package mutating func tell(_ viewer: SessionID) {
        guard isUnderWay, moments.removeValue(forKey: viewer) != nil else { return }
        told.insert(viewer)
    }

    /// Whether the node may stop. `sessions`: viewers, publishers and relays to nodes below that it still has.
    package func isOver(sessions: Int, now: Moment) -> Bool {
        guard let stopAt else { return false }
        return sessions == 0 || stopAt <= now
    }
}
