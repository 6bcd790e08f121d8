package import WebRTC

/// Bounds of one forwarding unit. Set from the topology's `limits`; the defaults suit a node of a few thousand viewers.
package struct Limits: Hashable, Sendable {
    package var sessions = 10_000
    package var broadcasts = 1_000
    /// Bytes of packet history per video encoding, and per audio track.
    package var videoHistoryBytes = 4 << 20
    package var audioHistoryBytes = 128 << 10
    /// Packets of history, powers of two.
    package var videoHistoryPackets = 4_096
    package var audioHistoryPackets = 1_024
    /// A packet older than this is not repaired any more.
    package var historyAge = Interval.seconds(Int64(5))
    /// SSRCs that one source session may bring.
    package var streamsPerSource = 32
    /// Largest RTP payload that is forwarded: with the headers of RTP, UDP and IPv4 and the authentication tag it is an IP
    /// packet of 1,500 bytes. What a viewer's header extension or RTX adds makes it two fragments, which is better than
    /// none.
    package var maximumPayload = 1_500 - 20 - 8 - 12 - 16
    /// Missing packets remembered per encoding.
    package var missingPackets = 1_024
    /// No transport within this: the session is dropped.
    package var setupTimeout = Interval.seconds(Int64(15))
    /// Neither consent nor authenticated media within this: the session is dropped (RFC 7675 §5.1).
    package var consentTimeout = Interval.seconds(Int64(30))

    /// A source that sends nothing for so long may be taken for dead: another publisher may have its broadcast.
    package var sourceSilence = Interval.seconds(Int64(2))

    /// A relay's upstream that sends nothing for so long is checked (`Event.unreachable`).
    package var relaySilence = Interval.milliseconds(500)

    package init() {}
}
