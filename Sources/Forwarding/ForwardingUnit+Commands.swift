package import WebRTC

/// Commands of the control plane.
extension ForwardingUnit {
    package func apply(_ command: Command, now: Instant) {
        switch command {
        case .openBroadcast(let id, let tracks):
            guard broadcasts[id] == nil, broadcasts.count < limits.broadcasts else { return }
            broadcasts[id] = Broadcast(id: id, tracks: tracks, limits: limits)
        case .closeBroadcast(let id, let reason):
            guard let broadcast = broadcasts.removeValue(forKey: id) else { return }
            for peer in broadcast.peersInOrder {
                close(peer, reason: reason, now: now)
            }
        case .changeFormats(let id, let formats):
            if let broadcast = broadcasts[id] { changeFormats(of: broadcast, to: formats, now: now) }
        case .open(let parameters):
            open(parameters, now: now)
        case .close(let id, let reason):
            if let peer = peers[id] { close(peer, reason: reason, now: now) }
        case .restartICE(let id, let local, let remote, let candidates):
            guard let peer = peers[id] else { return }
            let reachable = reached(candidates, through: peer.socket)
            peer.transport.restartICE(local: local, remote: remote, candidates: reachable, now: now)
            demultiplexer.expectAnswers(from: reachable, for: peer, now: now)
            follow(peer, now: now)
            schedule(peer)
        case .addRemoteCandidates(let id, let candidates):
            guard let peer = peers[id] else { return }
            let reachable = reached(candidates, through: peer.socket)
            peer.transport.addRemoteCandidates(reachable, now: now)
            demultiplexer.expectAnswers(from: reachable, for: peer, now: now)
            schedule(peer)
        case .verify(let id):
            guard let peer = peers[id], peer.phase == .connected else { return }
            peer.transport.verify(now: now, outbox: outbox)
            follow(peer, now: now)
            schedule(peer)
        case .select(let id, let kind, let rid):
            if let viewer = peers[id] as? Viewer { select(rid, of: kind, for: viewer, now: now) }
        case .setImpairment(let id, let loss):
            peers[id]?.transport.impairment = min(1, max(0, loss))
        case .ingest(let id, let packets, let encoding):
            guard let broadcast = broadcasts[id] else { return }
            for packet in packets { ingest(packet, encoding: encoding, into: broadcast, now: now) }
        case .collectStatistics(let request, let ofSessions):
            events.append(.statistics(request, currentStatistics(ofSessions: ofSessions)))
        case .collectReport(let id, let request):
            events.append(.report(request, peers[id]?.report(now: now)))
        }
    }

    private func currentStatistics(ofSessions: Bool) -> UnitStatistics {
        var result = statistics
        result.broadcasts = broadcasts.count
        result.packetsOut = fanOut.packets + catchup.packets + statistics.probePackets
        result.repairsSent = catchup.repairs
        for peer in peers.values {
            if peer is Publisher { result.sources += 1 } else { result.sinks += 1 }
            result.datagramsOut += peer.transport.datagramsOut
            result.bytesOut += peer.transport.bytesOut
            if ofSessions { result.sessions[peer.id] = peer.statistics }
            result.drops[Int(DropReason.impairment.rawValue)] += peer.transport.impaired
        }
        result.drops[Int(DropReason.outboxFull.rawValue)] += outbox.refused
        return result
    }
}
