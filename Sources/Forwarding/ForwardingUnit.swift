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
/// The data path, top to bottom, is this file: receive → receiveRTP → accept → flush → fanOut.
package final class ForwardingUnit {
    package struct Configuration: Sendable {
        package var identity: DTLSIdentity
        package var limits: Limits
        package var seed: UInt64
        /// 64-bit NTP time (RFC 5905 §6) at `Instant.zero`, for sender reports.
        package var ntpOrigin: UInt64

        package init(identity: DTLSIdentity, limits: Limits = Limits(), seed: UInt64, ntpOrigin: UInt64) {
            (self.identity, self.limits, self.seed, self.ntpOrigin) = (identity, limits, seed, ntpOrigin)
        }
    }

    /// Datagrams to send. The caller sends them and calls `removeAll()`.
    package let outbox: Outbox

    let limits: Limits
    let context: DTLSContext
    let ntpOrigin: UInt64
    var random: SeededGenerator
    var broadcasts: [BroadcastID: Broadcast] = [:]
    var sessions: [SessionID: Session] = [:]
    var byAddress: [TransportAddress: Session] = [:]
    var byUfrag: [UInt64: Session] = [:]
    var deadlines = DeadlineQueue()
    var handshakes = HandshakeQueue()
    var events: [Event] = []
    var goodbyes = Goodbyes()
    var statistics = UnitStatistics()
    /// Broadcasts with packets to fan out, and how far the fan-out has come.
    private var dirty: [Broadcast] = []
    private var cursor = FanOutCursor()
    private var batch: [LinePacket] = []

    package convenience init(_ configuration: Configuration) throws(DTLSError) {
        self.init(configuration, context: try DTLSContext(identity: configuration.identity))
    }

    /// - Parameter context: of the configuration's identity.
    init(_ configuration: Configuration, context: DTLSContext, outbox: Outbox = Outbox()) {
        limits = configuration.limits
        (self.context, self.outbox) = (context, outbox)
        ntpOrigin = configuration.ntpOrigin
        random = SeededGenerator(seed: configuration.seed)
        batch.reserveCapacity(256)
        dirty.reserveCapacity(64)
    }

    /// Sessions and their broadcast refer to each other as long as they live.
    deinit {
        for broadcast in broadcasts.values { broadcast.abandon() }
        for session in sessions.values { session.broadcast.abandon() }
    }

    package var nextDeadline: Instant { handshakes.isEmpty ? deadlines.next : .zero }

    package func takeEvents() -> [Event] {
        guard !events.isEmpty else { return [] }
        defer { events = [] }
        return events
    }

    func count(_ reason: DropReason, session: Session? = nil) {
        statistics.drops[Int(reason.rawValue)] += 1
        session?.dropped += 1
    }

    // MARK: - Datagram in

    /// One datagram, exactly as it arrived; media is decrypted in place. What comes of it leaves with `flush`, but for the
    /// steps of a handshake, which wait for `advance`.
    package func receive(_ datagram: inout MutableRawSpan, from source: TransportAddress, now: Instant) {
        statistics.datagramsIn += 1
        statistics.bytesIn += UInt64(datagram.byteCount)
        let kind = DatagramClass.classify(datagram.bytes)
        guard let session = owner(of: datagram.bytes, kind, from: source) else { return }
        switch kind {
        case .dtls where session.phase == .connecting:
            if !handshakes.append(datagram.bytes, from: source, of: session) {
                count(.handshakesBusy, session: session)
            }
        case .rtp where session.source == nil:
            // Not worth a decryption.
            count(.wrongDirection, session: session)
        case .rtcp where !session.budget.datagrams.take(FeedbackBudget.datagrams, now: now):
            refuse(.feedbackBudget, of: session, now: now)
        default:
            take(&datagram, of: session, from: source, now: now)
        }
    }

    /// A datagram whose turn it is.
    func take(_ datagram: inout MutableRawSpan, of session: Session, from source: TransportAddress, now: Instant) {
        let received = session.peer.receive(&datagram, from: source, now: now, outbox: outbox)
        take(received, in: datagram.bytes, from: source, on: session, now: now)
    }

    /// What a session's transport made of a datagram: of media, `bytes` begin with the plain packet.
    func take(
        _ received: PeerConnection.Received, in bytes: borrowing RawSpan, from source: TransportAddress,
        on session: Session, now: Instant
    ) {
        switch received {
        case .rtp(let length):
            if let reason = receiveRTP(bytes.extracting(0..<length), on: session, now: now) {
                count(reason, session: session)
                tell(reason, of: bytes.extracting(0..<length), on: session, now: now)
            }
        case .rtcp(let length):
            receiveRTCP(bytes.extracting(0..<length), on: session, now: now)
        case .control(let authenticated):
            if authenticated { remember(source, for: session, now: now) }
            follow(session, now: now)
        case .dropped(.outboxFull):
            break  // an answer without room, which the outbox counts
        case .dropped(let reason):
            count(reason, session: session)
        }
        schedule(session)
    }

    /// Who gets a datagram: the session that owns its source address, or, for STUN, the one whose user fragment it
    /// names. A stranger's datagram costs a parse and a look-up, and allocates nothing.
    private func owner(
        of bytes: borrowing RawSpan, _ kind: DatagramClass, from source: TransportAddress
    ) -> Session? {
        guard kind == .stun else {
            if let known = byAddress[source] { return known }
            count(kind == .unknown ? .unclassified : .unknownSource)
            return nil
        }
        guard let message = STUNMessage.parse(bytes) else {
            count(.malformedSTUN)
            return nil
        }
        if let key = message.localUfragKey(in: bytes), let session = byUfrag[key] { return session }
        // Responses to our own checks carry no USERNAME: they come from where a check was sent to.
        if message.messageClass != .request, let session = byAddress[source] { return session }
        count(message.messageClass == .request ? .unknownUfrag : .unexpectedSTUN)
        return nil
    }

    /// Media and DTLS from `address` belong to `session` from now on, unless another session's peer lives there: a check
    /// proves who sends it, not from where.
    func remember(_ address: TransportAddress, for session: Session, now: Instant) {
        if let owner = byAddress[address] {
            if owner === session || owner.isAlive(at: address, now: now) { return }
            owner.addresses.removeAll { $0 == address }
        }
        byAddress[address] = session
        session.addresses.append(address)
        if session.addresses.count > Session.maximumAddresses,
            let oldest = session.addresses.firstIndex(where: { $0 != session.peer.remote })
        {
            byAddress[session.addresses.remove(at: oldest)] = nil
        }
    }

    // MARK: - RTP in

    private func receiveRTP(_ bytes: borrowing RawSpan, on session: Session, now: Instant) -> DropReason? {
        guard session.source != nil else { return .wrongDirection }
        guard let packet = RTPPacket.parse(bytes) else { return .malformedRTP }
        let located = session.source!.locate(packet, in: bytes)
        session.source!.recordTransportSequence(packet, of: located?.track, in: bytes, now: now)
        guard let place = located else { return .unknownStream }
        if session.source!.changesCodec(packet, at: place, now: now), session.broadcast.source === session {
            changeFormats(of: session.broadcast, to: session.source!.formats, now: now)
        }
        switch session.source!.receive(packet, at: place, in: bytes, now: now) {
        case .dropped(let reason):
            return reason
        case .nothing:
            return nil
        case .media(let sequence, let payload, let lostTooMuch):
            if lostTooMuch { repairsExhausted(at: place, on: session, now: now) }
            return accept(packet, sequence, bytes.extracting(payload), at: place, on: session, now: now)
        }
    }

    /// Puts a source's packet on its track's line, to leave with the next flush.
    func accept(
        _ packet: RTPPacket, _ extended: Int64, _ payload: borrowing RawSpan, at place: Source.Located,
        on session: Session, now: Instant
    ) -> DropReason? {
        guard payload.byteCount <= limits.maximumPayload else { return .tooLarge }
        if session.source!.arrives(at: place, now: now) {
            events.append(.receiving(session.id, session.broadcast.id, session.source!.received))
        }
        let keyframe = isKeyframeStart(
            codec: session.source!.tracks[place.track].negotiated.codec.name, payload: payload)
        guard session.source!.forwards(extended, keyframe: keyframe, at: place, now: now) else {
            return .unwantedEncoding
        }
        guard session.broadcast.source === session else {
            return hold(packet, extended, payload, at: place, on: session, now: now)
        }
        let track = session.broadcast.tracks[session.source!.tracks[place.track].target]
        if session.source!.tracks[place.track].encodings[place.encoding].line == nil {
            let isNew = session.source!.tracks[place.track].encodings[place.encoding].statistics.packets == 0
            if isNew, !track.isVideo, track.hasRecently(payload, now: now) { return .duplicate }
            let line = track.beginLine(sequence: extended, timestamp: packet.timestamp, now: now)
            if let point = session.source!.place(line, at: place) {
                track.synchronise(at: point.at, timestamp: point.timestamp)
            }
        }
        if keyframe { putParameterSets(before: extended, packet, at: place, on: session, track, now: now) }
        guard let line = session.source!.tracks[place.track].encodings[place.encoding].line,
            let sequence = line.sequence(of: extended)
        else { return .tooOld }
        switch track.accept(
            sequence: sequence, timestamp: packet.timestamp &+ line.timestampOffset, marker: packet.marker,
            keyframe: keyframe, payload: payload, now: now)
        {
        case .dropped(let reason):
            return reason
        case .accepted(let beginsKeyframe):
            session.source!.count(packet, payloadBytes: payload.byteCount, at: place, keyframe: beginsKeyframe)
        }
        statistics.packetsIn += 1
        if session.source!.flows(now: now) {
            session.peer.log.append(.flowing, at: now)
            events.append(.flowing(session.id, session.broadcast.id))
        }
        markDirty(session.broadcast)
        return nil
    }

    /// Gives a keyframe on its way to the line the parameter sets that it came without.
    private func putParameterSets(
        before extended: Int64, _ packet: RTPPacket, at place: Source.Located, on session: Session,
        _ track: BroadcastTrack, now: Instant
    ) {
        guard
            let sets = session.source!.insertParameterSets(before: extended, timestamp: packet.timestamp, at: place),
            let line = session.source!.tracks[place.track].encodings[place.encoding].line
        else { return }
        for (i, unit) in sets.units.enumerated() {
            _ = unsafe track.accept(
                sequence: sets.first + Int64(i), timestamp: packet.timestamp &+ line.timestampOffset, marker: false,
                keyframe: false, payload: unit.span.bytes, now: now)
        }
    }

    private func repairsExhausted(at place: Source.Located, on session: Session, now: Instant) {
        session.peer.log.append(.repairsExhausted, at: now)
        let track = session.broadcast.tracks[session.source!.tracks[place.track].target]
        if track.isVideo, !track.sinks.isEmpty { track.keyframes.want(now: now) }
    }

    func markDirty(_ broadcast: Broadcast) {
        if !dirty.contains(where: { $0 === broadcast }) { dirty.append(broadcast) }
    }

    // MARK: - Fan-out

    /// How far a fan-out has come that the outbox was too small for.
    private struct FanOutCursor {
        var track = 0
        var sink = 0
    }

    /// Sends what has been received since the last flush to every sink, viewer by viewer, so that one viewer's packets
    /// lie in a row, then the good-byes of sessions that were closed. true: the outbox is full; send it, empty it and call
    /// again.
    package func flush(now: Instant) -> Bool {
        while let broadcast = dirty.last {
            while cursor.track < broadcast.tracks.count {
                let track = broadcast.tracks[cursor.track]
                if !track.pending.isEmpty {
                    if cursor.sink == 0 { prepareBatch(of: track) }
                    guard fanOut(track, now: now) else { return true }
                    track.pending.removeAll(keepingCapacity: true)
                }
                cursor = FanOutCursor(track: cursor.track + 1, sink: 0)
            }
            cursor = FanOutCursor()
            if broadcast.successor != nil, advanceSuccession(of: broadcast, now: now) { continue }
            dirty.removeLast()
        }
        return !goodbyes.move(to: outbox)
    }

    private func prepareBatch(of track: BroadcastTrack) {
        batch.removeAll(keepingCapacity: true)
        for sequence in track.pending {
            guard let entry = track.history.entry(sequence) else { continue }
            unsafe batch.append(LinePacket(entry: entry, payload: track.history.payload(of: entry)))
        }
        equaliseLengths()
    }

    /// Pads packets up to a slightly longer neighbour: senders split a frame into parts that differ by a few bytes, and
    /// only equal datagrams share a GSO run.
    private func equaliseLengths() {
        var start = 0
        while start < batch.count {
            var (shortest, longest) = (batch[start].length, batch[start].length)
            var end = start + 1
            while end < batch.count {
                let (least, most) = (min(shortest, batch[end].length), max(longest, batch[end].length))
                guard most - least <= Self.maximumEqualising else { break }
                (shortest, longest, end) = (least, most, end + 1)
            }
            // The last of a run may be shorter without padding.
            for i in start..<max(start, end - 1) where batch[i].length > 0 {
                batch[i].padding = longest - batch[i].length
            }
            start = end
        }
    }

    private static let maximumEqualising = 16

    /// false: the outbox had no room for the sink at the cursor.
    private func fanOut(_ track: BroadcastTrack, now: Instant) -> Bool {
        while cursor.sink < track.sinks.count {
            // An empty outbox is as much room as there will ever be.
            guard outbox.isEmpty || outbox.hasRoom(for: batch.count) else { return false }
            let index = cursor.sink
            let session = track.sinks[index].session
            if let srtp = session.peer.srtp, let remote = session.peer.remote {
                switch track.sinks[index].phase {
                case .playing:
                    for i in batch.indices { send(batch[i], to: index, of: track, srtp: srtp, remote: remote) }
                case .waiting:
                    guard begin(track, sink: index, srtp: srtp, remote: remote, now: now) else { return false }
                }
            }
            cursor.sink += 1
        }
        return true
    }

    /// Lets a waiting sink begin, if the batch has what it waits for (a keyframe, or any audio) or the source has just
    /// brought one. false: no room.
    private func begin(
        _ track: BroadcastTrack, sink index: Int, srtp: SRTPSession, remote: TransportAddress, now: Instant
    ) -> Bool {
        let awaited = batch.first { $0.sequence >= track.formatStart && (!track.isVideo || $0.keyframe) }
        guard let start = awaited?.sequence ?? track.recentStart(now: now), let newest = track.history.newest
        else { return true }
        // H.264 flags the parameter sets and the picture after them: the picture alone is of no use.
        let first = track.isVideo ? track.history.keyframeStart(of: start) : start
        guard newest - first < Int64(Self.maximumStartPackets) else { return true }
        // A sender report for each stream goes before them.
        let count = Int(newest - first) + 1 + track.sinks[index].session.sinkPlaces.count
        guard outbox.isEmpty || outbox.hasRoom(for: count) else { return false }
        track.sinks[index].start(at: first)
        let session = track.sinks[index].session
        session.peer.log.append(.sinkStarted(track.format.kind), at: now)
        // The receiver can place the stream in time from its first frame on.
        sendReports(of: session, now: now)
        // A keyframe whose first packet came late by repair has followers that went by already: they are sent now.
        for sequence in first...newest {
            guard let entry = track.history.entry(sequence) else { continue }
            let packet = unsafe LinePacket(entry: entry, payload: track.history.payload(of: entry))
            send(packet, to: index, of: track, srtp: srtp, remote: remote)
        }
        return true
    }

    @inline(__always)
    private func send(
        _ packet: LinePacket, to sink: Int, of track: BroadcastTrack, srtp: SRTPSession, remote: TransportAddress
    ) {
        if track.sinks[sink].send(packet, srtp: srtp, to: remote, outbox: outbox) { statistics.packetsOut += 1 }
    }

    /// More than this behind its keyframe a sink does not start; it waits for the next one.
    private static let maximumStartPackets = 256
}
