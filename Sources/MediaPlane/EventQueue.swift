package import Forwarding
import Synchronization
import WebRTC

/// Events of all workers on their way to one consumer, in order. None that counts is lost, however far the consumer
/// falls behind: a session whose `closed` never came would be counted, announced and kept for ever.
///
/// Workers never wait. When more than `capacity` wait, those go that later ones have made untrue or repeat. What is
/// left is one for each thing that can be said of a session or broadcast, and their number has a bound of its own.
package final class EventQueue: AsyncSequence, Sendable {
    package typealias Element = Event
    package typealias Failure = Never

    private let backlog: Mutex<EventBacklog>
    private let wakeUps: AsyncStream<Void>
    private let wakeUp: AsyncStream<Void>.Continuation

    /// - Parameter capacity: events that may wait before they are gone through.
    package init(capacity: Int = 65_536) {
        backlog = Mutex(EventBacklog(capacity: capacity))
        (wakeUps, wakeUp) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Returns how many wait if it was too many and they have been gone through; nil else.
    func put(_ event: Event) -> Int? {
        let (isFirst, waiting) = backlog.withLock { backlog in (backlog.isEmpty, backlog.append(event)) }
        if isFirst { wakeUp.yield() }
        return waiting
    }

    /// What waits is still delivered, then iteration ends.
    package func finish() { wakeUp.finish() }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let queue: EventQueue
        fileprivate var wakeUps: AsyncStream<Void>.Iterator

        package mutating func next(isolation actor: isolated (any Actor)?) async -> Event? {
            while true {
                if let event = queue.backlog.withLock({ $0.removeFirst() }) { return event }
                guard await wakeUps.next(isolation: actor) != nil else {
                    return queue.backlog.withLock { $0.removeFirst() }
                }
            }
        }
    }

    package func makeAsyncIterator() -> Iterator { Iterator(queue: self, wakeUps: wakeUps.makeAsyncIterator()) }
}

/// What waits in an `EventQueue`.
struct EventBacklog {
    private let capacity: Int
    /// At so many the next look at what is out of date is due: never sooner than after as many again, so that it costs
    /// little for each event.
    private var limit: Int
    private var incoming: [Event] = []
    /// Older than `incoming`, newest first.
    private var outgoing: [Event] = []

    init(capacity: Int) { (self.capacity, limit) = (capacity, capacity) }

    var count: Int { incoming.count + outgoing.count }
    var isEmpty: Bool { incoming.isEmpty && outgoing.isEmpty }

    /// Returns how many are left if there were too many; nil else.
    mutating func append(_ event: Event) -> Int? {
        incoming.append(event)
        guard count > limit else { return nil }
        removeOutdated()
        limit = max(capacity, 2 * count)
        return count
    }

    mutating func removeFirst() -> Event? {
        if outgoing.isEmpty {
            swap(&incoming, &outgoing)
            outgoing.reverse()
        }
        defer { if isEmpty { limit = capacity } }
        return outgoing.popLast()
    }

    /// Of each subject the newest stays, in its place.
    private mutating func removeOutdated() {
        var told: Set<Event.Subject> = []
        outgoing = (incoming.reversed() + outgoing).filter { told.insert($0.subject).inserted }
        incoming.removeAll(keepingCapacity: true)
    }
}

extension Event {
    /// What is said, without how it stands: of two events with the same subject only the later one counts.
    enum Subject: Hashable {
        case check(SessionID)
        case connection(SessionID)
        case feed(SessionID)
        case flow(SessionID)
        case encodings(SessionID)
        case rates(BroadcastID)
        case discard(SessionID, DropReason)
        case excess(SessionID, DropReason)
        case reachability(SessionID)
        case formats(BroadcastID)
        case end(SessionID)
        case answer(RequestID)
    }

    var subject: Subject {
        switch self {
        case .checked(let id): .check(id)
        case .connected(let id, _, _): .connection(id)
        case .feeds(let id, _): .feed(id)
        case .flowing(let id, _), .silent(let id, _): .flow(id)
        case .receiving(let id, _, _): .encodings(id)
        case .rates(let id, _): .rates(id)
        case .discarding(let id, _, let reason, _): .discard(id, reason)
        case .exceeding(let id, _, let reason): .excess(id, reason)
        case .unreachable(let id, _), .reachable(let id, _): .reachability(id)
        case .formatsChanged(let id, _): .formats(id)
        case .closed(let id, _, _): .end(id)
        case .statistics(let id, _), .report(let id, _): .answer(id)
        }
    }
}
