import Forwarding
import WebRTC

/// What the owner of a source has to know: what viewers miss, and what to change.
package struct SourceWarning: Codable, Hashable, Sendable {
    /// The `DropReason` as metrics have it, "too_large".
    package var code: String
    package var message: String

    /// nil: nothing that anybody could change.
    init?(_ reason: DropReason, _ packet: DiscardedPacket, _ limits: Limits) {
        code = reason.label
        switch reason {
        case .tooLarge:
            message =
                "RTP payloads of \(packet.payloadLength) bytes do not fit a viewer's datagram, so they are thrown away: set "
                + "the encoder's packet size (FFmpeg -pkt_size, GStreamer mtu) \(Self.packetSize(limits)) "
                + "(the limit is a payload of \(limits.maximumPayload) bytes)"
        case .unknownStream:
            message =
                "packets of SSRC \(packet.ssrc.rawValue) with payload type \(packet.payloadType.rawValue) belong to no "
                + "negotiated stream, so they are thrown away: the encoder has to mark them with the a=mid and a=rid of "
                + "its offer, or to declare the SSRC in it"
        case .unknownPayloadType:
            message =
                "packets of payload type \(packet.payloadType.rawValue) were not agreed on, so they are thrown away: the "
                + "encoder has to send one of the payload types of the answer"
        default: return nil
        }
    }

    /// Encoders count the header and what they put behind it.
    private static func packetSize(_ limits: Limits) -> String {
        let most = limits.maximumPayload - 44
        return most > 1_200 ? "to 1200, or to \(most) at most" : "to \(most) at most"
    }
}
