import WebRTC

/// One encoding of a track, as a step of quality.
struct Rung: Equatable {
    /// Its index in the track.
    var encoding: Int
    /// Bytes of RTP payload per second that a link has to have room for.
    var need: Int64
}

/// The way to a viewer whose video has several encodings: what it carries, and which of them he gets for that.
///
/// It is no rate that follows the link but three answers (docs/decisions/0024): is this rung too much, is there room for the
/// next one, and how fast may a burst be.
///
///     too much          ──► the highest rung that fits, at once
///     calm for a while  ──► probe the next one: a blink of 25 ms, then 300 ms ──► up, or later again
struct ViewerLink {
    enum Verdict: Equatable {
        case stays
        /// To that rung, its group of pictures at no more than so many bytes per second.
        case down(to: Int, pace: Int64)
        case up(to: Int)
        /// The rung is right, the burst in which it begins is not.
        case slower(Int64)
    }

    private static let hold = Interval.seconds(Int64(2))
    private static let holdAfterRaise = Interval.seconds(Int64(1))
    private static let calm = Interval.seconds(Int64(1))
    private static let distrust = Interval.seconds(Int64(5))
    private static let manyUnanswered = 10
    private static let leastSilence = Interval.milliseconds(700)

    var estimate = LinkEstimate()
    private(set) var probe: Probe?
    private(set) var schedule = ProbeSchedule()
    /// Those who had to step down together do not try together.
    private let spread: Interval
    private var changed = Instant.zero
    /// When he came to the rung to which he was raised.
    private var raised: Instant?
    private var (isRising, wasRaised) = (false, false)
    /// Packets that have left since the last feedback: how many, the first when.
    private var unanswered = (count: 0, first: Instant.zero)
    private var roundTrip = Interval.zero
    private var judged = Instant.zero

    init(spread: Interval = .zero) { self.spread = spread }

    /// A packet of RTP payload leaves; its transport-wide number.
    mutating func sent(_ bytes: Int, now: Instant) -> UInt16 {
        if unanswered.count == 0 { unanswered.first = now }
        unanswered.count += 1
        probe?.sent += bytes
        return estimate.sent(bytes: bytes, now: now)
    }

    mutating func take(_ arrivals: [Int64], from base: UInt16, roundTrip: Interval, now: Instant) {
        self.roundTrip = roundTrip
        unanswered.count = 0
        estimate.take(arrivals, from: base, now: now)
    }

    /// What is to be done, as far as is known now.
    ///
    /// - Parameters:
    ///   - rungs: the lowest first.
    ///   - current: where the viewer is among them, or on his way to.
    ///   - isSteady: he stands at a live edge, not in a burst.
    ///   - isThere: it is that of `current`.
    ///   - beside: bytes per second of other media.
    mutating func judge(
        _ rungs: [Rung], current: Int, isSteady: Bool, isThere: Bool, beside: Int64, now: Instant
    ) -> Verdict {
        judged = now
        if isRising, isThere { (isRising, raised) = (false, now) }
        if isTooMuch(rungs[current], beside, now: now) { return yield(rungs, current, isSteady, beside, now: now) }
        if !isSteady, estimate.isQueueGrowing, let capacity = estimate.capacity { return .slower(capacity * 9 / 10) }
        let next = current + 1 < rungs.count ? rungs[current + 1] : nil
        // What is tried may end meanwhile, or no longer be the next.
        if let probe, probe.encoding != next?.encoding { abandonProbe() }
        if probe != nil { return followProbe(current, now: now) }
        if let next, isSteady, mayProbe(now: now) {
            let need = next.need + beside
            let rate = max(need + need * 3 / 20, rungs[current].need + beside + Probe.leastRaise)
            beginProbe(.blink, of: next.encoding, rate: rate - beside, now: now)
        }
        return .stays
    }

    /// There is nothing to decide.
    mutating func rest(now: Instant) {
        judged = now
        unanswered.count = 0
        abandonProbe()
    }

