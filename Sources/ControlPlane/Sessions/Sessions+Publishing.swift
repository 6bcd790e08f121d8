import Forwarding
import MediaPlane
package import WebRTC

/// Broadcasts from publishers.
extension Sessions {
    /// Opens a WHIP session. The broadcast is live once its media transport is up.
    ///
    /// - Parameter network: of one who had to show no token.
    package func publish(
        _ name: String, offer: SessionDescription, from network: ClientNetwork? = nil
    ) throws(Refusal) -> Opened {
        try refuseWhileDraining()
        try admit(.publisher)
        let existing = names[name].flatMap { broadcasts[$0] }
        if let existing, isTaken(existing), topology.onConflict == .reject { throw .alreadyLive }
        if existing == nil { try admitBroadcast() }
        let place = try hold(.halfOpenPublishers, for: network)
        let worker = existing?.worker ?? placement.choose(sessions: tally.byWorker)
        let local = localTransport(worker: worker)
        let answer: SessionDescription
        let agreement: Agreement
        do {
            (answer, agreement) = try Negotiation.answerPublisher(offer, local: local, using: &generator)
        } catch {
            throw .negotiation(error)
        }
        if existing == nil { placement.place(on: worker) }
        let id = broadcast(named: name, formats: Negotiation.formats(of: agreement), worker: worker)
        let record = open(
            .publisher, on: id, listener: .public, agreement: agreement, local: local, mids: offer.mids,
            places: [place])
        return Opened(resource: record.resource, etag: record.etag, answer: answer.description)
    }

    /// Whether somebody publishes the broadcast. One who crashed says no good-bye: his silence frees it, long before his
    /// consent expires. One who never got as far as a connection does not keep others, or his own next try, out.
    private func isTaken(_ broadcast: BroadcastRecord) -> Bool {
        guard let source = broadcast.liveSource else { return false }
        return sessions[source]?.isSilent != true
    }

    /// The broadcast that a source of these formats feeds: the one that has the name if there is anything in it for its
    /// viewers, else a new one, which takes the name at once or, from a live one, when its source is connected; viewers
    /// of the old one then end.
    func broadcast(named name: String, formats: [TrackFormat], worker: Int) -> BroadcastID {
        let existing = names[name].flatMap { broadcasts[$0] }
        if let existing, existing.canContinue(with: formats) {
            // A live one goes on as it is until its successor takes over, which changes the formats then.
            if existing.liveSource == nil, existing.formats != formats {
                broadcasts[existing.id]?.formats = formats
                media.workers[worker].send(.changeFormats(existing.id, formats))
            }
            return existing.id
        }
        let id = BroadcastID(rawValue: identifier())
        broadcasts[id] = BroadcastRecord(
            id: id, name: name, worker: worker, formats: formats,
            streamName: ResourceName.urlSafeText(of: generator.next()))
        media.workers[worker].send(.openBroadcast(id, tracks: formats))
        // One that is live goes on until its successor is connected.
        if existing?.liveSource == nil { names[name] = id }
        if let existing, existing.liveSource == nil { closeBroadcast(existing.id, reason: .incompatible) }
        return id
    }
}
