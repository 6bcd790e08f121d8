import WebRTC

/// A broadcast on one worker: its tracks, the session that feeds them and the sessions that read them.
final class Broadcast {
    let id: BroadcastID
    /// At most one of each kind. None ever goes: one without a source is silent.
    private(set) var tracks: [BroadcastTrack]
    /// What the source sends at present, as last told to the control plane.
    var formats: [TrackFormat]
    /// The source that feeds it, if there is one.
    var source: Session?
    var successor: Successor?
    var sessions: [SessionID: Session] = [:]
    /// Stretches of a local source (`Command.ingest`), one per track.
    var localLines: [LocalSource]

    init(id: BroadcastID, tracks formats: [TrackFormat], limits: Limits) {
        (self.id, self.formats) = (id, formats)
        tracks = formats.map { BroadcastTrack(format: $0, limits: limits) }
        localLines = formats.map { _ in LocalSource() }
    }

    /// A kind of media that it did not have. Sessions of before do not get it.
    func add(_ format: TrackFormat, limits: Limits) {
        tracks.append(BroadcastTrack(format: format, limits: limits))
        localLines.append(LocalSource())
        for session in sessions.values { session.sinkPlaces.append(-1) }
    }

    /// Its source has brought the last picture whole, as far as is known, and not begun another.
    var isBetweenPictures: Bool {
        guard let source = source?.source else { return true }
        return source.tracks.allSatisfy { track in
            let line = tracks[track.target]
            guard line.isVideo, let newest = line.history.newest else { return true }
            return line.history.entry(newest)?.marker == true
                && track.encodings[track.forwarded].losses.missingCount == 0
        }
    }

    /// Lets go of all sessions, without a word to them.
    func abandon() {
        (source, successor) = (nil, nil)
        sessions = [:]
        for track in tracks { track.sinks = [] }
    }
}

/// A source inside this process: its packets neither reorder nor get lost, so a line is all it needs.
struct LocalSource {
    var line: SourceLine?
    var highest: Int64 = 0

    /// Extends the 16-bit sequence number along this source's own line.
    mutating func extend(_ sequence: SequenceNumber) -> Int64 {
        highest = line == nil ? Int64(sequence.rawValue) : max(highest, sequence.extended(near: highest))
        return sequence.extended(near: highest)
    }
}
