/// What counts pictures in a payload descriptor, VP8's (RFC 7741 §4.2) or VP9's (RFC 9628 §4.2): the picture id, of 7 or
/// 15 bits, and TL0PICIDX, which counts pictures of the lowest temporal layer. Decoders take a picture under a number that
/// they have seen for one that they have.
package struct PictureNumbers: Hashable, Sendable {
    /// nil: the sender has none.
    package private(set) var pictureID: UInt16?
    /// nil: the sender has none.
    package private(set) var tl0PictureIndex: UInt8?
    private var isWide = false
    private var idPlace = 0
    private var tl0Place = 0

    /// Bytes of the payload up to the last of these.
    package static let longest = 5

    /// nil: the codec has none, or the descriptor ends early.
    package static func parse(_ payload: borrowing RawSpan, of codec: CodecName) -> PictureNumbers? {
        switch codec {
        case .vp8: vp8(payload)
        case .vp9: vp9(payload)
        case .opus, .h264, .av1: nil
        }
    }

    ///     |X|R|N|S|R| PID |I|L|T|K| RSV |M|   PictureID   |   TL0PICIDX   |
    private static func vp8(_ payload: borrowing RawSpan) -> PictureNumbers? {
        guard payload.byteCount >= 2, payload.octet(at: 0) & 0x80 != 0 else { return nil }
        let flags = payload.octet(at: 1)
        var result = PictureNumbers()
        guard let next = result.readID(flags & 0x80 != 0, payload, at: 2),
            result.readTL0(flags & 0x40 != 0, payload, at: next)
        else { return nil }
        return result
    }

    ///     |I|P|L|F|B|E|V|Z|M|   PictureID   | TID |U| SID |D|   TL0PICIDX   |   the last one not with F
    private static func vp9(_ payload: borrowing RawSpan) -> PictureNumbers? {
        guard payload.byteCount >= 1 else { return nil }
        let flags = payload.octet(at: 0)
        var result = PictureNumbers()
        guard let next = result.readID(flags & 0x80 != 0, payload, at: 1),
            result.readTL0(flags & 0x30 == 0x20, payload, at: next + 1)
        else { return nil }
        return result
    }

    /// Where it ends; nil: behind the payload.
    private mutating func readID(_ isThere: Bool, _ payload: borrowing RawSpan, at place: Int) -> Int? {
        guard isThere else { return place }
        guard place < payload.byteCount else { return nil }
        idPlace = place
        isWide = payload.octet(at: place) & 0x80 != 0
        if !isWide {
            pictureID = UInt16(payload.octet(at: place))
            return place + 1
        }
        guard place + 1 < payload.byteCount else { return nil }
        pictureID = payload.octets2(at: place) & 0x7FFF
        return place + 2
    }

    private mutating func readTL0(_ isThere: Bool, _ payload: borrowing RawSpan, at place: Int) -> Bool {
        guard isThere else { return true }
        guard place < payload.byteCount else { return false }
        (tl0Place, tl0PictureIndex) = (place, payload.octet(at: place))
        return true
    }

    /// Writes the beginning of `payload`, in which these were found, to `target` with something added to them; each wraps as
    /// its field does. Returns its length in bytes, `longest` at most.
    @unsafe package func writeMoved(
        by pictureIDs: UInt16, _ tl0PictureIndices: UInt8, beginningOf payload: UnsafeRawPointer,
        to target: UnsafeMutableRawPointer
    ) -> Int {
        let length = max(pictureID == nil ? 0 : idPlace + (isWide ? 2 : 1), tl0PictureIndex == nil ? 0 : tl0Place + 1)
        unsafe target.copyMemory(from: payload, byteCount: length)
        if let pictureID {
            let moved = pictureID &+ pictureIDs
            if isWide {
                unsafe target.storeBytes(of: 0x80 | UInt8(moved >> 8 & 0x7F), toByteOffset: idPlace, as: UInt8.self)
                unsafe target.storeBytes(
                    of: UInt8(truncatingIfNeeded: moved), toByteOffset: idPlace + 1, as: UInt8.self)
            } else {
                unsafe target.storeBytes(of: UInt8(moved & 0x7F), toByteOffset: idPlace, as: UInt8.self)
            }
        }
        if let tl0PictureIndex {
            unsafe target.storeBytes(of: tl0PictureIndex &+ tl0PictureIndices, toByteOffset: tl0Place, as: UInt8.self)
        }
        return length
    }
}
