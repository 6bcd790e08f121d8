import WebRTC

/// RTCP: what viewers ask for, what is asked of sources, and the reports both ways.
extension ForwardingUnit {
    // MARK: RTCP in

    func receiveRTCP(_ bytes: borrowing RawSpan, on session: Session, now: Instant) {
        guard let packets = RTCPCompound.parse(bytes) else { return count(.malformedRTCP, session: session) }
        for packet in packets {
            switch packet {
            case .senderReport(let report):
                receive(report, on: session, now: now)
                for block in report.blocks { receive(block, on: session, now: now) }
            case .receiverReport(_, let blocks):
                for block in blocks { receive(block, on: session, now: now) }
            case .nack(_, let media, let lost):
                repair(lost, media: media, on: session, now: now)
            case .pli(_, let media):
                keyframeRequested(media, on: session, now: now)
            case .fir(_, let requests):
                for request in requests { keyframeRequested(request.media, on: session, now: now) }
            case .bye:
                session.peer.log.append(.bye, at: now)
            case .sourceDescription, .transportFeedback, .remb, .other:
                break
            }
        }
    }

    private func receive(_ report: SenderReport, on session: Session, now: Instant) {
        guard let point = session.source?.senderReport(report, ntpOrigin: ntpOrigin, now: now),
            session.broadcast.source === session
        else { return }
        session.broadcast.tracks[point.target].synchronise(at: point.at, timestamp: point.timestamp)
    }

    /// What a viewer reports of one of our streams.
    private func receive(_ block: ReportBlock, on session: Session, now: Instant) {
        guard let (track, index) = sink(of: session, ssrc: block.ssrc) else { return }
        track.sinks[index].viewerKnowsStream()
        track.sinks[index].reported(lost: Int64(block.cumulativeLost))
        let arrival = NTPTime(origin: NTPTime(rawValue: ntpOrigin), at: now)
        guard let sample = block.roundTrip(arrival: arrival) else { return }
        session.reportedRoundTrip = session.reportedRoundTrip.map { $0 + (sample - $0) / 8 } ?? sample
    }

    private func sink(of session: Session, ssrc: SSRC) -> (BroadcastTrack, Int)? {
        for (place, track) in zip(session.sinkPlaces, session.broadcast.tracks)
        where place >= 0 && track.sinks[place].ssrc == ssrc {
            return (track, place)
        }
        return nil
    }

    /// A viewer's losses are answered from the history. What is missing there too has been asked for upstream already,
    /// and goes out to every viewer when it comes.
    private func repair(_ lost: [SequenceNumber], media: SSRC, on session: Session, now: Instant) {
        statistics.nacksReceived += UInt64(lost.count)
        guard let (track, index) = sink(of: session, ssrc: media), let srtp = session.peer.srtp,
            let remote = session.peer.remote
        else { return }
        let oldest = now - limits.historyAge
        let count = session.budget.numbers.take(lost.count, FeedbackBudget.numbers, now: now)
        if count < lost.count { refuse(.feedbackBudget, of: session, now: now) }
        for number in lost.prefix(count) {
            let sent = track.sinks[index].repair(
                number, track: track, oldest: oldest, now: now, srtp: srtp, remote: remote, outbox: outbox)
            if sent {
                statistics.repairsSent += 1
                statistics.packetsOut += 1
            }
        }
    }

    private func keyframeRequested(_ media: SSRC, on session: Session, now: Instant) {
        guard let (track, index) = sink(of: session, ssrc: media) else { return }
        statistics.keyframeRequestsReceived += 1
        track.sinks[index].keyframeRequested()
        let age = session.reportedRoundTrip ?? .zero
        guard track.isVideo, track.keyframes.isWorthAsking(now: now, age: age) else { return }
        session.peer.log.append(.keyframeRequestReceived, at: now)
        guard session.isRelay || session.budget.keyframes.take(FeedbackBudget.keyframes, now: now) else {
            return refuse(.keyframeBudget, of: session, now: now)
        }
        track.keyframes.want(now: now, age: age)
        requestKeyframes(of: session.broadcast, now: now)
    }

    // MARK: RTCP to sources

    /// Passes a wish for keyframes on to the source as soon as the firewall lets it.
    func requestKeyframes(of broadcast: Broadcast, now: Instant) {
        guard let source = broadcast.source else { return }
        sendFeedback(of: source, now: now)
        schedule(source)
    }

    /// NACKs, keyframe requests and transport-wide feedback that are due to a source.
    func sendFeedback(of session: Session, now: Instant) {
        guard session.source != nil else { return }
        if let roundTrip = session.peer.roundTrip { session.source!.setRoundTrip(roundTrip) }
        var packets = session.source!.dueFeedback(now: now)
        for case .nack(_, _, let lost) in packets { statistics.nacksSent += UInt64(lost.count) }
        for target in dueKeyframes(of: session, now: now) {
            // Some encoders cannot be asked (FFmpeg's WHIP muxer): the firewall's clock runs all the same.
            guard let request = session.source!.keyframeRequest(target: target) else { continue }
            packets.append(request)
            statistics.keyframeRequestsSent += 1
            session.peer.log.append(.keyframeRequestSent, at: now)
        }
        let switching = session.source!.dueSwitchRequests(now: now)
        statistics.keyframeRequestsSent += UInt64(switching.count)
        send(packets + switching, on: session)
    }

    /// The tracks for which a source is to be asked for a keyframe now.
    private func dueKeyframes(of session: Session, now: Instant) -> [Int] {
        let broadcast = session.broadcast
        if broadcast.source === session {
            return broadcast.tracks.indices.filter { broadcast.tracks[$0].keyframes.due(now: now) }
        }
        guard broadcast.successor?.session === session, broadcast.successor!.keyframes.due(now: now) else { return [] }
        return broadcast.tracks.indices.filter { broadcast.tracks[$0].isVideo }
    }

    // MARK: Reports

    /// A receiver report to a source; to a viewer one sender report per stream that plays.
    func sendReports(of session: Session, now: Instant) {
        if session.source != nil {
            let report = RTCPPacket.receiverReport(
                sender: session.source!.feedbackSSRC, blocks: session.source!.reportBlocks(now: now))
            let name = RTCPPacket.CanonicalName(ssrc: session.source!.feedbackSSRC, cname: session.source!.cname)
            return send([report, .sourceDescription([name])], on: session)
        }
        let time = NTPTime(origin: NTPTime(rawValue: ntpOrigin), at: now)
        for (place, track) in zip(session.sinkPlaces, session.broadcast.tracks) where place >= 0 {
            let sink = track.sinks[place]
            guard sink.phase == .playing, let timestamp = track.timestamp(at: now) else { continue }
            let report = SenderReport(
                sender: sink.ssrc, time: time, timestamp: sink.outgoing(timestamp: timestamp),
                packets: sink.sentPackets, octets: sink.sentOctets)
            let name = RTCPPacket.CanonicalName(ssrc: sink.ssrc, cname: sink.cname)
            send([.senderReport(report), .sourceDescription([name])], on: session)
        }
    }

    private func send(_ packets: [RTCPPacket], on session: Session) {
        guard !packets.isEmpty else { return }
        for datagram in RTCPCompound.write(packets) { session.peer.sendRTCP(datagram, outbox: outbox) }
    }
}
