/// One RTCP packet of the kinds we act on.
package enum RTCPPacket: Hashable, Sendable {
    /// RFC 3550 §6.4.1
    case senderReport(SenderReport)
    /// RFC 3550 §6.4.2
    case receiverReport(sender: SSRC, blocks: [ReportBlock])
    /// RFC 3550 §6.5, of each chunk only the CNAME; chunks without one are left out.
    case sourceDescription([CanonicalName])
    /// RFC 3550 §6.6
    case bye([SSRC])
    /// Generic NACK (RFC 4585 §6.2.1): the sequence numbers of `media` that are missing.
    case nack(sender: SSRC, media: SSRC, lost: [SequenceNumber])
    /// Picture loss indication (RFC 4585 §6.3.1)
    case pli(sender: SSRC, media: SSRC)
    /// Full intra request (RFC 5104 §4.3.1)
    case fir(sender: SSRC, requests: [FullIntraRequest])
    /// Transport-wide congestion control feedback
    case transportFeedback(TransportFeedback)
    /// Receiver estimated maximum bitrate in bit/s (draft-alvestrand-rmcat-remb-03)
    case remb(sender: SSRC, bitrate: UInt64, media: [SSRC])
    /// What a node can get of a relay's encodings.
    case encodings(sender: SSRC, [EncodingReport])
    /// Which of a relay's streams a node wants.
    case wanted(sender: SSRC, [SSRC])
    /// Well-formed, but nothing to us. `format` is the 5-bit count or FMT field. Never written.
    case other(packetType: UInt8, format: UInt8)

    package struct CanonicalName: Hashable, Sendable {
        package var ssrc: SSRC
        package var cname: String
        package init(ssrc: SSRC, cname: String) { (self.ssrc, self.cname) = (ssrc, cname) }
    }

    package struct FullIntraRequest: Hashable, Sendable {
        package var media: SSRC
        /// Increases with each new request; a repetition of the same one keeps it (RFC 5104 §4.3.1.1).
        package var sequence: UInt8
        package init(media: SSRC, sequence: UInt8) { (self.media, self.sequence) = (media, sequence) }
    }
}

/// Packet types and feedback formats (RFC 3550 §12.1, RFC 4585 §6.1, RFC 5104 §4.3).
enum RTCPType {
    static let senderReport: UInt8 = 200
    static let receiverReport: UInt8 = 201
    static let sourceDescription: UInt8 = 202
    static let bye: UInt8 = 203
    static let transportLayerFeedback: UInt8 = 205
    static let payloadSpecificFeedback: UInt8 = 206

    static let nackFormat: UInt8 = 1
    static let transportWideFormat: UInt8 = 15
    static let pliFormat: UInt8 = 1
    static let firFormat: UInt8 = 4
    static let applicationFormat: UInt8 = 15
    /// "REMB"
    static let rembIdentifier: UInt32 = 0x5245_4D42
}
