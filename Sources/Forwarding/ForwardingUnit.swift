package import WebRTC

/// The whole SFU of one thread in one object, sans I/O: bytes and time in; bytes, events and the next deadline out.
///
/// It opens no socket, starts no thread, reads no clock, takes no lock, does not log and draws randomness only from its
/// seed. One turn of the loop around it:
///
///     apply(command)…  receive(datagram)…  flush()  advance()  flush()  → nextDeadline
///
/// `flush` and `advance` end with true when the outbox is full: it is sent, and they are called again.
///
/// The data path, top to bottom, is this file: receive → receiveRTP → accept → flush.
package final class ForwardingUnit {
    package struct Configuration: Sendable {
        package var identity: DTLSIdentity
        package var limits: Limits
        package var seed: UInt64
        /// 64-bit NTP time (RFC 5905 §6) at `Instant.zero`, for sender reports.
        package var ntpOrigin: UInt64
        /// For tests: a second, different packet under one SRTP index stops the process.
        package var watchesSealing = false

        package init(identity: DTLSIdentity, limits: Limits = Limits(), seed: UInt64, ntpOrigin: UInt64) {
            (self.identity, self.limits, self.seed, self.ntpOrigin) = (identity, limits, seed, ntpOrigin)
        }
    }

    /// Datagrams to send. The caller sends them and calls `removeAll()`.
    package let outbox: Outbox

    let limits: Limits
    let context: DTLSContext
    let ntpOrigin: UInt64
    let watchesSealing: Bool
    var random: SeededGenerator
    var broadcasts: [BroadcastID: Broadcast] = [:]
    var peers: [SessionID: Peer] = [:]
    var demultiplexer = Demultiplexer()
    var deadlines = DeadlineQueue()
    var handshakes = HandshakeQueue()
    var events: [Event] = []
    var goodbyes = Goodbyes()
    var statistics = UnitStatistics()
    var fanOut: FanOut
    var catchup: Catchup
    /// What a NACK asks for, while it is looked at; kept for its memory.
    var lostNumbers: [SequenceNumber] = []
    /// The same of what transport-wide feedback tells.
    var arrivals: [Int64] = []

    package convenience init(_ configuration: Configuration) throws(DTLSError) {
        self.init(configuration, context: try DTLSContext(identity: configuration.identity))
    }

    /// - Parameter context: of the configuration's identity.
    init(_ configuration: Configuration, context: DTLSContext, outbox: Outbox = Outbox()) {
        limits = configuration.limits
        (self.context, self.outbox) = (context, outbox)
        (ntpOrigin, watchesSealing) = (configuration.ntpOrigin, configuration.watchesSealing)
        random = SeededGenerator(seed: configuration.seed)
        fanOut = FanOut(ntpOrigin: ntpOrigin)
        catchup = Catchup(historyAge: limits.historyAge)
    }

    /// Peers and their broadcast refer to each other as long as they live.
    deinit {
        for broadcast in broadcasts.values { broadcast.abandon() }
        for peer in peers.values { peer.broadcast.abandon() }
    }

    package var nextDeadline: Instant { handshakes.isEmpty ? min(deadlines.next, catchup.nextDeadline) : .zero }

    package func takeEvents() -> [Event] {
        guard !events.isEmpty else { return [] }
        defer { events = [] }
        return events
    }

    func count(_ reason: DropReason, peer: Peer? = nil) {
        statistics.drops[Int(reason.rawValue)] += 1
        peer?.dropped += 1
    }

    // MARK: - Datagram in

    /// One datagram, exactly as it arrived; media is decrypted in place. What comes of it leaves with `flush`, but for the
    /// steps of a handshake, which wait for `advance`.
    package func receive(_ datagram: inout MutableRawSpan, from source: TransportAddress, now: Instant) {
        statistics.datagramsIn += 1
        statistics.bytesIn += UInt64(datagram.byteCount)
        let kind = DatagramClass.classify(datagram.bytes)
        switch demultiplexer.owner(of: datagram.bytes, kind, from: source) {
        case .nobody(let reason): count(reason)
        case .peer(let peer): receive(&datagram, kind, of: peer, from: source, now: now)
        }
    }

    private func receive(
        _ datagram: inout MutableRawSpan, _ kind: DatagramClass, of peer: Peer, from source: TransportAddress,
        now: Instant
    ) {
        switch kind {
        case .dtls where peer.phase == .connecting:
            if !handshakes.append(datagram.bytes, from: source, of: peer) { count(.handshakesBusy, peer: peer) }
        case .rtp where peer is Viewer:
            // Not worth a decryption.
            count(.wrongDirection, peer: peer)
        case .rtcp where !peer.budget.datagrams.take(FeedbackBudget.datagrams, now: now):
            refuse(.feedbackBudget, of: peer, now: now)
        default:
            take(&datagram, of: peer, from: source, now: now)
        }
    }

    /// A datagram whose turn it is.
    func take(_ datagram: inout MutableRawSpan, of peer: Peer, from source: TransportAddress, now: Instant) {
        let received = peer.transport.receive(&datagram, from: source, now: now, outbox: outbox)
        take(received, in: datagram.bytes, from: source, of: peer, now: now)
    }

    /// What a peer's transport made of a datagram: of media, `bytes` begin with the plain packet.
    func take(
        _ received: PeerConnection.Received, in bytes: borrowing RawSpan, from source: TransportAddress,
        of peer: Peer, now: Instant
    ) {
        switch received {
        case .rtp(let length):
            receiveRTP(bytes.extracting(0..<length), of: peer, now: now)
        case .rtcp(let length):
            receiveRTCP(bytes.extracting(0..<length), of: peer, now: now)
        case .control(let authenticated):
            if authenticated { demultiplexer.remember(source, for: peer, now: now) }
            follow(peer, now: now)
        case .dropped(.outboxFull):
            break  // an answer without room, which the outbox counts
        case .dropped(let reason):
            count(reason, peer: peer)
        }
        schedule(peer)
    }

    // MARK: - RTP in

    private func receiveRTP(_ bytes: borrowing RawSpan, of peer: Peer, now: Instant) {
        guard let publisher = peer as? Publisher else { return count(.wrongDirection, peer: peer) }
        guard let reason = receive(bytes, of: publisher, now: now) else { return }
        count(reason, peer: peer)
        tell(reason, of: bytes, from: publisher, now: now)
    }

    private func receive(_ bytes: borrowing RawSpan, of publisher: Publisher, now: Instant) -> DropReason? {
        guard let packet = RTPPacket.parse(bytes) else { return .malformedRTP }
        let located = publisher.source.locate(packet, in: bytes)
        publisher.source.recordTransportSequence(packet, of: located?.track, in: bytes, now: now)
        guard let place = located else { return .unknownStream }
        if publisher.source.changesCodec(packet, at: place, now: now),
            publisher.broadcast.succession.source === publisher
        {
            changeFormats(of: publisher.broadcast, to: publisher.source.formats, now: now)
        }
        switch publisher.source.receive(packet, at: place, in: bytes, now: now) {
        case .dropped(let reason):
            return reason
        case .nothing:
            return nil
        case .media(let sequence, let payload, let lostTooMuch):
            if lostTooMuch { repairsExhausted(at: place, of: publisher, now: now) }
            return accept(packet, sequence, bytes.extracting(payload), at: place, of: publisher, now: now)
        }
    }

    /// Puts a publisher's packet on its track's line, to leave with the next flush.
    func accept(
        _ packet: RTPPacket, _ extended: Int64, _ payload: borrowing RawSpan, at place: Source.Located,
        of publisher: Publisher, now: Instant
    ) -> DropReason? {
        guard payload.byteCount <= limits.maximumPayload else { return .tooLarge }
        let isNews = publisher.source.arrives(at: place, now: now)
        if isNews {
            events.append(.receiving(publisher.id, publisher.broadcast.id, publisher.source.received))
        }
        let keyframe = isKeyframeStart(
            codec: publisher.source.tracks[place.track].negotiated.codec.name, payload: payload)
        guard publisher.broadcast.succession.source === publisher else {
            return hold(packet, extended, payload, at: place, of: publisher, now: now)
        }
        let track = publisher.broadcast.tracks[publisher.source.tracks[place.track].target]
        follow(publisher, track: place.track, isNews: isNews, now: now)
        let encoding = track.encodings[place.encoding]
        if publisher.source.tracks[place.track].encodings[place.encoding].line == nil {
            let isNew = publisher.source.tracks[place.track].encodings[place.encoding].statistics.packets == 0
            if isNew, !track.isVideo, encoding.hasRecently(payload, now: now) { return .duplicate }
            let line = track.beginLine(
                of: place.encoding, sequence: extended, timestamp: packet.timestamp, now: now)
            if let point = publisher.source.place(line, at: place) {
                encoding.synchronise(at: point.at, timestamp: point.timestamp)
            }
        }
        if keyframe { putParameterSets(before: extended, packet, at: place, of: publisher, encoding, now: now) }
        guard let line = publisher.source.tracks[place.track].encodings[place.encoding].line,
            let sequence = line.sequence(of: extended)
        else { return .tooOld }
        switch encoding.accept(
            sequence: sequence, timestamp: packet.timestamp &+ line.timestampOffset, marker: packet.marker,
            keyframe: keyframe, payload: payload, now: now)
        {
        case .dropped(let reason):
            return reason
        case .accepted(let beginsKeyframe):
            publisher.source.count(packet, payloadBytes: payload.byteCount, at: place, keyframe: beginsKeyframe)
        }
        statistics.packetsIn += 1
        if publisher.source.flows(now: now) {
            publisher.transport.log.append(.flowing, at: now)
            events.append(.flowing(publisher.id, publisher.broadcast.id))
        }
        fanOut.mark(publisher.broadcast)
        return nil
    }

    /// Gives a keyframe on its way to the line the parameter sets that it came without.
    private func putParameterSets(
        before extended: Int64, _ packet: RTPPacket, at place: Source.Located, of publisher: Publisher,
        _ encoding: Encoding, now: Instant
    ) {
        guard
            let sets = publisher.source.insertParameterSets(before: extended, timestamp: packet.timestamp, at: place),
            let line = publisher.source.tracks[place.track].encodings[place.encoding].line
        else { return }
        for (i, unit) in sets.units.enumerated() {
            _ = unsafe encoding.accept(
                sequence: sets.first + Int64(i), timestamp: packet.timestamp &+ line.timestampOffset, marker: false,
                keyframe: false, payload: unit.span.bytes, now: now)
        }
    }

    private func repairsExhausted(at place: Source.Located, of publisher: Publisher, now: Instant) {
        publisher.transport.log.append(.repairsExhausted, at: now)
        let track = publisher.broadcast.tracks[publisher.source.tracks[place.track].target]
        guard track.isVideo, track.encodings.indices.contains(place.encoding) else { return }
        let encoding = track.encodings[place.encoding]
        if encoding.readers > 0 { encoding.keyframes.want(now: now) }
    }

    // MARK: - Out

    /// Sends what has been received since the last flush to every viewer, then what some of them lack, then the good-byes of
    /// sessions that were closed.
    /// true: the outbox is full; send it, empty it and call again.
    package func flush(now: Instant) -> Bool {
        while let broadcast = fanOut.next {
            guard fanOut.send(broadcast, to: outbox, &catchup, now: now) else { return true }
            // What its next source has brought goes out as well.
            if advanceSuccession(of: broadcast, now: now) { continue }
            fanOut.unmark(broadcast)
        }
        guard catchup.serve(to: outbox, now: now) else { return true }
        return !goodbyes.move(to: outbox)
    }
}
