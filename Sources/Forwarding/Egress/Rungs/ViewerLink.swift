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
    private var changed = Instant.zero
    private var raised: Instant?
    /// Since the last feedback, packets that have left: how many, the last when.
    private var unanswered = (count: 0, last: Instant.zero)
    private var roundTrip = Interval.zero

    /// A packet of RTP payload leaves; its transport-wide number.
    mutating func sent(_ bytes: Int, now: Instant) -> UInt16 {
        unanswered = (unanswered.count + 1, now)
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
    ///   - beside: bytes per second of other media.
    mutating func judge(_ rungs: [Rung], current: Int, isSteady: Bool, beside: Int64, now: Instant) -> Verdict {
        if isTooMuch(rungs[current], beside, now: now) { return yield(rungs, current, isSteady, beside, now: now) }
        if !isSteady, estimate.isQueueGrowing, let capacity = estimate.capacity { return .slower(capacity * 9 / 10) }
        if probe != nil { return followProbe(current, now: now) }
        guard current + 1 < rungs.count, isSteady, now >= schedule.next,
            now >= changed + (raised == changed ? Self.holdAfterRaise : Self.hold),
            let calmSince = estimate.calmSince, now >= calmSince + Self.calm
        else { return .stays }
        let need = rungs[current + 1].need + beside
        let rate = max(need + need * 3 / 20, rungs[current].need + beside + Probe.leastRaise)
        beginProbe(.blink, rate: rate - beside, now: now)
        return .stays
    }

    /// When it is to be judged without a word of the viewer.
    var nextDeadline: Instant {
        let silence = unanswered.count >= Self.manyUnanswered ? silenceEnds : .distantFuture
        return min(silence, probe?.nextDeadline ?? .distantFuture)
    }

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
        (changed, raised) = (now, nil)
        estimate.judgeAnew(now: now)
        return .down(to: fitting, pace: rate * 13 / 20)
    }

    /// He says nothing although he has been sent something: nothing may get there.
    private func isSilent(now: Instant) -> Bool { unanswered.count >= Self.manyUnanswered && now >= silenceEnds }

    private var silenceEnds: Instant {
        guard let last = estimate.lastFeedback, unanswered.last - last >= Self.leastSilence / 2 else {
            return .distantFuture
        }
        return last + max(Self.leastSilence, roundTrip * 3)
    }

    // MARK: Room for more

    private mutating func beginProbe(_ stage: Probe.Stage, rate: Int64, now: Instant) {
        estimate.beginProbe()
        probe = Probe(stage: stage, rate: rate, now: now)
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
                beginProbe(.long, rate: probe.rate, now: now)
                return .stays
            }
            endProbe(failed: false, now: now)
            (changed, raised) = (now, now)
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

    /// Nothing is tried any more: what is sent is another's choice.
    mutating func abandonProbe() {
        if probe != nil { estimate.endProbe() }
        probe = nil
    }
}
