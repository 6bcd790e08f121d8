import WebRTC

/// Which encoding a viewer's link carries (`ViewerLink`).
extension ForwardingUnit {
    /// Watches the viewer's link as long as there is something to choose, and he can tell of it.
    func watchLink(of viewer: Viewer) {
        for r in viewer.records.indices {
            let record = viewer.records[r]
            let track = viewer.broadcast.tracks[record.track]
            guard track.isVideo, record.encoding == nil,
                let negotiated = viewer.tracks.first(where: { $0.kind == .video })
            else { continue }
            let tells = negotiated.feedback.contains(.transportCC) && record.form == .sealedOnce && !viewer.isRelay
            let id = tells ? negotiated.extensions.transportSequence : 0
            let isWatched = id != 0 && track.format.rids.count > 1
            guard isWatched != (viewer.link != nil) else { continue }
            track.watched += isWatched ? 1 : -1
            let spread = Interval.milliseconds(Int64.random(in: 0..<400, using: &random))
            viewer.link = isWatched ? ViewerLink(spread: spread) : nil
            (viewer.linkRecord, viewer.heldAt) = (r, nil)
            track.streams[record.index].number(negotiated, transportSequenceID: isWatched ? id : 0)
        }
    }

    func watchLinks(of broadcast: Broadcast) {
        for case let viewer as Viewer in broadcast.peersInOrder where viewer.phase == .connected {
            watchLink(of: viewer)
        }
    }

    /// To be judged when all of the datagram has been read. true: there is something to judge.
    func takeFeedback(_ part: RTCPPart, in bytes: borrowing RawSpan, of viewer: Viewer, now: Instant) -> Bool {
        guard viewer.link != nil else { return false }
        let count = part.arrivalCount(in: bytes)
        guard viewer.budget.arrivals.take(count, FeedbackBudget.arrivals, now: now) == count else {
            refuse(.feedbackBudget, of: viewer, now: now)
            return false
        }
        guard let base = part.readArrivals(in: bytes, into: &arrivals) else { return false }
        viewer.link!.take(arrivals, from: base, roundTrip: viewer.roundTrip, now: now)
        return true
    }

    /// What is due without a word of the viewer.
    func advanceLink(of viewer: Viewer, now: Instant) {
        guard viewer.link != nil, now >= viewer.link!.nextDeadline else { return }
        let due = viewer.link!.dueProbe(now: now)
        if due > 0 { sendProbe(due, to: viewer, now: now) }
        judgeLink(of: viewer, now: now)
    }

    func judgeLink(of viewer: Viewer, now: Instant) {
        let (r, t) = (viewer.linkRecord, viewer.records[viewer.linkRecord].track)
        let stream = viewer.broadcast.tracks[t].streams[viewer.records[r].index]
        let rungs = viewer.broadcast.rungs(of: t, now: now)
        guard viewer.wishes[.video] == nil || !hasItsWish(viewer, track: t),
            let current = rungs.firstIndex(where: { $0.encoding == stream.destination })
        else {
            viewer.link!.rest(now: now)
            // What he reads, or waits for, has gone without anybody having seen it yet.
            if let supply = viewer.broadcast.supply(of: t) { redirect(viewer, record: r, supply, now: now) }
            return
        }
        switch viewer.link!.judge(
            rungs, current: current, isSteady: stream.position == .head,
            isThere: stream.destination == stream.encoding, beside: Self.beside, now: now)
        {
        case .stays: return
        case .slower(let pace):
            viewer.records[r].burst?.limit(to: pace)
            return
        case .down(let rung, let pace):
            statistics.stepsDown += 1
            stepDown(viewer, record: r, to: rungs[...rung], pace: pace, now: now)
        case .up(let rung):
            statistics.stepsUp += 1
            let supply = viewer.broadcast.supply(of: t)
            // One that is paused may come again, and has not been tried: then he is held where he is.
            let isBest = rungs[rung].encoding == supply?.preferred && rungs.count == supply?.names.count
            viewer.heldAt = isBest ? nil : rungs[rung].encoding
            direct(viewer, record: r, to: rungs[rung].encoding, now: now)
        }
        requestKeyframes(of: viewer.broadcast, now: now)
    }

