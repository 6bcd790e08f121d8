import Forwarding
import Logging
import WebRTC

/// Broadcasts from nodes above: fetched for the first viewer, left after the last one, fetched again when lost.
extension Sessions {
    /// More broadcasts than this are not being fetched at once.
    static let maximumPulls = 64

    /// Fetches a broadcast; everybody who wants it meanwhile waits for the same attempt.
    func pull(_ name: String) async throws(Refusal) {
        let task: Task<Refusal?, Never>
        if let running = pulls[name] {
            task = running
        } else {
            guard pulls.count < Self.maximumPulls else { throw .full("too many broadcasts are being fetched") }
            if names[name] == nil { try admitBroadcast() }
            task = Task {
                let refusal = await fetch(name)
                pulls[name] = nil
                return refusal
            }
            pulls[name] = task
        }
        if let refusal = await task.value { throw refusal }
    }

    /// One attempt over all upstreams; nil: the broadcast has a source that connects.
    private func fetch(_ name: String) async -> Refusal? {
        let worker = names[name].flatMap { broadcasts[$0]?.worker } ?? tally.leastLoadedWorker
        // The relay gets a socket of its own, whose port nobody knows before it is opened: the offer has no candidates.
        var local = localTransport(worker: worker)
        local.candidates = []
        let offer = Negotiation.offer(receiving: [.audio, .video], local: local, using: &generator)
        let outcome = await relayClient.open(name, offer: offer.description)
        switch outcome {
        case .answered(let upstream, let sdp):
            return adopt(sdp, to: offer, of: name, from: upstream, worker: worker, local: local)
        case .notLive(let retryAfter):
            return .notLive(retryAfter: retryAfter)
        case .refused(let reason), .unavailable(let reason):
            counters.relayFailures += 1
            logger.notice("relay not possible", metadata: ["broadcast": "\(name)", "reason": "\(reason)"])
            return .noOrigin
        }
    }

    /// Makes the session that a node above agreed to the source of the broadcast.
    private func adopt(
        _ sdp: String, to offer: SessionDescription, of name: String, from upstream: UpstreamSession, worker: Int,
        local: LocalTransport
    ) -> Refusal? {
        let agreement: Agreement
        do {
            let answer = try SessionDescription.parse(sdp)
            agreement = try Negotiation.accept(answer: answer, to: offer)
        } catch {
            logger.warning(
                "relay answer not usable",
                metadata: ["broadcast": "\(name)", "node": "\(upstream.node)", "reason": "\(error)"])
            sayFarewell(to: upstream, broadcast: name)
            return .noOrigin
        }
        // The node may have begun to stop while the answer was on its way.
        guard !stopping else {
            sayFarewell(to: upstream, broadcast: name)
            return .draining
        }
        // `worker` was chosen for a broadcast that has been placed elsewhere meanwhile.
        if let id = names[name], let existing = broadcasts[id], existing.worker != worker {
            sayFarewell(to: upstream, broadcast: name)
            return .noOrigin
        }
        let id = broadcast(named: name, formats: Negotiation.formats(of: agreement), worker: worker)
        // The session that brought nothing, if the node above agreed to another one.
        if let former = broadcasts[id]?.upstream { sayFarewell(to: former, broadcast: name) }
        broadcasts[id]?.upstream = upstream
        if broadcasts[id]?.viewers.isEmpty == true { broadcasts[id]?.leaveAt = .now + topology.linger }
        _ = open(.upstream, on: id, listener: .internal, agreement: agreement, local: local, mids: [])
        return nil
    }

    // MARK: - Getting a lost source back

    private static let firstPause = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(2)

    /// Tries again, with growing pauses, until there is a source or the broadcast is gone (its hold time is over).
    ///
    /// A node above that closed our session in order and says right away that the broadcast is not live has waited for
    /// the publisher already, for its own hold time: then viewers here need not wait for another one.
    func reconnect(_ id: BroadcastID, after reason: CloseReason) {
        reconnects[id]?.cancel()
        reconnects[id] = Task {
            var pause = Self.firstPause
            var isFirst = true
            while !Task.isCancelled, let broadcast = broadcasts[id], case .held = broadcast.source,
                broadcast.candidate == nil
            {
                do throws(Refusal) {
                    try await pull(broadcast.name)
                    return
                } catch {
                    if case .notLive = error, isFirst, reason == .peerClosed {
                        return closeBroadcast(id, reason: .sourceGone)
                    }
                }
                isFirst = false
                // Edges that lost the same origin must not come back in step.
                try? await Task.sleep(for: pause * Double.random(in: 0.5...1))
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    /// Tells the node above that we are done, without making anybody wait for it.
    func sayFarewell(to upstream: UpstreamSession, broadcast: String) {
        let key = identifier()
        farewells[key] = Task {
            await relayClient.close(upstream, broadcast: broadcast)
            farewells[key] = nil
        }
    }
}
