import WebRTC

/// The lagging pass: who stands behind the head of a line gets what it lacks from the history, after the live pass, and within
/// a budget per turn that all share. Streams that begin, in a burst at its pace or at once, and packets that viewers ask for
/// again.
struct Catchup {
    /// Some milliseconds of work.
    static let packetsPerTurn = 4_096
    /// Numbers asked for that wait. Beyond that they are ignored; the viewer asks again.
    static let mostMissing = 16_384

    private struct Reader {
        let viewer: Viewer
        /// Index of the stream's record.
        let record: Int
        /// It has its turn.
        var due = Instant.zero
        var isDone = false
    }

    private struct Missing {
        let viewer: Viewer
        let record: Int
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
    /// When the next one has its turn; `.zero`: at once.
    private(set) var nextDeadline = Instant.distantFuture

    /// A stream of the viewer's stands behind the head of its line.
    /// - Parameter due: when it begins; `.zero`: at once.
    mutating func add(_ viewer: Viewer, record: Int, due: Instant = .zero) {
        nextDeadline = min(nextDeadline, due)
        readers.append(Reader(viewer: viewer, record: record, due: due))
    }

    /// One that has been added begins anew.
    mutating func postpone(_ viewer: Viewer, record: Int, until due: Instant) {
        guard let i = readers.firstIndex(where: { $0.viewer === viewer && $0.record == record && !$0.isDone })
        else { return }
        readers[i].due = max(readers[i].due, due)
    }

    /// The viewer asks for packets of a stream again.
    mutating func repair(_ numbers: some Collection<SequenceNumber>, of viewer: Viewer, record: Int) {
        for number in numbers.prefix(Self.mostMissing - missing.count) {
            missing.append(Missing(viewer: viewer, record: record, number: number))
        }
        if !missing.isEmpty { nextDeadline = .zero }
    }

    /// Another turn, with a budget of its own.
    mutating func refill() { budget = Self.packetsPerTurn }

    /// Sends what the budget allows. false: the outbox is full; to be called again when it is empty.
    mutating func serve(to outbox: Outbox, now: Instant) -> Bool {
        if isEmpty {
            nextDeadline = .distantFuture
            return true
        }
        if turn < now {
            turn = now
            refill()
        }
        guard serveReaders(to: outbox, now: now), serveMissing(to: outbox, now: now) else { return false }
        readers.removeAll(where: \.isDone)
        missing.removeFirst(doneMissing)
        (doneReaders, doneMissing) = (0, 0)
        nextDeadline = missing.isEmpty ? readers.reduce(.distantFuture) { min($0, $1.due) } : .zero
        return true
    }

    private mutating func serveReaders(to outbox: Outbox, now: Instant) -> Bool {
        while doneReaders < readers.count, budget > 0 {
            if readers[doneReaders].due <= now, !readers[doneReaders].isDone {
                switch serve(readers[doneReaders], to: outbox, now: now) {
                case .done: readers[doneReaders].isDone = true
                case .paced: readers[doneReaders].due = now + Burst.tick
                case .budgetSpent: return true
                case .outboxFull: return false
                }
            }
            doneReaders += 1
        }
        return true
    }

    private enum Served { case done, paced, budgetSpent, outboxFull }

    /// Brings one stream to the head of its line, or as far as it may go.
    private mutating func serve(_ reader: Reader, to outbox: Outbox, now: Instant) -> Served {
        let (viewer, r) = (reader.viewer, reader.record)
        guard viewer.records.indices.contains(r) else { return .done }
        let track = viewer.broadcast.tracks[viewer.records[r].track]
        let index = viewer.records[r].index
        guard case .behind(var next) = track.streams[index].position,
            let encoding = track.streams[index].line.encoding, let newest = track.encodings[encoding].history.newest,
            let srtp = viewer.transport.srtp, let remote = viewer.transport.remote
        else { return .done }
        let isPaced = viewer.records[r].burst?.isUnderWay == true
        let edge = isPaced ? track.encodings[encoding].edge(at: now) : nil
        let rate = track.encodings[encoding].rate.bytesPerSecond
        next = max(next, newest - Int64(track.encodings[encoding].history.slots))
        let group = isPaced ? track.encodings[encoding].history.groupStart : nil
        while next <= newest {
            // A keyframe that has come meanwhile makes what lies before it worthless.
            if let group, next < group, track.encodings[encoding].history.entry(next - 1)?.marker == true {
                track.streams[index].skip(encoding: encoding, to: group)
                next = group
            }
            guard budget > 0 else { return .budgetSpent }
            guard outbox.isEmpty || outbox.hasRoom(for: 1) else { return .outboxFull }
            if let packet = LinePacket(next, of: track.encodings[encoding], index: encoding) {
                if isPaced, viewer.records[r].burst?.take(packet.length, encodingRate: rate, now: now) == false {
                    return .paced
                }
                budget -= 1
                if track.streams[index].send(packet, edge: edge, srtp: srtp, to: remote, outbox: outbox, now: now) {
                    packets += 1
                }
            }
            next += 1
            track.streams[index].hasRead(to: next)
        }
        if isPaced {
            let endsPicture = track.encodings[encoding].endsPicture
            let number = track.streams[index].line.next
            if viewer.records[r].burst?.reachedHead(endsPicture: endsPicture, next: number, now: now) == false {
                return .paced
            }
        }
        track.streams[index].reachedHead(afterBurst: viewer.records[r].burst != nil)
        return .done
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
        let (viewer, r) = (missing.viewer, missing.record)
        guard viewer.records.indices.contains(r), let srtp = viewer.transport.srtp,
            let remote = viewer.transport.remote
        else { return false }
        let record = viewer.records[r]
        let track = viewer.broadcast.tracks[record.track]
        let stream = track.streams[record.index]
        let number = missing.number.extended(near: stream.line.next)
        guard let origin = stream.line.origin(of: number), track.encodings.indices.contains(origin.encoding) else {
            return false
        }
        let encoding = track.encodings[origin.encoding]
        // A link that has become too slow for an encoding is not filled with what it lacks of that: another's keyframe comes.
        if viewer.link != nil, origin.encoding != stream.line.encoding { return false }
        guard origin.sequence >= encoding.formatStart, let entry = encoding.history.entry(origin.sequence),
            entry.arrival >= now - historyAge || record.burst?.covers(number) == true,
            let packet = LinePacket(origin.sequence, of: encoding, index: origin.encoding),
            viewer.records[r].repairs.take(FeedbackBudget.repairs, now: now)
        else { return false }
        var place = OutgoingLine.Place(number: number, offsets: origin.offsets)
        guard viewer.stampRepair(&place, of: packet, record: r) else { return false }
        if let rtx = record.rtx, let type = rtx.payloadType {
            guard
                stream.sendRTX(packet, at: place, on: rtx, type: type, srtp: srtp, to: remote, outbox: outbox, now: now)
            else { return false }
            viewer.records[r].rtx!.next += 1
        } else {
            guard stream.repeatPacket(packet, at: place, srtp: srtp, to: remote, outbox: outbox, now: now) else {
                return false
            }
        }
        viewer.records[r].repaired(now: now)
        return true
    }
}
