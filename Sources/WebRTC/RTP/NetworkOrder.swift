/// Big-endian reads from packet bytes. Parsers check lengths first; a read out of bounds is a bug of ours and stops.
extension RawSpan {
    @inline(__always)
    func octet(at offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < byteCount, "octet read within the packet")
        return unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    @inline(__always)
    func octets2(at offset: Int) -> UInt16 {
        precondition(offset >= 0 && offset <= byteCount - 2, "16-bit read within the packet")
        return unsafe UInt16(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    @inline(__always)
    func octets3(at offset: Int) -> UInt32 {
        UInt32(octets2(at: offset)) << 8 | UInt32(octet(at: offset + 2))
    }

    @inline(__always)
    func octets4(at offset: Int) -> UInt32 {
        precondition(offset >= 0 && offset <= byteCount - 4, "32-bit read within the packet")
        return unsafe UInt32(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}

/// Bytes of a packet under construction, in network order. For cold paths.
struct PacketBuilder {
    private(set) var bytes: [UInt8] = []

    /// Room for a report with two blocks and a name, and not four smaller ones before it.
    init() { bytes.reserveCapacity(128) }

    var count: Int { bytes.count }

    mutating func put(_ value: UInt8) { bytes.append(value) }
    mutating func put(_ value: UInt16) {
        bytes.append(UInt8(value >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value))
    }
    mutating func put(_ value: UInt32) {
        put(UInt16(value >> 16))
        put(UInt16(truncatingIfNeeded: value))
    }
    mutating func put(_ ssrc: SSRC) { put(ssrc.rawValue) }
    mutating func put(_ raw: [UInt8]) { bytes += raw }
    /// The low 24 bits.
    mutating func put24(_ value: UInt32) {
        put(UInt8(truncatingIfNeeded: value >> 16))
        put(UInt16(truncatingIfNeeded: value))
    }

    mutating func replace(at offset: Int, with value: UInt8) { bytes[offset] = value }
    mutating func replace(at offset: Int, with value: UInt16) {
        bytes[offset] = UInt8(value >> 8)
        bytes[offset + 1] = UInt8(truncatingIfNeeded: value)
    }

    /// Zeros up to the next multiple of four, as RTP and RTCP align everything.
    mutating func align() { while count % 4 != 0 { put(UInt8(0)) } }
}
