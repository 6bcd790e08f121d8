/// One RTP packet's header, parsed (RFC 3550 §5.1): plain values and offsets into the datagram, no copy of its bytes.
///
///      0                   1                   2                   3
///     |V=2|P|X|  CC   |M|     PT      |       sequence number         |
///     |                           timestamp                           |
///     |                              SSRC                             |
///     |                         CSRC × CC                             |
///     |   extension profile (X)       |      length in 32-bit words   |
package struct RTPPacket: Hashable, Sendable {
    /// Bytes of a header without CSRCs and extension.
    package static let fixedHeaderLength = 12

    package var marker: Bool
    package var payloadType: PayloadType
    package var sequenceNumber: SequenceNumber
    /// In units of the codec's clock rate.
    package var timestamp: UInt32
    package var ssrc: SSRC
    /// "Defined by profile": 0xBEDE one-byte, 0x100x two-byte elements (RFC 8285); meaningless without an extension.
    package var extensionProfile: UInt16
    /// The extension's data, after its 4-byte preamble; empty without one.
    package var extensionData: Range<Int>
    /// Payload without padding. Empty for packets that are padding only, as bandwidth probes are.
    package var payload: Range<Int>

    /// nil: not RTP version 2, shorter than its header says, or with impossible padding.
    package static func parse(_ bytes: borrowing RawSpan) -> RTPPacket? {
        guard bytes.byteCount >= fixedHeaderLength else { return nil }
        let first = bytes.octet(at: 0)
        guard first >> 6 == 2 else { return nil }
        var offset = fixedHeaderLength + Int(first & 0x0F) * 4
        var profile: UInt16 = 0
        var data = 0..<0
        if first & 0x10 != 0 {
            guard offset + 4 <= bytes.byteCount else { return nil }
            profile = bytes.octets2(at: offset)
            data = offset + 4..<offset + 4 + Int(bytes.octets2(at: offset + 2)) * 4
            offset = data.upperBound
        }
        guard offset <= bytes.byteCount else { return nil }
        var end = bytes.byteCount
        if first & 0x20 != 0 {
            let padding = Int(bytes.octet(at: end - 1))
            guard padding > 0, padding <= end - offset else { return nil }
            end -= padding
        }
        let second = bytes.octet(at: 1)
        return RTPPacket(
            marker: second & 0x80 != 0, payloadType: PayloadType(second),
            sequenceNumber: SequenceNumber(bytes.octets2(at: 2)), timestamp: bytes.octets4(at: 4),
            ssrc: SSRC(bytes.octets4(at: 8)), extensionProfile: profile, extensionData: data, payload: offset..<end)
    }

    /// Where the datagram holds the data of the extension element `id` (1...14 one-byte, 1...255 two-byte headers; the
    /// first one if repeated); nil when absent. `bytes` is what `parse` was given. Elements after a malformed one do
    /// not exist (RFC 8285 §4.2).
    package func extensionRange(id: UInt8, in bytes: borrowing RawSpan) -> Range<Int>? {
        guard id != 0, extensionData.upperBound <= bytes.byteCount else { return nil }
        if extensionProfile == 0xBEDE { return id < 15 ? oneByteElement(id, in: bytes) : nil }
        if extensionProfile & 0xFFF0 == 0x1000 { return twoByteElement(id, in: bytes) }
        return nil
    }

    private func oneByteElement(_ id: UInt8, in bytes: borrowing RawSpan) -> Range<Int>? {
        var offset = extensionData.lowerBound
        while offset < extensionData.upperBound {
            let header = bytes.octet(at: offset)
            offset += 1
            if header == 0 { continue }
            // Id 0 with a length, and the reserved id 15, end the whole extension.
            if header >> 4 == 0 || header >> 4 == 15 { return nil }
            let end = offset + Int(header & 0x0F) + 1
            guard end <= extensionData.upperBound else { return nil }
            if header >> 4 == id { return offset..<end }
            offset = end
        }
        return nil
    }

    private func twoByteElement(_ id: UInt8, in bytes: borrowing RawSpan) -> Range<Int>? {
        var offset = extensionData.lowerBound
        while offset < extensionData.upperBound {
            let element = bytes.octet(at: offset)
            offset += 1
            if element == 0 { continue }
            guard offset < extensionData.upperBound else { return nil }
            let end = offset + 1 + Int(bytes.octet(at: offset))
            guard end <= extensionData.upperBound else { return nil }
            if element == id { return offset + 1..<end }
            offset = end
        }
        return nil
    }
}

extension RTPPacket {
    /// Of a retransmission (RFC 4588 §4): the original sequence number, the first two payload bytes. The original
    /// payload is the rest. nil: no such packet inside, only padding that probes for bandwidth.
    package func originalSequenceNumber(in bytes: borrowing RawSpan) -> SequenceNumber? {
        guard payload.count > 2, payload.upperBound <= bytes.byteCount else { return nil }
        return SequenceNumber(bytes.octets2(at: payload.lowerBound))
    }

    /// Big-endian 16-bit value of an element, as the transport-wide sequence number is.
    package func extensionUInt16(id: UInt8, in bytes: borrowing RawSpan) -> UInt16? {
        guard let range = extensionRange(id: id, in: bytes), range.count >= 2 else { return nil }
        return bytes.octets2(at: range.lowerBound)
    }

    /// An element that holds text (MID and RID, RFC 8852 and 9143); nil when absent or not UTF-8. Allocates.
    package func extensionText(id: UInt8, in bytes: borrowing RawSpan) -> String? {
        guard let range = extensionRange(id: id, in: bytes) else { return nil }
        return String(validating: range.map { bytes.octet(at: $0) }, as: UTF8.self)
    }
}
