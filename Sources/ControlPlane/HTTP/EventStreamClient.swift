internal import CCurl
internal import MediaPlane
internal import Synchronization

/// Follows event streams of other nodes, all of them on one thread, through libcurl's multi interface.
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
            case .contentType(let type): "not an event stream but \(TopologyReader.shown(type))"
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

    static let connectTimeout = Duration.seconds(1)

    private let control: EventStreamControl

    /// - Parameters:
    ///   - trust: who is believed on `https`, and as whom we go; nil: whom the system believes, as nobody.
    ///   - mostStreams: at once; one more ends at once.
    package init(trust: PeerTrust? = nil, mostStreams: Int = mostStreams) {
        let control = EventStreamControl(mostStreams: mostStreams)
        self.control = control
        Thread(name: "event-streams") { EventStreamLoop.run(control, trust) }.detach()
    }

    deinit { control.stop() }

    /// Begins to follow. Whoever stops reading (cancellation, or no reference left) ends the exchange.
    package func open(_ request: Request) -> AsyncStream<Item> {
        // Room for the one too many, and for what tells of the end.
        let (stream, continuation) = AsyncStream.makeStream(
            of: Item.self, bufferingPolicy: .bufferingOldest(Self.mostWaiting + 2))
        control.open(request, continuation)
        return stream
    }
}

/// What threads of the concurrency pool share with the thread that drives the streams.
final class EventStreamControl: Sendable {
    enum Command: Sendable {
        case open(Int, EventStreamClient.Request, AsyncStream<EventStreamClient.Item>.Continuation)
        case close(Int)
    }

    private struct State {
        var commands: [Command] = []
        var open = 0
        var next = 0
        var isStopped = false
        /// Address of libcurl's multi handle while there is one. A number, since only its thread may use it for more
        /// than `curl_multi_wakeup`.
        var multi: UInt?
    }

    private let mostStreams: Int
    private let state = Mutex(State())

    init(mostStreams: Int) { self.mostStreams = mostStreams }

    func open(
        _ request: EventStreamClient.Request, _ continuation: AsyncStream<EventStreamClient.Item>.Continuation
    ) {
        let id = state.withLock { state -> Int? in
            guard state.open < mostStreams, !state.isStopped else { return nil }
            (state.open, state.next) = (state.open + 1, state.next + 1)
            return state.next
        }
        guard let id else {
            continuation.yield(.ended(.tooMany))
            return continuation.finish()
        }
        continuation.onTermination = { [weak self] _ in self?.send(.close(id)) }
        send(.open(id, request, continuation))
    }

    func stop() {
        state.withLock { state in
            state.isStopped = true
            Self.wake(state)
        }
    }

    private func send(_ command: Command) {
        state.withLock { state in
            if case .close = command { state.open -= 1 }
            guard !state.isStopped else { return }
            state.commands.append(command)
            Self.wake(state)
        }
    }

    private static func wake(_ state: State) {
        guard let address = state.multi, let multi = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return }
        _ = unsafe curl_multi_wakeup(multi)
    }

    // MARK: - For the thread

    func attach(_ multi: UInt?) { state.withLock { $0.multi = multi } }

    /// nil: stop.
    func takeCommands() -> [Command]? {
        state.withLock { state in
            guard !state.isStopped else { return nil }
            defer { state.commands = [] }
            return state.commands
        }
    }

    /// From now on no stream begins; those that wait to begin.
    func endCommands() -> [Command] {
        state.withLock { state in
            state.isStopped = true
            defer { state.commands = [] }
            return state.commands
        }
    }
}
