import WebRTC

/// The lagging pass: who stands behind the head of a line gets what it lacks from the history, after the live pass, and within
/// a budget per turn that all share. Streams that begin, and packets that viewers ask for again.
struct Catchup {
    /// Some milliseconds of work.
    static let packetsPerTurn = 4_096
    /// Numbers asked for that wait. Beyond that they are ignored; the viewer asks again.
    static let mostMissing = 16_384

    private struct Reader {
        let viewer: Viewer
        /// Index in the broadcast.
        let track: Int
    }

    private struct Missing {
        let viewer: Viewer
        let track: Int
        let number: SequenceNumber
    }

    /// Packets sent since the beginning, repairs included.
    private(set) var packets: UInt64 = 0
    private(set) var repairs: UInt64 = 0
    /// A packet older than this is not sent again.
    private let historyAge: Interval
    private var readers: [Reader] = []
    private var missing: [Missing] = []
    /// How far this turn has come.
    private var (doneReaders, doneMissing) = (0, 0)
    private var budget = packetsPerTurn
    private var turn = Instant.zero

    init(historyAge: Interval) { self.historyAge = historyAge }

    /// Nobody lags.
    var isEmpty: Bool { readers.isEmpty && missing.isEmpty }

    /// The viewer's stream of `track` stands behind the head of its line.
    mutating func add(_ viewer: Viewer, track: Int) { readers.append(Reader(viewer: viewer, track: track)) }

    /// The viewer asks for packets of `track` again.
    mutating func repair(_ numbers: some Collection<SequenceNumber>, of viewer: Viewer, track: Int) {
        for number in numbers.prefix(Self.mostMissing - missing.count) {
            missing.append(Missing(viewer: viewer, track: track, number: number))
        }
    }

    /// Another turn, with a budget of its own.
    mutating func refill() { budget = Self.packetsPerTurn }

    /// Sends what the budget allows. false: the outbox is full; to be called again when it is empty.
    mutating func serve(to outbox: Outbox, now: Instant) -> Bool {
        if isEmpty { return true }
        if turn < now {
            turn = now
            refill()
        }
        guard serveReaders(to: outbox), serveMissing(to: outbox, now: now) else { return false }
        readers.removeFirst(doneReaders)
        missing.removeFirst(doneMissing)
        (doneReaders, doneMissing) = (0, 0)
        return true
    }

    private mutating func serveReaders(to outbox: Outbox) -> Bool {
        while doneReaders < readers.count, budget > 0 {
            let reader = readers[doneReaders]
            guard serve(reader.viewer, track: reader.track, to: outbox) else { return false }
            if budget > 0 { doneReaders += 1 }
        }
        return true
    }

    /// Brings one stream to the head of its line, or as far as the budget goes. false: no room.
    private mutating func serve(_ viewer: Viewer, track t: Int, to outbox: Outbox) -> Bool {
        let track = viewer.broadcast.tracks[t]
        guard let index = viewer.records[t]?.index, case .behind(var next) = track.streams[index].position,
            let encoding = track.streams[index].line.encoding, let newest = track.encodings[encoding].history.newest,
            let srtp = viewer.transport.srtp, let remote = viewer.transport.remote
        else { return true }
        next = max(next, newest - Int64(track.encodings[encoding].history.slots))
        while next <= newest, budget > 0 {
            guard outbox.isEmpty || outbox.hasRoom(for: 1) else { return false }
            if let packet = LinePacket(next, of: track.encodings[encoding], index: encoding) {
                budget -= 1
                if track.streams[index].send(packet, srtp: srtp, to: remote, outbox: outbox) { packets += 1 }
            }
            next += 1
            track.streams[index].hasRead(to: next)
        }
        if next > newest { track.streams[index].reachedHead() }
        return true
    }

    private mutating func serveMissing(to outbox: Outbox, now: Instant) -> Bool {
        while doneMissing < missing.count, budget > 0 {
            guard outbox.isEmpty || outbox.hasRoom(for: 1) else { return false }
            if repair(missing[doneMissing], to: outbox, now: now) {
                budget -= 1
                packets += 1
                repairs += 1
            }
            doneMissing += 1
        }
        return true
    }

    /// By RTX or by the same packet again; false: not to be had. What the history lacks has been asked for upstream already,
    /// and goes out to every viewer when it comes.
    private func repair(_ missing: Missing, to outbox: Outbox, now: Instant) -> Bool {
        let (viewer, t) = (missing.viewer, missing.track)
        let track = viewer.broadcast.tracks[t]
        guard let record = viewer.records[t], let srtp = viewer.transport.srtp, let remote = viewer.transport.remote
        else { return false }
        let stream = track.streams[record.index]
        let number = missing.number.extended(near: stream.line.next)
        guard let origin = stream.line.origin(of: number), track.encodings.indices.contains(origin.encoding) else {
            return false
        }
        let encoding = track.encodings[origin.encoding]
        guard origin.sequence >= encoding.formatStart, let entry = encoding.history.entry(origin.sequence),
            entry.arrival >= now - historyAge,
            let packet = LinePacket(origin.sequence, of: encoding, index: origin.encoding),
            viewer.records[t]!.repairs.take(FeedbackBudget.repairs, now: now)
        else { return false }
        let place = OutgoingLine.Place(number: number, offsets: origin.offsets)
        if let rtx = record.rtx, let type = rtx.payloadType {
            guard stream.sendRTX(packet, at: place, on: rtx, type: type, srtp: srtp, to: remote, outbox: outbox)
            else { return false }
            viewer.records[t]!.rtx!.next += 1
        } else {
            guard stream.repeatPacket(packet, at: place, srtp: srtp, to: remote, outbox: outbox) else { return false }
        }
        viewer.records[t]!.repaired()
        return true
    }
}
