package import Forwarding
import Logging
import MediaPlane
import Routing
import WebRTC

import struct FoundationEssentials.Date

/// What workers report, and what follows for broadcasts.
extension Sessions {
    package func apply(_ event: Event) {
        switch event {
        case .checked(let id): checked(id)
        case .connected(let id, let remote, let profile): connected(id, remote: remote, profile: profile)
        case .feeds(let id, _): feeds(id)
        case .flowing(let id, _):
            sessions[id]?.isSilent = false
            if let record = sessions[id] {
                logger.info("media flows", metadata: metadata(of: record))
                refreshAnnouncement(of: record.broadcast)
            }
        case .silent(let id, _):
            sessions[id]?.isSilent = true
            if let record = sessions[id] {
                logger.notice("source is silent", metadata: metadata(of: record))
                refreshAnnouncement(of: record.broadcast)
            }
        case .receiving(let id, _, let encodings): receives(id, encodings)
        case .rates(let id, let rates): broadcasts[id]?.rates = rates
        case .discarding(let id, _, let reason, let packet): discards(id, reason, packet)
        case .exceeding(let id, _, let reason): exceeds(id, reason)
        case .unreachable, .reachable: break  // of relays only
        case .formatsChanged(let id, let formats): formatsChanged(id, formats)
        case .closed(let id, let reason, let statistics): closed(id, reason: reason, statistics)
        case .statistics, .report: break  // answered where they are asked for
        }
        followRelay(event)
    }

    private func connected(_ id: SessionID, remote: TransportAddress, profile: SRTPProfile) {
        guard var record = sessions[id] else { return }
        if record.isOpening { tally.connected(record) }
        endHalfOpen(&record)
        record.state = .connected(remote: remote, profile: profile)
        sessions[id] = record
        var fields = metadata(of: record)
        fields["remote"] = "\(remote)"
        fields["profile"] = "\(profile)"
        logger.info("session connected", metadata: fields)
    }

    /// A source has taken over, from nobody or from another.
    private func feeds(_ id: SessionID) {
        guard let record = sessions[id] else { return }
        guard record.purpose.direction == .source, var broadcast = broadcasts[record.broadcast] else { return }
        let previous = broadcast.liveSource
        broadcast.source = .live(id)
        if broadcast.candidate == id { broadcast.candidate = nil }
        broadcast.liveSince = broadcast.liveSince ?? Date()
        if record.purpose == .publisher {
            let milliseconds = UInt64(max(0, Date().timeIntervalSince1970 * 1_000))
            let former = names[record.name].flatMap { broadcasts[$0]?.publication }
            broadcast.publication = Publication(startedAt: milliseconds, after: former, origin: node.name)
        }
        broadcasts[record.broadcast] = broadcast
        let older = names[record.name]
        names[record.name] = record.broadcast
        if let older, older != record.broadcast { closeBroadcast(older, reason: .incompatible) }
        // Its worker closes the one that is replaced, and says so in an event of its own; the resource is gone now.
        if let previous, previous != id {
            closing[previous] = forget(previous)
            forgetRelay(previous, of: record.name)
        }
        refreshAnnouncement(of: record.broadcast)
    }

    private func receives(_ id: SessionID, _ encodings: [ReceivedEncoding]) {
        guard let broadcast = sessions[id]?.broadcast else { return }
        sessions[id]?.received = encodings
        refreshAnnouncement(of: broadcast)
    }

    /// What does not arrive at viewers is said once, with the line to change.
    private func discards(_ id: SessionID, _ reason: DropReason, _ packet: DiscardedPacket) {
        guard let record = sessions[id], let warning = SourceWarning(reason, packet, topology.limits.forwarding)
        else { return }
        sessions[id]?.warnings.append(warning)
        var fields = metadata(of: record)
        fields["reason"] = "\(warning.code)"
        fields["ssrc"] = "\(packet.ssrc.rawValue)"
        fields["payload-type"] = "\(packet.payloadType.rawValue)"
        fields["payload-bytes"] = "\(packet.payloadLength)"
        fields["advice"] = "\(warning.message)"
        logger.warning("packets of a source are thrown away", metadata: fields)
    }

