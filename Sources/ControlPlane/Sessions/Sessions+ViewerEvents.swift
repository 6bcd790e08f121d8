import Forwarding
import MediaPlane
import Routing
import WebRTC

/// The server-sent events extension of WHEP: what viewers are told of their broadcast. State is compared as time passes,
/// so that nothing that changes a broadcast has to think of its viewers' streams.
extension Sessions {
    package enum EventsOpened: Sendable {
        /// The stream's name below the session.
        case opened(String)
        /// The session has as many as it may have.
        case full
        /// The node or the client's network has as many as it may have.
        case refused(Refusal)
        case unknownSession
    }

    /// A stream of the session's events; its first ones, the state, wait in it.
    ///
    /// - Parameter network: the client's, as far as it is known.
    package func openEvents(
        _ resource: ResourceName, wanted: Set<ViewerEvent>, from network: ClientNetwork? = nil
    ) -> EventsOpened {
        guard let (id, record) = viewer(resource) else { return .unknownSession }
        guard viewerEvents.streams[id, default: [:]].count < ViewerEventStreams.mostPerSession else { return .full }
        let place: HeldPlace
        do throws(Refusal) { place = try hold(.eventStreams, for: network) } catch { return .refused(error) }
        let name = ResourceName.urlSafeText(of: generator.next())
        var stream = ViewerEventStream(wanted: wanted, place: place)
        tellState(of: record, to: &stream, now: .now)
        viewerEvents.add(stream, name, of: id, on: record.broadcast)
        if wanted.contains(.reconnect) { drain.joined(id, now: .now) }
        return .opened(name)
    }

    /// What a GET of the stream is answered with; nil: there is no such stream.
    package func connectEvents(_ resource: ResourceName, _ name: String) -> EventStream? {
        guard let (id, record) = viewer(resource), var stream = viewerEvents.streams[id]?[name] else { return nil }
        let (connection, isFirst) = stream.connect()
        if !isFirst {
            tellState(of: record, to: &stream, now: .now)
            if stream.wanted.contains(.reconnect) { drain.joined(id, now: .now) }
        }
        viewerEvents.streams[id]?[name] = stream
        return connection
    }

    /// false: there is no such stream.
    package func closeEvents(_ resource: ResourceName, _ name: String) -> Bool {
        guard let (id, record) = viewer(resource), let stream = viewerEvents.streams[id]?.removeValue(forKey: name)
        else { return false }
        stream.end()
        if viewerEvents.streams[id]?.isEmpty == true { viewerEvents.end(id, on: record.broadcast) }
        if !viewerEvents.wants(.reconnect, id) { drain.left(id) }
        return true
    }

    /// A session has left the tables.
    func endEvents(of record: SessionRecord) {
        viewerEvents.end(record.id, on: record.broadcast)
        drain.left(record.id)
    }

    private func viewer(_ resource: ResourceName) -> (SessionID, SessionRecord)? {
        guard let id = resources[resource], let record = sessions[id], record.purpose == .viewer else { return nil }
        return (id, record)
    }

    // MARK: - State

    /// Tells streams what has changed since they were told last.
    func advanceViewerEvents(now: ContinuousClock.Instant) {
        for (id, before) in viewerEvents.told {
            guard let broadcast = broadcasts[id] else {
                viewerEvents.told[id] = nil
                continue
            }
            var told = before
            told.isActive = isFlowing(broadcast)
            if told.isActive != before.isActive {
                for reader in told.readers { viewerEvents.send(told.isActive ? .active : .inactive, "{}", to: reader) }
            }
            if told.nextCount <= now {
                (told.viewers, told.counted) = (broadcast.viewers.count, now)
                tellLayers(of: broadcast, &told)
                if told.viewers != before.viewers {
                    for reader in told.readers {
                        viewerEvents.send(.viewercount, Self.text(count: told.viewers), to: reader)
                    }
                }
            }
            viewerEvents.told[id] = told
        }
    }

