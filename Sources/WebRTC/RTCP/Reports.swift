/// 64-bit NTP timestamp (RFC 3550 §4): seconds since 1900 in the upper, their fraction in the lower 32 bits.
package struct NTPTime: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The wall clock at `instant`, when it was `origin` at `Instant.zero`. Wraps like the format does (in 2036).
    package init(origin: NTPTime, at instant: Instant) {
        let (seconds, rest) = instant.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        // rest is in ±10^9, so shifted by 32 bits it is still within ±2^62.
        let fraction = (rest << 32) / 1_000_000_000
        rawValue = origin.rawValue &+ UInt64(bitPattern: seconds &<< 32 &+ fraction)
    }

    /// The middle 32 bits, which LSR and round trips count in: units of 1/65536 s.
    package var middle: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 16) }
}

/// What a receiver says of one stream (RFC 3550 §6.4.1).
package struct ReportBlock: Hashable, Sendable {
    package static let length = 24

    package var ssrc: SSRC
    /// Share lost since the last report, in 1/256.
    package var fractionLost: UInt8
    /// Packets lost since the beginning, in -2^23..<2^23; duplicates make it negative.
    package var cumulativeLost: Int32
    /// Highest sequence number received, with the number of cycles in the upper 16 bits.
    package var highestSequence: UInt32
    /// Interarrival jitter in timestamp units.
    package var jitter: UInt32
    /// `NTPTime.middle` of the last sender report from `ssrc`; 0: none yet.
    package var lastSenderReport: UInt32
    /// From the arrival of that report to this one's departure, in 1/65536 s.
    package var delaySinceLastSenderReport: UInt32

    package init(
        ssrc: SSRC, fractionLost: UInt8 = 0, cumulativeLost: Int32 = 0, highestSequence: UInt32 = 0,
        jitter: UInt32 = 0, lastSenderReport: UInt32 = 0, delaySinceLastSenderReport: UInt32 = 0
    ) {
        (self.ssrc, self.fractionLost, self.cumulativeLost) = (ssrc, fractionLost, cumulativeLost)
        (self.highestSequence, self.jitter) = (highestSequence, jitter)
        (self.lastSenderReport, self.delaySinceLastSenderReport) = (lastSenderReport, delaySinceLastSenderReport)
    }

    /// Time from our sender report to this block's arrival at `arrival`, less the delay at the receiver; nil when the
    /// receiver had no report yet, or when its numbers would make the way negative or longer than a minute.
    ///
    ///     us    ──SR(ntp)──►              ▲ arrival
    ///     peer              └─ delay ─► RR┘      round trip = arrival − LSR − DLSR
    package func roundTrip(arrival: NTPTime) -> Interval? {
        guard lastSenderReport != 0 else { return nil }
        let units = arrival.middle &- lastSenderReport &- delaySinceLastSenderReport
        guard units < 60 << 16 else { return nil }
        return Interval(nanoseconds: (Int64(units) * 1_000_000_000) >> 16)
    }
}

/// RFC 3550 §6.4.1.
package struct SenderReport: Hashable, Sendable {
    package var sender: SSRC
    /// The same moment on the wall clock and on the stream's clock.
    package var time: NTPTime
    package var timestamp: UInt32
    package var packets: UInt32
    /// RTP payload bytes, without headers and padding.
    package var octets: UInt32
    package var blocks: [ReportBlock]

    package init(
        sender: SSRC, time: NTPTime, timestamp: UInt32, packets: UInt32, octets: UInt32, blocks: [ReportBlock] = []
    ) {
        (self.sender, self.time, self.timestamp) = (sender, time, timestamp)
        (self.packets, self.octets, self.blocks) = (packets, octets, blocks)
    }
}