    private func exceeds(_ id: SessionID, _ reason: DropReason) {
        guard let record = sessions[id] else { return }
        var fields = metadata(of: record)
        fields["reason"] = "\(reason.label)"
        logger.warning("a session asks for more than its share; the rest is ignored", metadata: fields)
    }

    /// The source's codecs are others than the broadcast had; viewers who could not go on are closed by the worker.
    private func formatsChanged(_ id: BroadcastID, _ formats: [TrackFormat]) {
        guard let broadcast = broadcasts[id] else { return }
        broadcasts[id]?.formats = formats
        refreshAnnouncement(of: id)
        let codecs = formats.map(\.codec.name.rawValue).joined(separator: ", ")
        logger.info("codecs changed", metadata: ["broadcast": "\(broadcast.name)", "codecs": "\(codecs)"])
    }

    private func closed(_ id: SessionID, reason: CloseReason, _ statistics: SessionStatistics) {
        let expected = closing.removeValue(forKey: id)
        guard let record = expected ?? forget(id) else { return }
        counters.closed[reason, default: 0] += 1
        logClose(of: record, reason: reason, statistics)
        guard expected == nil else { return }
        left(record, reason: reason)
        guard record.purpose == .upstream else { return }
        relayLost(record, reason: reason)
        route()
    }

    private func logClose(of record: SessionRecord, reason: CloseReason, _ statistics: SessionStatistics) {
        var fields = metadata(of: record)
        fields["reason"] = "\(reason.rawValue)"
        if case .connected(let remote, _) = record.state { fields["remote"] = "\(remote)" }
        fields["seconds"] = "\((ContinuousClock.now - record.opened).components.seconds)"
        fields["bytes-in"] = "\(statistics.bytesIn)"
        fields["bytes-out"] = "\(statistics.bytesOut)"
        fields["lost"] = "\(statistics.tracks.reduce(0) { $0 + $1.lost })"
        fields["repaired"] = "\(statistics.tracks.reduce(0) { $0 + $1.repaired })"
        logger.info("session closed", metadata: fields)
    }

    /// A session is out of the tables; what that means for its broadcast.
    func left(_ record: SessionRecord, reason: CloseReason) {
        guard var broadcast = broadcasts[record.broadcast] else { return }
        if record.purpose.direction == .source {
            // Viewers come and go without a word to other nodes.
            defer { refreshAnnouncement(of: record.broadcast) }
            if broadcast.liveSource == record.id {
                broadcast.source = .held(until: .now + topology.hold)
                broadcasts[broadcast.id] = broadcast
                sourceLost(broadcast, reason: reason)
            } else if record.purpose == .upstream, case .awaited = broadcast.source {
                // A relay that never came up: its viewers have been answered already, so they are held as well.
                broadcast.source = .held(until: .now + topology.hold)
                broadcasts[broadcast.id] = broadcast
                sourceLost(broadcast, reason: reason)
            } else if case .awaited = broadcast.source, broadcast.candidate == nil {
                closeBroadcast(broadcast.id, reason: reason)
            }
        } else if !broadcast.isRead {
            if case .held = broadcast.source, broadcast.candidate == nil {
                closeBroadcast(broadcast.id, reason: .sourceGone)
            } else if pullsBroadcasts {
                broadcasts[broadcast.id]?.leaveAt = .now + topology.linger
            }
        }
    }

    private func sourceLost(_ broadcast: BroadcastRecord, reason: CloseReason) {
        if !broadcast.isRead, broadcast.candidate == nil {
            return closeBroadcast(broadcast.id, reason: .sourceGone)
        }
        logger.info(
            "broadcast held",
            metadata: ["broadcast": "\(broadcast.name)", "reason": "\(reason.rawValue)", "hold": "\(topology.hold)"])
    }
}
