import WebRTC

/// The live pass: what has been received since the last flush goes to every stream that stands at the head of its line,
/// viewer by viewer, so that one viewer's packets lie in a row.
struct FanOut {
    /// More than this behind its keyframe a stream does not start; it waits for the next one.
    private static let maximumStartPackets = 256
    private static let maximumEqualising = 16

    /// NTP time at `Instant.zero`.
    private let ntpOrigin: UInt64
    /// Packets sent since the beginning.
    private(set) var packets: UInt64 = 0
    /// Broadcasts with packets to send, or with a succession to reconsider.
    private var marked: [Broadcast] = []
    private var batch: [LinePacket] = []
    /// How far it has come that the outbox was too small for.
    private var cursor = (track: 0, encoding: 0, stream: 0)

    init(ntpOrigin: UInt64) {
        self.ntpOrigin = ntpOrigin
        batch.reserveCapacity(256)
        marked.reserveCapacity(64)
    }

    /// The next flush sees to it.
    mutating func mark(_ broadcast: Broadcast) {
        if broadcast.isMarked { return }
        broadcast.isMarked = true
        marked.append(broadcast)
    }

    /// What is to be seen to next.
    var next: Broadcast? { marked.last }

    mutating func unmark(_ broadcast: Broadcast) {
        broadcast.isMarked = false
        marked.removeLast()
    }

    /// Sends all that is pending of a broadcast; streams that begin are left to `catchup`. false: the outbox
    /// is full; to be called again when it is empty.
    mutating func send(_ broadcast: Broadcast, to outbox: Outbox, _ catchup: inout Catchup, now: Instant) -> Bool {
        while cursor.track < broadcast.tracks.count {
            let track = broadcast.tracks[cursor.track]
            while cursor.encoding < track.encodings.count {
                let encoding = track.encodings[cursor.encoding]
                if encoding.readers > 0, !encoding.pending.isEmpty {
                    if cursor.stream == 0 { prepareBatch(of: encoding) }
                    guard send(track, to: outbox, &catchup, now: now) else { return false }
                }
                encoding.clearPending()
                (cursor.encoding, cursor.stream) = (cursor.encoding + 1, 0)
            }
            cursor = (cursor.track + 1, 0, 0)
        }
        cursor = (0, 0, 0)
        return true
    }

    private mutating func prepareBatch(of encoding: Encoding) {
        batch.removeAll(keepingCapacity: true)
        for sequence in encoding.pending {
            if let packet = LinePacket(sequence, of: encoding, index: cursor.encoding) { batch.append(packet) }
        }
        equaliseLengths()
    }

    /// Pads packets up to a slightly longer neighbour: senders split a frame into parts that differ by a few bytes, and
    /// only equal datagrams share a GSO run.
    private mutating func equaliseLengths() {
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

    /// Sends the batch of the encoding at the cursor. false: the outbox had no room for the stream there.
    private mutating func send(_ track: Track, to outbox: Outbox, _ catchup: inout Catchup, now: Instant) -> Bool {
        while cursor.stream < track.streams.count {
            let index = cursor.stream
            guard track.streams[index].concerns(cursor.encoding) else {
                cursor.stream += 1
                continue
            }
            let viewer = track.streams[index].viewer
            // An empty outbox is as much room as there will ever be.
            guard outbox.isEmpty || outbox.hasRoom(for: batch.count + viewer.records.count) else { return false }
            if let srtp = viewer.transport.srtp, let remote = viewer.transport.remote {
                switch track.streams[index].position {
                case _ where track.streams[index].encoding != cursor.encoding:
                    begin(track, stream: index, to: outbox, &catchup, now: now)
                case .head:
                    for i in batch.indices
                    where track.streams[index].send(batch[i], srtp: srtp, to: remote, outbox: outbox, now: now) {
                        packets += 1
                    }
                case .behind(let next):
                    // What came late for where it has been already; the rest it gets in its turn.
                    for i in batch.indices
                    where batch[i].sequence < next
                        && track.streams[index].send(batch[i], srtp: srtp, to: remote, outbox: outbox, now: now)
                    { packets += 1 }
                case .paused: break
                case .waiting:
                    begin(track, stream: index, to: outbox, &catchup, now: now)
                }
            }
            cursor.stream += 1
        }
        return true
    }

    /// Lets a stream that waits for the encoding at the cursor begin, or go over to it, if the batch has what it waits for (a
    /// keyframe, or any audio) or the source has just brought one. A keyframe whose first packet came late by repair has
    /// followers that went by already, so it begins behind the head.
    private func begin(_ track: Track, stream index: Int, to outbox: Outbox, _ catchup: inout Catchup, now: Instant) {
        let encoding = track.encodings[cursor.encoding]
        let awaited = batch.first { $0.sequence >= encoding.formatStart && (!track.isVideo || $0.keyframe) }
        guard let start = awaited?.sequence ?? encoding.recentStart(now: now), let newest = encoding.history.newest
        else { return }
        // H.264 flags the parameter sets and the picture after them: the picture alone is of no use.
        let first = track.isVideo ? encoding.history.keyframeStart(of: start) : start
        guard newest - first < Int64(Self.maximumStartPackets) else { return }
        let (viewer, r) = (track.streams[index].viewer, Int(track.streams[index].record))
        viewer.records[r].burst?.cut(at: track.streams[index].line.next, now: now)
        self.start(viewer, record: r, encoding: cursor.encoding, at: first, to: outbox, &catchup, now: now)
    }

    /// A stream begins at `first` of an encoding, behind the head, when it is `due`.
    ///
    /// - Parameter burst: the one in which it begins.
    func start(
        _ viewer: Viewer, record r: Int, encoding: Int, at first: Int64, in burst: Burst? = nil, due: Instant = .zero,
        to outbox: Outbox, _ catchup: inout Catchup, now: Instant
    ) {
        let record = viewer.records[r]
        let track = viewer.broadcast.tracks[record.track]
        // One that begins again has its place among those that lag.
        let isServed = if case .behind = track.streams[record.index].position { true } else { false }
        let own = track.encodings[encoding]
        let isBurst = burst != nil || record.burst?.isUnderWay == true
        let time = isBurst ? own.edge(at: now) : own.history.entry(first)?.timestamp
        let offsets = track.offsets(
            of: record, viewer: viewer, from: first, of: encoding, leavingAt: time ?? own.edge(at: now), now: now)
        // What has left so far had its time by the former burst.
        if let burst { viewer.records[r].burst = burst }
        // One that goes on to read the same may be on its way to another.
        if track.streams[record.index].encoding != encoding { track.turn(stream: record.index, to: encoding) }
        track.streams[record.index].start(encoding: encoding, at: first, offsets: offsets)
        viewer.transport.log.append(.sinkStarted(track.format.kind), at: now)
        // The receiver can place the stream in time from its first frame on.
        viewer.sendReports(to: outbox, ntpOrigin: ntpOrigin, now: now)
        if isServed {
            catchup.postpone(viewer, record: r, until: due)
        } else {
            catchup.add(viewer, record: r, due: due)
        }
    }
}
