import Forwarding
import Routing
package import WebRTC

/// Broadcasts to people and to nodes below.
extension Sessions {
    /// Opens a WHEP session for a person or a node below. On a node that relays, the first one waits for the broadcast
    /// to be fetched.
    ///
    /// - Parameters:
    ///   - host: under which the client has reached this node.
    ///   - network: of a person, as far as it is known.
    package func watch(
        _ name: String, offer: SessionDescription, as purpose: SessionPurpose, by asking: AskingNode? = nil,
        host: String? = nil, from network: ClientNetwork? = nil
    ) async throws(Refusal) -> Opened {
        // A node that asks one that drains has nobody else to ask.
        if stopping || purpose != .relay || !isWatchable(name) { try refuseWhileDraining() }
        try admit(purpose)
        var places: [HeldPlace] = []
        if purpose == .viewer { places.append(try hold(.viewers, for: network)) }
        let waiting = asking?.waiting ?? []
        if let setback = router.objection(to: waiting, for: name) { throw Refusal(setback) }
        if pullsBroadcasts, !isWatchable(name) {
            try await pull(name, waiting: waiting, as: purpose, from: network)
            try refuseWhileDraining()
            try admit(purpose)
            if let setback = router.objection(to: waiting, for: name) { throw Refusal(setback) }
        }
        if purpose == .viewer { places.append(try hold(.halfOpenViewers, for: network)) }
        guard let id = names[name], let broadcast = broadcasts[id], isWatchable(name) else {
            throw .notLive(retryAfter: 2)
        }
        let local = localTransport(worker: broadcast.worker)
        let answer: SessionDescription
        let agreement: Agreement
        do {
            (answer, agreement) = try Negotiation.answerViewer(
                offer, broadcast: broadcast.formats, everyEncoding: purpose == .relay,
                streamName: broadcast.streamName, local: local, using: &generator)
        } catch {
            throw .negotiation(error)
        }
        if let asking { try endFormerRelay(of: asking, on: id) }
        let record = open(
            purpose, on: id, listener: purpose == .relay ? .internal : .public, agreement: agreement, local: local,
            mids: offer.mids, node: asking, places: places)
        sessions[record.id]?.host = host
        return Opened(
            resource: record.resource, etag: record.etag, answer: answer.description, path: router.path(of: name))
    }

    /// A node needs a broadcast once. When it asks again it has forgotten the first relay, or lost it. A request that comes
    /// after a later one (a link was cut, and TCP has repeated it) ends nothing.
    private func endFormerRelay(of node: AskingNode, on id: BroadcastID) throws(Refusal) {
        guard let name = node.name else { return }
        let formers = broadcasts[id]?.relays.filter { sessions[$0]?.node?.name == name } ?? []
        for former in formers {
            guard let last = sessions[former]?.node, let attempt = node.attempt, let other = last.attempt,
                last.instance == node.instance, other > attempt
            else { continue }
            throw .superseded
        }
        for former in formers { close(former, reason: .replaced) }
    }

    /// A published broadcast when its source is up, whether it sends at present or not; a relayed one as soon as the node
    /// above has agreed, until that has it no longer.
    func isWatchable(_ name: String) -> Bool {
        guard let id = names[name], let broadcast = broadcasts[id] else { return false }
        guard pullsBroadcasts else { return broadcast.liveSource != nil }
        return router.canServe(name, now: clock) && (broadcast.candidate != nil || broadcast.liveSource != nil)
    }
}
