import WebRTC

/// What a source session receives: which SSRC is which encoding, what is missing, what to report and to ask for.
struct Source {
    /// An SSRC that has been recognised.
    private struct Binding {
        var ssrc: SSRC
        var track: Int
        var encoding: Int
        var isRepair: Bool
    }

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
        var statistics: TrackStatistics
    }

    struct Track {
        var negotiated: NegotiatedTrack
        /// Index of the broadcast's track that it feeds.
        var target: Int
        var encodings: [Encoding]
    }

    /// Whether media comes.
    enum Flow: Hashable {
        case awaited
        case flowing(last: Instant)
        case silent
    }

    /// A packet found to belong to an encoding.
    struct Located {
        var track: Int
        var encoding: Int
        var isRepair: Bool
    }

    private(set) var tracks: [Track]
    private var bindings: [Binding] = []
    private let maximumBindings: Int
    private let silence: Interval
    /// The SSRC under which we send feedback.
    let feedbackSSRC: SSRC
    let cname: String
    private var feedback = TransportFeedbackRecorder()
    private let sendsTransportFeedback: Bool
    private let extensions: HeaderExtensionIDs
    /// Sender NTP time to our own: set by the source's first sender report, for all tracks alike, so that they stay in
    /// step with each other.
    private var ntpOffset: Int64?
    private(set) var flow = Flow.awaited
    private var firSequence: UInt8 = 0

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
                    losses: LossDetector(detection),
                    statistics: TrackStatistics(kind: track.kind, codec: track.codec.name))
            }
            tracks.append(Track(negotiated: track, target: target, encodings: encodings))
        }
        guard !tracks.isEmpty else { return nil }
        self.tracks = tracks
        (maximumBindings, silence) = (limits.streamsPerSource, limits.sourceSilence)
        feedbackSSRC = SSRC(UInt32.random(in: 1...UInt32.max, using: &random))
        cname = String(UInt64.random(in: 0...UInt64.max, using: &random), radix: 36)
        extensions = tracks[0].negotiated.extensions
        sendsTransportFeedback =
            extensions.transportSequence != 0 && tracks.contains { $0.negotiated.feedback.contains(.transportCC) }
        for (t, track) in tracks.enumerated() {
            for (e, encoding) in track.encodings.enumerated() {
                if let ssrc = encoding.ssrc { bind(ssrc, track: t, encoding: e, isRepair: false) }
                if let ssrc = encoding.rtxSSRC { bind(ssrc, track: t, encoding: e, isRepair: true) }
            }
        }
    }

    // MARK: Which packet is whose

    private mutating func bind(_ ssrc: SSRC, track: Int, encoding: Int, isRepair: Bool) {
        guard bindings.count < maximumBindings else { return }
        bindings.append(Binding(ssrc: ssrc, track: track, encoding: encoding, isRepair: isRepair))
        if isRepair {
            tracks[track].encodings[encoding].rtxSSRC = ssrc
        } else {
            tracks[track].encodings[encoding].ssrc = ssrc
        }
    }

    /// Finds the encoding of a packet: by SSRC once known, before that by RID, MID or, where only one track can be
    /// meant, by payload type (RFC 8843 §9.2, RFC 8852).
    mutating func locate(_ packet: RTPPacket, in bytes: borrowing RawSpan) -> Located? {
        if let known = bindings.first(where: { $0.ssrc == packet.ssrc }) {
            return Located(track: known.track, encoding: known.encoding, isRepair: known.isRepair)
        }
        guard bindings.count < maximumBindings, let t = trackOf(packet, in: bytes) else { return nil }
        let isRepair = tracks[t].negotiated.repairs(with: packet.payloadType)
        let id = isRepair ? extensions.repairedRID : extensions.rid
        var e = 0
        if tracks[t].encodings.count > 1 {
            guard let rid = packet.extensionText(id: id, in: bytes),
                let found = tracks[t].encodings.firstIndex(where: { $0.rid == rid })
            else { return nil }
            e = found
        }
        unbind(track: t, encoding: e, isRepair: isRepair)
        bind(packet.ssrc, track: t, encoding: e, isRepair: isRepair)
        return Located(track: t, encoding: e, isRepair: isRepair)
    }

    private func trackOf(_ packet: RTPPacket, in bytes: borrowing RawSpan) -> Int? {
        if let mid = packet.extensionText(id: extensions.mid, in: bytes) {
            return tracks.firstIndex { $0.negotiated.mid == mid && $0.negotiated.knows(packet.payloadType) }
        }
        let candidates = tracks.indices.filter { tracks[$0].negotiated.knows(packet.payloadType) }
        return candidates.count == 1 ? candidates[0] : nil
    }

    /// The sender goes over to another codec that was agreed on: its packets say so by their payload type alone. Late
    /// packets of the former codec change nothing.
    mutating func changesCodec(_ packet: RTPPacket, at place: Located) -> Bool {
        guard packet.payloadType != tracks[place.track].negotiated.payloadType, !place.isRepair else { return false }
        let encoding = tracks[place.track].encodings[place.encoding]
        if let highest = encoding.reception.highest,
            packet.sequenceNumber.distance(from: SequenceNumber(UInt16(truncatingIfNeeded: highest))) <= 0
        {
            return false
        }
        guard tracks[place.track].negotiated.use(packet.payloadType) else { return false }
        for e in tracks[place.track].encodings.indices {
            tracks[place.track].encodings[e].statistics.codec = tracks[place.track].negotiated.codec.name
        }
        return true
    }

    /// What it sends at present.
    var formats: [TrackFormat] {
        tracks.map { TrackFormat(codec: $0.negotiated.codec, rids: $0.encodings.compactMap(\.rid)) }
    }

    /// A new SSRC for a known encoding (the sender restarted its stream) replaces the old one.
    private mutating func unbind(track: Int, encoding: Int, isRepair: Bool) {
        bindings.removeAll { $0.track == track && $0.encoding == encoding && $0.isRepair == isRepair }
        guard !isRepair, tracks[track].encodings[encoding].reception.highest != nil else { return }
        tracks[track].encodings[encoding].restart(clockRate: tracks[track].negotiated.codec.clockRate)
    }

    // MARK: Receiving

    enum Received {
        case dropped(DropReason)
        /// Consumed, no media in it: a bandwidth probe.
        case nothing
        /// A media packet, as sent or repaired, with its extended sequence number.
        case media(sequence: Int64, payload: Range<Int>, lostTooMuch: Bool)
    }

    mutating func recordTransportSequence(_ packet: RTPPacket, in bytes: borrowing RawSpan, now: Instant) {
        guard sendsTransportFeedback,
            let sequence = packet.extensionUInt16(id: extensions.transportSequence, in: bytes)
        else { return }
        feedback.record(sequence, arrival: now)
    }

    /// Accounts for a packet of a known encoding and unpacks a repair.
    mutating func receive(
        _ packet: RTPPacket, at place: Located, in bytes: borrowing RawSpan, now: Instant
    ) -> Received {
        let negotiated = tracks[place.track].negotiated
        guard negotiated.carries(packet.payloadType) else { return .dropped(.unknownPayloadType) }
        if place.isRepair {
            guard let original = packet.originalSequenceNumber(in: bytes) else { return .nothing }
            guard let sequence = tracks[place.track].encodings[place.encoding].reception.extended(original)
            else { return .dropped(.tooOld) }
            let payload = packet.payload.lowerBound + 2..<packet.payload.upperBound
            return note(sequence, payload: payload, at: place, now: now)
        }
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

    private mutating func note(_ sequence: Int64, payload: Range<Int>, at place: Located, now: Instant) -> Received {
        guard tracks[place.track].negotiated.feedback.contains(.nack) else {
            return .media(sequence: sequence, payload: payload, lostTooMuch: false)
        }
        let hasRTX = tracks[place.track].negotiated.rtxPayloadType != nil
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

    /// true, once: nothing has come for too long.
    mutating func fallsSilent(now: Instant) -> Bool {
        guard case .flowing(let last) = flow, now >= last + silence else { return false }
        flow = .silent
        return true
    }

    /// Gives the encoding its line; returns the point on it that a sender report told beforehand.
    mutating func place(_ line: SourceLine, at place: Located) -> Synchronisation? {
        tracks[place.track].encodings[place.encoding].line = line
        guard let early = tracks[place.track].encodings[place.encoding].earlyReport else { return nil }
        tracks[place.track].encodings[place.encoding].earlyReport = nil
        return Synchronisation(
            target: tracks[place.track].target, at: early.at, timestamp: early.timestamp &+ line.timestampOffset)
    }

    /// A sender report: when, on our clock, the stream's clock showed which timestamp of the track's line.
    mutating func senderReport(_ report: SenderReport, ntpOrigin: UInt64, now: Instant) -> Synchronisation? {
        guard let known = bindings.first(where: { $0.ssrc == report.sender && !$0.isRepair }) else { return nil }
        tracks[known.track].encodings[known.encoding].reception.senderReport(report.time, now: now)
        let ours = NTPTime(origin: NTPTime(rawValue: ntpOrigin), at: now)
        let offset = ntpOffset ?? Int64(bitPattern: ours.rawValue &- report.time.rawValue)
        ntpOffset = offset
        guard known.encoding == 0 else { return nil }
        // Units of 2^-32 s; far off values (a sender that steps its clock) are no use.
        let ahead = Int64(bitPattern: report.time.rawValue &+ UInt64(bitPattern: offset) &- ours.rawValue)
        guard abs(ahead) < 60 << 32 else {
            ntpOffset = nil
            return nil
        }
        let at = now + Interval(nanoseconds: (ahead >> 2) * 1_000_000_000 >> 30)
        guard let line = tracks[known.track].encodings[0].line else {
            tracks[known.track].encodings[0].earlyReport = MediaClock(at: at, timestamp: report.timestamp)
            return nil
        }
        return Synchronisation(
            target: tracks[known.track].target, at: at, timestamp: report.timestamp &+ line.timestampOffset)
    }

    struct Synchronisation {
        /// Index of the broadcast's track.
        var target: Int
        var at: Instant
        var timestamp: UInt32
    }

    // MARK: Feedback

    var nextDeadline: Instant {
        var deadline = sendsTransportFeedback ? feedback.nextDeadline : .distantFuture
        if case .flowing(let last) = flow { deadline = min(deadline, last + silence) }
        for track in tracks {
            for encoding in track.encodings { deadline = min(deadline, encoding.losses.nextDeadline) }
        }
        return deadline
    }

    /// Measured from requests to repairs.
    var roundTrip: Interval? { tracks.lazy.compactMap { $0.encodings[0].losses.roundTrip }.first }

    /// A round trip known from the transport steers the repetition of requests from the first loss on.
    mutating func setRoundTrip(_ interval: Interval) {
        for t in tracks.indices {
            for e in tracks[t].encodings.indices { tracks[t].encodings[e].losses.setRoundTrip(interval) }
        }
    }

    /// NACKs and transport-wide feedback that are due.
    mutating func dueFeedback(now: Instant) -> [RTCPPacket] {
        var packets: [RTCPPacket] = []
        for t in tracks.indices {
            for e in tracks[t].encodings.indices {
                guard tracks[t].encodings[e].losses.nextDeadline <= now else { continue }
                let lost = tracks[t].encodings[e].losses.due(now: now)
                guard !lost.isEmpty, let ssrc = tracks[t].encodings[e].ssrc else { continue }
                tracks[t].encodings[e].statistics.nacks += UInt64(lost.count)
                let numbers = lost.map { SequenceNumber(UInt16(truncatingIfNeeded: $0)) }
                packets.append(.nack(sender: feedbackSSRC, media: ssrc, lost: numbers))
            }
        }
        if sendsTransportFeedback, feedback.nextDeadline <= now {
            // Which media SSRC it names means nothing: it reports the whole transport.
            let media = bindings.first?.ssrc ?? SSRC(0)
            packets += feedback.due(now: now, sender: feedbackSSRC, media: media).map { .transportFeedback($0) }
        }
        return packets
    }

    /// The request for a keyframe of a broadcast's track, as this source understands it; nil: it understands none.
    mutating func keyframeRequest(target: Int) -> RTCPPacket? {
        guard let t = tracks.firstIndex(where: { $0.target == target }), let ssrc = tracks[t].encodings[0].ssrc
        else { return nil }
        let feedback = tracks[t].negotiated.feedback
        guard feedback.contains(.pli) || feedback.contains(.fir) else { return nil }
        tracks[t].encodings[0].statistics.keyframeRequests += 1
        if feedback.contains(.pli) { return .pli(sender: feedbackSSRC, media: ssrc) }
        firSequence &+= 1
        return .fir(sender: feedbackSSRC, requests: [.init(media: ssrc, sequence: firSequence)])
    }

    mutating func reportBlocks(now: Instant) -> [ReportBlock] {
        var blocks: [ReportBlock] = []
        for t in tracks.indices {
            for e in tracks[t].encodings.indices where blocks.count < 31 {
                guard let ssrc = tracks[t].encodings[e].ssrc,
                    let block = tracks[t].encodings[e].reception.report(on: ssrc, now: now)
                else { continue }
                blocks.append(block)
            }
        }
        return blocks
    }

    var statistics: [TrackStatistics] {
        tracks.map { track in
            let encoding = track.encodings[0]
            var result = encoding.statistics
            result.lost = max(0, encoding.reception.lost - encoding.repairedByRTX)
            result.jitter = encoding.reception.jitter * 1_000
            return result
        }
    }
}

extension Source.Encoding {
    /// The sender began this stream anew under another SSRC.
    mutating func restart(clockRate: UInt32) {
        reception = ReceptionStatistics(clockRate: clockRate)
        losses.reset()
        line = nil
    }
}

extension NegotiatedTrack {
    /// Of the codec in use.
    func carries(_ type: PayloadType) -> Bool { type == payloadType || type == rtxPayloadType }

    /// Of any codec agreed on.
    func knows(_ type: PayloadType) -> Bool {
        carries(type) || alternatives.contains { $0.payloadType == type || $0.rtxPayloadType == type }
    }

    func repairs(with type: PayloadType) -> Bool {
        type == rtxPayloadType || alternatives.contains { $0.rtxPayloadType == type }
    }
}
