import WebRTC

/// Which encoding of a track each viewer gets.
extension ForwardingUnit {
    /// A stream of video that waits begins with what there is of its encoding, or as soon as there is a keyframe.
    func beginSoon(_ viewer: Viewer, record r: Int, inBurst: Bool, now: Instant) {
        let track = viewer.broadcast.tracks[viewer.records[r].track]
        let stream = track.streams[viewer.records[r].index]
        guard stream.position == .waiting else { return }
        if !inBurst || !beginInBurst(viewer, record: r, encoding: stream.encoding, now: now) {
            track.encodings[stream.encoding].keyframes.want(now: now)
        }
        // Also of a node above, which may have to send it again.
        requestKeyframes(of: viewer.broadcast, now: now)
    }

    /// A viewer wants an encoding of a kind of media, by its name; nil: whichever is best.
    func select(_ rid: String?, of kind: MediaKind, for viewer: Viewer, now: Instant) {
        viewer.wishes[kind] = rid
        for r in viewer.records.indices {
            let t = viewer.records[r].track
            guard viewer.broadcast.tracks[t].format.kind == kind, let supply = viewer.broadcast.supply(of: t)
            else { continue }
            // Who goes to and fro makes the publisher encode no more keyframes than who asks for them.
            let mayAsk = viewer.budget.keyframes.take(FeedbackBudget.keyframes, now: now)
            redirect(viewer, record: r, supply, mayAsk: mayAsk, now: now)
        }
        requestKeyframes(of: viewer.broadcast, now: now)
    }

    /// A source that feeds its broadcast may have gone over to other encodings: viewers follow, and nodes below hear of it.
    ///
    /// - Parameter isNews: which encodings come is not as it was.
    func follow(_ publisher: Publisher, track: Int, isNews: Bool, now: Instant) {
        let t = publisher.source.tracks[track].target
        guard isNews || publisher.source.tracks[track].preferred != publisher.broadcast.tracks[t].preferredIndex
        else { return }
        redirect(publisher.broadcast, track: t, now: now)
        requestKeyframes(of: publisher.broadcast, now: now)
        tellNodes(of: publisher.broadcast)
    }

    /// Nodes below hear which encodings there are.
    func tellNodes(of broadcast: Broadcast) {
        for case let viewer as Viewer in broadcast.peersInOrder where viewer.isRelay {
            viewer.sendEncodingReport(to: outbox)
        }
    }

    /// Each viewer goes over to the encoding that it is to have of those that come.
    func redirect(_ broadcast: Broadcast, track t: Int, now: Instant) {
        guard let supply = broadcast.supply(of: t) else { return }
        let track = broadcast.tracks[t]
        track.preferredIndex = supply.preferred
        // What is known of them is of before.
        track.rungs = ([], .zero)
        for index in track.streams.indices {
            redirect(track.streams[index].viewer, record: Int(track.streams[index].record), supply, now: now)
        }
    }

    /// As long as it is not known what comes it stays where it is.
    func redirect(
        _ viewer: Viewer, record r: Int, _ supply: EncodingSupply, mayAsk: Bool = true, now: Instant
    ) {
        let record = viewer.records[r]
        let track = viewer.broadcast.tracks[record.track]
        let stream = track.streams[record.index]
        guard record.encoding == nil, let goal = viewer.goal(of: track.format.kind, supply),
            goal != stream.destination
        else { return }
        let isCut = supply.presence(of: stream.encoding) == .gone
        direct(viewer, record: r, to: goal, atOnce: isCut, mayAsk: mayAsk, now: now)
    }

    /// A stream goes over to another encoding: with its next keyframe, or with the newest one that there is, if what it reads
    /// has come to an end.
    func direct(
        _ viewer: Viewer, record r: Int, to encoding: Int, atOnce: Bool = false, mayAsk: Bool = true, now: Instant
    ) {
        let (track, index) = (viewer.broadcast.tracks[viewer.records[r].track], viewer.records[r].index)
        let isWaiting = track.streams[index].position == .waiting
        if isWaiting { track.turn(stream: index, to: encoding) } else { track.head(stream: index, for: encoding) }
        guard track.isVideo, isWaiting || track.streams[index].encoding != encoding else { return }
        let mayBurst = viewer.startsInBurst && (isWaiting || atOnce)
        if mayBurst, beginInBurst(viewer, record: r, encoding: encoding, now: now) { return }
        if mayAsk { track.encodings[encoding].keyframes.want(now: now) }
    }

