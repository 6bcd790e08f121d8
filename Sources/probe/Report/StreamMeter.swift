package import Forwarding
package import WebRTC

/// Turns the counters of one session, read again and again, into reports. Knows no clock.
package struct StreamMeter: Sendable {
    private let started: Instant
    private var latest: SessionStatistics
    private var reported: SessionStatistics
    private var reportedAt: Instant
    private var video = FrameMeter()
    private var drops = DropMeter()
    private var firstPacket: Instant?
    private var firstKeyframe: Instant?
    private let direction: SessionParameters.Direction
    package var answered: Instant?
    package var connected: Instant?

    /// - Parameter started: when the offer was sent.
    package init(started: Instant, direction: SessionParameters.Direction) {
        (self.started, self.direction, reportedAt) = (started, direction, started)
        (latest, reported) = (SessionStatistics(direction: direction), SessionStatistics(direction: direction))
    }

    /// Of all packets of all tracks.
    package var lateness: Lateness {
        latest.tracks.reduce(into: Lateness()) { $0.add($1.lateness) }
    }

    package var packets: UInt64 { latest.tracks.reduce(0) { $0 + $1.packets } }

    package mutating func sample(_ statistics: SessionStatistics, at now: Instant) {
        latest = statistics
        if firstPacket == nil, packets > 0 { firstPacket = now }
        for track in statistics.tracks where track.kind == .video {
            if firstKeyframe == nil, track.keyframes > 0 { firstKeyframe = now }
            video.sample(frames: track.frames, at: now)
        }
    }

    /// The counters of the worker that has this session alone.
    package mutating func sample(drops counts: [UInt64], unsent: UInt64 = 0) { drops.sample(counts, unsent: unsent) }

    /// A more exact time of the first packet than sampling gives.
    package mutating func flowing(since instant: Instant) { firstPacket = min(instant, firstPacket ?? instant) }

    /// Values since the last report.
    package mutating func second(at now: Instant) -> StreamReport {
        let before = reported
        defer {
            (reported, reportedAt) = (latest, now)
            // What is repaired after it was reported as lost makes up for a later loss: no second has less than none.
            for (i, track) in reported.tracks.enumerated() {
                let old = before.tracks.first { $0.kind == track.kind }
                reported.tracks[i].lost = max(track.lost, old?.lost ?? 0)
            }
        }
        var report = report(since: before, from: reportedAt, to: now)
        report.dropped = drops.second()
        return report
    }

    /// Values of the whole session, rates from its first packet on.
    package mutating func final(at now: Instant, reason: String) -> StreamReport {
        video.finish(at: now)
        var report = report(
            since: SessionStatistics(direction: direction), from: firstPacket ?? connected ?? started, to: now)
        (report.final, report.reason, report.dropped) = (true, reason, drops.total)
        return report
    }

    private func report(since old: SessionStatistics, from: Instant, to now: Instant) -> StreamReport {
        let seconds = max(1e-3, (now - from).seconds)
        func track(_ kind: MediaKind) -> StreamReport.Track? {
            guard let new = latest.tracks.first(where: { $0.kind == kind }) else { return nil }
            let old = old.tracks.first { $0.kind == kind } ?? TrackStatistics(kind: kind, codec: new.codec)
            func more(_ count: KeyPath<TrackStatistics, UInt64>) -> UInt64 {
                new[keyPath: count] - min(new[keyPath: count], old[keyPath: count])
            }
            let isVideo = kind == .video
            return .init(
                codec: new.codec.rawValue, bitrate: Int(Double(more(\.bytes)) * 8 / seconds),
                packets: more(\.packets), lost: max(0, new.lost - old.lost), repaired: more(\.repaired),
                nacks: more(\.nacks), keyframeRequests: isVideo ? more(\.keyframeRequests) : nil,
                jitterMs: new.jitter.rounded3, frames: isVideo ? more(\.frames) : nil,
                fps: isVideo ? (Double(more(\.frames)) / seconds * 10).rounded() / 10 : nil,
                keyframes: isVideo ? more(\.keyframes) : nil,
                late: direction == .source ? .init(new.lateness.since(old.lateness)) : nil)
        }
        let isWatching = direction == .source
        return StreamReport(
            final: false, time: (now - started).seconds.rounded3,
            session: connected == nil ? "connecting" : "connected",
            video: track(.video), audio: track(.audio), roundTripMs: latest.roundTrip?.rounded3,
            answeredMs: after(answered), connectedMs: after(connected), firstPacketMs: after(firstPacket),
            firstKeyframeMs: after(firstKeyframe), freezes: isWatching ? video.freezes : nil,
            frozenMs: isWatching ? (video.frozen.seconds * 1_000).rounded3 : nil,
            longestGapMs: isWatching ? (video.longestGap.seconds * 1_000).rounded3 : nil, reason: nil)
    }

    private func after(_ instant: Instant?) -> Double? { instant.map { (($0 - started).seconds * 1_000).rounded3 } }
}
