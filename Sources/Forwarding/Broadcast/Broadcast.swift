import WebRTC

/// A broadcast on one worker: its tracks, who feeds them and who reads them.
final class Broadcast {
    let id: BroadcastID
    /// At most one of each kind. None ever goes: one without a source is silent.
    private(set) var tracks: [Track]
    /// What the source sends at present, as last told to the control plane.
    var formats: [TrackFormat]
    var succession = Succession()
    var peers: [SessionID: Peer] = [:]
    /// Stretches of a local source (`Command.ingest`), per track one for each encoding that it may have.
    var localLines: [[LocalSource]]
    /// What the control plane was told last of its encodings' rates.
    var toldRates: [EncodingRate] = []
    /// It stands in the fan-out's list.
    var isMarked = false

    init(id: BroadcastID, tracks formats: [TrackFormat], limits: Limits) {
        (self.id, self.formats) = (id, formats)
        tracks = formats.map { Track(format: $0, limits: limits) }
        localLines = formats.map { _ in Self.noLines }
    }

    private static let noLines = [LocalSource](repeating: LocalSource(), count: NegotiatedTrack.maximumEncodings)

    /// What its source brings of a track; nil: it has none.
    func supply(of track: Int) -> EncodingSupply? {
        var supply: EncodingSupply
        let own = succession.source?.source.tracks.first { $0.target == track }
        if let own {
            supply = own.supply
        } else {
            let presences = localLines[track].map { $0.line == nil ? EncodingPresence.gone : .comes }
            guard succession.source == nil, presences.contains(.comes) else { return nil }
            supply = EncodingSupply(names: tracks[track].format.rids, presences: presences, preferred: 0)
        }
        supply.rates = tracks[track].encodings.enumerated().map { e, encoding in
            // A node that sends one of them measures it no better than the one above.
            own?.report(of: e).map { Int64($0.bytesPerSecond) } ?? encoding.rate.need ?? 0
        }
        return supply
    }

    /// The encodings of a track that come and are measured, the one that takes least first.
    func rungs(of t: Int, now: Instant) -> [Rung] {
        if now - tracks[t].rungs.at >= Self.rungsAge {
            let supply = supply(of: t)
            let coming = tracks[t].encodings.indices.filter { supply?.comes($0) == true && supply!.rate(of: $0) > 0 }
            let all = coming.map { Rung(encoding: $0, need: supply!.rate(of: $0)) }.sorted { $0.need < $1.need }
            tracks[t].rungs = (all, now)
        }
        return tracks[t].rungs.all
    }

    private static let rungsAge = Interval.milliseconds(250)

    /// In the order in which they came.
    var peersInOrder: [Peer] { peers.values.sorted { $0.id.rawValue < $1.id.rawValue } }

    /// A kind of media that it did not have. Viewers of before do not get it.
    func add(_ format: TrackFormat, limits: Limits) {
        tracks.append(Track(format: format, limits: limits))
        localLines.append(Self.noLines)
    }

    /// Its source has brought the last picture whole, as far as is known, and not begun another.
    var isBetweenPictures: Bool {
        guard let source = succession.source?.source else { return true }
        return source.tracks.allSatisfy { track in
            let target = tracks[track.target]
            return !target.isVideo
                || target.preferred.endsPicture && track.encodings[track.preferred].losses.missingCount == 0
        }
    }

    /// What a publisher is to do for it.
    func include(publisher: Publisher, in deadline: inout Deadline) {
        guard succession.source === publisher else {
            return deadline.include(succession.nextDeadline(of: publisher), .succession)
        }
        for track in tracks {
            for encoding in track.encodings { deadline.include(encoding.keyframes.nextDeadline, .keyframe) }
        }
    }

    /// Lets go of all peers, without a word to them.
    func abandon() {
        succession = Succession()
        peers = [:]
        for track in tracks { track.streams = [] }
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
