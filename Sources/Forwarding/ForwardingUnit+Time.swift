package import WebRTC

/// What is due when.
extension ForwardingUnit {
    /// Does what is due at `now`, to be sent with the next flush. true: the outbox is full; flush, and call again.
    package func advance(now: Instant) -> Bool {
        guard advanceHandshakes(now: now) else { return true }
        while deadlines.next <= now {
            guard outbox.isEmpty || outbox.hasRoom(for: Self.mostDatagrams) else { return true }
            guard let session = deadlines.popDue(now: now) else { break }
            advance(session, now: now)
            schedule(session)
        }
        return false
    }

    /// What one session may send at one deadline: checks, a flight of the handshake, feedback and reports.
    private static let mostDatagrams = 32

    private func advance(_ session: Session, now: Instant) {
        session.peer.advance(now: now, outbox: outbox)
        follow(session, now: now)
        guard session.phase == .connected else { return }
        if session.source != nil {
            sendFeedback(of: session, now: now)
            if session.source!.fallsSilent(now: now) {
                session.peer.log.append(.silent, at: now)
                events.append(.silent(session.id, session.broadcast.id))
                reconsiderSource(of: session.broadcast)
            }
            advanceSuccessor(session, now: now)
            guard session.phase == .connected else { return }
        }
        if now >= session.nextReport {
            sendReports(of: session, now: now)
            session.nextReport = now + Self.reportInterval
        }
    }

    static let reportInterval = Interval.seconds(Int64(1))

    /// Makes sure that `session` is advanced when its next deadline comes.
    func schedule(_ session: Session) {
        let deadline = session.nextDeadline
        if deadline < session.scheduled {
            session.scheduled = deadline
            deadlines.push(session, at: deadline)
        }
    }
}
