import WebRTC

/// Which of a broadcast's publishers feeds it, and who is to be the next.
///
///     connected ──no other, or it cannot be reached─────────────────────────────► feeds
///         └──another is there──► successor ──keyframe, and the other between two pictures──► feeds
///                                    ├──media, and the other stalls; or too long──► feeds
///                                    └──nothing for a while, from neither──► feeds
///
/// So a relay that moves while all is well, or a publisher who replaces another, costs viewers no picture; and neither does
/// one that moves while the publisher pauses. One that brings nothing while the other sends waits: a relay until its router
/// gives it up, a publisher until he sends.
struct Succession {
    /// Who feeds it; nil: nobody.
    private(set) var source: Publisher?
    private var successor: Successor?

    enum Arrival {
        case takesOver
        /// In place of another who waited.
        case waits(displaced: Publisher?)
    }

    /// Somebody waits.
    var isPending: Bool { successor != nil }

    /// Its transport is up.
    mutating func connected(_ publisher: Publisher, now: Instant) -> Arrival {
        guard let source, source !== publisher, !source.isUnreachable else { return .takesOver }
        defer { successor = Successor(publisher, now: now) }
        return .waits(displaced: successor?.publisher)
    }

    /// A packet of one that does not feed the broadcast; false: it has no turn either.
    mutating func hold(_ packet: Successor.Held, of publisher: Publisher, now: Instant) -> Bool {
        guard successor?.publisher === publisher else { return false }
        successor!.hold(packet, now: now)
        return true
    }

    /// Does what is due of `publisher` as the successor; false: it is not.
    mutating func advance(_ publisher: Publisher, now: Instant) -> Bool {
        guard successor?.publisher === publisher else { return false }
        successor!.advance(now: now)
        return true
    }

    /// Whether a keyframe is to be asked of `publisher` as the successor now.
    mutating func keyframeIsDue(of publisher: Publisher, now: Instant) -> Bool {
        successor?.publisher === publisher && successor!.keyframes.due(now: now)
    }

    /// Who takes over if this is the moment for it.
    /// - Parameter isBetweenPictures: of the present source.
    func due(isBetweenPictures: Bool, now: Instant) -> Publisher? {
        guard let successor else { return nil }
        let isStalled = source?.stallsAt.map { $0 <= now } ?? true
        let isReady = successor.isReady && isBetweenPictures
        let isIdle = successor.isWaitingForAnything && source?.isSending != true
        let isInTurn = source == nil || isIdle || successor.hasBrought && (isReady || isStalled || successor.isOverdue)
        return isInTurn ? successor.publisher : nil
    }

    /// - Returns: its predecessor, and what it has brought so far.
    mutating func takeOver(_ publisher: Publisher) -> (former: Publisher?, held: [Successor.Held]) {
        let held = successor?.publisher === publisher ? successor?.packets ?? [] : []
        let former = source === publisher ? nil : source
        (source, successor) = (publisher, nil)
        return (former, held)
    }

    /// It has ended.
    mutating func forget(_ publisher: Publisher) {
        if source === publisher { source = nil }
        if successor?.publisher === publisher { successor = nil }
    }

    /// When something of `publisher` as the successor is due.
    func nextDeadline(of publisher: Publisher) -> Instant {
        guard let successor, successor.publisher === publisher else { return .distantFuture }
        return successor.nextDeadline(besides: source)
    }
}
