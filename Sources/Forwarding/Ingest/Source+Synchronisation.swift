import WebRTC

/// How the source's clocks relate to ours and to the tracks' lines.
extension Source {
    /// Gives the encoding its line; returns the point on it that a sender report told beforehand.
    mutating func place(_ line: SourceLine, at place: Located) -> Synchronisation? {
        tracks[place.track].encodings[place.encoding].line = line
        guard let early = tracks[place.track].encodings[place.encoding].earlyReport else { return nil }
        tracks[place.track].encodings[place.encoding].earlyReport = nil
        return Synchronisation(
            target: tracks[place.track].target, encoding: place.encoding, at: early.at,
            timestamp: early.timestamp &+ line.timestampOffset)
    }

    /// A sender report: when, on our clock, the stream's clock showed which timestamp of the track's line.
    mutating func senderReport(_ report: SenderReport, ntpOrigin: UInt64, now: Instant) -> Synchronisation? {
        guard let known = bindings.first(where: { $0.ssrc == report.sender && !$0.isRepair }) else { return nil }
        tracks[known.track].encodings[known.encoding].reception.senderReport(report.time, now: now)
        let ours = NTPTime(origin: NTPTime(rawValue: ntpOrigin), at: now)
        let measured = Int64(bitPattern: ours.rawValue &- report.time.rawValue)
        let offset = ntpOffset.map { $0 &+ Self.slew(measured &- $0) } ?? measured
        ntpOffset = offset
        // Far off values (a sender that steps its clock) are no use.
        guard let ahead = Self.interval(report.time.rawValue &+ UInt64(bitPattern: offset) &- ours.rawValue) else {
            ntpOffset = nil
            return nil
        }
        let at = now + ahead
        let encoding = tracks[known.track].encodings[known.encoding]
        guard let line = encoding.line else {
            tracks[known.track].encodings[known.encoding].earlyReport = MediaClock(
                at: at, timestamp: report.timestamp)
            return nil
        }
        return Synchronisation(
            target: tracks[known.track].target, encoding: known.encoding, at: at,
            timestamp: report.timestamp &+ line.timestampOffset)
    }

    /// How much of a difference of two clocks, in units of 2^-32 s, one report makes up for: at most a millisecond, so that
    /// tracks which report one after the other stay in step. That follows any clock that runs by less than a thousandth
    /// fast or slow.
    private static func slew(_ difference: Int64) -> Int64 {
        max(-(1 << 32) / 1_000, min((1 << 32) / 1_000, difference))
    }

    /// A difference of two NTP times, in units of 2^-32 s; nil: a minute or more.
    static func interval(_ difference: UInt64) -> Interval? {
        let signed = Int64(bitPattern: difference)
        guard signed.magnitude < 60 << 32 else { return nil }
        // Both halves apart: together they do not fit.
        let (seconds, fraction) = (signed >> 32, signed & 0xFFFF_FFFF)
        return Interval(nanoseconds: seconds * 1_000_000_000 + ((fraction * 1_000_000_000) >> 32))
    }

    struct Synchronisation {
        /// Indexes of the broadcast's track and of its encoding.
        var target: Int
        var encoding: Int
        var at: Instant
        var timestamp: UInt32
    }
}
