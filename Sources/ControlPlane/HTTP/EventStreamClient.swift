internal import Synchronization

/// Follows event streams of other nodes (`TransferLoop`).
package final class EventStreamClient: Sendable {
    package struct Request: Sendable {
        /// Absolute, `http` or `https`.
        package var url: String
        package var headers: [(name: String, value: String)]
        /// No byte for so long, the beginning included, is the end.
        package var silence: Duration
        /// Not open within this is the end as well; nil: `silence` alone counts.
        package var patience: Duration?
        /// The node that should answer; see `CurlOptions`.
        package var peer: String?

        package init(
            _ url: String, headers: [(name: String, value: String)] = [], silence: Duration = .seconds(2),
            patience: Duration? = nil, peer: String? = nil
        ) {
            (self.url, self.headers, self.silence) = (url, headers, silence)
            (self.patience, self.peer) = (patience, peer)
        }
    }

    package enum Item: Hashable, Sendable {
        /// Answered 200 with the right type.
        case opened
        case event(name: String, data: String)
        /// The last one.
        case ended(End)
    }

    /// Why a stream is over.
    package enum End: Hashable, Sendable, CustomStringConvertible {
        /// The server ended it in order.
        case finished
        case status(Int)
        /// What it said instead of `text/event-stream`.
        case contentType(String)
        case silent
        /// A line or an event is longer than `EventStreamParser.longest`.
        case tooLong
        /// Whoever reads it is more than `mostWaiting` items behind.
        case notRead
        /// More than `mostStreams` at once.
        case tooMany
        /// libcurl's reason: not reached, reset, unusable URL.
        case failed(String)

        package var description: String {
            switch self {
            case .finished: "ended by the server"
            case .status(let code): "status \(code)"
            case .contentType(let type): "not an event stream but \(QuotedText.shown(type))"
            case .silent: "silent"
            case .tooLong: "an event is too long"
            case .notRead: "read too slowly"
            case .tooMany: "too many streams"
            case .failed(let reason): reason
            }
        }
    }

    package static let mostStreams = 400
    /// Items of one stream that its reader has not taken yet.
    package static let mostWaiting = 1_024
    /// An event that is not taken at once waits only while that many of its size would not pass this.
    private static let mostWaitingBytes = 4 * EventStreamParser.longest

    /// - Parameter waiting: items that the reader has not taken, this one included.
    static func mayWait(_ waiting: Int, bytes: Int) -> Bool {
        waiting <= mostWaiting && waiting * bytes <= mostWaitingBytes
    }

    private static let connectTimeout = Duration.seconds(1)

    private let trust: PeerTrust?
    private let mostStreams: Int
    private let transfers = OpenTransfers()

    /// - Parameters:
    ///   - trust: who is believed on `https`, and as whom we go; nil: whom the system believes, as nobody.
    ///   - mostStreams: at once; one more ends at once.
    package init(trust: PeerTrust? = nil, mostStreams: Int = mostStreams) {
        (self.trust, self.mostStreams) = (trust, mostStreams)
    }

    deinit { for id in transfers.takeAll() { TransferLoop.shared.cancel(id, tells: true) } }

    /// Begins to follow. Whoever stops reading (cancellation, or no reference left) ends the exchange.
    package func open(_ request: Request) -> AsyncStream<Item> {
        // Room for the one too many, and for what tells of the end.
        let (stream, continuation) = AsyncStream.makeStream(
            of: Item.self, bufferingPolicy: .bufferingOldest(Self.mostWaiting + 2))
        let id = TransferLoop.shared.makeID()
        guard transfers.insert(id, atMost: mostStreams) else {
            continuation.yield(.ended(.tooMany))
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [transfers] _ in
            // Whoever left is told nothing.
            if transfers.remove(id) { TransferLoop.shared.cancel(id, tells: false) }
        }
        let order = TransferOrder(
            method: "GET", url: request.url, headers: request.headers + [("Accept", MediaType.eventStream)],
            trust: trust, peer: request.peer, connectTimeout: Self.connectTimeout)
        TransferLoop.shared.start(id, order) { FollowedStream(request, continuation) }
        return stream
    }
}

/// Transfers of one client that have not ended.
private final class OpenTransfers: Sendable {
    private let ids = Mutex<Set<Int>>([])

    func insert(_ id: Int, atMost most: Int) -> Bool {
        ids.withLock { $0.count < most && $0.insert(id).inserted }
    }

    func remove(_ id: Int) -> Bool { ids.withLock { $0.remove(id) != nil } }

    func takeAll() -> Set<Int> {
        ids.withLock { ids in
            defer { ids = [] }
            return ids
        }
    }
}

/// One stream, as it is read.
private final class FollowedStream: TransferReceiver {
    private let silence: Duration
    private let openBy: ContinuousClock.Instant?
    private let continuation: AsyncStream<EventStreamClient.Item>.Continuation
    private var parser = EventStreamParser()
    private var isOpen = false
    /// Why we have stopped the transfer.
    private var reason: EventStreamClient.End?

    init(_ request: EventStreamClient.Request, _ continuation: AsyncStream<EventStreamClient.Item>.Continuation) {
        (silence, self.continuation) = (request.silence, continuation)
        openBy = request.patience.map { .now + $0 }
    }

    func deadline(after lastByte: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        let deadline = lastByte + silence
        return isOpen ? deadline : min(deadline, openBy ?? deadline)
    }

    func end(_ end: Transfer.End) {
        let end: EventStreamClient.End =
            switch end {
            case .finished: .finished
            case .overdue: .silent
            case .failed(let text): .failed(text)
            }
        continuation.yield(.ended(reason ?? end))
        continuation.finish()
    }

    func take(_ head: ResponseHead) -> Bool {
        let type = head.header("Content-Type") ?? "nothing"
        if head.status != 200 {
            reason = .status(head.status)
        } else if !MediaType.matches(type, MediaType.eventStream) {
            reason = .contentType(type)
        } else {
            isOpen = true
            pass(.opened)
        }
        return reason == nil
    }

    func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        do throws(EventStreamParser.Failure) {
            for event in unsafe try parser.append(bytes) where reason == nil {
                pass(.event(name: event.name, data: event.data), bytes: event.name.utf8.count + event.data.utf8.count)
            }
        } catch {
            reason = .tooLong
        }
        return reason == nil
    }

    private func pass(_ item: EventStreamClient.Item, bytes: Int = 0) {
        // Two places more than may wait: one for the one too many, the last for `ended`.
        if case .enqueued(let remaining) = continuation.yield(item),
            EventStreamClient.mayWait(EventStreamClient.mostWaiting + 2 - remaining, bytes: bytes)
        {
            return
        }
        reason = .notRead
    }
}
