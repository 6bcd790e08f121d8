package import Forwarding
package import WebRTC

/// Turns the counters of one session, read again and again, into reports. Knows no clock.
package struct StreamMeter: Sendable {
    private let started: Instant
    private var latest: SessionStatistics
    private var reported: SessionStatistics
    private var reportedAt: Instant
    private var video = FrameMeter()
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

    package var packets: UInt64 { latest.tracks.reduce(0) { $0 + $1.packets } }

    package mutating func sample(_ statistics: SessionStatistics, at now: Instant) {
        latest = statistics
        if firstPacket == nil, packets > 0 { firstPacket = now }
        for track in statistics.tracks where track.kind == .video {
            if firstKeyframe == nil, track.keyframes > 0 { firstKeyframe = now }
            video.sample(frames: track.frames, at: now)
        }
    }

    /// A more exact time of the first packet than sampling gives.
    package mutating func flowing(since instant: Instant) { firstPacket = min(instant, firstPacket ?? instant) }

    /// Values since the last report.
    package mutating func second(at now: Instant) -> StreamReport {
        defer { (reported, reportedAt) = (latest, now) }
        return report(since: reported, from: reportedAt, to: now)
    }

    /// Values of the whole session, rates from its first packet on.
    package mutating func final(at now: Instant, reason: String) -> StreamReport {
        video.finish(at: now)
        var report = report(
            since: SessionStatistics(direction: direction), from: firstPacket ?? connected ?? started, to: now)
        (report.final, report.reason) = (true, reason)
        return report
    }

    private func report(since old: SessionStatistics, from: Instant, to now: Instant) -> StreamReport {
        let seconds = max(1e-3, (now - from).seconds)
        func track(_ kind: MediaKind) -> StreamReport.Track? {
            guard let new = latest.tracks.first(where: { $0.kind == kind }) else { return nil }
            let old = old.tracks.first { $0.kind == kind } ?? TrackStatistics(kind: kind, codec: new.codec)
            let frames = new.frames &- old.frames
            let isVideo = kind == .video
            return .init(
                codec: new.codec.rawValue, bitrate: Int(Double(new.bytes &- old.bytes) * 8 / seconds),
                packets: new.packets &- old.packets, lost: new.lost - old.lost, repaired: new.repaired &- old.repaired,
                nacks: new.nacks &- old.nacks,
                keyframeRequests: isVideo ? new.keyframeRequests &- old.keyframeRequests : nil,
                jitterMs: new.jitter.rounded3, frames: isVideo ? frames : nil,
                fps: isVideo ? (Double(frames) / seconds * 10).rounded() / 10 : nil,
                keyframes: isVideo ? new.keyframes &- old.keyframes : nil)
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
