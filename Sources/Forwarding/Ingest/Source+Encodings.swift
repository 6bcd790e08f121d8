package import WebRTC

/// Which encoding of a track is forwarded, and what its pictures lack.
extension Source {
    /// A packet that could be forwarded came. true: which encodings come is not as it was.
    mutating func arrives(at place: Located, now: Instant) -> Bool {
        let isNews = tracks[place.track].choice.received(place.encoding, now: now)
        if tracks[place.track].choice.target == nil {
            tracks[place.track].switching.cancel()
        } else {
            tracks[place.track].switching.want(now: now)
        }
        return isNews
    }

    /// Whether the packet's encoding is the one that is forwarded, from now on if it is to be gone over to.
    mutating func forwards(_ sequence: Int64, keyframe: Bool, at place: Located, now: Instant) -> Bool {
        let (t, former) = (place.track, tracks[place.track].forwarded)
        if place.encoding == former { return true }
        guard keyframe, place.encoding == tracks[t].choice.target else { return false }
        tracks[t].choice.switchOver()
        tracks[t].switching.cancel()
        for e in [former, place.encoding] {
            tracks[t].encodings[e].losses.reset()
            tracks[t].encodings[e].line = nil
        }
        _ = tracks[t].encodings[place.encoding].losses.received(sequence, now: now)
        // What came before this packet was not forwarded.
        tracks[t].encodings[place.encoding].parameterSets?.forgetShown()
        return true
    }

    /// What comes at present.
    var received: [ReceivedEncoding] {
        tracks.flatMap { track in
            track.encodings.indices.filter { track.choice.comes($0) }.map {
                ReceivedEncoding(kind: track.negotiated.kind, rid: track.encodings[$0].rid)
            }
        }
    }

    // MARK: Parameter sets

    mutating func observeParameterSets(_ payload: borrowing RawSpan, timestamp: UInt32, at place: Located) {
        tracks[place.track].encodings[place.encoding].parameterSets?.observe(payload, timestamp: timestamp)
    }

    /// Makes room on the line in front of a keyframe for the parameter sets that it came without; nil: it needs none, or is
    /// not the newest packet, in front of which there is no room any more.
    mutating func insertParameterSets(
        before sequence: Int64, timestamp: UInt32, at place: Located
    ) -> (first: Int64, units: [[UInt8]])? {
        let encoding = tracks[place.track].encodings[place.encoding]
        guard encoding.reception.highest == sequence, let units = encoding.parameterSets?.missing(at: timestamp),
            !units.isEmpty, var line = encoding.line, let first = line.insert(units.count, before: sequence)
        else { return nil }
        tracks[place.track].encodings[place.encoding].line = line
        tracks[place.track].encodings[place.encoding].parameterSets?.noteShown(at: timestamp)
        return (first, units)
    }
}

/// An encoding that a source sends at present.
package struct ReceivedEncoding: Hashable, Sendable {
    package var kind: MediaKind
    /// nil without simulcast.
    package var rid: String?
}
