import WebRTC

/// How a viewer gets from the beginning of a cached group of pictures to the live edge: paced, and each picture under the
/// moment at which it leaves. Its own time would make the receiver's jitter buffer believe that the network was slow.
///
/// Media that comes meanwhile joins the queue's end; when the queue is empty pictures carry their own time again. The stamps
/// are remembered for as long as a packet may be repaired, since a repair is of the same time.
struct Burst {
    /// While nothing is known of the viewer's link: so many times what the encoding takes.
    static let pace: Int64 = 4
    /// Bytes per second, whatever the encoding takes.
    static let leastRate: Int64 = 256 << 10
    /// A receiver may not be ready for media when its handshake is: Firefox drops what comes in the first milliseconds, and a
    /// node what comes with the handshake's last flight.
    static let patience = Interval.milliseconds(20)
    /// What may leave at once.
    static let quantum = Interval.milliseconds(10)
    private static let leastTokens: Int64 = 3_000
    /// How long it waits for room.
    static let tick = Interval.milliseconds(5)
    /// A viewer that asks for a keyframe within this time has not seen the beginning, which no NACK can bring: it is the
    /// first packets that it lacks.
    static let replayWindow = Interval.seconds(Int64(10))
    static let mostReplays = 5
    private static let replayPause = Interval.milliseconds(150)
    private static let longestPause = Interval.seconds(Int64(1))

    /// One picture's timestamp.
    private struct Stamp {
        /// Outgoing numbers of what has left of it. Nothing of another picture lies between.
        var first: Int64
        var last: Int64
        /// As it lies on the encoding's line.
        var timestamp: UInt32
        /// What is added.
        var delta: UInt32
    }

    /// Index of the encoding on whose line its stamps are.
    let encoding: Int
    private let began: Instant
    /// It, or its last replay.
    private var started: Instant
    private var ended: Instant?
    /// Since that was last looked at something has left that came late.
    private var leftLate = false
    private var falseAlarms = 0
    private var nextReplay: Instant
    /// Outgoing numbers of the stream's bursts before this one: of their stamps nothing is known any more.
    private let forgotten: Range<Int64>
    /// In the order of their numbers.
    private var stamps: [Stamp] = []
    /// Outgoing numbers from the beginning of the burst, or of a replay, to its end; `.max` while it goes on.
    private var runs: [Range<Int64>]
    /// Bytes per second that the link carries, where that is known.
    private var most: Int64?
    private var tokens = leastTokens
    private var filled: Instant

    /// - Parameters:
    ///   - first: its first outgoing number.
    ///   - former: the stream's burst before it.
    ///   - roundTrip: to the viewer, as far as it is known. What he asks for sooner, he asks without having seen any of this.
    init(
        encoding: Int = 0, first: Int64, after former: Burst? = nil, pace: Int64? = nil, roundTrip: Interval,
        now: Instant
    ) {
        (self.encoding, most) = (encoding, pace)
        runs = [first..<Int64.max]
        forgotten = former.map { $0.oldest..<max($0.oldest, min(first, $0.runs.last!.upperBound)) } ?? first..<first
        (began, started, filled, nextReplay) = (now, now, now, now + Self.patience + roundTrip * 3 / 4)
    }

    /// The queue has run empty. false: a picture is of one time, and the rest of this one is still to come. Of a publisher who
    /// marks no ends of pictures nobody can say that, and it ends all the same.
    ///
    /// - Parameter next: the outgoing number of the first packet that leaves under its own time.
    mutating func reachedHead(endsPicture: Bool, next: Int64, now: Instant) -> Bool {
        guard endsPicture || now > started + Self.longest else { return false }
        ended = now
        endRun(at: next)
        return true
    }

    /// The lowest number that is not of the line's own time.
    private var oldest: Int64 { forgotten.isEmpty ? runs[0].lowerBound : forgotten.lowerBound }

    /// What leaves under `next` and higher numbers is of another encoding, and of that one's own time.
    mutating func cut(at next: Int64, now: Instant) {
        guard isUnderWay else { return }
        ended = now
        endRun(at: next)
    }

    private mutating func endRun(at next: Int64) {
        guard isUnderWay, let run = runs.last, next >= run.lowerBound else { return }
        runs[runs.count - 1] = run.lowerBound..<next
    }

    private static let longest = Interval.seconds(Int64(20))

    /// It, or a replay, has not come to the live edge yet.
    var isUnderWay: Bool { runs.last?.upperBound == .max }

    /// Nobody asks any more for what was sent in it. To be asked from time to time.
    mutating func isOver(now: Instant, historyAge: Interval) -> Bool {
        guard ended != nil else { return false }
        if leftLate { (ended, leftLate) = (now, false) }
        return now >= max(began + Self.replayWindow, ended! + historyAge + .milliseconds(1))
    }

    /// A viewer who has just been sent what was missing may have asked for a keyframe for want of that; for a while.
    mutating func isFalseAlarm() -> Bool {
        falseAlarms += 1
        return falseAlarms <= Self.mostFalseAlarms
    }

    private static let mostFalseAlarms = 2

