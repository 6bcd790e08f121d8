package import WebRTC

/// What is due when.
extension ForwardingUnit {
    /// Does what is due at `now`, to be sent with the next flush, and one step of a handshake. true: the outbox is full;
    /// flush, and call again.
    package func advance(now: Instant) -> Bool {
        catchup.refill()
        guard advanceHandshake(now: now) else { return true }
        // However many are due, and be it one that is due again at once: what comes in has its turn in between.
        var left = Self.mostAdvanced
        while deadlines.next <= now, left > 0 {
            left -= 1
            guard outbox.isEmpty || outbox.hasRoom(for: Self.mostDatagrams) else { return true }
            guard let (peer, reason) = deadlines.popDue(now: now) else { break }
            statistics.deadlines[Int(reason.rawValue)] += 1
            advance(peer, now: now)
            schedule(peer)
        }
        return false
    }

    private static let mostAdvanced = 4_000

    /// What one session may send at one deadline: checks, a flight of the handshake, feedback and reports.
    private static let mostDatagrams = 32

    private func advance(_ peer: Peer, now: Instant) {
        peer.transport.advance(now: now, outbox: outbox)
        follow(peer, now: now)
        guard peer.phase == .connected else { return }
        if let publisher = peer as? Publisher { advance(publisher, now: now) }
        if let viewer = peer as? Viewer { advanceLink(of: viewer, now: now) }
        guard peer.phase == .connected, now >= peer.nextReport else { return }
        peer.nextReport = now + Self.reportInterval
        if let publisher = peer as? Publisher {
            publisher.sendReport(to: outbox, now: now)
            tellRates(of: publisher)
        }
        if let viewer = peer as? Viewer {
            viewer.sendReports(to: outbox, ntpOrigin: ntpOrigin, now: now)
            viewer.forgetBursts(historyAge: limits.historyAge, now: now)
        }
    }

    private func advance(_ publisher: Publisher, now: Instant) {
        sendFeedback(of: publisher, now: now)
        if publisher.source.fallsSilent(now: now) {
            publisher.transport.log.append(.silent, at: now)
            events.append(.silent(publisher.id, publisher.broadcast.id))
            reconsiderSource(of: publisher.broadcast)
        }
        if publisher.broadcast.succession.advance(publisher, now: now) { reconsiderSource(of: publisher.broadcast) }
    }

    static let reportInterval = Interval.seconds(Int64(1))

    /// Makes sure that `peer` is advanced when its next deadline comes.
    func schedule(_ peer: Peer) {
        let deadline = peer.nextDeadline
        if deadline.at < peer.scheduled {
            peer.scheduled = deadline.at
            deadlines.push(peer, at: deadline)
        }
    }
}
