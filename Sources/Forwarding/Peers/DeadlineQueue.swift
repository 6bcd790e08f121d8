import HeapModule
import WebRTC

/// Which session is due next. A session's entry is pushed again whenever its deadline moves forward; entries that do not
/// match `Session.scheduled` any more are stale and skipped.
struct DeadlineQueue {
    private struct Entry: Comparable {
        let at: Instant
        let session: Session

        static func < (a: Entry, b: Entry) -> Bool { a.at < b.at }
        static func == (a: Entry, b: Entry) -> Bool { a.at == b.at && a.session === b.session }
    }

    private var heap = Heap<Entry>()

    var next: Instant { heap.min?.at ?? .distantFuture }

    mutating func push(_ session: Session, at deadline: Instant) {
        guard deadline < .distantFuture else { return }
        heap.insert(Entry(at: deadline, session: session))
    }

    /// The next session whose time has come; its `scheduled` is cleared.
    mutating func popDue(now: Instant) -> Session? {
        while let first = heap.min, first.at <= now {
            heap.removeMin()
            guard first.session.phase != .closed, first.session.scheduled == first.at else { continue }
            first.session.scheduled = .distantFuture
            return first.session
        }
        return nil
    }
}
