import Forwarding

/// Events of the server-sent events extension of WHEP.
package enum ViewerEvent: String, CaseIterable, Sendable {
    /// Media comes.
    case active
    /// It does not come any more. Never the first state that a stream tells.
    case inactive
    /// The broadcast's encodings.
    case layers
    /// The viewer should watch at another node.
    case reconnect
    /// Viewers of the broadcast at this node.
    case viewercount
}

/// One event stream of a viewer's session. It begins with its POST: what happens before the first GET waits for it.
struct ViewerEventStream {
    /// Beyond this only the last of each kind is kept for a GET that does not come.
    static let mostWaiting = 64
    /// What may wait for a slow connection.
    static let mostUnsent = 256

    let wanted: Set<ViewerEvent>
    private let place: HeldPlace?
    private var waiting: [(event: ViewerEvent, data: String)] = []
    private var connection: EventStream?
    private var hasBeenActive = false

    /// GETs so far.
    private(set) var connections = 0
    var waitingCount: Int { waiting.count }

    init(wanted: Set<ViewerEvent>, place: HeldPlace? = nil) { (self.wanted, self.place) = (wanted, place) }

    mutating func send(_ event: ViewerEvent, _ data: String) {
        if event == .active { hasBeenActive = true }
        guard wanted.contains(event), event != .inactive || hasBeenActive else { return }
        if let connection { return connection.send(event.rawValue, data) }
        waiting.append((event, data))
        if waiting.count > Self.mostWaiting {
            waiting = waiting.enumerated().filter { index, entry in
                waiting.lastIndex { $0.event == entry.event } == index
            }.map(\.element)
        }
    }

    /// A GET. What waited goes to the first one; a later one ends the one before, and is to be told the state anew.
    mutating func connect() -> (connection: EventStream, isFirst: Bool) {
        connection?.finish()
        connections += 1
        let new = EventStream(bound: Self.mostUnsent)
        for entry in waiting { new.send(entry.event.rawValue, entry.data) }
        (connection, waiting) = (new, [])
        return (new, connections == 1)
    }

    func end() { connection?.finish() }
}

/// All event streams of the node, and what their readers were told last.
struct ViewerEventStreams {
    /// Of one broadcast.
    struct Told {
        var isActive: Bool
        var viewers: Int
        /// Names of the encodings, and what each takes.
        var layers: [EncodingRate]
        /// When numbers were looked at.
        var counted: ContinuousClock.Instant
        var nextCount: ContinuousClock.Instant { counted + countInterval }
        /// Sessions with streams.
        var readers: Set<SessionID> = []
    }

    /// Of one session; each holds a queue and a connection.
    static let mostPerSession = 4
    /// How often the number of viewers and the encodings are told at most.
    static let countInterval = Duration.seconds(1)

    var streams: [SessionID: [String: ViewerEventStream]] = [:]
    var told: [BroadcastID: Told] = [:]

    var count: Int { streams.values.reduce(0) { $0 + $1.count } }

    /// Whether a session has a stream that asked for `event`.
    func wants(_ event: ViewerEvent, _ session: SessionID) -> Bool {
        streams[session]?.values.contains { $0.wanted.contains(event) } == true
    }

    mutating func send(_ event: ViewerEvent, _ data: String, to session: SessionID) {
        guard let names = streams[session]?.keys else { return }
        for name in Array(names) { streams[session]?[name]?.send(event, data) }
    }

    /// A stream whose reader has been told the state of the broadcast.
    mutating func add(_ stream: ViewerEventStream, _ name: String, of session: SessionID, on broadcast: BroadcastID) {
        streams[session, default: [:]][name] = stream
        told[broadcast]?.readers.insert(session)
    }

    /// Ends all streams of a session.
    mutating func end(_ session: SessionID, on broadcast: BroadcastID) {
        guard let ended = streams.removeValue(forKey: session) else { return }
        for stream in ended.values { stream.end() }
        told[broadcast]?.readers.remove(session)
        if told[broadcast]?.readers.isEmpty == true { told[broadcast] = nil }
    }
}
