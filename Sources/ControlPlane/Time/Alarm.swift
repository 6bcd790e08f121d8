internal import Synchronization

/// Wakes whoever lets something go on that has deadlines: when the next one comes, or when something has changed, since
/// that may have brought an earlier one. In between nobody is woken.
///
/// Its owner calls `changed` from the `didSet` of whatever deadlines are made from, so that none is forgotten, and ends
/// each look with `set`, in one piece with it.
final class Alarm: Sendable {
    private let state: Mutex<AlarmState>
    private let now: @Sendable () -> ContinuousClock.Instant
    private let wakeUps: AsyncStream<Void>
    private let wakeUp: AsyncStream<Void>.Continuation

    /// - Parameter pause: between two looks. What changes within it is looked at together.
    init(pause: Duration, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.now = now
        state = Mutex(AlarmState(pause: pause, now: now()))
        (wakeUps, wakeUp) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func changed() { if state.withLock({ $0.change() }) { wakeUp.yield() } }

    /// Everything has been looked at, changes included. `deadline`: of what is left to do; nil: nothing.
    func set(_ deadline: ContinuousClock.Instant?) {
        if state.withLock({ $0.set(deadline, now: now()) }) { wakeUp.yield() }
    }

    /// Looks at once, and then whenever it is time, until the task is cancelled. To be called once.
    func run(isolation: isolated (any Actor)? = #isolation, _ look: () async -> Void) async {
        var wakeUps = wakeUps.makeAsyncIterator()
        while !Task.isCancelled {
            switch state.withLock({ $0.next(now: now()) }) {
            case .look: await look()
            case .sleep(let due):
                let timer = due.map { due in
                    Task { [wakeUp] in
                        // One that is cancelled wakes nobody: that would cancel the next one, for ever.
                        guard (try? await Task.sleep(until: due, clock: .continuous)) != nil else { return }
                        wakeUp.yield()
                    }
                }
                _ = await wakeUps.next(isolation: isolation)
                timer?.cancel()
            }
        }
    }
}

/// What an `Alarm` knows.
struct AlarmState {
    typealias Moment = ContinuousClock.Instant

    enum Step: Equatable {
        case look
        /// nil: until something changes.
        case sleep(until: Moment?)
    }

    private let pause: Duration
    private var lookedAt: Moment
    private var deadline: Moment?
    /// Since the last `set`.
    private var isChanged = true
    /// Somebody sleeps, and until when.
    private var sleep: Step?

    init(pause: Duration, now: Moment) { (self.pause, lookedAt) = (pause, now - pause) }

    /// When to look again. Not at once, even when the deadline has passed: what is always overdue must not keep a
    /// processor busy.
    private var due: Moment? {
        let earliest = lookedAt + pause
        return isChanged ? earliest : deadline.map { max($0, earliest) }
    }

    mutating func next(now: Moment) -> Step {
        sleep = nil
        guard let due, due <= now else {
            sleep = .sleep(until: due)
            return .sleep(until: due)
        }
        lookedAt = now
        return .look
    }

    /// Returns whether the one who sleeps has to be woken, and so does `set`.
    mutating func change() -> Bool {
        guard !isChanged else { return false }
        isChanged = true
        return isTooLong
    }

    mutating func set(_ deadline: Moment?, now: Moment) -> Bool {
        (lookedAt, self.deadline, isChanged) = (now, deadline, false)
        return isTooLong
    }

    private var isTooLong: Bool {
        guard case .sleep(let end)? = sleep, let due else { return false }
        return end.map { due < $0 } ?? true
    }
}
