import MediaPlane
import Routing

/// What time brings.
extension Sessions {
    /// Calls `advance` when there is something to do, until the task is cancelled.
    package func keepTime() async { await alarm.run { advance(now: .now) } }

    /// Does what is due at `now`, and sets the alarm for what is due next.
    package func advance(now: ContinuousClock.Instant) {
        measureWorkers()
        advanceViewerEvents(now: now)
        advanceDrain(now: now)
        for broadcast in Array(broadcasts.values) {
            if let end = broadcast.end, end.at <= now { closeBroadcast(broadcast.id, reason: end.reason) }
        }
        router.advance(now: clock)
        route()
        alarm.set(nextDeadline(after: now))
    }

    /// nil: nothing before something changes.
    func nextDeadline(after now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        let rest = [
            router.nextDeadline.map { begin + $0 }, nextReading, drain.nextDeadline(after: now),
            nextViewerEvent(after: now),
        ]
        return (broadcasts.values.compactMap { $0.end?.at } + rest.compactMap { $0 }).min()
    }

    /// Workers that have nothing to do, and had nothing lately, need no measuring.
    private var nextReading: ContinuousClock.Instant? {
        broadcasts.isEmpty && placement.isAtRest ? nil : placement.nextReading.map { begin + $0 }
    }

    private func measureWorkers() {
        let now = clock
        if placement.nextReading.map({ $0 <= now }) ?? true {
            placement.measure(media.workers.map(\.processorTime), at: now)
        }
    }
}
