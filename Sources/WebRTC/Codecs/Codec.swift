/// Audio or video (RFC 8866 media types we carry).
package enum MediaKind: String, Hashable, Sendable { case audio, video }

/// Codecs that are passed through; nothing is ever decoded.
package enum CodecName: String, Hashable, Sendable, CaseIterable {
    case opus, h264 = "H264", vp8 = "VP8", vp9 = "VP9", av1 = "AV1"

    package var kind: MediaKind { self == .opus ? .audio : .video }
}

/// What an m-line says of one codec, without its payload type, which each session numbers for itself.
package struct CodecFormat: Hashable, Sendable {
    package var name: CodecName
    /// Hz
    package var clockRate: UInt32
    /// Audio channels of the rtpmap (Opus: always 2, RFC 7587 §7); 1 for video.
    package var channels: Int
    /// `a=fmtp` parameters as written, without the payload type; "" when there were none.
    package var fmtp: String

    /// Bytes. A publisher's parameters are compared with those of each codec of each viewer; with H.264's parameter sets
    /// honest ones have some 200.
    package static let longestParameters = 1_024

    package init(name: CodecName, clockRate: UInt32, channels: Int = 1, fmtp: String = "") {
        (self.name, self.clockRate, self.channels, self.fmtp) = (name, clockRate, channels, fmtp)
    }
}

/// One track of a broadcast, as a viewer has to be able to play it.
package struct TrackFormat: Hashable, Sendable {
    package var kind: MediaKind
    package var codec: CodecFormat
    /// Restriction identifiers of its simulcast encodings, in the publisher's order; empty without simulcast.
    package var rids: [String]

    package init(codec: CodecFormat, rids: [String] = []) {
        (kind, self.codec, self.rids) = (codec.name.kind, codec, rids)
    }
}