    private func hasItsWish(_ viewer: Viewer, track t: Int) -> Bool {
        viewer.broadcast.supply(of: t).map { viewer.wish(for: .video, $0) != nil } ?? true
    }

    /// Bytes per second of sound.
    private static let beside: Int64 = 10_000

    /// To the highest of `rungs` that can be had at once. What is read now is too much, so it ends here; if none can, the
    /// highest is waited for.
    private func stepDown(_ viewer: Viewer, record r: Int, to rungs: ArraySlice<Rung>, pace: Int64, now: Instant) {
        let track = viewer.broadcast.tracks[viewer.records[r].track]
        // Behind what queues it comes no sooner, and where the queue is full its first packets would be lost.
        let wait = min(viewer.link!.estimate.queueDelay / 2, Self.longestWait)
        for rung in rungs.reversed() {
            viewer.heldAt = rung.encoding
            if holds(viewer, record: r, at: rung.encoding) { return }
            if beginInBurst(viewer, record: r, encoding: rung.encoding, pace: pace, after: wait, now: now) { return }
        }
        guard let rung = rungs.last else { return }
        viewer.heldAt = rung.encoding
        let index = viewer.records[r].index
        viewer.records[r].burst?.cut(at: track.streams[index].line.next, now: now)
        track.turn(stream: index, to: rung.encoding)
        track.streams[index].waitForKeyframe()
        track.encodings[rung.encoding].keyframes.want(now: now)
    }

    /// He was on his way from it to a higher one, and stays.
    private func holds(_ viewer: Viewer, record r: Int, at encoding: Int) -> Bool {
        let (track, index) = (viewer.broadcast.tracks[viewer.records[r].track], viewer.records[r].index)
        guard track.streams[index].encoding == encoding, track.streams[index].position == .head else { return false }
        track.turn(stream: index, to: encoding)
        return true
    }

    private static let longestWait = Interval.milliseconds(200)

    // MARK: Probes

    /// Sends packets of the recent past again, as if they had been asked for.
    private func sendProbe(_ bytes: Int, to viewer: Viewer, now: Instant) {
        guard let srtp = viewer.transport.srtp, let remote = viewer.transport.remote
        else { return }
        let record = viewer.records[viewer.linkRecord]
        let stream = viewer.broadcast.tracks[record.track].streams[record.index]
        guard let rtx = record.rtx, let type = rtx.payloadType else { return }
        var (due, back) = (bytes, Int64(1))
        while due > 0, back <= Self.mostProbePackets, outbox.hasRoom(for: 1) {
            defer { back += 1 }
            guard let (packet, place) = sentPacket(stream.line.next - back, of: viewer) else { continue }
            let record = viewer.records[viewer.linkRecord]
            guard
                stream.sendRTX(
                    packet, at: place, on: record.rtx!, type: type, srtp: srtp, to: remote, outbox: outbox, now: now)
            else { return }
            viewer.records[viewer.linkRecord].rtx!.next += 1
            statistics.probePackets += 1
            due -= packet.length
        }
    }

    private static let mostProbePackets: Int64 = 16

    /// A packet that has left under `number`, if it is there still and may leave again.
    private func sentPacket(_ number: Int64, of viewer: Viewer) -> (LinePacket, OutgoingLine.Place)? {
        let record = viewer.records[viewer.linkRecord]
        let track = viewer.broadcast.tracks[record.track]
        guard let origin = track.streams[record.index].line.origin(of: number),
            track.encodings.indices.contains(origin.encoding),
            origin.sequence >= track.encodings[origin.encoding].formatStart,
            let packet = LinePacket(origin.sequence, of: track.encodings[origin.encoding], index: origin.encoding),
            packet.length > 0
        else { return nil }
        var place = OutgoingLine.Place(number: number, offsets: origin.offsets)
        return viewer.stampRepair(&place, of: packet, record: viewer.linkRecord) ? (packet, place) : nil
    }
}
