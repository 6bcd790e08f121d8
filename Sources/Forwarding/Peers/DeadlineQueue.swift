import HeapModule
import WebRTC

/// Which peer is due next. A peer's entry is pushed again whenever its deadline moves forward; entries that do not
/// match `Peer.scheduled` any more are stale and skipped.
struct DeadlineQueue {
    private struct Entry: Comparable {
        let at: Instant
        let reason: DeadlineReason
        let peer: Peer

        static func < (a: Entry, b: Entry) -> Bool { a.at < b.at }
        static func == (a: Entry, b: Entry) -> Bool { a.at == b.at && a.peer === b.peer }
    }

    private var heap = Heap<Entry>()

    var next: Instant { heap.min?.at ?? .distantFuture }

    mutating func push(_ peer: Peer, at deadline: Deadline) {
        guard deadline.at < .distantFuture else { return }
        heap.insert(Entry(at: deadline.at, reason: deadline.reason, peer: peer))
    }

    /// The next peer whose time has come, and why; its `scheduled` is cleared.
    mutating func popDue(now: Instant) -> (peer: Peer, reason: DeadlineReason)? {
        while let first = heap.min, first.at <= now {
            heap.removeMin()
            guard first.peer.phase != .closed, first.peer.scheduled == first.at else { continue }
            first.peer.scheduled = .distantFuture
            return (first.peer, first.reason)
        }
        return nil
    }
}
