import WebRTC

/// One encoding of a track on one worker: a single continuous line of sequence numbers and timestamps, on which the packets
/// of all its sources lie one after another, and the history of that line.
///
/// A source that comes back, a relay that moves to another origin: each begins where the line ended, so no viewer can tell.
final class Encoding {
    let isVideo: Bool
    /// RTP timestamp units per second.
    private(set) var clockRate: UInt32
    /// What lies before it on the line is of another codec, and of no use any more.
    private(set) var formatStart: Int64 = 0
    private(set) var history: PacketHistory
    var keyframes = KeyframeRequests()
    /// Streams that read it, or are about to.
    var readers = 0
    /// Line sequence numbers accepted since the last flush.
    private(set) var pending: [Int64] = []
    private(set) var rate = MeasuredRate()
    /// How the line's timestamps relate to our NTP clock; nil before the first packet.
    private(set) var clock: MediaClock?
    private var lastTimestamp: UInt32 = 0
    private var lastArrival = Instant.zero
    private var lastKeyframeTimestamp: UInt32?
    /// Of the newest pictures' timestamps, the newest and the one before.
    private var pictureIntervals = (newest: UInt32(0), before: UInt32(0))
    /// The present source's part of the line: its first number, and when it began.
    private var stretch = (first: Int64(0), began: Instant.zero)

    init(format: TrackFormat, limits: Limits) {
        (isVideo, clockRate) = (format.kind == .video, format.codec.clockRate)
        history = PacketHistory(
            byteCapacity: isVideo ? limits.videoHistoryBytes : limits.audioHistoryBytes,
            slots: isVideo ? limits.videoHistoryPackets : limits.audioHistoryPackets)
        pending.reserveCapacity(256)
    }

    var isEmpty: Bool { history.newest == nil }
    /// The newest packet is the last of its picture.
    var endsPicture: Bool {
        guard let newest = history.newest else { return true }
        return history.entry(newest)?.marker == true
    }

    /// Starts a source's stretch of the line with its first packet.
    func beginLine(sequence: Int64, timestamp: UInt32, now: Instant) -> SourceLine {
        let next = (history.newest ?? -1) + 1
        let offset = next + (isVideo ? Self.room : 0) - sequence
        stretch = (next, now)
        pictureIntervals = (0, 0)
        guard !isEmpty else { return SourceLine(sequenceOffset: offset, timestampOffset: 0, first: next) }
        let elapsed = max(1, ticks(in: now - lastArrival))
        let target = lastTimestamp &+ UInt32(truncatingIfNeeded: elapsed)
        clock = nil
        return SourceLine(sequenceOffset: offset, timestampOffset: target &- timestamp, first: next)
    }

    /// Numbers left free before the first packet of a stretch of video, for those that it overtook: the keyframe's first
    /// packet may be one of them. Streams begin behind the hole.
    private static let room: Int64 = 64

    /// The next packets of the line are of another codec.
    func change(to codec: CodecFormat) {
        clockRate = codec.clockRate
        formatStart = (history.newest ?? -1) + 1
    }

    /// Where a stream of video begins that comes right after the source: at the keyframe with which that came. The source
    /// has just been asked for one, so the next is up to a second away; and nodes that lost the same hub come together.
    func recentStart(now: Instant) -> Int64? {
        guard isVideo, now - stretch.began < Self.startsTogether, let start = history.groupStart,
            start >= max(stretch.first, formatStart)
        else { return nil }
        return start
    }

    /// Where a stream of video may begin at once, to be brought to the live edge in a burst: the newest keyframe, if the
    /// group is whole and worth it. nil: it waits for the next one.
    /// - Parameter mendedWithin: what is missing for no longer may still be repaired.
    func burstStart(mendedWithin time: Interval, now: Instant) -> Int64? {
        guard isVideo, let start = history.groupStart, let newest = history.newest,
            start >= max(stretch.first, formatStart), now - lastArrival < Self.longestPause
        else { return nil }
        return isWhole(start...newest, mendedWithin: time, now: now) ? start : nil
    }

