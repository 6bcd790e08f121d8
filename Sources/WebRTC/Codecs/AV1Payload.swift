/// AV1 in RTP (AV1 RTP payload format §4): OBU elements after an aggregation header.
///
///     |Z|Y| W |N|-|-|-|   Z: begins with the rest of an OBU   Y: ends with a part of one
///                         W: number of elements, the last one without length; 0: all have one
///                         N: first packet of a coded video sequence
enum AV1Payload {
    private enum OBU {
        static let sequenceHeader: UInt8 = 1
        static let temporalDelimiter: UInt8 = 2
        static let frameHeader: UInt8 = 3
        static let metadata: UInt8 = 5
        static let frame: UInt8 = 6
    }

    /// A key frame that starts a sequence comes with its sequence header in front. The frame header has the last word
    /// if it is in this packet, since not every sender sets N; if it is not, N must be set.
    static func isKeyframeStart(_ payload: borrowing RawSpan) -> Bool {
        guard payload.byteCount >= 2 else { return false }
        let aggregation = payload.octet(at: 0)
        guard aggregation & 0x80 == 0 else { return false }
        let startsSequence = aggregation & 0x08 != 0
        let count = Int(aggregation >> 4 & 3)
        var hasSequenceHeader = false
        var (offset, index) = (1, 0)
        while offset < payload.byteCount, count == 0 || index < count {
            index += 1
            var end = payload.byteCount
            if index != count {
                guard let length = leb128(payload, at: &offset), length <= payload.byteCount - offset
                else { return false }
                end = offset + length
            }
            guard offset < end else { return false }
            let header = payload.octet(at: offset)
            switch header >> 3 & 0x0F {
            case OBU.sequenceHeader: hasSequenceHeader = true
            case OBU.frame, OBU.frameHeader:
                return hasSequenceHeader && isKeyframe(payload.extracting(offset..<end), header)
            case OBU.temporalDelimiter, OBU.metadata: break
            default: return hasSequenceHeader && startsSequence
            }
            offset = end
        }
        return hasSequenceHeader && startsSequence
    }

    /// The frame header begins with show_existing_frame and two bits of frame_type, 0 for a key frame (AV1
    /// specification §5.9.2). Still pictures with the reduced header are not video.
    private static func isKeyframe(_ obu: borrowing RawSpan, _ header: UInt8) -> Bool {
        var offset = header & 0x04 != 0 ? 2 : 1
        if header & 0x02 != 0, leb128(obu, at: &offset) == nil { return false }
        return offset < obu.byteCount && obu.octet(at: offset) & 0xE0 == 0
    }

    /// Little-endian base 128 (§4.10.5); nil: runs out of bytes or beyond 32 bits. Moves `offset` behind it.
    private static func leb128(_ bytes: borrowing RawSpan, at offset: inout Int) -> Int? {
        var value = 0
        for shift in stride(from: 0, to: 35, by: 7) {
            guard offset < bytes.byteCount else { return nil }
            let byte = bytes.octet(at: offset)
            offset += 1
            value |= Int(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
