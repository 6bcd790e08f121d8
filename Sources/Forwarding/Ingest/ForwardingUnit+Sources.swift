import WebRTC

/// What a broadcast's `Succession` means for it and its viewers.
extension ForwardingUnit {
    /// A publisher's transport is up.
    func sourceConnected(_ publisher: Publisher, now: Instant) {
        switch publisher.broadcast.succession.connected(publisher, now: now) {
        case .takesOver:
            takeOver(publisher, now: now)
        case .waits(let displaced):
            if let displaced { close(displaced, reason: .replaced, now: now) }
            sendFeedback(of: publisher, now: now)
        }
    }

    /// A packet of a publisher that does not feed its broadcast, or not yet.
    func hold(
        _ packet: RTPPacket, _ sequence: Int64, _ payload: borrowing RawSpan, at place: Source.Located,
        of publisher: Publisher, now: Instant
    ) -> DropReason? {
        guard place.encoding == publisher.source.tracks[place.track].preferred else { return .notInTurn }
        let bytes = unsafe payload.withUnsafeBytes { unsafe [UInt8]($0) }
        let held = Successor.Held(packet: packet, sequence: sequence, payload: bytes, place: place)
        guard publisher.broadcast.succession.hold(held, of: publisher, now: now) else { return .notInTurn }
        reconsiderSource(of: publisher.broadcast)
        return nil
    }

    /// Something has happened that may make this the moment for its successor: the next flush decides.
    func reconsiderSource(of broadcast: Broadcast) {
        if broadcast.succession.isPending { fanOut.mark(broadcast) }
    }

    /// Lets the successor take over if this is the moment. What its predecessor has brought is on its way already.
    func advanceSuccession(of broadcast: Broadcast, now: Instant) -> Bool {
        guard broadcast.succession.isPending,
            let publisher = broadcast.succession.due(isBetweenPictures: broadcast.isBetweenPictures, now: now)
        else { return false }
        takeOver(publisher, now: now)
        return true
    }

    private func takeOver(_ publisher: Publisher, now: Instant) {
        let broadcast = publisher.broadcast
        let (former, held) = broadcast.succession.takeOver(publisher)
        publisher.source.feeds(now: now)
        events.append(.feeds(publisher.id, broadcast.id))
        if let former { close(former, reason: .replaced, now: now) }
        changeFormats(of: broadcast, to: publisher.source.formats, now: now)
        for track in publisher.source.tracks {
            broadcast.tracks[track.target].provide(track.encodings.count)
            redirect(broadcast, track: track.target, now: now)
        }
        // Viewers may have been waiting for this source.
        for own in publisher.source.tracks where own.negotiated.kind == .video {
            for encoding in broadcast.tracks[own.target].encodings.prefix(own.encodings.count)
            where encoding.readers > 0 { encoding.keyframes.sourceChanged(now: now) }
        }
        if publisher.isRelay { expectKeyframe(of: publisher, now: now) }
        for packet in held {
            let payload = unsafe packet.payload.span.bytes
            let reason = accept(
                packet.packet, packet.sequence, payload, at: packet.place, of: publisher, now: now)
            if let reason { count(reason, peer: publisher) }
        }
        requestKeyframes(of: broadcast, now: now)
        tellNodes(of: broadcast)
    }

    /// A node above begins each of its streams with a keyframe of its own accord. What we asked for would come on top of it:
    /// only its loss is a reason to ask.
    private func expectKeyframe(of publisher: Publisher, now: Instant) {
        let arrival = now + (publisher.transport.roundTrip ?? .zero) + Self.keyframePatience
        for track in publisher.broadcast.tracks where track.isVideo {
            for encoding in track.encodings { encoding.keyframes.expect(until: arrival) }
        }
    }

    static let keyframePatience = Interval.milliseconds(150)
}
