package import WebRTC

/// Commands of the control plane, and what the transports' own progress means for broadcasts and sinks.
extension ForwardingUnit {
    package func apply(_ command: Command, now: Instant) {
        switch command {
        case .openBroadcast(let id, let tracks):
            guard broadcasts[id] == nil, broadcasts.count < limits.broadcasts else { return }
            broadcasts[id] = Broadcast(id: id, tracks: tracks, limits: limits)
        case .closeBroadcast(let id, let reason):
            guard let broadcast = broadcasts.removeValue(forKey: id) else { return }
            for session in broadcast.sessions.values.sorted(by: { $0.id.rawValue < $1.id.rawValue }) {
                close(session, reason: reason, now: now)
            }
        case .changeFormats(let id, let formats):
            if let broadcast = broadcasts[id] { changeFormats(of: broadcast, to: formats, now: now) }
        case .open(let parameters):
            open(parameters, now: now)
        case .close(let id, let reason):
            if let session = sessions[id] { close(session, reason: reason, now: now) }
        case .restartICE(let id, let local, let remote, let candidates):
            guard let session = sessions[id] else { return }
            let reachable = reached(candidates, through: session.socket)
            session.peer.restartICE(local: local, remote: remote, candidates: reachable, now: now)
            expectAnswers(from: reachable, for: session, now: now)
            follow(session, now: now)
            schedule(session)
        case .addRemoteCandidates(let id, let candidates):
            guard let session = sessions[id] else { return }
            let reachable = reached(candidates, through: session.socket)
            session.peer.addRemoteCandidates(reachable, now: now)
            expectAnswers(from: reachable, for: session, now: now)
            schedule(session)
        case .verify(let id):
            guard let session = sessions[id], session.phase == .connected else { return }
            session.peer.verify(now: now, outbox: outbox)
            follow(session, now: now)
            schedule(session)
        case .setImpairment(let id, let loss):
            sessions[id]?.peer.impairment = min(1, max(0, loss))
        case .ingest(let id, let packets):
            guard let broadcast = broadcasts[id] else { return }
            for packet in packets { ingest(packet, into: broadcast, now: now) }
        case .collectStatistics(let request, let ofSessions):
            events.append(.statistics(request, currentStatistics(ofSessions: ofSessions)))
        case .collectReport(let id, let request):
            events.append(.report(request, sessions[id]?.report(now: now)))
        }
    }

    private func currentStatistics(ofSessions: Bool) -> UnitStatistics {
        var result = statistics
        result.broadcasts = broadcasts.count
        for session in sessions.values {
            if session.direction == .source { result.sources += 1 } else { result.sinks += 1 }
            result.datagramsOut += session.peer.datagramsOut
            result.bytesOut += session.peer.bytesOut
            if ofSessions { result.sessions[session.id] = session.statistics }
            result.drops[Int(DropReason.impairment.rawValue)] += session.peer.impaired
        }
        result.drops[Int(DropReason.outboxFull.rawValue)] += outbox.refused
        return result
    }

    // MARK: - Life of a session

    private func open(_ parameters: SessionParameters, now: Instant) {
        guard let broadcast = broadcasts[parameters.broadcast], sessions[parameters.id] == nil,
            sessions.count < limits.sessions
        else { return refuse(parameters) }
        var source: Source?
        if parameters.direction == .source {
            for track in parameters.tracks where !broadcast.tracks.contains(where: { $0.format.kind == track.kind }) {
                broadcast.add(TrackFormat(codec: track.codec), limits: limits)
            }
            source = Source(
                parameters.tracks, formats: broadcast.tracks.map(\.format), limits: limits, random: &random)
            if source == nil { return refuse(parameters) }
        }
        var transport = parameters.transport
        transport.remoteCandidates = reached(transport.remoteCandidates, through: parameters.socket)
        let watches = transport.role == .client && parameters.direction == .source
        let peer = PeerConnection(
            parameters: transport, context: context, setupTimeout: limits.setupTimeout,
            consentTimeout: parameters.consentTimeout ?? limits.consentTimeout,
            silence: watches ? limits.relaySilence : nil, now: now,
            seed: random.next())
        let session = Session(parameters, broadcast: broadcast, peer: peer, source: source)
        sessions[session.id] = session
        broadcast.sessions[session.id] = session
        expectAnswers(from: transport.remoteCandidates, for: session, now: now)
        // A client has something to say at once: its first connectivity check.
        peer.advance(now: now, outbox: outbox)
        follow(session, now: now)
        schedule(session)
    }

    /// A session that cannot be: its broadcast has gone meanwhile. The control plane hears of its end as of any other.
    private func refuse(_ parameters: SessionParameters) {
        events.append(
            .closed(
                parameters.id, reason: .sourceGone, SessionStatistics(direction: parameters.direction)))
    }

    private func reached(_ addresses: [TransportAddress], through socket: UInt16) -> [TransportAddress] {
        addresses.map { address in
            var address = address
            address.socket = socket
            return address
        }
    }

