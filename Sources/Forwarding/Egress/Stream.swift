import WebRTC

/// One track on its way to one viewer, a reader of the track's line: how packets are renumbered, what has been sent, and how
/// far it has read. A plain value of 128 bytes in the track's dense array; what is rarely touched is in the viewer's
/// `StreamRecord`. Nothing in the sending loop allocates.
struct Stream {
    enum Position: Equatable {
        /// Nothing is sent: the node below does not want it at present.
        case paused
        /// Nothing is sent until a keyframe (video) or any packet (audio) comes.
        case waiting
        /// The next number of the line that it gets; it is served by `Catchup`.
        case behind(next: Int64)
        /// What comes goes out at once, by `FanOut`.
        case head
    }

    /// Which bytes of a packet may depend on its transmission.
    enum Form {
        /// A packet of this stream is sealed once: what is missing is sent again as a packet of another stream (RTX).
        case sealedOnce
        /// A re-send is the same packet, bit by bit, so nothing may differ: a second, different one under the same index
        /// would give the key away (RFC 7714 §8.1).
        case repeatable
    }

    let viewer: Viewer
    private(set) var line: OutgoingLine
    private var cursor = Self.isWaiting
    private(set) var packets: UInt64 = 0
    /// Of RTP payload.
    private(set) var bytes: UInt64 = 0
    private(set) var frames: UInt64 = 0
    let ssrc: SSRC
    private(set) var payloadType: PayloadType
    private(set) var form: Form
    /// Index of its track in the broadcast.
    let track: UInt8
    /// Index of its record at the viewer.
    let record: UInt8
    private var encodings: (read: UInt8, destination: UInt8)
    /// The MID travels until the viewer's first report on our SSRC proves that it knows the stream (RFC 8843 §15); the
    /// transport-wide number as long as the viewer's link is watched.
    private var extensions: OutgoingExtensions
    private var transportSequenceID: UInt8 = 0
    private var carriesMID = true

    /// `cursor` beside numbers of the line. At the head it is negative: the outgoing number at which a burst ended, if there
    /// was one, is kept there.
    private static let isWaiting = Int64.max
    private static let isPaused = Int64.max - 1
    private static let isAtHead = Int64.min

    /// - Parameters:
    ///   - encoding: index of the one that it waits for.
    ///   - next: its first number, low enough that the roll-over counter is surely 0 when the viewer sees its first packet
    ///     (RFC 3711 §3.3.1).
    init(
        _ negotiated: NegotiatedTrack, ssrc: SSRC, form: Form, track: Int, record: Int, encoding: Int, viewer: Viewer,
        next: Int64
    ) {
        (self.viewer, self.ssrc, self.form) = (viewer, ssrc, form)
        (self.track, self.record) = (UInt8(track), UInt8(record))
        encodings = (UInt8(encoding), UInt8(encoding))
        payloadType = negotiated.payloadType
        extensions =
            OutgoingExtensions(mid: negotiated.mid, midID: negotiated.extensions.mid, transportSequenceID: 0)
            ?? Self.noExtensions
        line = OutgoingLine(next: next)
    }

    private static let noExtensions = OutgoingExtensions(mid: "", midID: 0, transportSequenceID: 0)!

    var position: Position {
        switch cursor {
        case Self.isWaiting: .waiting
        case Self.isPaused: .paused
        case ..<0: .head
        default: .behind(next: cursor)
        }
    }

    /// Index of the encoding that it reads, or waits for.
    var encoding: Int { Int(encodings.read) }
    /// Index of the encoding that it goes over to with that one's next keyframe; the one that it reads: to none.
    var destination: Int { Int(encodings.destination) }
    mutating func direct(reading encoding: Int, destination: Int) {
        encodings = (UInt8(encoding), UInt8(destination))
    }

    /// It takes something of `encoding`.
    func concerns(_ encoding: Int) -> Bool {
        cursor != Self.isPaused && (self.encoding == encoding || destination == encoding)
    }

    /// Packets under lower outgoing numbers have left in a burst, or are of one that goes on.
    private var burstEnd: Int64 {
        switch cursor {
        case Self.isAtHead: .min
        case ..<0: -cursor
        default: .max
        }
    }

