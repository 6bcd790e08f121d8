import WebRTC

/// Which encoding of a track each viewer gets.
extension ForwardingUnit {
    /// A stream of video begins with what there is of its encoding, or as soon as there is a keyframe.
    func beginSoon(_ viewer: Viewer, track t: Int, now: Instant) {
        let track = viewer.broadcast.tracks[t]
        guard let index = viewer.records[t]?.index else { return }
        let encoding = track.streams[index].encoding
        if beginInBurst(viewer, track: t, encoding: encoding, now: now) { return }
        track.encodings[encoding].keyframes.want(now: now)
        requestKeyframes(of: viewer.broadcast, now: now)
    }

    /// The source that feeds a broadcast may have gone over to another of its encodings: viewers follow.
    func followChoice(of publisher: Publisher, track: Int, now: Instant) {
        let own = publisher.source.tracks[track]
        let target = publisher.broadcast.tracks[own.target]
        guard own.choice.current != target.preferredIndex else { return }
        prefer(own.choice.current, of: own, publisher.broadcast, now: now)
        requestKeyframes(of: publisher.broadcast, now: now)
    }

    /// Those who have no wish of their own get `encoding` of a source's track from now on.
    func prefer(_ encoding: Int, of own: Source.Track, _ broadcast: Broadcast, now: Instant) {
        let track = broadcast.tracks[own.target]
        track.preferredIndex = encoding
        for index in track.streams.indices where track.streams[index].destination != encoding {
            let isCut = !own.choice.comes(track.streams[index].encoding)
            direct(track.streams[index].viewer, track: own.target, to: encoding, atOnce: isCut, now: now)
        }
    }

    /// A stream goes over to another encoding: with its next keyframe, or with the newest one that there is, if what it reads
    /// has come to an end.
    private func direct(_ viewer: Viewer, track t: Int, to encoding: Int, atOnce: Bool, now: Instant) {
        let track = viewer.broadcast.tracks[t]
        guard let index = viewer.records[t]?.index else { return }
        let isWaiting = track.streams[index].position == .waiting
        if isWaiting { track.turn(stream: index, to: encoding) } else { track.head(stream: index, for: encoding) }
        guard track.isVideo, isWaiting || track.streams[index].encoding != encoding else { return }
        if isWaiting || atOnce, beginInBurst(viewer, track: t, encoding: encoding, now: now) { return }
        track.encodings[encoding].keyframes.want(now: now)
    }
}
