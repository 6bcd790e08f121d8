package import WebRTC

/// What is due when.
extension ForwardingUnit {
    /// Does everything that is due at `now`.
    package func advance(now: Instant) {
        while let session = deadlines.popDue(now: now) {
            advance(session, now: now)
            schedule(session)
        }
    }

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
