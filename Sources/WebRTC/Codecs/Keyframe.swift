/// Whether this RTP payload is where a decoder can start: the first packet of a key frame of the lowest spatial layer,
/// or parameter sets that lead one.
///
/// Looks into the bitstream where the payload descriptor alone does not tell. Of one key frame more than one packet can
/// say yes (H.264 parameter sets and picture in packets of their own); all of them have one RTP timestamp. Audio can
/// start anywhere, but has no key frames: false.
package func isKeyframeStart(codec: CodecName, payload: borrowing RawSpan) -> Bool {
    switch codec {
    case .opus: false
    case .vp8: VP8Payload.isKeyframeStart(payload)
    case .h264: H264Payload.isKeyframeStart(payload)
    case .vp9: VP9Payload.isKeyframeStart(payload)
    case .av1: AV1Payload.isKeyframeStart(payload)
    }
}