    /// The source changed: the numbering goes on, the picture has to begin anew.
    mutating func waitForKeyframe() { if cursor != Self.isPaused { cursor = Self.isWaiting } }

    mutating func pause() { cursor = Self.isPaused }
    mutating func resume() { cursor = Self.isWaiting }

    /// It gets what lies from `sequence` on.
    mutating func start(encoding: Int, at sequence: Int64, offsets: OutgoingLine.Offsets) {
        line.start(encoding: encoding, source: sequence, offsets: offsets)
        cursor = sequence
    }

    /// Leaves out what lies before `sequence` of the same encoding.
    mutating func skip(encoding: Int, to sequence: Int64) {
        start(encoding: encoding, at: sequence, offsets: line.offsets)
    }

    mutating func hasRead(to next: Int64) { cursor = next }
    /// - Parameter afterBurst: what left before may come again, under its time.
    mutating func reachedHead(afterBurst: Bool) { cursor = afterBurst && line.next > 0 ? -line.next : Self.isAtHead }

    /// The track's codec changed to one that the viewer knows under another payload type. What is on the line already is
    /// not sent again.
    mutating func use(_ type: PayloadType, form: Form) { (payloadType, self.form) = (type, form) }

    mutating func viewerKnowsStream() {
        guard form == .sealedOnce, carriesMID else { return }
        carry(mid: "", midID: 0, transportSequenceID: transportSequenceID)
    }

    /// Its packets carry transport-wide numbers from now on, under the extension's id; 0: none.
    mutating func number(_ negotiated: NegotiatedTrack, transportSequenceID: UInt8) {
        precondition(form == .sealedOnce || transportSequenceID == 0, "a packet with a number of its own is no other")
        carry(
            mid: negotiated.mid, midID: negotiated.extensions.mid, transportSequenceID: transportSequenceID)
    }

    private mutating func carry(mid: String, midID: UInt8, transportSequenceID: UInt8) {
        (self.transportSequenceID, carriesMID) = (transportSequenceID, midID != 0)
        extensions =
            OutgoingExtensions(mid: mid, midID: midID, transportSequenceID: transportSequenceID) ?? Self.noExtensions
    }

    // MARK: Sending

    /// Renumbers, seals and queues one packet of the line. false: not for this stream (from before its start), or no room.
    ///
    /// - Parameter edge: where the encoding's line is now, for a packet of a burst that leaves in its turn.
    mutating func send(
        _ packet: LinePacket, edge: UInt32? = nil, srtp: SRTPSession, to remote: TransportAddress, outbox: Outbox,
        now: Instant
    ) -> Bool {
        guard var place = line.forward(encoding: packet.encoding, source: packet.sequence) else { return false }
        if place.number < burstEnd, !viewer.stamp(&place, of: packet, record: Int(record), edge: edge) { return false }
        guard seal(packet, at: place, srtp: srtp, remote: remote, outbox: outbox, now: now) else { return false }
        packets += 1
        bytes += UInt64(packet.length)
        if packet.marker { frames += 1 }
        if packet.keyframe { viewer.count(keyframe: packet.timestamp, record: Int(record)) }
        return true
    }

    /// Sends the very same packet again.
    func repeatPacket(
        _ packet: LinePacket, at place: OutgoingLine.Place, srtp: SRTPSession, to remote: TransportAddress,
        outbox: Outbox, now: Instant
    ) -> Bool {
        precondition(form == .repeatable, "a packet that may look different is not sealed again")
        return seal(packet, at: place, srtp: srtp, remote: remote, outbox: outbox, now: now)
    }

