import WebRTC

/// How the source's clocks relate to ours and to the tracks' lines.
extension Source {
    /// Gives the encoding its line; returns the point on it that a sender report told beforehand.
    mutating func place(_ line: SourceLine, at place: Located) -> Synchronisation? {
        tracks[place.track].encodings[place.encoding].line = line
        guard let early = tracks[place.track].encodings[place.encoding].earlyReport else { return nil }
        tracks[place.track].encodings[place.encoding].earlyReport = nil
        return Synchronisation(
            target: tracks[place.track].target, at: early.at, timestamp: early.timestamp &+ line.timestampOffset)
    }

    /// A sender report: when, on our clock, the stream's clock showed which timestamp of the track's line.
    mutating func senderReport(_ report: SenderReport, ntpOrigin: UInt64, now: Instant) -> Synchronisation? {
        guard let known = bindings.first(where: { $0.ssrc == report.sender && !$0.isRepair }) else { return nil }
        tracks[known.track].encodings[known.encoding].reception.senderReport(report.time, now: now)
        let ours = NTPTime(origin: NTPTime(rawValue: ntpOrigin), at: now)
        let offset = ntpOffset ?? Int64(bitPattern: ours.rawValue &- report.time.rawValue)
        ntpOffset = offset
        guard known.encoding == 0 else { return nil }
        // Units of 2^-32 s; far off values (a sender that steps its clock) are no use.
        let ahead = Int64(bitPattern: report.time.rawValue &+ UInt64(bitPattern: offset) &- ours.rawValue)
        guard abs(ahead) < 60 << 32 else {
            ntpOffset = nil
            return nil
        }
        let at = now + Interval(nanoseconds: (ahead >> 2) * 1_000_000_000 >> 30)
        guard let line = tracks[known.track].encodings[0].line else {
            tracks[known.track].encodings[0].earlyReport = MediaClock(at: at, timestamp: report.timestamp)
            return nil
        }
        return Synchronisation(
            target: tracks[known.track].target, at: at, timestamp: report.timestamp &+ line.timestampOffset)
    }

    struct Synchronisation {
        /// Index of the broadcast's track.
        var target: Int
        var at: Instant
        var timestamp: UInt32
    }
}
