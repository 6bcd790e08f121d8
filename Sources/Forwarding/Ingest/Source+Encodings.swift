package import WebRTC

/// Which encodings come, and what their pictures lack.
extension Source {
    /// A packet that can be forwarded came. true: which encodings come is not as it was.
    mutating func arrives(at place: Located, now: Instant) -> Bool {
        tracks[place.track].choice.received(place.encoding, now: now)
    }

    /// What comes at present.
    var received: [ReceivedEncoding] {
        tracks.flatMap { track in
            let rids = track.negotiated.rids
            return track.encodings.indices.filter { track.choice.comes($0) }.map {
                ReceivedEncoding(kind: track.negotiated.kind, rid: rids.isEmpty ? nil : rids[$0])
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