    private func seal(
        _ packet: LinePacket, at place: OutgoingLine.Place, srtp: SRTPSession, remote: TransportAddress, outbox: Outbox,
        now: Instant
    ) -> Bool {
        let padding = form == .sealedOnce || packet.length == 0 ? packet.padding : 0
        guard let target = unsafe outbox.reserve(Outbox.maximumDatagram) else { return false }
        let header = unsafe RTPHeader.write(
            to: target, marker: packet.marker, padding: padding > 0, payloadType: payloadType,
            sequence: SequenceNumber(UInt16(truncatingIfNeeded: place.number)),
            timestamp: place.offsets.moved(timestamp: packet.timestamp), ssrc: ssrc, extensions: extensions,
            transportSequence: transportSequence(packet.length, now: now))
        let prefix =
            place.offsets.movesPictures ? unsafe writePrefix(of: packet, place.offsets, to: target + header) : 0
        let length = unsafe srtp.sealRTP(
            at: target, headerLength: header, prefixLength: prefix, payload: packet.payload + prefix,
            payloadLength: packet.length - prefix, padding: padding, index: UInt64(place.number))
        viewer.commit(length, to: remote, outbox: outbox)
        return true
    }

    /// Sends a packet again on the RTX stream (RFC 4588 §4): its payload is the original number, which goes in front as a
    /// prefix, and the original payload.
    func sendRTX(
        _ packet: LinePacket, at place: OutgoingLine.Place, on rtx: StreamRecord.RTX, type: PayloadType,
        srtp: SRTPSession, to remote: TransportAddress, outbox: Outbox, now: Instant
    ) -> Bool {
        guard let target = unsafe outbox.reserve(Outbox.maximumDatagram) else { return false }
        let header = unsafe RTPHeader.write(
            to: target, marker: packet.marker, padding: false, payloadType: type,
            sequence: SequenceNumber(UInt16(truncatingIfNeeded: rtx.next)),
            timestamp: place.offsets.moved(timestamp: packet.timestamp), ssrc: rtx.ssrc, extensions: extensions,
            transportSequence: transportSequence(packet.length, now: now))
        let original = UInt16(truncatingIfNeeded: place.number).bigEndian
        unsafe target.storeBytes(of: original, toByteOffset: header, as: UInt16.self)
        let prefix =
            place.offsets.movesPictures ? unsafe writePrefix(of: packet, place.offsets, to: target + header + 2) : 0
        let length = unsafe srtp.sealRTP(
            at: target, headerLength: header, prefixLength: 2 + prefix, payload: packet.payload + prefix,
            payloadLength: packet.length - prefix, padding: 0, index: UInt64(rtx.next))
        viewer.commit(length, to: remote, outbox: outbox)
        return true
    }

    /// Of a packet that is about to leave.
    @inline(__always)
    private func transportSequence(_ length: Int, now: Instant) -> UInt16 {
        extensions.hasTransportSequence ? viewer.numberPacket(length, now: now) : 0
    }

    /// The payload's beginning, up to its pictures' numbers, moved; its length.
    @unsafe private func writePrefix(
        of packet: LinePacket, _ offsets: OutgoingLine.Offsets, to target: UnsafeMutableRawPointer
    ) -> Int {
        guard let numbers = viewer.broadcast.tracks[Int(track)].pictureNumbers(of: packet) else { return 0 }
        return unsafe numbers.writeMoved(
            by: offsets.pictureID, offsets.tl0PictureIndex, beginningOf: packet.payload, to: target)
    }
}

/// A packet of a track's line as readers see it: where its payload lies, and its place on the line.
@safe struct LinePacket {
    var sequence: Int64
    var timestamp: UInt32
    var length: Int
    /// Padding that makes its datagram as long as its neighbours', so that they leave as one GSO run.
    var padding: Int
    var marker: Bool
    var keyframe: Bool
    /// Index of the encoding whose line it is of.
    var encoding: Int
    var payload: UnsafeRawPointer

    /// nil: the history has it no more. Valid until the next packet is put on the line.
    init?(_ sequence: Int64, of encoding: Encoding, index: Int) {
        guard let entry = encoding.history.entry(sequence) else { return nil }
        self.encoding = index
        (self.sequence, timestamp, length) = (entry.sequence, entry.timestamp, entry.length)
        (marker, keyframe) = (entry.marker, entry.keyframe)
        // An empty packet (padding probe of the publisher) keeps its number; RFC 3550 wants at least one byte of it.
        padding = entry.length == 0 ? 4 : 0
        unsafe payload = encoding.history.payload(of: entry)
    }
}
