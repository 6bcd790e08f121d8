/// VP9 in RTP (RFC 9628 §4.2).
///
///     |I|P|L|F|B|E|V|Z|   I: picture id, 7 or 15 bits   L: TID U SID D, without F also TL0PICIDX
///                         F and P: up to three P_DIFF   V: scalability structure
enum VP9Payload {
    private static let interPredicted: UInt8 = 0x40
    private static let flexible: UInt8 = 0x10
    private static let beginsFrame: UInt8 = 0x08

    /// The descriptor must allow it: first packet of a frame, no inter prediction, lowest spatial layer. P is also 0 on
    /// intra-only frames, and some senders (FFmpeg) never set it, so the frame header has the last word.
    static func isKeyframeStart(_ payload: borrowing RawSpan) -> Bool {
        guard payload.byteCount >= 1 else { return false }
        let flags = payload.octet(at: 0)
        guard flags & beginsFrame != 0, flags & interPredicted == 0 else { return false }
        var offset = 1
        if flags & 0x80 != 0 {
            guard offset < payload.byteCount else { return false }
            offset += payload.octet(at: offset) & 0x80 == 0 ? 1 : 2
        }
        if flags & 0x20 != 0 {
            guard offset < payload.byteCount, payload.octet(at: offset) & 0x0E == 0 else { return false }
            offset += flags & flexible == 0 ? 2 : 1
        }
        // No P_DIFF: it needs P.
        if flags & 0x02 != 0 {
            guard let end = scalabilityStructureEnd(payload, at: offset) else { return false }
            offset = end
        }
        guard offset < payload.byteCount else { return false }
        return isKeyframe(payload.extracting(offset..<payload.byteCount))
    }

    ///     | N_S |Y|G|-|-|-|   Y: width and height, 16 bits each, of N_S + 1 layers
    ///                         G: N_G, then for each  | TID |U| R |-|-|  and R times P_DIFF
    private static func scalabilityStructureEnd(_ payload: borrowing RawSpan, at start: Int) -> Int? {
        guard start < payload.byteCount else { return nil }
        let header = payload.octet(at: start)
        var offset = start + 1
        if header & 0x10 != 0 { offset += (Int(header >> 5) + 1) * 4 }
        if header & 0x08 != 0 {
            guard offset < payload.byteCount else { return nil }
            let pictures = payload.octet(at: offset)
            offset += 1
            for _ in 0..<pictures {
                guard offset < payload.byteCount else { return nil }
                offset += 1 + Int(payload.octet(at: offset) >> 2 & 3)
            }
        }
        return offset
    }

    /// The uncompressed header (VP9 bitstream specification §6.2): frame marker 10, two bits of profile (and one more
    /// in profile 3), show_existing_frame, frame_type, of which 0 is a key frame, show_frame, error_resilient_mode,
    /// sync code.
    private static func isKeyframe(_ frame: borrowing RawSpan) -> Bool {
        let first = frame.octet(at: 0)
        guard first >> 6 == 0b10 else { return false }
        let isProfile3 = first & 0x30 == 0x30
        let afterProfile = isProfile3 ? first << 5 : first << 4
        guard afterProfile & 0xC0 == 0 else { return false }
        guard frame.byteCount >= 4 else { return true }
        // In profile 3 error_resilient_mode is the next byte's first bit, and the sync code begins after it.
        let sync = frame.octets3(at: 1)
        return isProfile3 ? sync & 0x7F_FFFF == 0x49_8342 >> 1 : sync == 0x49_8342
    }
}