    /// Answers to a client's checks come from the candidates, and name no user fragment. A server makes no checks: what
    /// its peer's SDP claims leads nowhere until it has authenticated.
    private func expectAnswers(from candidates: [TransportAddress], for session: Session, now: Instant) {
        guard session.isClient else { return }
        for address in candidates where byAddress[address] == nil { remember(address, for: session, now: now) }
    }

    /// Brings the tables in step with what the transport became: connected, closed, or under other user fragments.
    func follow(_ session: Session, now: Instant) {
        let keys = session.peer.localUfragKeys
        if keys != session.ufragKeys {
            for key in session.ufragKeys where byUfrag[key] === session { byUfrag[key] = nil }
            for key in keys { byUfrag[key] = session }
            session.ufragKeys = keys
        }
        switch session.peer.state {
        case .connecting:
            // A server takes the first authenticated check's address.
            if !session.isChecked, !session.isClient, session.peer.remote != nil {
                session.isChecked = true
                events.append(.checked(session.id))
            }
        case .connected(let profile):
            if session.phase == .connecting { connected(session, profile: profile, now: now) }
            if session.peer.isUnreachable != session.isUnreachable {
                session.isUnreachable.toggle()
                events.append(
                    session.isUnreachable
                        ? .unreachable(session.id, session.broadcast.id) : .reachable(session.id, session.broadcast.id))
                reconsiderSource(of: session.broadcast)
            }
        case .closed(let reason):
            ended(session, reason: reason)
        }
    }

    private func connected(_ session: Session, profile: SRTPProfile, now: Instant) {
        session.phase = .connected
        if let remote = session.peer.remote {
            remember(remote, for: session, now: now)
            events.append(.connected(session.id, remote: remote, profile: profile))
        }
        session.nextReport = now + Self.reportInterval
        switch session.direction {
        case .source:
            sourceConnected(session, now: now)
        case .sink:
            addSinks(for: session, now: now)
        }
    }

    private func addSinks(for session: Session, now: Instant) {
        for t in session.tracks.indices {
            guard let local = session.tracks[t].local,
                let index = session.broadcast.tracks.firstIndex(where: { $0.format.kind == session.tracks[t].kind }),
                session.sinkPlaces[index] < 0
            else { continue }
            let track = session.broadcast.tracks[index]
            // The codec may have changed since the answer was written.
            guard session.tracks[t].use(playing: track.format.codec) else {
                return close(session, reason: .incompatible, now: now)
            }
            let negotiated = session.tracks[t]
            session.sinkPlaces[index] = track.sinks.count
            track.sinks.append(Sink(track: negotiated, local: local, session: session, random: &random))
            if track.isVideo {
                track.keyframes.want(now: now)
                requestKeyframes(of: session.broadcast, now: now)
            }
        }
    }

    private func removeSinks(of session: Session) {
        for (index, track) in session.broadcast.tracks.enumerated() {
            let place = session.sinkPlaces[index]
            guard place >= 0 else { continue }
            session.sinkPlaces[index] = -1
            // Swap-remove keeps the array dense; the sink that moves learns its new place.
            track.sinks.swapAt(place, track.sinks.count - 1)
            track.sinks.removeLast()
            if place < track.sinks.count { track.sinks[place].session.sinkPlaces[index] = place }
            // Nobody is left to wait for a keyframe.
            if track.sinks.isEmpty { track.keyframes.cancel() }
        }
    }

    /// Says good-bye (RTCP BYE, DTLS close_notify), with the next flush, and forgets the session.
    func close(_ session: Session, reason: CloseReason, now: Instant) {
        if session.phase == .closed { return }
        let datagrams = session.peer.close(reason, saying: goodbye(of: session), now: now)
        if let remote = session.peer.remote { goodbyes.add(datagrams, to: remote, first: session.isRelay) }
        ended(session, reason: reason)
    }

    /// RTCP BYE of the streams that we send, or of our feedback.
    private func goodbye(of session: Session) -> [UInt8]? {
        guard session.phase == .connected else { return nil }
        let streams =
            session.source.map { [$0.feedbackSSRC] }
            ?? zip(session.sinkPlaces, session.broadcast.tracks).compactMap { place, track in
                place < 0 ? nil : track.sinks[place].ssrc
            }
        return streams.isEmpty ? nil : RTCPCompound.write([.bye(streams)]).first
    }

    private func ended(_ session: Session, reason: CloseReason) {
        if session.phase == .closed { return }
        let final = session.statistics
        removeSinks(of: session)
        session.phase = .closed
        if session.broadcast.successor?.session === session { session.broadcast.successor = nil }
        if session.broadcast.source === session { session.broadcast.source = nil }
        session.broadcast.sessions[session.id] = nil
        sessions[session.id] = nil
        for key in session.ufragKeys where byUfrag[key] === session { byUfrag[key] = nil }
        for address in session.addresses where byAddress[address] === session { byAddress[address] = nil }
        // Counters of ended sessions stay in the worker's sums.
        statistics.datagramsOut += final.datagramsOut
        statistics.bytesOut += final.bytesOut
        statistics.drops[Int(DropReason.impairment.rawValue)] += session.peer.impaired
        events.append(.closed(session.id, reason: reason, final))
        reconsiderSource(of: session.broadcast)
    }
}
