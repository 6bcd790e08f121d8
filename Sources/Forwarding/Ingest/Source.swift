import WebRTC

/// What a source session receives: which SSRC is which encoding, what is missing, what to report and to ask for.
struct Source {
    /// One received encoding and where its packets lie on the track's line.
    struct Encoding {
        var rid: String?
        var ssrc: SSRC?
        var rtxSSRC: SSRC?
        var reception: ReceptionStatistics
        var losses: LossDetector
        /// Packets that came on the RTX stream, which `reception` does not see.
        var repairedByRTX: Int64 = 0
        var line: SourceLine?
        /// The last sender report, as long as there is no line: when on our clock, and the stream's timestamp.
        var earlyReport: MediaClock?
        /// Of an H.264 stream.
        var parameterSets: H264ParameterSets?
        var statistics: TrackStatistics
    }

    struct Track {
        var negotiated: NegotiatedTrack
        /// Index of the broadcast's track that it feeds.
        var target: Int
        var encodings: [Encoding]
        var choice: EncodingChoice
        /// What a node above has told of each encoding; empty: the source is none, or has told nothing yet.
        var reports: [EncodingReport?] = []
        /// What it is told of them.
        var demand: EncodingDemand
        /// When its sender went over to another codec.
        var codecChanged: Instant?
    }

    /// Whether media comes.
    enum Flow: Hashable {
        /// Since when it feeds its broadcast; nil: not yet.
        case awaited(since: Instant?)
        case flowing(last: Instant)
        case silent

        /// From when silence counts.
        var lastSign: Instant? {
            switch self {
            case .awaited(let since): since
            case .flowing(let last): last
            case .silent: nil
            }
        }
    }

    var tracks: [Track]
    var bindings: [Binding] = []
    let maximumBindings: Int
    private let silence: Interval
    /// The SSRC under which we send feedback.
    let feedbackSSRC: SSRC
    let cname: String
    var feedback = TransportFeedbackRecorder()
    let sendsTransportFeedback: Bool
    /// Reasons for which its packets were thrown away and somebody was told.
    var told: Set<DropReason> = []
    /// Sender NTP time to our own: set by the source's first sender report, for all tracks alike, so that they stay in
    /// step with each other.
    var ntpOffset: Int64?
    private(set) var flow = Flow.awaited(since: nil)
    var firSequence: UInt8 = 0

    init?(_ negotiated: [NegotiatedTrack], formats: [TrackFormat], limits: Limits, random: inout SeededGenerator) {
        var tracks: [Track] = []
        var detection = LossDetector.Configuration()
        detection.capacity = max(1, limits.missingPackets)
        detection.maximumGap = min(detection.maximumGap, detection.capacity)
        for track in negotiated {
            guard let target = formats.firstIndex(where: { $0.kind == track.kind }) else { continue }
            let encodings = (track.encodings.isEmpty ? [NegotiatedTrack.Encoding()] : track.encodings).map {
                Encoding(
                    rid: $0.rid, ssrc: $0.ssrc, rtxSSRC: $0.rtxSSRC,
                    reception: ReceptionStatistics(clockRate: track.codec.clockRate),
                    losses: LossDetector(detection), parameterSets: H264ParameterSets(of: track.codec),
                    statistics: TrackStatistics(kind: track.kind, codec: track.codec.name))
            }
            tracks.append(
                Track(
                    negotiated: track, target: target, encodings: encodings,
                    choice: EncodingChoice(count: encodings.count), demand: EncodingDemand(count: encodings.count)))
        }
        guard !tracks.isEmpty else { return nil }
        self.tracks = tracks
        (maximumBindings, silence) = (limits.streamsPerSource, limits.sourceSilence)
        feedbackSSRC = SSRC(UInt32.random(in: 1...UInt32.max, using: &random))
        cname = String(UInt64.random(in: 0...UInt64.max, using: &random), radix: 36)
        sendsTransportFeedback = tracks.contains {
            $0.negotiated.extensions.transportSequence != 0 && $0.negotiated.feedback.contains(.transportCC)
        }
        for (t, track) in tracks.enumerated() {
            for (e, encoding) in track.encodings.enumerated() {
                if let ssrc = encoding.ssrc { bind(ssrc, track: t, encoding: e, isRepair: false) }
                if let ssrc = encoding.rtxSSRC { bind(ssrc, track: t, encoding: e, isRepair: true) }
            }
        }
    }

    enum Received {
        case dropped(DropReason)
        /// Consumed, no media in it: a bandwidth probe.
        case nothing
        /// A media packet, as sent or repaired, with its extended sequence number.
        case media(sequence: Int64, payload: Range<Int>, lostTooMuch: Bool)
    }

    /// - Parameter track: whose packet it is; nil: nobody's, as a bandwidth probe may be.
    mutating func recordTransportSequence(
        _ packet: RTPPacket, of track: Int?, in bytes: borrowing RawSpan, now: Instant
    ) {
        guard sendsTransportFeedback else { return }
        let id = track.map { tracks[$0].negotiated.extensions.transportSequence } ?? transportSequenceID(of: packet)
        guard let sequence = packet.extensionUInt16(id: id, in: bytes) else { return }
        feedback.record(sequence, arrival: now)
    }

