import WebRTC

/// Another codec on a broadcast that runs.
extension ForwardingUnit {
    /// Tracks whose codec is another from now on: viewers who agreed to that one go on with it, the others are closed.
    /// What `formats` lacks falls silent; what is new in it only later viewers get.
    func changeFormats(of broadcast: Broadcast, to formats: [TrackFormat], now: Instant) {
        for format in formats {
            guard let index = broadcast.tracks.firstIndex(where: { $0.format.kind == format.kind }) else {
                broadcast.add(format, limits: limits)
                continue
            }
            let track = broadcast.tracks[index]
            let isSame = track.format.codec.isSameStream(as: format.codec)
            let hadChoice = track.format.rids.count > 1
            track.change(to: format, anew: !isSame)
            guard !isSame else {
                if hadChoice != (format.rids.count > 1) { watchLinks(of: broadcast) }
                continue
            }
            for case let viewer as Viewer in broadcast.peersInOrder {
                guard let t = viewer.tracks.firstIndex(where: { $0.kind == format.kind }) else { continue }
                guard viewer.tracks[t].use(playing: format.codec) else {
                    close(viewer, reason: .incompatible, now: now)
                    continue
                }
                for r in viewer.records.indices where viewer.records[r].track == index {
                    viewer.records[r].use(viewer.tracks[t])
                    track.streams[viewer.records[r].index].use(
                        viewer.tracks[t].payloadType, form: viewer.records[r].form)
                }
            }
            watchLinks(of: broadcast)
            guard track.isVideo else { continue }
            for encoding in track.encodings where encoding.readers > 0 { encoding.keyframes.want(now: now) }
        }
        guard formats != broadcast.formats else { return }
        broadcast.formats = formats
        events.append(.formatsChanged(broadcast.id, formats))
    }
}
