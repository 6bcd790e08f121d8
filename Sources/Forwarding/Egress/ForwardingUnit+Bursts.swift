import WebRTC

/// A viewer sees the newest group of pictures at once, instead of waiting for the next.
extension ForwardingUnit {
    /// Lets a stream of video begin, or go on, at the newest keyframe of an encoding. false: it has to wait for one.
    ///
    /// - Parameters:
    ///   - pace: bytes per second that its link carries, where that is known.
    ///   - wait: for so long nothing is sent.
    func beginInBurst(
        _ viewer: Viewer, record r: Int, encoding: Int, pace: Int64? = nil, after wait: Interval = .zero, now: Instant
    ) -> Bool {
        let record = viewer.records[r]
        let track = viewer.broadcast.tracks[record.track]
        // What a node above does not send at present, its newest group is not.
        if let supply = viewer.broadcast.supply(of: record.track), supply.isPausedAbove(encoding) { return false }
        guard let start = track.encodings[encoding].burstStart(mendedWithin: Self.repairTime, now: now)
        else { return false }
        let line = track.streams[record.index].line
        let burst = Burst(
            encoding: encoding, first: line.next, after: record.burst, pace: pace, roundTrip: viewer.roundTrip,
            now: now)
        let due = line.encoding == nil ? now + Burst.patience : now + wait
        fanOut.start(
            viewer, record: r, encoding: encoding, at: start, in: burst, due: due, to: outbox, &catchup, now: now)
        return true
    }

    /// Whether a wish for a keyframe is answered, or soon will be, by the group again: the viewer lacks the first packets of
    /// its stream, which it cannot know of, and the publisher need not encode one for that.
    func replaysGroup(for viewer: Viewer, record r: Int, now: Instant) -> Bool {
        let record = viewer.records[r]
        let track = viewer.broadcast.tracks[record.track]
        let encoding = track.streams[record.index].encoding
        // One that has gone over to another encoding since then has begun there with a keyframe of its own time.
        guard record.burst?.encoding == encoding, record.burst?.mayReplay(now: now) == true else { return false }
        // A hole in the keyframe alarms browsers, too, but then they have asked for what is missing, and it is on its way.
        if let last = record.lastRepair, now < last + viewer.roundTrip + Self.alarmTime,
            viewer.records[r].burst!.isFalseAlarm()
        {
            return true
        }
        // A group with a hole is no help: the hole may be what it asks for.
        guard let start = track.encodings[encoding].burstStart(mendedWithin: Self.alarmTime, now: now) else {
            return false
        }
        let first = track.streams[record.index].line.next
        guard viewer.records[r].burst!.replay(first: first, roundTrip: viewer.roundTrip, now: now) else { return true }
        fanOut.start(viewer, record: r, encoding: encoding, at: start, due: now, to: outbox, &catchup, now: now)
        return true
    }

    /// What is missing for longer is lost.
    private static let repairTime = Interval.seconds(Int64(1))
    private static let alarmTime = Interval.milliseconds(100)
}