    /// An extension's id is of the m-section that it was agreed on in (RFC 8285 §5), which the payload type mostly names.
    private func transportSequenceID(of packet: RTPPacket) -> UInt8 {
        for t in tracks.indices where tracks[t].negotiated.knows(packet.payloadType) {
            let id = tracks[t].negotiated.extensions.transportSequence
            if id != 0 { return id }
        }
        return 0
    }

    /// Accounts for a packet of a known encoding and unpacks a repair.
    mutating func receive(
        _ packet: RTPPacket, at place: Located, in bytes: borrowing RawSpan, now: Instant
    ) -> Received {
        let negotiated = tracks[place.track].negotiated
        guard negotiated.carries(packet.payloadType) else {
            // Late, of the codec before.
            return .dropped(negotiated.knows(packet.payloadType) ? .tooOld : .unknownPayloadType)
        }
        if place.isRepair {
            guard let original = packet.originalSequenceNumber(in: bytes) else { return .nothing }
            guard let sequence = tracks[place.track].encodings[place.encoding].reception.extended(original)
            else { return .dropped(.tooOld) }
            let payload = packet.payload.lowerBound + 2..<packet.payload.upperBound
            observeParameterSets(bytes.extracting(payload), timestamp: packet.timestamp, at: place)
            return note(sequence, payload: payload, at: place, now: now)
        }
        observeParameterSets(bytes.extracting(packet.payload), timestamp: packet.timestamp, at: place)
        switch tracks[place.track].encodings[place.encoding].reception.received(
            packet.sequenceNumber, timestamp: packet.timestamp, now: now)
        {
        case .accepted(let sequence):
            return note(sequence, payload: packet.payload, at: place, now: now)
        case .restarted(let sequence):
            tracks[place.track].encodings[place.encoding].line = nil
            tracks[place.track].encodings[place.encoding].losses.reset()
            return note(sequence, payload: packet.payload, at: place, now: now)
        case .rejected:
            return .dropped(.tooOld)
        }
    }

    /// What an encoding lacks is asked for, whether anybody reads it or not: its group of pictures is what viewers begin and go
    /// over with. OBS's library repairs the first alone, without RTX, answers for the others with wrong packets, and closes.
    private mutating func note(_ sequence: Int64, payload: Range<Int>, at place: Located, now: Instant) -> Received {
        let hasRTX = tracks[place.track].negotiated.rtxPayloadType != nil
        guard tracks[place.track].negotiated.feedback.contains(.nack), hasRTX || place.encoding == 0 else {
            return .media(sequence: sequence, payload: payload, lostTooMuch: false)
        }
        let arrival = tracks[place.track].encodings[place.encoding].losses.received(
            sequence, mayAnswer: place.isRepair || !hasRTX, now: now)
        switch arrival {
        case .recovered(let requests) where requests > 0:
            tracks[place.track].encodings[place.encoding].statistics.repaired += 1
            if place.isRepair { tracks[place.track].encodings[place.encoding].repairedByRTX += 1 }
        case .late where place.isRepair:
            return .dropped(.duplicate)
        case .overrun:
            return .media(sequence: sequence, payload: payload, lostTooMuch: true)
        default:
            break
        }
        return .media(sequence: sequence, payload: payload, lostTooMuch: false)
    }

    mutating func count(_ packet: RTPPacket, payloadBytes: Int, at place: Located, keyframe: Bool) {
        tracks[place.track].encodings[place.encoding].statistics.packets += 1
        tracks[place.track].encodings[place.encoding].statistics.bytes += UInt64(payloadBytes)
        if packet.marker { tracks[place.track].encodings[place.encoding].statistics.frames += 1 }
        if keyframe { tracks[place.track].encodings[place.encoding].statistics.keyframes += 1 }
    }

    /// A packet was accepted. true: it is the first, or the first after a silence.
    mutating func flows(now: Instant) -> Bool {
        defer { flow = .flowing(last: now) }
        if case .flowing = flow { return false }
        return true
    }

    /// It feeds its broadcast from now on.
    mutating func feeds(now: Instant) {
        if case .awaited = flow { flow = .awaited(since: now) }
    }

    /// true, once: nothing has come for too long, or nothing at all.
    mutating func fallsSilent(now: Instant) -> Bool {
        guard let last = flow.lastSign, now >= last + silence else { return false }
        flow = .silent
        return true
    }

    /// What is due of it.
    func include(in deadline: inout Deadline) {
        if sendsTransportFeedback { deadline.include(feedback.nextDeadline, .feedback) }
        if let last = flow.lastSign { deadline.include(last + silence, .silence) }
        for track in tracks {
            deadline.include(track.demand.nextDeadline, .feedback)
            for encoding in track.encodings { deadline.include(encoding.losses.nextDeadline, .feedback) }
        }
    }

    var statistics: [TrackStatistics] {
        tracks.map { track in
            let encoding = track.encodings[track.preferred]
            var result = encoding.statistics
            result.lost = max(0, encoding.reception.lost - encoding.repairedByRTX)
            result.jitter = encoding.reception.jitter * 1_000
            result.lateness = encoding.reception.lateness
            return result
        }
    }
}
