import Forwarding
import Routing
import WebRTC

import struct FoundationEssentials.Date

/// What a session is for; each kind has its own bound in `NodeLimits`.
package enum SessionPurpose: String, CaseIterable, Sendable {
    /// A WHIP session.
    case publisher
    /// A WHEP session of a person.
    case viewer
    /// A WHEP session of a node below us.
    case relay
    /// Our own WHEP session at the node above.
    case upstream

    var direction: SessionParameters.Direction {
        switch self {
        case .publisher, .upstream: .source
        case .viewer, .relay: .sink
        }
    }
}

/// The name of a session resource: 128 bits of the system generator, then the node that owns it, so that any replica
/// can tell whose it is. Unreserved URL characters only.
package struct ResourceName: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ text: some StringProtocol) { description = String(text) }

    package static func generate(node: String) -> ResourceName {
        var random = SystemRandomNumberGenerator()
        return ResourceName("\(urlSafeText(of: random.next()))\(urlSafeText(of: random.next())).\(node)")
    }

    /// The owner, as the name says; nil when it is no name of ours.
    package var node: Substring? {
        guard let dot = description.firstIndex(of: ".") else { return nil }
        return description[description.index(after: dot)...]
    }

    /// Enough to recognise it in a log line and too little to use it.
    package var short: String { String(description.prefix(8)) }

    /// 64 bits as 11 characters of the base64url alphabet.
    static func urlSafeText(of bits: UInt64) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        return String((0..<11).map { alphabet[Int(truncatingIfNeeded: bits >> (6 * UInt64($0))) & 63] })
    }
}

/// One WHIP, WHEP or relay session as the control plane knows it.
struct SessionRecord {
    enum State {
        /// Negotiated; ICE and DTLS are not up yet.
        case opening
        case connected(remote: TransportAddress, profile: SRTPProfile)
    }

    let id: SessionID
    let resource: ResourceName
    let purpose: SessionPurpose
    let listener: ListenerKind
    let broadcast: BroadcastID
    let name: String
    let worker: Int
    let opened: ContinuousClock.Instant
    var state = State.opening
    /// Of the current ICE session (RFC 9725 §4.3.1), quoted.
    var etag: String
    let agreement: Agreement
    /// The peer's present credentials; those of the agreement before a restart.
    var remoteICE: ICECredentials
    /// Every m-line of the offer, in order; the first is the tagged one.
    let mids: [String]
    /// The node below that holds a relay, where it has said its name.
    let node: Sessions.AskingNode?
    /// Which opened it.
    let request: HTTPRequestID?

    /// What it holds of what is shared.
    var places: [HeldPlace] = []
    /// The name or address of this machine under which a viewer has reached it, if he says so.
    var host: String?
    /// A source that sends nothing although it could: it may be dead without having said so.
    var isSilent = false
    /// Which encodings a source brings at present.
    var received: [ReceivedEncoding] = []
    /// What its owner has to know of a source, oldest first.
    var warnings: [SourceWarning] = []

    var isOpening: Bool { if case .opening = state { true } else { false } }
}

/// A broadcast on this node: where it is, who feeds it and who reads it.
struct BroadcastRecord {
    enum Source {
        /// There was none yet.
        case awaited
        case live(SessionID)
        /// It ended; viewers wait for it or another until then.
        case held(until: ContinuousClock.Instant)
    }

    let id: BroadcastID
    let name: String
    let worker: Int
    /// What its source sends; a source on its way, if there is none.
    var formats: [TrackFormat]
    /// Of the encodings of its video, where there are several; as of about a second ago.
    var rates: [EncodingRate] = []
    /// The `a=msid` stream that viewers see.
    let streamName: String
    var source = Source.awaited
    /// A source session that does not feed the broadcast yet: it is not connected, or another brings media so far.
    var candidate: SessionID?
    /// When it first went live.
    var liveSince: Date?
    /// Sessions of people.
    private(set) var viewers: Set<SessionID> = []
    /// Sessions of nodes below.
    private(set) var relays: Set<SessionID> = []
    /// Sessions that feed it, or are to.
    private(set) var sources: Set<SessionID> = []
    /// Of the present publisher, or the last one; nil on a node that relays.
    var publication: Publication?
    /// Relay without viewers: left at this moment.
    var leaveAt: ContinuousClock.Instant?

    /// When it is over if nothing happens, and why.
    var end: (at: ContinuousClock.Instant, reason: CloseReason)? {
        var ends: [(at: ContinuousClock.Instant, reason: CloseReason)] = []
        if case .held(let until) = source, candidate == nil { ends.append((until, .sourceGone)) }
        if let leaveAt, !isRead { ends.append((leaveAt, .requested)) }
        return ends.min { $0.at < $1.at }
    }

    var liveSource: SessionID? { if case .live(let id) = source { id } else { nil } }

    var isRead: Bool { !viewers.isEmpty || !relays.isEmpty }

    var sessions: [SessionID] { Array(sources) + Array(relays) + Array(viewers) }

    mutating func insert(_ id: SessionID, _ purpose: SessionPurpose) {
        switch purpose {
        case .viewer: viewers.insert(id)
        case .relay: relays.insert(id)
        case .publisher, .upstream: sources.insert(id)
        }
    }

    mutating func remove(_ id: SessionID, _ purpose: SessionPurpose) {
        switch purpose {
        case .viewer: viewers.remove(id)
        case .relay: relays.remove(id)
        case .publisher, .upstream: sources.remove(id)
        }
        if candidate == id { candidate = nil }
    }

    /// Whether a source of `other` can feed it: there is something for its viewers. Whether each of them can take another
    /// codec, its session's agreement says.
    func canContinue(with other: [TrackFormat]) -> Bool {
        formats.contains { format in
            other.contains { $0.kind == format.kind && $0.codec.clockRate == format.codec.clockRate }
        }
    }
}

/// Counts that admission looks at.
struct SessionTally {
    private(set) var opening: [SessionPurpose: Int] = [:]
    private(set) var byPurpose: [SessionPurpose: Int] = [:]
    private(set) var byWorker: [Int]

    init(workers: Int) { byWorker = Array(repeating: 0, count: workers) }

    var all: Int { byPurpose.values.reduce(0, +) }

    func count(_ purpose: SessionPurpose) -> Int { byPurpose[purpose] ?? 0 }

    mutating func add(_ record: SessionRecord) { change(record, by: 1) }
    mutating func remove(_ record: SessionRecord) { change(record, by: -1) }
    mutating func connected(_ record: SessionRecord) { opening[record.purpose, default: 0] -= 1 }

    private mutating func change(_ record: SessionRecord, by step: Int) {
        byPurpose[record.purpose, default: 0] += step
        byWorker[record.worker] += step
        if record.isOpening { opening[record.purpose, default: 0] += step }
    }
}
