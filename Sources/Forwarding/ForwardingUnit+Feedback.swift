import WebRTC

/// RTCP: what viewers ask for, what is asked of sources, and the reports both ways.
extension ForwardingUnit {
    // MARK: RTCP in

    func receiveRTCP(_ bytes: borrowing RawSpan, of peer: Peer, now: Instant) {
        guard var reader = RTCPReader(bytes) else { return count(.malformedRTCP, peer: peer) }
        var mustJudge = false
        while let part = reader.next(in: bytes) {
            if part.kind == .bye { peer.transport.log.append(.bye, at: now) }
            if let publisher = peer as? Publisher { receive(part, in: bytes, of: publisher, now: now) }
            guard let viewer = peer as? Viewer else { continue }
            if part.kind == .transportFeedback {
                mustJudge = takeFeedback(part, in: bytes, of: viewer, now: now) || mustJudge
            } else {
                receive(part, in: bytes, of: viewer, now: now)
            }
        }
        if mustJudge, let viewer = peer as? Viewer { judgeLink(of: viewer, now: now) }
    }

    private func receive(_ part: RTCPPart, in bytes: borrowing RawSpan, of publisher: Publisher, now: Instant) {
        if part.kind == .encodings, publisher.isRelay {
            nodeReports(part.encodingReports(in: bytes), publisher, now: now)
        }
        guard part.kind == .senderReport,
            let point = publisher.source.senderReport(
                part.senderInformation(in: bytes), ntpOrigin: ntpOrigin, now: now),
            publisher.broadcast.succession.source === publisher
        else { return }
        publisher.broadcast.tracks[point.target].encodings[point.encoding].synchronise(
            at: point.at, timestamp: point.timestamp)
    }

    private func receive(_ part: RTCPPart, in bytes: borrowing RawSpan, of viewer: Viewer, now: Instant) {
        switch part.kind {
        case .senderReport, .receiverReport:
            for i in 0..<part.blockCount { receive(part.block(i, in: bytes), of: viewer, now: now) }
        case .nack:
            part.readLost(in: bytes, into: &lostNumbers)
            repair(lostNumbers, media: part.media(in: bytes), of: viewer, now: now)
        case .pli:
            keyframeRequested(part.media(in: bytes), of: viewer, now: now)
        case .fir:
            for i in 0..<part.requestCount {
                keyframeRequested(part.request(i, in: bytes).media, of: viewer, now: now)
            }
        case .wanted where viewer.isRelay:
            nodeWants(part.wantedStreams(in: bytes), viewer, now: now)
        case .bye, .encodings, .wanted, .transportFeedback, .other:
            break
        }
    }

    /// What a viewer reports of one of our streams.
    private func receive(_ block: ReportBlock, of viewer: Viewer, now: Instant) {
        guard let r = viewer.record(ssrc: block.ssrc) else { return }
        viewer.broadcast.tracks[viewer.records[r].track].streams[viewer.records[r].index].viewerKnowsStream()
        viewer.records[r].reported(lost: Int64(block.cumulativeLost))
        let arrival = NTPTime(origin: NTPTime(rawValue: ntpOrigin), at: now)
        if let sample = block.roundTrip(arrival: arrival) { viewer.measured(roundTrip: sample) }
    }

    /// A viewer's losses are answered from the history, with the next flush.
    private func repair(_ lost: [SequenceNumber], media: SSRC, of viewer: Viewer, now: Instant) {
        statistics.nacksReceived += UInt64(lost.count)
        guard let r = viewer.record(ssrc: media) else { return }
        let count = viewer.budget.numbers.take(lost.count, FeedbackBudget.numbers, now: now)
        if count < lost.count { refuse(.feedbackBudget, of: viewer, now: now) }
        viewer.records[r].missed(count)
        catchup.repair(lost.prefix(count), of: viewer, record: r)
    }

    private func keyframeRequested(_ media: SSRC, of viewer: Viewer, now: Instant) {
        guard let r = viewer.record(ssrc: media) else { return }
        let track = viewer.broadcast.tracks[viewer.records[r].track]
        let stream = track.streams[viewer.records[r].index]
        statistics.keyframeRequestsReceived += 1
        viewer.records[r].keyframeRequested()
        let age = viewer.measuredRoundTrip ?? .zero
        if stream.position == .paused || replaysGroup(for: viewer, record: r, now: now) { return }
        let encoding = track.encodings[stream.encoding]
        guard track.isVideo, encoding.keyframes.isWorthAsking(now: now, age: age) else { return }
        viewer.transport.log.append(.keyframeRequestReceived, at: now)
        guard viewer.isRelay || viewer.budget.keyframes.take(FeedbackBudget.keyframes, now: now) else {
            return refuse(.keyframeBudget, of: viewer, now: now)
        }
        encoding.keyframes.want(now: now, age: age)
        requestKeyframes(of: viewer.broadcast, now: now)
    }

    // MARK: RTCP to publishers

    /// Passes a wish for keyframes on to the source as soon as the firewall lets it.
    func requestKeyframes(of broadcast: Broadcast, now: Instant) {
        guard let publisher = broadcast.succession.source else { return }
        sendFeedback(of: publisher, now: now)
        schedule(publisher)
    }

    /// NACKs, keyframe requests and transport-wide feedback that are due to a publisher.
    func sendFeedback(of publisher: Publisher, now: Instant) {
        if let roundTrip = publisher.transport.roundTrip { publisher.source.setRoundTrip(roundTrip) }
        var packets = publisher.source.dueFeedback(now: now)
        if let wish = dueWish(to: publisher, now: now) { packets.append(wish) }
        for case .nack(_, _, let lost) in packets { statistics.nacksSent += UInt64(lost.count) }
        for (target, encoding) in dueKeyframes(of: publisher, now: now) {
            // Some encoders cannot be asked (FFmpeg's WHIP muxer): the firewall's clock runs all the same.
            guard let request = publisher.source.keyframeRequest(target: target, encoding: encoding) else { continue }
            packets.append(request)
            statistics.keyframeRequestsSent += 1
            publisher.transport.log.append(.keyframeRequestSent, at: now)
        }
        publisher.send(packets, to: outbox)
    }

    /// The tracks and encodings of which a publisher is to be asked for a keyframe now.
    private func dueKeyframes(of publisher: Publisher, now: Instant) -> [(target: Int, encoding: Int)] {
        let tracks = publisher.broadcast.tracks
        if publisher.broadcast.succession.source === publisher {
            return tracks.indices.flatMap { t in
                tracks[t].encodings.indices.filter { tracks[t].encodings[$0].keyframes.due(now: now) }.map { (t, $0) }
            }
        }
        guard publisher.broadcast.succession.keyframeIsDue(of: publisher, now: now) else { return [] }
        return publisher.source.tracks.filter { tracks[$0.target].isVideo }.map { ($0.target, $0.preferred) }
    }
}