    func tellRates(of publisher: Publisher) {
        let broadcast = publisher.broadcast
        guard broadcast.succession.source === publisher,
            let t = publisher.source.tracks.firstIndex(where: { $0.negotiated.kind == .video && $0.names.count > 1 }),
            let supply = broadcast.supply(of: publisher.source.tracks[t].target)
        else { return }
        publisher.source.tracks[t].choice.rank(supply.rates)
        let rates = supply.names.enumerated().map { e, name in
            EncodingRate(rid: name, bytesPerSecond: supply.comes(e) ? supply.rate(of: e) : 0)
        }
        guard EncodingRate.differ(rates, broadcast.toldRates) else { return }
        broadcast.toldRates = rates
        events.append(.rates(broadcast.id, rates))
    }

    // MARK: Between nodes

    /// A node below says which of its streams it wants. One that it wants again begins with the newest group of pictures.
    func nodeWants(_ streams: [SSRC], _ viewer: Viewer, now: Instant) {
        for r in viewer.records.indices {
            guard let encoding = viewer.records[r].encoding else { continue }
            let (track, index) = (viewer.broadcast.tracks[viewer.records[r].track], viewer.records[r].index)
            let isWanted = streams.contains(track.streams[index].ssrc)
            if isWanted == (track.streams[index].position != .paused) { continue }
            if isWanted {
                track.turn(stream: index, to: encoding)
                track.streams[index].resume()
                beginSoon(viewer, record: r, inBurst: true, now: now)
            } else {
                viewer.records[r].burst?.cut(at: track.streams[index].line.next, now: now)
                track.pause(stream: index)
            }
        }
        viewer.sendEncodingReport(to: outbox)
        requestKeyframes(of: viewer.broadcast, now: now)
    }

    /// The node above says which encodings it can get.
    func nodeReports(_ reports: [EncodingReport], _ publisher: Publisher, now: Instant) {
        let isNews = publisher.source.take(reports)
        guard publisher.broadcast.succession.source === publisher else { return }
        if isNews {
            events.append(.receiving(publisher.id, publisher.broadcast.id, publisher.source.received))
            changeFormats(of: publisher.broadcast, to: publisher.source.formats, now: now)
            for t in publisher.source.tracks.indices { follow(publisher, track: t, isNews: true, now: now) }
        }
        sendFeedback(of: publisher, now: now)
        schedule(publisher)
    }

    /// What the node above is to be told of the encodings that are wanted here; nil: it knows.
    func dueWish(to publisher: Publisher, now: Instant) -> RTCPPacket? {
        guard publisher.isRelay, publisher.broadcast.succession.source === publisher else { return nil }
        var isDue = false
        var streams: [SSRC] = []
        for t in publisher.source.tracks.indices where !publisher.source.tracks[t].reports.isEmpty {
            let target = publisher.broadcast.tracks[publisher.source.tracks[t].target]
            let lowest =
                target.watched > 0
                ? publisher.broadcast.rungs(of: publisher.source.tracks[t].target, now: now).first : nil
            let roundTrip = publisher.transport.roundTrip ?? .zero
            let (wanted, new, mustTell) = publisher.source.tracks[t].demand(
                of: target, keeping: lowest?.encoding, roundTrip: roundTrip, now: now)
            // It begins with a keyframe of its own accord.
            for e in new { target.encodings[e].keyframes.expect(until: now + roundTrip + Self.keyframePatience) }
            streams += wanted.compactMap { publisher.source.tracks[t].encodings[$0].ssrc }
            if mustTell { isDue = true }
        }
        return isDue ? .wanted(sender: publisher.source.feedbackSSRC, streams) : nil
    }
}
