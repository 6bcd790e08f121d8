/// The parameter sets that an H.264 stream has shown, by RTP or in its SDP, so that a picture without them can be given
/// them: some encoders send them once, at the start, and a decoder that comes later has nothing to start from.
///
/// Bounded: sets with an id or a size that no live encoder uses are not kept.
package struct H264ParameterSets: Sendable {
    /// NAL units with their header byte, by their id.
    private var sequence: [UInt8: [UInt8]] = [:]
    private var picture: [UInt8: [UInt8]] = [:]
    /// RTP timestamps of the pictures that last brought their own.
    private var sequenceShown: UInt32?
    private var pictureShown: UInt32?

    /// The largest set that is kept, and how many of a kind.
    private static let longest = 480
    private static let most: UInt8 = 8

    /// nil: not H.264. Sets may stand in the SDP's `sprop-parameter-sets` (RFC 6184 §8.1).
    package init?(of codec: CodecFormat) {
        guard codec.name == .h264 else { return nil }
        for unit in FormatParameters(codec.fmtp)["sprop-parameter-sets"]?.split(separator: ",") ?? [] {
            guard let bytes = decodeBase64(unit) else { continue }
            unsafe keep(bytes.span.bytes, timestamp: nil)
        }
    }

    /// Looks at a payload of the stream; to be called for each.
    package mutating func observe(_ payload: borrowing RawSpan, timestamp: UInt32) {
        guard payload.byteCount >= 2 else { return }
        switch payload.octet(at: 0) & 0x1F {
        case H264Payload.NALUnit.sequenceParameters, H264Payload.NALUnit.pictureParameters,
            H264Payload.NALUnit.aggregate:
            H264Payload.forEachUnit(in: payload) { keep($0, timestamp: timestamp) }
        default: break
        }
    }

    /// What the picture with this timestamp needs in front: nothing if it has brought its own, or nothing is known.
    package func missing(at timestamp: UInt32) -> [[UInt8]] {
        guard sequenceShown != timestamp || pictureShown != timestamp, !sequence.isEmpty, !picture.isEmpty
        else { return [] }
        return [sequence, picture].flatMap { sets in sets.sorted { $0.key < $1.key }.map(\.value) }
    }

    /// The picture with this timestamp has been given what it lacked.
    package mutating func noteShown(at timestamp: UInt32) { (sequenceShown, pictureShown) = (timestamp, timestamp) }

    private mutating func keep(_ unit: borrowing RawSpan, timestamp: UInt32?) {
        guard 2...Self.longest ~= unit.byteCount else { return }
        switch unit.octet(at: 0) & 0x1F {
        case H264Payload.NALUnit.sequenceParameters:
            // profile_idc, constraint flags and level_idc stand before the id.
            guard let id = Self.id(in: unit, at: 4) else { return }
            if let timestamp { sequenceShown = timestamp }
            Self.replace(&sequence[id], by: unit)
        case H264Payload.NALUnit.pictureParameters:
            guard let id = Self.id(in: unit, at: 1) else { return }
            if let timestamp { pictureShown = timestamp }
            Self.replace(&picture[id], by: unit)
        default: break
        }
    }

    /// An Exp-Golomb number below `most`; it lies within one byte.
    private static func id(in unit: borrowing RawSpan, at offset: Int) -> UInt8? {
        guard offset < unit.byteCount else { return nil }
        let byte = unit.octet(at: offset)
        let zeros = byte.leadingZeroBitCount
        guard zeros <= 3 else { return nil }
        let number = (byte << zeros) >> (7 - zeros) - 1
        return number < most ? number : nil
    }

    /// Most encoders repeat what is known already: nothing is allocated then.
    private static func replace(_ known: inout [UInt8]?, by unit: borrowing RawSpan) {
        if let bytes = known, bytes.count == unit.byteCount,
            bytes.indices.allSatisfy({ bytes[$0] == unit.octet(at: $0) })
        {
            return
        }
        known = (0..<unit.byteCount).map { unit.octet(at: $0) }
    }
}

/// Base64 (RFC 4648 §4), with or without padding; nil: something else.
func decodeBase64(_ text: some StringProtocol) -> [UInt8]? {
    var bytes: [UInt8] = []
    var (bits, count) = (UInt32(0), 0)
    var isPadded = false
    for character in text.utf8 {
        let value: UInt8
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): value = 62
        case UInt8(ascii: "/"): value = 63
        case UInt8(ascii: "="):
            isPadded = true
            continue
        default: return nil
        }
        guard !isPadded else { return nil }
        bits = bits << 6 | UInt32(value)
        count += 6
        if count >= 8 {
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
    }
    return bytes
}
