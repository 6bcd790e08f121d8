import WebRTC

/// One track on its way to one viewer: how the line's packets are renumbered, and what has been sent. A plain value in
/// the track's dense array; nothing in the sending loop allocates.
struct Sink {
    enum Phase {
        /// Nothing is sent until a keyframe (video) or any packet (audio) comes.
        case waiting
        case playing
    }

    let viewer: Viewer
    let ssrc: SSRC
    private(set) var payloadType: PayloadType
    let rtxSSRC: SSRC?
    private(set) var rtxPayloadType: PayloadType?
    let cname: String
    private(set) var phase = Phase.waiting
    private(set) var statistics: TrackStatistics
    /// RTP packets and payload bytes sent on `ssrc`, for its sender reports.
    private(set) var sentPackets: UInt32 = 0
    private(set) var sentOctets: UInt32 = 0
    private var map: SequenceMap
    private var nextRTXSequence: Int64
    private let timestampOffset: UInt32
    /// The MID travels until the viewer's first report on our SSRC proves that it knows the stream (RFC 8843 §15).
    /// Without RTX it stays: a plain re-send has to be the same packet bit by bit.
    private var extensions: OutgoingExtensions
    private var repairs = RateBudget()
    private var lastKeyframe: UInt32?

    init(track: NegotiatedTrack, local: NegotiatedTrack.LocalStream, viewer: Viewer, random: inout SeededGenerator) {
        self.viewer = viewer
        (ssrc, payloadType) = (local.ssrc, track.payloadType)
        (rtxSSRC, rtxPayloadType) = (local.rtxSSRC, local.rtxSSRC == nil ? nil : track.rtxPayloadType)
        cname = local.cname
        statistics = TrackStatistics(kind: track.kind, codec: track.codec.name)
        extensions =
            OutgoingExtensions(mid: track.mid, midID: track.extensions.mid, transportSequenceID: 0) ?? Self.noExtensions
        timestampOffset = UInt32.random(in: 0...UInt32.max, using: &random)
        // Low enough that the roll-over counter is surely 0 when the viewer sees its first packet (RFC 3711 §3.3.1).
        map = SequenceMap(next: Int64.random(in: 0..<0x4000, using: &random))
        nextRTXSequence = Int64.random(in: 0..<0x4000, using: &random)
    }

    private static let noExtensions = OutgoingExtensions(mid: "", midID: 0, transportSequenceID: 0)!

    var repairsByRTX: Bool { rtxPayloadType != nil }

    /// The source changed: the numbering goes on, the picture has to begin anew.
    mutating func waitForKeyframe() { phase = .waiting }

    mutating func start(encoding: Int, at sequence: Int64) {
        map.start(encoding: encoding, source: sequence)
        phase = .playing
    }

    /// The track's codec changed to one that the viewer knows under another payload type.
    mutating func use(_ track: NegotiatedTrack) {
        (payloadType, rtxPayloadType) = (track.payloadType, rtxSSRC == nil ? nil : track.rtxPayloadType)
        statistics.codec = track.codec.name
    }

    mutating func viewerKnowsStream() {
        if repairsByRTX { extensions = Self.noExtensions }
    }

    mutating func reported(lost: Int64) { statistics.lost = lost }
    mutating func keyframeRequested() { statistics.keyframeRequests += 1 }

    func outgoing(timestamp: UInt32) -> UInt32 { timestamp &+ timestampOffset }

    // MARK: Sending

    /// Renumbers, seals and queues one packet of the line. false: not for this sink (from before its start), or no room.
    mutating func send(_ packet: LinePacket, srtp: SRTPSession, to remote: TransportAddress, outbox: Outbox) -> Bool {
        guard let sequence = map.forward(encoding: 0, source: packet.sequence) else { return false }
        guard seal(packet, sequence: sequence, pads: repairsByRTX, srtp: srtp, remote: remote, outbox: outbox)
        else { return false }
        statistics.packets += 1
        statistics.bytes += UInt64(packet.length)
        if packet.marker { statistics.frames += 1 }
        if packet.keyframe, packet.timestamp != lastKeyframe {
            lastKeyframe = packet.timestamp
            statistics.keyframes += 1
        }
        sentPackets &+= 1
        sentOctets &+= UInt32(packet.length)
        return true
    }

