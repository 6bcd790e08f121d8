import WebRTC

/// A peer's life: opened by the control plane, connected, ended by either side.
extension ForwardingUnit {
    func open(_ parameters: SessionParameters, now: Instant) {
        guard let broadcast = broadcasts[parameters.broadcast], peers[parameters.id] == nil,
            peers.count < limits.sessions, let peer = peer(parameters, on: broadcast, now: now)
        else {
            // Its broadcast has gone meanwhile. The control plane hears of its end as of any other.
            let statistics = SessionStatistics(direction: parameters.direction)
            return events.append(.closed(parameters.id, reason: .sourceGone, statistics))
        }
        peers[peer.id] = peer
        broadcast.peers[peer.id] = peer
        demultiplexer.expectAnswers(
            from: reached(parameters.transport.remoteCandidates, through: peer.socket), for: peer, now: now)
        // A client has something to say at once: its first connectivity check.
        peer.transport.advance(now: now, outbox: outbox)
        follow(peer, now: now)
        schedule(peer)
    }

    /// nil: a publisher with nothing to publish.
    private func peer(_ parameters: SessionParameters, on broadcast: Broadcast, now: Instant) -> Peer? {
        guard parameters.direction == .source else {
            return Viewer(parameters, broadcast: broadcast, transport: transport(parameters, now: now))
        }
        for track in parameters.tracks where !broadcast.tracks.contains(where: { $0.format.kind == track.kind }) {
            broadcast.add(TrackFormat(codec: track.codec), limits: limits)
        }
        guard
            let source = Source(
                parameters.tracks, formats: broadcast.tracks.map(\.format), limits: limits, random: &random)
        else { return nil }
        return Publisher(
            parameters, broadcast: broadcast, transport: transport(parameters, now: now), source: source)
    }

    private func transport(_ parameters: SessionParameters, now: Instant) -> PeerConnection {
        var transport = parameters.transport
        transport.remoteCandidates = reached(transport.remoteCandidates, through: parameters.socket)
        let watches = transport.role == .client && parameters.direction == .source
        return PeerConnection(
            parameters: transport, context: context, setupTimeout: limits.setupTimeout,
            consentTimeout: parameters.consentTimeout ?? limits.consentTimeout,
            silence: watches ? limits.relaySilence : nil, watchesSealing: watchesSealing, now: now,
            seed: random.next())
    }

    func reached(_ addresses: [TransportAddress], through socket: UInt16) -> [TransportAddress] {
        addresses.map { address in
            var address = address
            address.socket = socket
            return address
        }
    }

    /// Brings the tables in step with what the transport became: connected, closed, or under other user fragments.
    func follow(_ peer: Peer, now: Instant) {
        demultiplexer.followUfrags(of: peer)
        switch peer.transport.state {
        case .connecting:
            // A server takes the first authenticated check's address.
            if !peer.isChecked, !peer.isClient, peer.transport.remote != nil {
                peer.isChecked = true
                events.append(.checked(peer.id))
            }
        case .connected(let profile):
            if peer.phase == .connecting { connected(peer, profile: profile, now: now) }
            if peer.transport.isUnreachable != peer.isUnreachable {
                peer.isUnreachable.toggle()
                events.append(
                    peer.isUnreachable
                        ? .unreachable(peer.id, peer.broadcast.id) : .reachable(peer.id, peer.broadcast.id))
                reconsiderSource(of: peer.broadcast)
            }
        case .closed(let reason):
            ended(peer, reason: reason)
        }
    }

    private func connected(_ peer: Peer, profile: SRTPProfile, now: Instant) {
        peer.phase = .connected
        if let remote = peer.transport.remote {
            demultiplexer.remember(remote, for: peer, now: now)
            events.append(.connected(peer.id, remote: remote, profile: profile))
        }
        peer.nextReport = now + Self.reportInterval
        if let publisher = peer as? Publisher { sourceConnected(publisher, now: now) }
        if let viewer = peer as? Viewer { addStreams(for: viewer, now: now) }
    }

    private func addStreams(for viewer: Viewer, now: Instant) {
        for t in viewer.tracks.indices {
            guard !viewer.tracks[t].locals.isEmpty,
                let index = viewer.broadcast.tracks.firstIndex(where: { $0.format.kind == viewer.tracks[t].kind }),
                !viewer.records.contains(where: { $0.track == index })
            else { continue }
            let track = viewer.broadcast.tracks[index]
            // The codec may have changed since the answer was written.
            guard viewer.tracks[t].use(playing: track.format.codec) else {
                return close(viewer, reason: .incompatible, now: now)
            }
            addStreams(of: viewer, viewer.tracks[t], track: index)
            watchLink(of: viewer)
            guard track.isVideo else { continue }
            for r in viewer.records.indices where viewer.records[r].track == index {
                beginSoon(viewer, record: r, inBurst: viewer.startsInBurst, now: now)
            }
        }
    }

