import WebRTC

/// A connected source that is to take over from one that is still there, and what it has brought so far: its packets count
/// only from a keyframe on, and from when its predecessor has finished a picture.
struct Successor {
    /// A packet that waits for its turn.
    struct Held {
        var packet: RTPPacket
        var sequence: Int64
        var payload: [UInt8]
        var place: Source.Located
    }

    /// What a keyframe's first packet may have been overtaken by is kept before there is one.
    private static let mostEarly = 64
    /// It takes over with so many: streams do not begin with much more than that.
    private static let mostHeld = 200
    /// It takes over without a keyframe so long after its first packet. `RelayRouter` waits longer.
    private static let longestWait = Interval.seconds(Int64(5))
    /// It takes over with nothing after this if its predecessor brings nothing either: the publisher pauses, and by now the
    /// new way to him stands. Less than `RelayRouter.openTimeout`.
    private static let longestPause = Interval.seconds(Int64(2))
    /// Its predecessor does not get longer to finish a picture.
    private static let longestOverlap = Interval.milliseconds(100)

    let publisher: Publisher
    var keyframes = KeyframeRequests()
    private var held: [Held] = []
    /// The packet with which it begins.
    private var start: (sequence: Int64, timestamp: UInt32)?
    private var deadline: Instant
    /// When it was last seen to.
    private var checked = Instant.zero
    /// Something has come, if only sound.
    private(set) var hasBrought = false
    /// It takes over as soon as its predecessor is known to bring nothing.
    private(set) var isWaitingForAnything = false
    /// It takes over with whatever has come.
    private(set) var isOverdue = false

    init(_ publisher: Publisher, now: Instant) {
        self.publisher = publisher
        deadline = now + Self.longestPause
        keyframes.want(now: now)
    }

    /// It has what a viewer can begin with.
    var isReady: Bool { start != nil }

    /// When something is due: also when its predecessor stalls.
    func nextDeadline(besides predecessor: Publisher?) -> Instant {
        let own = min(deadline, keyframes.nextDeadline)
        guard let stallsAt = predecessor?.stallsAt, stallsAt > checked else { return own }
        return min(own, stallsAt)
    }

    mutating func hold(_ packet: Held, now: Instant) {
        let source = publisher.source
        if !hasBrought { (hasBrought, deadline) = (true, now + Self.longestWait) }
        let track = source.tracks[packet.place.track].negotiated
        let hasVideo = source.tracks.contains { $0.negotiated.kind == .video }
        guard start == nil else {
            held.append(packet)
            if held.count >= Self.mostHeld { isOverdue = true }
            return
        }
        guard track.kind == .video || !hasVideo else { return }
        held.append(packet)
        let payload = unsafe packet.payload.span.bytes
        if !hasVideo || isKeyframeStart(codec: track.codec.name, payload: payload) {
            start = (packet.sequence, packet.packet.timestamp)
            keyframes.keyframeArrived(now: now)
            deadline = min(deadline, now + Self.longestOverlap)
        } else if held.count > Self.mostEarly {
            held.removeFirst()
        }
    }

    mutating func advance(now: Instant) {
        checked = now
        guard deadline <= now else { return }
        if hasBrought {
            (deadline, isOverdue) = (.distantFuture, true)
        } else {
            (deadline, isWaitingForAnything) = (now + Self.longestPause, true)
        }
    }

    /// What belongs on the broadcast's lines, in the order in which it came.
    var packets: [Held] {
        guard let start else { return [] }
        let source = publisher.source
        return held.filter {
            source.tracks[$0.place.track].negotiated.kind != .video || $0.sequence >= start.sequence
                || $0.packet.timestamp == start.timestamp
        }
    }
}
