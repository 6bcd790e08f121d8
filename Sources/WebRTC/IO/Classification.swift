/// Which protocol a datagram on the multiplexed port belongs to, by its first two bytes (RFC 7983 §7, RFC 5761 §4).
///
///     first byte    0...3  STUN        second byte of RTP and RTCP   192...223  RTCP
///                 20...63  DTLS                                      else       RTP
///               128...191  RTP, RTCP
///
/// The remaining ranges are ZRTP, TURN channels and QUIC (RFC 9443), none of which is for us.
package enum DatagramClass: Hashable, Sendable {
    case stun, dtls, rtp, rtcp, unknown

    /// Shorter than the protocol's shortest message is `.unknown`: a STUN header is 20 bytes, a DTLS record header 13,
    /// an RTP header 12, an RTCP header with its SSRC 8.
    package static func classify(_ bytes: borrowing RawSpan) -> DatagramClass {
        guard bytes.byteCount >= 8 else { return .unknown }
        switch bytes.octet(at: 0) {
        case 0...3: return bytes.byteCount >= 20 ? .stun : .unknown
        case 20...63: return bytes.byteCount >= 13 ? .dtls : .unknown
        case 128...191:
            if 192...223 ~= bytes.octet(at: 1) { return .rtcp }
            return bytes.byteCount >= 12 ? .rtp : .unknown
        default: return .unknown
        }
    }
}
