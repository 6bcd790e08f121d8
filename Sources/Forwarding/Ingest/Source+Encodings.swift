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
            let supply = track.supply
            return track.encodings.indices.filter(supply.comes).map {
                ReceivedEncoding(kind: track.negotiated.kind, rid: supply.name(of: $0))
            }
        }
    }

    /// A node's word on the encodings. true: they are not as they were.
    mutating func take(_ reports: [EncodingReport]) -> Bool {
        var isNews = false
        for t in tracks.indices where tracks[t].negotiated.areEncodingsReported {
            let now = tracks[t].encodings.map { encoding in reports.first { $0.ssrc == encoding.ssrc } }
            guard now.contains(where: { $0 != nil }) else { continue }
            let before = (tracks[t].names, tracks[t].preferred, tracks[t].reports.map { $0?.presence })
            tracks[t].reports = now
            if before != (tracks[t].names, tracks[t].preferred, now.map { $0?.presence }) { isNews = true }
        }
        return isNews
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

/// Which encodings of a track there are to be had.
struct EncodingSupply {
    /// Where there are several.
    var names: [String]
    var presences: [EncodingPresence]
    /// Index of the one for viewers without a wish of their own.
    var preferred: Int
    /// Of a node above: which it sends; empty otherwise.
    var sent: [Bool] = []
    /// Bytes of RTP payload per second, as far as they are known.
    var rates: [Int64] = []

    func rate(of encoding: Int) -> Int64 { encoding < rates.count ? rates[encoding] : 0 }
    func presence(of encoding: Int) -> EncodingPresence { encoding < presences.count ? presences[encoding] : .gone }
    func comes(_ encoding: Int) -> Bool { presence(of: encoding) == .comes }
    func isPausedAbove(_ encoding: Int) -> Bool { encoding < sent.count && !sent[encoding] }
    func name(of encoding: Int) -> String? { encoding < names.count ? names[encoding] : nil }
}

extension Source.Track {
    var supply: EncodingSupply {
        EncodingSupply(
            names: names, presences: encodings.indices.map(presence), preferred: preferred,
            sent: reports.map { $0?.isSent == true })
    }

    /// Index of the encoding for viewers without a wish of their own.
    var preferred: Int { reports.firstIndex { $0?.isPreferred == true } ?? choice.current }

    func report(of encoding: Int) -> EncodingReport? { encoding < reports.count ? reports[encoding] : nil }

    /// Whether it comes, or would if the node above were asked for it.
    private func presence(of encoding: Int) -> EncodingPresence {
        if !reports.isEmpty { return report(of: encoding)?.presence ?? .gone }
        return negotiated.areEncodingsReported ? .awaited : choice.presences[encoding]
    }

    /// Of the encodings, where there are several.
    var names: [String] {
        guard !reports.isEmpty else { return negotiated.rids }
        let count = (reports.lastIndex { $0 != nil } ?? 0) + 1
        let names = reports[..<count].enumerated().map { $1.map(\.name) ?? String($0) }
        return names == [""] ? [] : names
    }
}

/// How much an encoding takes, of a track that has several.
package struct EncodingRate: Hashable, Sendable {
    package var rid: String
    /// Bytes of RTP payload per second; 0: it does not come, or is not measured yet.
    package var bytesPerSecond: Int64

    package init(rid: String, bytesPerSecond: Int64) { (self.rid, self.bytesPerSecond) = (rid, bytesPerSecond) }

    /// Others, one that has begun or ended, or a rate that is another by a quarter.
    package static func differ(_ rates: [EncodingRate], _ before: [EncodingRate]) -> Bool {
        rates.map(\.rid) != before.map(\.rid)
            || zip(rates, before).contains { abs($0.bytesPerSecond - $1.bytesPerSecond) * 4 > $1.bytesPerSecond }
    }
}

/// An encoding that a source sends at present.
package struct ReceivedEncoding: Hashable, Sendable {
    package var kind: MediaKind
    /// nil without simulcast.
    package var rid: String?
}
