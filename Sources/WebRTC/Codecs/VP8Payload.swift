/// VP8 in RTP (RFC 7741 §4.2): the descriptor in front of each payload.
///
///     |X|R|N|S|R| PID |   X: a byte of flags I L T K follows
///                         I: picture id, 7 bits or, with M, 15   L: TL0PICIDX   T or K: TID Y KEYIDX
package struct VP8Payload: Hashable, Sendable {
    /// Bytes of the descriptor; what follows is VP8.
    package var length: Int
    /// Begins a partition, and with `partition` 0 a frame.
    package var startsPartition: Bool
    package var partition: UInt8
    package var pictureID: UInt16?

    package var startsFrame: Bool { startsPartition && partition == 0 }

    /// nil: shorter than its flags say.
    package static func parse(_ payload: borrowing RawSpan) -> VP8Payload? {
        guard payload.byteCount >= 1 else { return nil }
        let first = payload.octet(at: 0)
        var result = VP8Payload(length: 1, startsPartition: first & 0x10 != 0, partition: first & 0x07)
        guard first & 0x80 != 0 else { return result }
        guard payload.byteCount >= 2 else { return nil }
        let flags = payload.octet(at: 1)
        result.length = 2
        if flags & 0x80 != 0 {
            guard payload.byteCount > result.length else { return nil }
            let id = payload.octet(at: result.length)
            if id & 0x80 == 0 {
                result.pictureID = UInt16(id)
                result.length += 1
            } else {
                guard payload.byteCount >= result.length + 2 else { return nil }
                result.pictureID = payload.octets2(at: result.length) & 0x7FFF
                result.length += 2
            }
        }
        if flags & 0x40 != 0 { result.length += 1 }
        if flags & 0x30 != 0 { result.length += 1 }
        return result.length <= payload.byteCount ? result : nil
    }

    /// The frame header's first bit is 0 on key frames, which then have a start code (RFC 6386 §9.1).
    static func isKeyframeStart(_ payload: borrowing RawSpan) -> Bool {
        guard let descriptor = parse(payload), descriptor.startsFrame, payload.byteCount > descriptor.length
        else { return false }
        guard payload.octet(at: descriptor.length) & 1 == 0 else { return false }
        // A first packet too short for the start code is taken at its word.
        guard payload.byteCount >= descriptor.length + 6 else { return true }
        return payload.octets3(at: descriptor.length + 3) == 0x9D012A
    }
}

/// Cuts VP8 frames into RTP payloads with a 15-bit picture id, without layers.
package struct VP8Packetizer: Sendable {
    /// X, S, I and the id's two bytes.
    private static let descriptorLength = 4

    /// Of the next frame.
    package private(set) var pictureID: UInt16

    package init(firstPictureID: UInt16 = 0) { pictureID = firstPictureID & 0x7FFF }

    /// Payloads of at most `maximumPayload` bytes, equally long but for the last; the last one gets the marker bit.
    package mutating func packetize(frame: [UInt8], maximumPayload: Int = 1_200) -> [[UInt8]] {
        precondition(maximumPayload > Self.descriptorLength, "a payload holds more than its descriptor")
        defer { pictureID = (pictureID + 1) & 0x7FFF }
        let id = [0x80 | UInt8(pictureID >> 8), UInt8(truncatingIfNeeded: pictureID)]
        return equalParts(of: frame[...], atMost: maximumPayload - Self.descriptorLength).map { part in
            [part.startIndex == frame.startIndex ? 0x90 : 0x80, 0x80] + id + part
        }
    }
}

/// As few parts as possible, and those equally long but for a shorter last one: such neighbours leave as one GSO
/// message.
func equalParts(of bytes: ArraySlice<UInt8>, atMost maximum: Int) -> [ArraySlice<UInt8>] {
    guard !bytes.isEmpty else { return [] }
    let count = (bytes.count + maximum - 1) / maximum
    let length = (bytes.count + count - 1) / count
    return stride(from: bytes.startIndex, to: bytes.endIndex, by: length).map {
        bytes[$0..<min($0 + length, bytes.endIndex)]
    }
}