    /// Whether nothing is missing but what may still be repaired.
    private func isWhole(_ range: ClosedRange<Int64>, mendedWithin time: Interval, now: Instant) -> Bool {
        var isMissing = false
        for sequence in range {
            if let entry = history.entry(sequence) {
                if isMissing, now - entry.arrival > time { return false }
                isMissing = false
            } else {
                isMissing = true
            }
        }
        return true
    }

    /// A source that pauses has a picture to show for so long; a slide that changes every few seconds is shown.
    private static let longestPause = Interval.seconds(Int64(10))

    /// Where the line is at `now`: the newest picture's timestamp and the time since, always before the next picture's.
    func edge(at now: Instant) -> UInt32 {
        let interval = min(pictureIntervals.newest, pictureIntervals.before)
        let since = max(0, min(ticks(in: now - lastArrival), Int64(interval) - 1))
        return lastTimestamp &+ UInt32(since)
    }

    private static let startsTogether = Interval.seconds(Int64(1))

    /// Whether the line has this very payload already, from less than a second ago: over a longer way a new source
    /// brings the last packets of its predecessor again.
    func hasRecently(_ payload: borrowing RawSpan, now: Instant) -> Bool {
        guard let newest = history.newest else { return false }
        for sequence in ((newest - Self.overlapPackets)...newest).reversed() {
            guard let entry = history.entry(sequence) else { continue }
            guard now - entry.arrival < Self.overlap else { return false }
            if history.holds(payload, as: entry) { return true }
        }
        return false
    }

    private static let overlap = Interval.seconds(Int64(1))
    private static let overlapPackets: Int64 = 200

    enum Accepted {
        /// `beginsKeyframe`: the first packet of one, however many of its packets say so.
        case accepted(beginsKeyframe: Bool)
        case dropped(DropReason)
    }

    /// Puts one packet on the line, to go out with the next flush.
    /// - Parameter keyframe: whether it starts one.
    func accept(
        sequence: Int64, timestamp: UInt32, marker: Bool, keyframe: Bool, payload: borrowing RawSpan, now: Instant
    ) -> Accepted {
        if history.entry(sequence) != nil { return .dropped(.duplicate) }
        guard
            history.insert(
                sequence: sequence, timestamp: timestamp, marker: marker, keyframe: keyframe, arrival: now,
                payload: payload)
        else { return .dropped(.tooOld) }
        pending.append(sequence)
        rate.count(payload.byteCount, now: now)
        let beginsKeyframe = keyframe && timestamp != lastKeyframeTimestamp
        if keyframe {
            lastKeyframeTimestamp = timestamp
            keyframes.keyframeArrived(now: now)
        }
        if history.newest == sequence {
            lastArrival = now
            // Pictures may be sent out of order (B-frames): the line ends at the latest.
            let ahead = Int64(Int32(bitPattern: timestamp &- lastTimestamp))
            if ahead > 0 {
                pictureIntervals = (UInt32(clamping: min(ahead, Int64(clockRate))), pictureIntervals.newest)
            }
            if ahead > 0 || ahead < -Int64(clockRate) { lastTimestamp = timestamp }
        }
        if clock == nil { clock = MediaClock(at: now, timestamp: timestamp) }
        return .accepted(beginsKeyframe: beginsKeyframe)
    }

    /// What was pending has been sent.
    func clearPending() { pending.removeAll(keepingCapacity: true) }

    /// A sender report of the source, already moved to our clock and this line.
    func synchronise(at instant: Instant, timestamp: UInt32) {
        clock = MediaClock(at: instant, timestamp: timestamp)
    }

    /// The line's timestamp at `now`, for sender reports; nil before the first packet.
    func timestamp(at now: Instant) -> UInt32? {
        clock.map { $0.timestamp &+ UInt32(truncatingIfNeeded: ticks(in: now - $0.at)) }
    }

    /// The same as far as packets tell, where no clock does.
    func time(at now: Instant) -> UInt32 { timestamp(at: now) ?? edge(at: now) }

    private func ticks(in interval: Interval) -> Int64 {
        let rate = Int64(clockRate)
        let seconds = interval.nanoseconds / 1_000_000_000
        return seconds &* rate &+ (interval.nanoseconds % 1_000_000_000) &* rate / 1_000_000_000
    }
}

/// One point through which the straight line "RTP timestamp over time" goes.
struct MediaClock {
    var at: Instant
    var timestamp: UInt32
}
