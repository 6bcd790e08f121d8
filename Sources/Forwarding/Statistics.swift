package import WebRTC

/// Counters of one track within one session, since it began.
package struct TrackStatistics: Hashable, Sendable {
    package var kind: MediaKind
    package var codec: CodecName
    package var packets: UInt64 = 0
    /// RTP payload bytes.
    package var bytes: UInt64 = 0
    /// Source: packets that never came (RFC 3550 §6.4.1 cumulative). Sink: as the viewer's last report says.
    package var lost: Int64 = 0
    /// Source: packets that came by repair. Sink: packets we sent again.
    package var repaired: UInt64 = 0
    /// Source: NACKed sequence numbers we sent. Sink: those we received.
    package var nacks: UInt64 = 0
    /// Source: PLI/FIR we sent. Sink: those we received.
    package var keyframeRequests: UInt64 = 0
    package var keyframes: UInt64 = 0
    /// Frames whose last packet (marker) passed.
    package var frames: UInt64 = 0
    /// RFC 3550 §6.4.1, in milliseconds.
    package var jitter: Double = 0
    /// Source: of its packets, since the session began.
    package var lateness = Lateness()

    package init(kind: MediaKind, codec: CodecName) { (self.kind, self.codec) = (kind, codec) }
}

package struct SessionStatistics: Hashable, Sendable {
    package var direction: SessionParameters.Direction
    package var tracks: [TrackStatistics] = []
    package var datagramsIn: UInt64 = 0
    package var datagramsOut: UInt64 = 0
    /// Whole UDP payload.
    package var bytesIn: UInt64 = 0
    package var bytesOut: UInt64 = 0
    package var dropped: UInt64 = 0
    /// Milliseconds, smoothed; nil before the first measurement.
    package var roundTrip: Double?

    package init(direction: SessionParameters.Direction) { self.direction = direction }
}

/// Counters of one worker, since it began.
package struct UnitStatistics: Sendable {
    package var broadcasts = 0
    package var sources = 0
    package var sinks = 0
    package var datagramsIn: UInt64 = 0
    package var datagramsOut: UInt64 = 0
    package var bytesIn: UInt64 = 0
    package var bytesOut: UInt64 = 0
    /// RTP packets accepted from sources.
    package var packetsIn: UInt64 = 0
    /// RTP packets sent to sinks, repairs included.
    package var packetsOut: UInt64 = 0
    package var repairsSent: UInt64 = 0
    /// Viewers taken to a lower and to a higher encoding by what their links carry, and packets that tried that out.
    package var stepsDown: UInt64 = 0
    package var stepsUp: UInt64 = 0
    package var probePackets: UInt64 = 0
    package var nacksSent: UInt64 = 0
    package var nacksReceived: UInt64 = 0
    package var keyframeRequestsSent: UInt64 = 0
    package var keyframeRequestsReceived: UInt64 = 0
    /// Indexed by `DropReason.rawValue`.
    package var drops = [UInt64](repeating: 0, count: DropReason.allCases.count)
    /// How often sessions were woken, indexed by `DeadlineReason.rawValue`.
    package var deadlines = [UInt64](repeating: 0, count: DeadlineReason.allCases.count)
    package var sessions: [SessionID: SessionStatistics] = [:]

    package init() {}
}

/// For `/debug/sessions/{id}`: the last protocol events and the counters.
package struct SessionReport: Sendable {
    package var statistics: SessionStatistics
    /// Where its datagrams go now.
    package var remote: TransportAddress?
    /// Oldest first, at most 64; ages in nanoseconds before the report.
    package var events: [(age: Interval, text: String)]

    package init(statistics: SessionStatistics, remote: TransportAddress?, events: [(age: Interval, text: String)]) {
        (self.statistics, self.remote, self.events) = (statistics, remote, events)
    }
}