    /// When it is to be judged without a word of the viewer.
    var nextDeadline: Instant {
        let silence = unanswered.count >= Self.manyUnanswered ? silenceEnds : .distantFuture
        return max(judged + Self.pause, min(silence, probe?.nextDeadline ?? .distantFuture))
    }

    /// What is due is not due again at once.
    private static let pause = Interval.milliseconds(4)

    // MARK: Too much

    /// What gets through a growing queue is all that does: less than the rung takes, and it is too much.
    private func isTooMuch(_ rung: Rung, _ beside: Int64, now: Instant) -> Bool {
        if estimate.isLosing || isSilent(now: now) { return true }
        guard estimate.isQueueGrowing, let capacity = estimate.mostCapacity else { return false }
        return capacity < rung.need + beside
    }

    private mutating func yield(
        _ rungs: [Rung], _ current: Int, _ isSteady: Bool, _ beside: Int64, now: Instant
    ) -> Verdict {
        if probe != nil { endProbe(failed: true, now: now) }
        // What gets through a queue is all that does; what arrived of late may have been more than that.
        var rate = estimate.capacity.map { $0 * 19 / 20 } ?? (estimate.acknowledgedRate ?? 0) * 17 / 20
        if isSilent(now: now) { rate /= 2 }
        let room = rate * 19 / 20 - beside
        // A tenth for repairs.
        let fitting = rungs.lastIndex { $0.need + $0.need / 10 <= room } ?? 0
        unanswered.count = 0
        guard fitting < current else { return isSteady ? .stays : .slower(rate) }
        if let raised, now < raised + Self.distrust { schedule.distrust(now: now) }
        (changed, raised, isRising, wasRaised) = (now, nil, false, false)
        estimate.judgeAnew(now: now)
        return .down(to: fitting, pace: rate * 13 / 20)
    }

    /// He says nothing although he has been sent something: nothing may get there.
    private func isSilent(now: Instant) -> Bool { unanswered.count >= Self.manyUnanswered && now >= silenceEnds }

    private var silenceEnds: Instant {
        guard let last = estimate.lastFeedback else { return .distantFuture }
        return max(last, unanswered.first) + max(Self.leastSilence, roundTrip * 3)
    }

    // MARK: Room for more

    private func mayProbe(now: Instant) -> Bool {
        guard let calmSince = estimate.calmSince else { return false }
        let hold = wasRaised ? Self.holdAfterRaise : Self.hold + spread
        return now >= schedule.next && now >= changed + hold && now >= calmSince + Self.calm
    }

    private mutating func beginProbe(_ stage: Probe.Stage, of encoding: Int, rate: Int64, now: Instant) {
        estimate.beginProbe()
        probe = Probe(stage: stage, encoding: encoding, rate: rate, now: now)
    }

    private mutating func followProbe(_ current: Int, now: Instant) -> Verdict {
        guard let probe else { return .stays }
        if probe.hasSent(now: now) { estimate.endProbe() }
        switch estimate.probeResult {
        case .pending:
            if now >= probe.ends + roundTrip * 2 + Self.leastSilence { endProbe(failed: true, now: now) }
            return .stays
        case .failed:
            endProbe(failed: true, now: now)
            return .stays
        case .passed:
            guard probe.hasSent(now: now) else { return .stays }
            guard probe.stage == .long else {
                beginProbe(.long, of: probe.encoding, rate: probe.rate, now: now)
                return .stays
            }
            endProbe(failed: false, now: now)
            (changed, isRising, wasRaised) = (now, true, true)
            return .up(to: current + 1)
        }
    }

    private mutating func endProbe(failed: Bool, now: Instant) {
        guard let probe else { return }
        estimate.endProbe()
        if failed { schedule.failed(probe.stage, now: now) } else { schedule.passed(now: now) }
        self.probe = nil
    }

    /// Bytes that the probe wants to leave now, beside the media.
    mutating func dueProbe(now: Instant) -> Int { probe?.due(now: now) ?? 0 }

    private mutating func abandonProbe() {
        if probe != nil { estimate.endProbe() }
        probe = nil
    }
}