    /// The viewer has not seen the beginning: whether it gets it again.
    ///
    /// - Parameters:
    ///   - first: the outgoing number of the beginning.
    ///   - roundTrip: to the viewer, as far as it is known.
    mutating func replay(first: Int64, roundTrip: Interval, now: Instant) -> Bool {
        guard mayReplay(now: now), now >= nextReplay else { return false }
        endRun(at: first)
        runs.append(first..<Int64.max)
        (started, ended, falseAlarms) = (now, nil, 0)
        let pause = min(Self.longestPause, Self.replayPause * (1 << Int64(replays - 1)))
        nextReplay = now + pause + roundTrip
        return true
    }

    private var replays: Int { runs.count - 1 }

    /// A wish for a keyframe is this burst's to fulfil, if not now.
    func mayReplay(now: Instant) -> Bool { replays < Self.mostReplays && now < began + Self.replayWindow }

    /// The packet left in this burst, however long ago it came in.
    func covers(_ number: Int64) -> Bool { runs.contains { $0.contains(number) } }

    // MARK: Pace

    /// Whether a packet may leave now.
    /// - Parameter encodingRate: bytes per second that the encoding takes, as far as it is known.
    mutating func take(_ bytes: Int, encodingRate: Int64?, now: Instant) -> Bool {
        let own = max(Self.leastRate, (encodingRate ?? 0) * Self.pace)
        // Slower than the encoding it would never arrive.
        let rate = min(own, self.most.map { max($0, (encodingRate ?? 0) * 5 / 4) } ?? own)
        let most = max(Self.leastTokens, rate * Self.quantum.nanoseconds / 1_000_000_000)
        let new = (now - filled).nanoseconds.multipliedReportingOverflow(by: rate)
        tokens = new.overflow ? most : min(most, tokens + new.partialValue / 1_000_000_000)
        filled = now
        guard tokens > 0 else { return false }
        tokens -= Int64(bytes)
        return true
    }

    /// The link carries no more than so many bytes per second.
    mutating func limit(to rate: Int64) { most = rate }

    // MARK: Time

    /// What is added to the timestamp of a packet that leaves now, in its turn, while the burst is under way: its picture leaves
    /// now.
    ///
    /// - Parameters:
    ///   - timestamp: its own, on the encoding's line.
    ///   - edge: where that line is now.
    mutating func delta(of timestamp: UInt32, number: Int64, edge: UInt32) -> UInt32 {
        precondition(isUnderWay, "a burst that is over gives nobody a time")
        // What left before this run is of no picture of its.
        if let last = stamps.last, let run = runs.last, last.last >= run.lowerBound, last.timestamp == timestamp {
            stamps[stamps.count - 1].last = number
            return last.delta
        }
        var stamp = Int32(bitPattern: edge &- timestamp) > 0 ? edge : timestamp
        if let last = stamps.last {
            let least = last.timestamp &+ last.delta &+ 1
            if Int32(bitPattern: stamp &- least) < 0 { stamp = least }
        }
        stamps.append(Stamp(first: number, last: number, timestamp: timestamp, delta: stamp &- timestamp))
        return stamp &- timestamp
    }

    /// The same of a packet that comes late, when those behind it have left. A picture of which nothing has left yet lies right
    /// behind the one before it. nil: it does not belong there, and cannot leave.
    mutating func delta(ofLate timestamp: UInt32, number: Int64) -> UInt32? {
        guard let run = runs.last(where: { $0.contains(number) }) else { return forgotten.contains(number) ? nil : 0 }
        leftLate = true
        let next = place(behind: number)
        // What left before this run is of no picture of its.
        guard next > 0, stamps[next - 1].last >= run.lowerBound else { return joins(next, timestamp, number) }
        let before = stamps[next - 1]
        if number <= before.last { return before.timestamp == timestamp ? before.delta : nil }
        if before.timestamp == timestamp {
            stamps[next - 1].last = number
            return before.delta
        }
        if let known = joins(next, timestamp, number) { return known }
        let delta = before.timestamp &+ before.delta &+ 1 &- timestamp
        stamps.insert(Stamp(first: number, last: number, timestamp: timestamp, delta: delta), at: next)
        return delta
    }

    /// Of a picture whose first packets come late.
    private mutating func joins(_ index: Int, _ timestamp: UInt32, _ number: Int64) -> UInt32? {
        guard index < stamps.count, stamps[index].timestamp == timestamp else { return nil }
        stamps[index].first = number
        return stamps[index].delta
    }

    /// What was added to the timestamp of a packet that left as `number`. nil: nobody can say, and it must not leave again:
    /// it has to be the same packet (`Stream.Form.repeatable`).
    func delta(ofSent timestamp: UInt32, number: Int64) -> UInt32? {
        guard covers(number) else { return forgotten.contains(number) ? nil : 0 }
        let next = place(behind: number)
        guard next > 0, number <= stamps[next - 1].last, stamps[next - 1].timestamp == timestamp else { return nil }
        return stamps[next - 1].delta
    }

    /// Of the first picture that begins behind `number`.
    private func place(behind number: Int64) -> Int {
        var (low, high) = (0, stamps.count)
        while low < high {
            let middle = (low + high) / 2
            if stamps[middle].first <= number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