    /// One stream, or one for each encoding that the track has or may come to have: of those a node gets at first what people
    /// get, and says then what it wants.
    private func addStreams(of viewer: Viewer, _ negotiated: NegotiatedTrack, track index: Int) {
        let track = viewer.broadcast.tracks[index]
        let isPerEncoding = negotiated.locals.count > 1
        track.provide(negotiated.locals.count)
        for (e, local) in negotiated.locals.enumerated() {
            addStream(of: viewer, negotiated, local, track: index, encoding: isPerEncoding ? e : nil)
            if isPerEncoding, e != track.preferredIndex { track.pause(stream: track.streams.count - 1) }
        }
    }

    /// - Parameter encoding: the only one that it is for.
    private func addStream(
        of viewer: Viewer, _ negotiated: NegotiatedTrack, _ local: NegotiatedTrack.LocalStream, track index: Int,
        encoding: Int?
    ) {
        let track = viewer.broadcast.tracks[index]
        let offsets = OutgoingLine.Offsets(timestamp: UInt32.random(in: 0...UInt32.max, using: &random))
        let (first, firstRTX) = (
            Int64.random(in: Self.firstNumbers, using: &random), Int64.random(in: Self.firstNumbers, using: &random)
        )
        let record = StreamRecord(
            negotiated, local: local, track: index, index: track.streams.count, encoding: encoding, offsets: offsets,
            nextRTX: firstRTX)
        track.append(
            Stream(
                negotiated, ssrc: local.ssrc, form: record.form, track: index, record: viewer.records.count,
                encoding: encoding ?? firstEncoding(of: viewer, track: index), viewer: viewer, next: first))
        viewer.records.append(record)
    }

    /// What a viewer gets at first of a track.
    private func firstEncoding(of viewer: Viewer, track index: Int) -> Int {
        let track = viewer.broadcast.tracks[index]
        let supply = viewer.broadcast.supply(of: index)
        return supply.flatMap { viewer.goal(of: track.format.kind, $0) } ?? track.preferredIndex
    }

    /// Low enough that the roll-over counter is surely 0 when the viewer sees its first packet (RFC 3711 §3.3.1).
    private static let firstNumbers: Range<Int64> = 0..<0x4000

    private func removeStreams(of viewer: Viewer) {
        if viewer.link != nil { viewer.broadcast.tracks[viewer.records[viewer.linkRecord].track].watched -= 1 }
        viewer.link = nil
        for r in viewer.records.indices {
            let (track, index) = (viewer.broadcast.tracks[viewer.records[r].track], viewer.records[r].index)
            // Swap-remove keeps the array dense; the stream that moves learns its new place. It may be this viewer's.
            track.removeStream(at: index)
            guard index < track.streams.count else { continue }
            let moved = track.streams[index]
            moved.viewer.records[Int(moved.record)].index = index
        }
        viewer.records = []
    }

    /// Says good-bye (RTCP BYE, DTLS close_notify), with the next flush, and forgets the peer.
    func close(_ peer: Peer, reason: CloseReason, now: Instant) {
        if peer.phase == .closed { return }
        let datagrams = peer.transport.close(reason, saying: peer.goodbye, now: now)
        if let remote = peer.transport.remote { goodbyes.add(datagrams, to: remote, first: peer.isRelay) }
        ended(peer, reason: reason)
    }

    private func ended(_ peer: Peer, reason: CloseReason) {
        if peer.phase == .closed { return }
        let final = peer.statistics
        peer.phase = .closed
        if let viewer = peer as? Viewer { removeStreams(of: viewer) }
        if let publisher = peer as? Publisher { peer.broadcast.succession.forget(publisher) }
        peer.broadcast.peers[peer.id] = nil
        peers[peer.id] = nil
        demultiplexer.forget(peer)
        // Counters of ended sessions stay in the worker's sums.
        statistics.datagramsOut += final.datagramsOut
        statistics.bytesOut += final.bytesOut
        statistics.drops[Int(DropReason.impairment.rawValue)] += peer.transport.impaired
        events.append(.closed(peer.id, reason: reason, final))
        reconsiderSource(of: peer.broadcast)
    }
}