    private func seal(
        _ packet: LinePacket, sequence: Int64, pads: Bool, srtp: SRTPSession, remote: TransportAddress, outbox: Outbox
    ) -> Bool {
        let padding = pads || packet.length == 0 ? packet.padding : 0
        guard let target = unsafe outbox.reserve(Outbox.maximumDatagram) else { return false }
        let header = unsafe RTPHeader.write(
            to: target, marker: packet.marker, padding: padding > 0, payloadType: payloadType,
            sequence: SequenceNumber(UInt16(truncatingIfNeeded: sequence)),
            timestamp: outgoing(timestamp: packet.timestamp),
            ssrc: ssrc, extensions: extensions)
        let length = unsafe srtp.sealRTP(
            at: target, headerLength: header, payload: packet.payload, payloadLength: packet.length, padding: padding,
            index: UInt64(sequence))
        viewer.commit(length, to: remote, outbox: outbox)
        return true
    }

    /// Answers one NACKed sequence number from the history, by RTX or by the same packet again; false: not to be had.
    mutating func repair(
        _ number: SequenceNumber, encoding: Encoding, oldest: Instant, now: Instant, srtp: SRTPSession,
        remote: TransportAddress, outbox: Outbox
    ) -> Bool {
        statistics.nacks += 1
        let sequence = number.extended(near: map.next)
        guard let origin = map.origin(of: sequence), origin.sequence >= encoding.formatStart,
            let entry = encoding.history.entry(origin.sequence), entry.arrival >= oldest,
            repairs.take(FeedbackBudget.repairs, now: now)
        else { return false }
        let packet = unsafe LinePacket(entry: entry, payload: encoding.history.payload(of: entry))
        if let rtxSSRC, let rtxPayloadType {
            guard
                sealRTX(
                    packet, original: sequence, ssrc: rtxSSRC, type: rtxPayloadType, srtp: srtp, remote: remote,
                    outbox: outbox)
            else { return false }
            nextRTXSequence += 1
        } else {
            guard seal(packet, sequence: sequence, pads: false, srtp: srtp, remote: remote, outbox: outbox)
            else { return false }
        }
        statistics.repaired += 1
        return true
    }

    /// RFC 4588 §4: a packet of the RTX stream whose payload is the original sequence number and the original payload.
    private func sealRTX(
        _ packet: LinePacket, original: Int64, ssrc: SSRC, type: PayloadType, srtp: SRTPSession,
        remote: TransportAddress, outbox: Outbox
    ) -> Bool {
        guard let target = unsafe outbox.reserve(Outbox.maximumDatagram) else { return false }
        let header = unsafe RTPHeader.write(
            to: target, marker: packet.marker, padding: false, payloadType: type,
            sequence: SequenceNumber(UInt16(truncatingIfNeeded: nextRTXSequence)),
            timestamp: outgoing(timestamp: packet.timestamp), ssrc: ssrc, extensions: extensions)
        let length = unsafe withUnsafeTemporaryAllocation(byteCount: packet.length + 2, alignment: 8) { scratch in
            unsafe scratch.storeBytes(of: UInt16(truncatingIfNeeded: original).bigEndian, as: UInt16.self)
            if packet.length > 0 {
                unsafe (scratch.baseAddress! + 2).copyMemory(from: packet.payload, byteCount: packet.length)
            }
            return unsafe srtp.sealRTP(
                at: target, headerLength: header, payload: scratch.baseAddress!, payloadLength: packet.length + 2,
                padding: 0, index: UInt64(nextRTXSequence))
        }
        viewer.commit(length, to: remote, outbox: outbox)
        return true
    }
}

/// A packet of a track's line as the fan-out sees it: where its payload lies, and its place on the line.
@safe struct LinePacket {
    var sequence: Int64
    var timestamp: UInt32
    var length: Int
    /// Padding that makes its datagram as long as its neighbours', so that they leave as one GSO run.
    var padding: Int
    var marker: Bool
    var keyframe: Bool
    var payload: UnsafeRawPointer

    @unsafe init(entry: PacketHistory.Entry, payload: UnsafeRawPointer) {
        (sequence, timestamp, length) = (entry.sequence, entry.timestamp, entry.length)
        (marker, keyframe) = (entry.marker, entry.keyframe)
        // An empty packet (padding probe of the publisher) keeps its number; RFC 3550 wants at least one byte of it.
        padding = entry.length == 0 ? 4 : 0
        unsafe self.payload = payload
    }
}
