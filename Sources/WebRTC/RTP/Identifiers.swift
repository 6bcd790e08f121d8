/// Synchronisation source (RFC 3550 §3).
package struct SSRC: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package init(_ value: UInt32) { rawValue = value }
}

/// 7-bit RTP payload type.
package struct PayloadType: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue & 0x7F }
    package init(_ value: UInt8) { rawValue = value & 0x7F }
}

/// 16-bit RTP sequence number; comparisons are modulo 2^16 (RFC 1982 serial arithmetic).
package struct SequenceNumber: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    package init(_ value: UInt16) { rawValue = value }

    /// Signed distance from `other` to `self`, in -32768...32767.
    package func distance(from other: SequenceNumber) -> Int { Int(Int16(bitPattern: rawValue &- other.rawValue)) }

    /// The 64-bit number congruent to this one that is nearest to `reference`.
    package func extended(near reference: Int64) -> Int64 {
        reference &+ Int64(Int16(bitPattern: rawValue &- UInt16(truncatingIfNeeded: reference)))
    }
}