    /// When there is something to tell without anything having changed since `advanceViewerEvents`.
    func nextViewerEvent(after now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        viewerEvents.told.flatMap { id, told -> [ContinuousClock.Instant] in
            guard let broadcast = broadcasts[id] else { return [] }
            let silence = router.nextSilence(of: broadcast.name, after: now - begin).map { begin + $0 }
            return [silence, isTold(broadcast, told) ? nil : told.nextCount].compactMap { $0 }
        }.min()
    }

    private func tellState(
        of record: SessionRecord, to stream: inout ViewerEventStream, now: ContinuousClock.Instant
    ) {
        guard let broadcast = broadcasts[record.broadcast] else { return }
        let told =
            viewerEvents.told[broadcast.id]
            ?? .init(
                isActive: isFlowing(broadcast), viewers: broadcast.viewers.count, layers: layers(of: broadcast),
                counted: now)
        viewerEvents.told[broadcast.id] = told
        stream.send(told.isActive ? .active : .inactive, "{}")
        stream.send(.layers, Self.text(layers: told.layers, for: record))
        stream.send(.viewercount, Self.text(count: told.viewers))
    }

    private static func text(count: Int) -> String { #"{"viewercount":\#(count)}"# }

    // MARK: - Layers

    /// What a viewer asks for; see `NodeSurface.selectLayer`.
    package enum LayerSelected: Sendable {
        case selected
        case unknownSession
        /// There is no m-line of video of that position or mid.
        case unknownMedia
        /// The broadcast has no such encoding; those that it has.
        case unknownEncoding([String])
    }

    /// - Parameters:
    ///   - media: the position of the m-line or its mid; nil: the one with video.
    ///   - rid: nil: whichever is best.
    package func selectLayer(_ resource: ResourceName, media: String?, rid: String?) -> LayerSelected {
        guard let (id, record) = viewer(resource), let broadcast = broadcasts[record.broadcast] else {
            return .unknownSession
        }
        let video = record.agreement.tracks.first { track in
            track.kind == .video
                && (media == nil || track.mid == media
                    || record.mids.firstIndex(of: track.mid).map(String.init) == media)
        }
        guard video != nil else { return .unknownMedia }
        let names = layers(of: broadcast).map(\.rid)
        if let rid, !names.contains(rid) { return .unknownEncoding(names) }
        self.media.workers[record.worker].send(.select(id, .video, rid: rid))
        return .selected
    }

    private func isTold(_ broadcast: BroadcastRecord, _ told: ViewerEventStreams.Told) -> Bool {
        told.viewers == broadcast.viewers.count && !EncodingRate.differ(layers(of: broadcast), told.layers)
    }

    /// The encodings of a broadcast's video, where there are several, as far as they are known.
    private func layers(of broadcast: BroadcastRecord) -> [EncodingRate] {
        let rids = broadcast.formats.first { $0.kind == .video }?.rids ?? []
        let rates = isFlowing(broadcast) ? broadcast.rates : []
        return rids.map { rid in
            EncodingRate(rid: rid, bytesPerSecond: rates.first { $0.rid == rid }?.bytesPerSecond ?? 0)
        }
    }

    private func tellLayers(of broadcast: BroadcastRecord, _ told: inout ViewerEventStreams.Told) {
        let layers = layers(of: broadcast)
        guard EncodingRate.differ(layers, told.layers) else { return }
        told.layers = layers
        for reader in told.readers {
            guard let record = sessions[reader] else { continue }
            viewerEvents.send(.layers, Self.text(layers: layers, for: record), to: reader)
        }
    }

    /// In bits per second; 0: it does not come (draft-ietf-wish-whep).
    private struct Layer: Encodable {
        var rid: String
        var bitrate: Int64
    }

    /// By the position of the viewer's m-line.
    private static func text(layers: [EncodingRate], for record: SessionRecord) -> String {
        var result: [String: [Layer]] = [:]
        for track in record.agreement.tracks where track.kind == .video {
            guard let position = record.mids.firstIndex(of: track.mid) else { continue }
            result[String(position)] = layers.map { Layer(rid: $0.rid, bitrate: $0.bytesPerSecond * 8) }
        }
        return JSONText.text(result)
    }
}
