/// Writes RTP headers. The first two functions are the fan-out's: plain stores, nothing allocated.
package enum RTPHeader {
    /// Writes the 12 bytes of a header without extension; returns 12.
    ///
    /// `padding` sets the P bit: the caller appends the padding itself. `target` needs no alignment.
    @unsafe
    package static func write(
        to target: UnsafeMutableRawPointer, marker: Bool, padding: Bool, payloadType: PayloadType,
        sequence: SequenceNumber, timestamp: UInt32, ssrc: SSRC
    ) -> Int {
        let first: UInt32 = padding ? 0xA000_0000 : 0x8000_0000
        let second = (marker ? 0x80_0000 : 0) | UInt32(payloadType.rawValue) << 16
        unsafe target.storeBytes(of: (first | second | UInt32(sequence.rawValue)).bigEndian, as: UInt32.self)
        unsafe target.storeBytes(of: timestamp.bigEndian, toByteOffset: 4, as: UInt32.self)
        unsafe target.storeBytes(of: ssrc.rawValue.bigEndian, toByteOffset: 8, as: UInt32.self)
        return RTPPacket.fixedHeaderLength
    }

    /// Writes a header with `extensions`; returns 12 + `extensions.length`.
    ///
    /// `transportSequence` counts all packets of the session; it is ignored where that extension is not negotiated.
    @unsafe
    package static func write(
        to target: UnsafeMutableRawPointer, marker: Bool, padding: Bool, payloadType: PayloadType,
        sequence: SequenceNumber, timestamp: UInt32, ssrc: SSRC, extensions: borrowing OutgoingExtensions,
        transportSequence: UInt16 = 0
    ) -> Int {
        let fixed = unsafe write(
            to: target, marker: marker, padding: padding, payloadType: payloadType, sequence: sequence,
            timestamp: timestamp, ssrc: ssrc)
        guard extensions.length > 0 else { return fixed }
        unsafe target.storeBytes(of: padding ? 0xB0 : 0x90, as: UInt8.self)
        for i in 0..<extensions.length / 4 {
            unsafe target.storeBytes(of: extensions.words[i], toByteOffset: fixed + 4 * i, as: UInt32.self)
        }
        if extensions.hasTransportSequence {
            unsafe target.storeBytes(
                of: transportSequence.bigEndian, toByteOffset: fixed + OutgoingExtensions.transportSequenceOffset,
                as: UInt16.self)
        }
        return fixed + extensions.length
    }

    /// A whole packet, for sources and tests. `extensions` are (id, data) pairs, written with one-byte element headers
    /// where all of them fit (id 1...14, 1...16 bytes), else with two-byte ones (RFC 8285). `padding` is the number of
    /// padding bytes, 0...255, the last of which tells the number.
    package static func packet(
        marker: Bool = false, payloadType: PayloadType, sequence: SequenceNumber, timestamp: UInt32, ssrc: SSRC,
        csrcs: [SSRC] = [], extensions: [(id: UInt8, data: [UInt8])] = [], payload: [UInt8], padding: Int = 0
    ) -> [UInt8] {
        precondition(csrcs.count <= 15, "an RTP header has room for 15 CSRCs")
        precondition(0...255 ~= padding, "RTP padding is counted in one byte")
        var out = PacketBuilder()
        out.put(0x80 | (padding > 0 ? 0x20 : 0) | (extensions.isEmpty ? 0 : 0x10) | UInt8(csrcs.count))
        out.put((marker ? 0x80 : 0) | payloadType.rawValue)
        out.put(sequence.rawValue)
        out.put(timestamp)
        out.put(ssrc)
        for csrc in csrcs { out.put(csrc) }
        if !extensions.isEmpty { put(extensions, into: &out) }
        out.put(payload)
        if padding > 0 { out.put([UInt8](repeating: 0, count: padding - 1) + [UInt8(padding)]) }
        return out.bytes
    }

    private static func put(_ extensions: [(id: UInt8, data: [UInt8])], into out: inout PacketBuilder) {
        precondition(extensions.allSatisfy { $0.id != 0 && $0.data.count <= 255 }, "extension ids start at 1")
        let oneByte = extensions.allSatisfy { $0.id < 15 && 1...16 ~= $0.data.count }
        out.put(oneByte ? 0xBEDE : 0x1000 as UInt16)
        let lengthAt = out.count
        out.put(0 as UInt16)
        for element in extensions {
            if oneByte {
                out.put(element.id << 4 | UInt8(element.data.count - 1))
            } else {
                out.put(element.id)
                out.put(UInt8(element.data.count))
            }
            out.put(element.data)
        }
        while (out.count - lengthAt - 2) % 4 != 0 { out.put(0 as UInt8) }
        out.replace(at: lengthAt, with: UInt16((out.count - lengthAt - 2) / 4))
    }
}

/// The extension block (RFC 8285 §4.2, one-byte element headers) of all packets of one outgoing stream, laid out once.
///
///     | 0xBE | 0xDE | length (words) | id,L=1 | transport sequence | id,L=n-1 | MID (n bytes) | zeros to a word |
///
/// The transport-wide sequence number, where negotiated, comes first: it alone changes from packet to packet.
package struct OutgoingExtensions: Sendable {
    /// The longest MID that a one-byte element header can carry.
    package static let maximumMIDLength = 16
    static let transportSequenceOffset = 5

    /// Network order, as it lies in the packet. Room for preamble, sequence number and the longest MID.
    var words = InlineArray<6, UInt32>(repeating: 0)
    /// Bytes with the 4-byte preamble, a multiple of 4; 0 when nothing is negotiated.
    package var length: Int { Int(byteCount) }
    private var byteCount: UInt8 = 0
    package private(set) var hasTransportSequence = false

    /// Ids as negotiated; 0 leaves that element out, as does an empty `mid`. nil: `mid` is longer than 16 bytes, or an
    /// id is above 14, which only two-byte headers could carry.
    package init?(mid: String, midID: UInt8, transportSequenceID: UInt8) {
        let text = midID == 0 ? [] : Array(mid.utf8)
        guard text.count <= Self.maximumMIDLength, midID < 15, transportSequenceID < 15 else { return nil }
        var elements: [UInt8] = []
        if transportSequenceID != 0 { elements += [transportSequenceID << 4 | 1, 0, 0] }
        if !text.isEmpty { elements += [midID << 4 | UInt8(text.count - 1)] + text }
        if elements.isEmpty { return }
        while elements.count % 4 != 0 { elements.append(0) }
        let block = [0xBE, 0xDE, 0, UInt8(elements.count / 4)] + elements
        for i in 0..<block.count / 4 {
            words[i] = block[4 * i..<4 * i + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }.bigEndian
        }
        (byteCount, hasTransportSequence) = (UInt8(block.count), transportSequenceID != 0)
    }
}
