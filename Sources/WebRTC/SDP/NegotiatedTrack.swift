/// What an offer and its answer agreed on for one m-line; the forwarding core needs nothing else of the SDP.
package struct NegotiatedTrack: Hashable, Sendable {
    /// Of one track.
    package static let maximumEncodings = 8

    package var mid: String
    package var codec: CodecFormat
    package var payloadType: PayloadType
    /// The RTX payload type whose `apt` is `payloadType` (RFC 4588); nil: repairs are plain re-sends.
    package var rtxPayloadType: PayloadType?
    package var feedback: Feedback
    package var extensions: HeaderExtensionIDs
    /// Where we receive: the sender's streams as far as its SDP tells them, first the one to forward. One without SSRC
    /// is found by RID or MID.
    package var encodings: [Encoding]
    /// The peer is a node, which tells by RTCP what its encodings are called and which of them come (`EncodingReport`).
    package var areEncodingsReported = false
    /// Where we send: our streams. Towards a node one for each encoding that the track may have, else one.
    package var locals: [LocalStream]
    /// The other codecs that both sides can do. A sender may go over to any of them without negotiating anew
    /// (RFC 3264 §6.1); the payload type says so.
    package var alternatives: [Alternative] = []

    package var kind: MediaKind { codec.name.kind }
    /// The only one, or the first.
    package var local: LocalStream? {
        get { locals.first }
        set { locals = newValue.map { [$0] } ?? [] }
    }
    /// Names of the encodings, where there are several: those without a RID are numbered.
    package var rids: [String] {
        if areEncodingsReported { return [] }
        if encodings.count < 2 { return encodings.compactMap(\.rid) }
        return encodings.enumerated().map { $1.rid ?? String($0) }
    }

    /// RTCP feedback that both sides agreed on (`a=rtcp-fb`).
    package struct Feedback: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let nack = Feedback(rawValue: 1)
        package static let pli = Feedback(rawValue: 2)
        package static let fir = Feedback(rawValue: 4)
        package static let transportCC = Feedback(rawValue: 8)
        package static let remb = Feedback(rawValue: 16)
    }

    /// One codec of the m-line with what belongs to it.
    package struct Alternative: Hashable, Sendable {
        package var codec: CodecFormat
        package var payloadType: PayloadType
        package var rtxPayloadType: PayloadType?
        package var feedback: Feedback

        package init(
            codec: CodecFormat, payloadType: PayloadType, rtxPayloadType: PayloadType? = nil, feedback: Feedback = []
        ) {
            (self.codec, self.payloadType) = (codec, payloadType)
            (self.rtxPayloadType, self.feedback) = (rtxPayloadType, feedback)
        }
    }

    package struct Encoding: Hashable, Sendable {
        package var rid: String?
        package var ssrc: SSRC?
        package var rtxSSRC: SSRC?
        package init(rid: String? = nil, ssrc: SSRC? = nil, rtxSSRC: SSRC? = nil) {
            (self.rid, self.ssrc, self.rtxSSRC) = (rid, ssrc, rtxSSRC)
        }
    }

    package struct LocalStream: Hashable, Sendable {
        package var ssrc: SSRC
        package var rtxSSRC: SSRC?
        package var cname: String
        package init(ssrc: SSRC, rtxSSRC: SSRC?, cname: String) {
            (self.ssrc, self.rtxSSRC, self.cname) = (ssrc, rtxSSRC, cname)
        }
    }

    package init(
        mid: String, codec: CodecFormat, payloadType: PayloadType, rtxPayloadType: PayloadType? = nil,
        feedback: Feedback = [], extensions: HeaderExtensionIDs = HeaderExtensionIDs(), encodings: [Encoding] = [],
        local: LocalStream? = nil
    ) {
        (self.mid, self.codec, self.payloadType, self.rtxPayloadType) = (mid, codec, payloadType, rtxPayloadType)
        (self.feedback, self.extensions, self.encodings) = (feedback, extensions, encodings)
        locals = local.map { [$0] } ?? []
    }
}

extension NegotiatedTrack {
    /// The codec in use, in the shape of the others.
    private var present: Alternative {
        get {
            Alternative(
                codec: codec, payloadType: payloadType, rtxPayloadType: rtxPayloadType, feedback: feedback)
        }
        set {
            (codec, payloadType) = (newValue.codec, newValue.payloadType)
            (rtxPayloadType, feedback) = (newValue.rtxPayloadType, newValue.feedback)
        }
    }

    /// Goes over to another codec agreed on; false: there is none with this payload type.
    package mutating func use(_ type: PayloadType) -> Bool {
        guard let index = alternatives.firstIndex(where: { $0.payloadType == type }) else { return false }
        (present, alternatives[index]) = (alternatives[index], present)
        return true
    }

    /// Goes over to the codec agreed on that plays `stream` best; false: none does.
    package mutating func use(playing stream: CodecFormat) -> Bool {
        let others = alternatives.compactMap { other in
            other.codec.mismatch(playing: stream).map { (mismatch: $0, type: other.payloadType) }
        }
        let best = others.min { $0.mismatch < $1.mismatch }
        if let mismatch = codec.mismatch(playing: stream), mismatch <= best?.mismatch ?? .max { return true }
        return best.map { use($0.type) } ?? false
    }
}

/// The ids that `a=extmap` gave to the RTP header extensions we use (RFC 8285); 0: not negotiated.
package struct HeaderExtensionIDs: Hashable, Sendable {
    /// urn:ietf:params:rtp-hdrext:sdes:mid
    package var mid: UInt8 = 0
    /// urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
    package var rid: UInt8 = 0
    /// urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
    package var repairedRID: UInt8 = 0
    /// http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
    package var transportSequence: UInt8 = 0
    /// http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
    package var absoluteSendTime: UInt8 = 0
    package init() {}
}
