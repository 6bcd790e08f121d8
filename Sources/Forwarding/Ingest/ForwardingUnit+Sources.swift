import WebRTC

/// Which of a broadcast's sources feeds it.
///
///     connected ──no other, or it cannot be reached─────────────────────────────► feeds
///         └──another is there──► successor ──keyframe, and the other between two pictures──► feeds
///                                    ├──media, and the other stalls; or too long──► feeds
///                                    └──nothing for a while, from neither──► feeds
///
/// So a relay that moves while all is well, or a publisher who replaces another, costs viewers no picture; and neither does
/// one that moves while the publisher pauses. One that brings nothing while the other sends waits: a relay until its router
/// gives it up, a publisher until he sends.
extension ForwardingUnit {
    /// A source's transport is up.
    func sourceConnected(_ session: Session, now: Instant) {
        let broadcast = session.broadcast
        guard let present = broadcast.source, present !== session, !present.isUnreachable else {
            return takeOver(session, now: now)
        }
        if let other = broadcast.successor?.session { close(other, reason: .replaced, now: now) }
        broadcast.successor = Successor(session, now: now)
        sendFeedback(of: session, now: now)
    }

    /// A packet of a source that does not feed its broadcast, or not yet.
    func hold(
        _ packet: RTPPacket, _ sequence: Int64, _ payload: borrowing RawSpan, at place: Source.Located,
        on session: Session, now: Instant
    ) -> DropReason? {
        guard session.broadcast.successor?.session === session else { return .notInTurn }
        let bytes = unsafe payload.withUnsafeBytes { unsafe [UInt8]($0) }
        session.broadcast.successor!.hold(
            .init(packet: packet, sequence: sequence, payload: bytes, place: place), now: now)
        reconsiderSource(of: session.broadcast)
        return nil
    }

    /// What is due of a successor.
    func advanceSuccessor(_ session: Session, now: Instant) {
        let broadcast = session.broadcast
        guard broadcast.successor?.session === session else { return }
        broadcast.successor!.advance(now: now)
        reconsiderSource(of: broadcast)
    }

    /// Something has happened that may make this the moment for its successor: the next flush decides.
    func reconsiderSource(of broadcast: Broadcast) {
        if broadcast.successor != nil { markDirty(broadcast) }
    }

    /// Lets the successor take over if this is the moment. What its predecessor has brought is on its way already.
    func advanceSuccession(of broadcast: Broadcast, now: Instant) -> Bool {
        guard let successor = broadcast.successor else { return false }
        let isStalled = broadcast.source?.stallsAt.map { $0 <= now } ?? true
        let isReady = successor.isReady && broadcast.isBetweenPictures
        let isIdle = successor.isWaitingForAnything && broadcast.source?.isSending != true
        let isInTurn =
            broadcast.source == nil || isIdle || successor.hasBrought && (isReady || isStalled || successor.isOverdue)
        if isInTurn { takeOver(successor.session, now: now) }
        return isInTurn
    }

    private func takeOver(_ session: Session, now: Instant) {
        let broadcast = session.broadcast
        let former = broadcast.source
        let held = broadcast.successor?.session === session ? broadcast.successor?.packets ?? [] : []
        (broadcast.source, broadcast.successor) = (session, nil)
        session.source!.feeds(now: now)
        events.append(.feeds(session.id, broadcast.id))
        if let former, former !== session { close(former, reason: .replaced, now: now) }
        changeFormats(of: broadcast, to: session.source!.formats, now: now)
        // Viewers may have been waiting for this source.
        for track in broadcast.tracks where track.isVideo && !track.sinks.isEmpty {
            track.keyframes.sourceChanged(now: now)
        }
        for packet in held {
            let payload = unsafe packet.payload.span.bytes
            let reason = accept(
                packet.packet, packet.sequence, payload, at: packet.place, on: session, now: now)
            if let reason { count(reason, session: session) }
        }
        requestKeyframes(of: broadcast, now: now)
    }
}
