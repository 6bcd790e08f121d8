/// What is known of the way to a peer that gives transport-wide feedback: how long packets queue on it, what gets through
/// while they do, and what gets lost. It controls nothing: it says whether there is too much on the link.
///
/// A *group* is what left within 5 ms, mostly one picture. Of a group's packets the one that queued least tells how long the
/// queue was before the group itself stood in it. Times are in µs.
package struct LinkEstimate {
    /// Queueing below it is noise.
    static let calm: Int64 = 20_000
    /// So much and growing is too much.
    static let long: Int64 = 60_000
    private static let reordering: Int64 = 40_000
    private static let groupTime: Int64 = 5_000
    /// What is judged of the past, in arrivals.
    private static let window: Int64 = 500_000
    private static let leastSpan: Int64 = 60_000

    private struct Group {
        var (firstSent, lastSent): (Int64, Int64)
        var (firstArrival, lastArrival): (Int64, Int64)
        /// The least one-way delay of its packets; the two clocks have nothing in common.
        var least: Int64
        var bytes: Int
    }

    private var log = SendLog()
    /// The newest last.
    private var groups: [Group] = []
    private static let mostGroups = 48
    /// The least one-way delay of the present five seconds, and of those before.
    private var floors: (now: Int64, before: Int64) = (.max, .max)
    private var floorBegan = Int64.min
    private var clock: (ticks: Int64, time: Int64)?
    private var newest = Int64(-1)
    /// What lies before has been counted as arrived or lost.
    private var settled = Int64(0)
    private var losses = LossWindow()
    /// What left before is not judged.
    private var judgedFrom = Int64.min
    /// Since when there has been no queue to speak of.
    package private(set) var calmSince: Instant?
    package private(set) var lastFeedback: Instant?
    private var probe = ProbeCount()
    private var lastProbe: UInt8 = 0

    package init() { groups.reserveCapacity(Self.mostGroups) }

    // MARK: Sending

    /// A packet leaves; its transport-wide number.
    /// - Parameter bytes: of RTP payload, which all rates here are in.
    package mutating func sent(bytes: Int, now: Instant) -> UInt16 {
        if probe.isOpen { probe.sent += 1 }
        return log.append(bytes: bytes, probe: probe.isOpen ? lastProbe : 0, now: now)
    }

    /// Of the next packet, extended; its low half is the transport-wide number.
    package var nextSequence: Int64 { log.next }

    // MARK: Feedback

    /// The peer's word on the packets from the number `base` on (`RTCPPart.readArrivals`). What it cannot know is ignored.
    package mutating func take(_ arrivals: [Int64], from base: UInt16, now: Instant) {
        lastFeedback = now
        for (i, ticks) in arrivals.enumerated() {
            guard let sequence = log.extended(base &+ UInt16(truncatingIfNeeded: i)) else { continue }
            take(sequence, ticks == TransportFeedback.missing ? nil : ticks, now: now)
        }
        settle(now: now)
        losses.note(isQueueing: queue >= Self.calm)
        if recentQueue < Self.calm { calmSince = calmSince ?? now } else { calmSince = nil }
        probe.noteQueue(queue)
    }

    private mutating func take(_ sequence: Int64, _ ticks: Int64?, now: Instant) {
        let entry = log[sequence]
        if entry.fate == .arrived || ticks == nil && entry.fate == .missing { return }
        let sent = log.sent(entry, now: now)
        log[sequence].fate = ticks == nil ? .missing : .arrived
        if sequence < settled {
            losses.count(at: sent, isLost: ticks == nil, wasLost: ticks != nil && entry.fate == .missing)
        }
        if entry.probe == lastProbe, entry.probe != 0 {
            probe.count(isLost: ticks == nil, wasLost: entry.fate == .missing)
        }
        guard let ticks else { return }
        let arrival = time(of: ticks)
        noteFloor(arrival &- sent, at: now.nanoseconds / 1_000)
        // One that was overtaken says nothing of the queue behind which the others stood.
        guard sequence > newest || groups.isEmpty else { return }
        newest = max(newest, sequence)
        join(sent: sent, arrival: arrival, bytes: Int(entry.bytes))
    }

    /// Counts what left so long before the newest that the missing is lost. What no feedback has told of is not counted: that
    /// may have been lost instead.
    private mutating func settle(now: Instant) {
        guard newest >= 0 else { return }
        settled = max(settled, log.next - Int64(SendLog.capacity))
        let newestSent = log.sent(log[newest], now: now)
        while settled < newest {
            let entry = log[settled]
            let sent = log.sent(entry, now: now)
            guard newestSent - sent >= Self.reordering else { return }
            if entry.fate != .unknown { losses.count(at: sent, isLost: entry.fate == .missing, wasLost: false) }
            settled += 1
        }
    }

    private mutating func time(of ticks: Int64) -> Int64 {
        let elapsed = clock.map { TransportFeedback.interval(from: $0.ticks, to: ticks).nanoseconds / 1_000 } ?? 0
        let time = (clock?.time ?? 0) &+ elapsed
        clock = (ticks, time)
        return time
    }

    private mutating func noteFloor(_ delay: Int64, at now: Int64) {
        if floorBegan == .min || now - floorBegan >= 5_000_000 { (floorBegan, floors) = (now, (.max, floors.now)) }
        floors.now = min(floors.now, delay)
    }

    private mutating func join(sent: Int64, arrival: Int64, bytes: Int) {
        if let last = groups.indices.last, sent - groups[last].firstSent <= Self.groupTime {
            groups[last].lastSent = sent
            groups[last].lastArrival = max(groups[last].lastArrival, arrival)
            groups[last].least = min(groups[last].least, arrival &- sent)
            groups[last].bytes += bytes
            return
        }
        if groups.count == Self.mostGroups { groups.removeFirst() }
        groups.append(
            Group(
                firstSent: sent, lastSent: sent, firstArrival: arrival, lastArrival: arrival, least: arrival &- sent,
                bytes: bytes))
    }

    // MARK: Judgement

    private var floor: Int64 { min(floors.now, floors.before) }
    private func queue(of group: Group) -> Int64 { max(0, group.least &- floor) }

    /// How long the newest group queued.
    var queue: Int64 { groups.last.map(queue) ?? 0 }
    /// The least of late: jitter is no queue.
    private var recentQueue: Int64 {
        guard let last = groups.last else { return 0 }
        return groups.reversed().prefix { last.lastArrival &- $0.lastArrival <= 150_000 }.reduce(.max) {
            min($0, queue(of: $1))
        }
    }

    package var queueDelay: Interval { .microseconds(queue) }

    /// Packets get lost that an idle link would not lose.
    package var isLosing: Bool { losses.isExcessive }

    /// The queue is long and still grows. It does so for a moment behind a large picture: whether that is too much,
    /// `capacity` says.
    package var isQueueGrowing: Bool {
        guard let last = groups.last, queue >= Self.long, let first = queuedGroups.first else { return false }
        let span = last.firstArrival &- first.firstArrival
        return span >= Self.leastSpan && queue(of: last) &- queue(of: first) >= span / 10
    }

    /// The newest ones, as far back as they all queued, and the one behind which the first of them did.
    private var queuedGroups: ArraySlice<Group> {
        guard let last = groups.last else { return [] }
        var start = groups.endIndex
        while start > groups.startIndex {
            let group = groups[start - 1]
            guard queue(of: group) >= Self.calm, group.firstSent >= judgedFrom,
                last.lastArrival &- group.firstArrival <= Self.window
            else { break }
            start -= 1
        }
        if start < groups.endIndex, start > groups.startIndex, groups[start - 1].firstSent >= judgedFrom { start -= 1 }
        return groups[start...]
    }

    /// Bytes per second that get through, measured while packets queue; nil: they do not.
    package var capacity: Int64? { capacity(less: 0) }
    /// The same if as much of the time as jitter may be was jitter.
    package var mostCapacity: Int64? { capacity(less: 10_000) }

    private func capacity(less jitter: Int64) -> Int64? {
        let queued = queuedGroups
        guard queued.count >= 2, let first = queued.first, let last = queued.last else { return nil }
        let span = last.lastArrival &- first.lastArrival
        guard span >= Self.leastSpan / 2 else { return nil }
        return Int64(queued.dropFirst().reduce(0) { $0 + $1.bytes }) * 1_000_000 / (span - jitter)
    }

    /// Bytes per second that arrived of late.
    package var acknowledgedRate: Int64? {
        guard let last = groups.last else { return nil }
        let recent = groups.drop { last.lastArrival &- $0.firstArrival > 2 * Self.leastSpan }
        guard let first = recent.first, last.lastArrival &- first.lastArrival >= Self.leastSpan else { return nil }
        return Int64(recent.dropFirst().reduce(0) { $0 + $1.bytes }) * 1_000_000
            / (last.lastArrival &- first.lastArrival)
    }

    /// Something else is sent from now on: what is under way of before says nothing of it.
    package mutating func judgeAnew(now: Instant) {
        judgedFrom = now.nanoseconds / 1_000
        // What the queue still loses meanwhile is of before.
        losses.judgeAnew(from: judgedFrom + 800_000)
        calmSince = nil
    }

    // MARK: Probes

    /// Packets from now on belong to a probe, until `endProbe`.
    package mutating func beginProbe() {
        lastProbe = lastProbe == .max ? 1 : lastProbe + 1
        probe = ProbeCount(isOpen: true, queueBefore: queue)
    }

    package mutating func endProbe() { probe.isOpen = false }

    package enum ProbeResult { case pending, passed, failed }

    /// What is known of the last probe by now.
    package var probeResult: ProbeResult {
        if probe.rise > ProbeCount.mostRise { return .failed }
        let known = probe.arrived + probe.lost
        guard !probe.isOpen, known > 0, known * 20 >= probe.sent * 19 else { return .pending }
        let lost = Double(probe.lost) - losses.inherent * Double(known)
        return lost <= max(1, Double(known) * 0.1) ? .passed : .failed
    }
}

/// Packets of one probe.
private struct ProbeCount {
    /// µs by which the queue may grow.
    static let mostRise: Int64 = 20_000

    var isOpen = false
    var queueBefore: Int64 = 0
    var sent = 0
    var arrived = 0
    var lost = 0
    private var queues: (newest: Int64, before: Int64) = (0, 0)

    init(isOpen: Bool = false, queueBefore: Int64 = 0) {
        (self.isOpen, self.queueBefore) = (isOpen, queueBefore)
        queues = (queueBefore, queueBefore)
    }

    mutating func count(isLost: Bool, wasLost: Bool) {
        if isLost { lost += 1 } else { arrived += 1 }
        if wasLost { lost -= 1 }
    }

    mutating func noteQueue(_ queue: Int64) { if arrived > 0 { queues = (queue, queues.newest) } }

    /// Of two reports in a row, so that one late packet is none.
    var rise: Int64 { min(queues.newest, max(queues.before, queues.newest - Self.mostRise)) - queueBefore }
}
