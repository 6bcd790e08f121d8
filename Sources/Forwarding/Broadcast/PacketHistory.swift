package import WebRTC

/// The packets of one encoding, decrypted, kept once for all viewers: repairs and late joins are served from here.
///
/// One byte slab holds the payloads, one index the rest. Payloads are written one after the other at an absolute
/// 64-bit position; position modulo capacity is the place in the slab, and the oldest bytes are overwritten.
///
///     slab    | E | (unused tail) ‖ C | D |        a payload never wraps: it skips to the start instead
///                 ^ write head
///     index   slot = sequence & (slots - 1)
///
/// An entry exists iff its slot holds its sequence number, it lies within `slots` of the newest, and its bytes are not
/// overwritten (position + capacity ≥ write head). Packets may be inserted in any order. Nothing is allocated before
/// the first insert, so an encoding that never flows costs nothing, and nothing after it.
@safe package struct PacketHistory: ~Copyable {
    package struct Entry: Sendable {
        /// Extended sequence number as received (`ReceptionStatistics`).
        package fileprivate(set) var sequence: Int64
        package fileprivate(set) var arrival: Instant
        /// RTP timestamp as received.
        package fileprivate(set) var timestamp: UInt32
        /// Bytes of RTP payload, padding removed.
        package var length: Int { Int(size) }
        package fileprivate(set) var marker: Bool
        /// The packet starts a keyframe.
        package fileprivate(set) var keyframe: Bool
        fileprivate var size: UInt32
        /// Absolute position of the payload; negative: no packet.
        fileprivate var position: Int64

        fileprivate static let none = Entry(
            sequence: .min, arrival: .zero, timestamp: 0, marker: false, keyframe: false, size: 0, position: -1)
    }

    package let byteCapacity: Int
    package let slots: Int
    /// The highest sequence number inserted, also when its bytes are gone; nil: empty.
    package private(set) var newest: Int64?
    private var slab: UnsafeMutableRawPointer?
    private var index: [Entry] = []
    private var head: Int64 = 0
    /// First packet of the newest keyframe, possibly overwritten by now.
    private var newestKeyframe: Int64?

    /// - Parameters:
    ///   - byteCapacity: payload bytes kept.
    ///   - slots: packets kept, a power of two.
    package init(byteCapacity: Int, slots: Int) {
        precondition(byteCapacity > 0, "a history has room for bytes")
        precondition(slots > 0 && slots & (slots - 1) == 0, "the index of a history is a power of two")
        (self.byteCapacity, self.slots) = (byteCapacity, slots)
        unsafe slab = nil
    }

    deinit { unsafe slab?.deallocate() }

    /// Keeps a copy of the packet. False, and nothing changes: the packet is a duplicate, too old for the index, or
    /// larger than the whole slab.
    package mutating func insert(
        sequence: Int64, timestamp: UInt32, marker: Bool, keyframe: Bool, arrival: Instant,
        payload: borrowing RawSpan
    ) -> Bool {
        let length = payload.byteCount
        guard length <= byteCapacity, length <= Int(UInt32.max) else { return false }
        let slot = slot(of: sequence)
        if let newest {
            guard sequence > newest &- Int64(slots) else { return false }
            // Also when its bytes are gone: it was here, so this is a duplicate.
            guard index[slot].position < 0 || index[slot].sequence < sequence else { return false }
        } else {
            allocateOnce()
        }
        let position = write(payload)
        index[slot] = Entry(
            sequence: sequence, arrival: arrival, timestamp: timestamp, marker: marker, keyframe: keyframe,
            size: UInt32(length), position: position)
        newest = max(newest ?? sequence, sequence)
        if keyframe { noteKeyframe(index[slot]) }
        return true
    }

    /// nil: never had it, or it is overwritten.
    package func entry(_ sequence: Int64) -> Entry? {
        guard let newest, sequence <= newest, sequence > newest &- Int64(slots) else { return nil }
        let entry = index[slot(of: sequence)]
        guard entry.sequence == sequence, holdsBytes(of: entry) else { return nil }
        return entry
    }

    /// Where the payload of `entry` lies, contiguous, `entry.length` bytes. Valid until the next `insert`.
    @unsafe package func payload(of entry: Entry) -> UnsafeRawPointer {
        precondition(holdsBytes(of: entry), "the entry is one of this history and still held")
        guard let slab = unsafe slab else { preconditionFailure("a history that holds an entry has a slab") }
        return unsafe UnsafeRawPointer(slab + offset(of: entry.position))
    }

    /// Whether `entry` has exactly this payload.
    package func holds(_ payload: borrowing RawSpan, as entry: Entry) -> Bool {
        guard entry.length == payload.byteCount, holdsBytes(of: entry) else { return false }
        let held = unsafe UnsafeRawBufferPointer(start: self.payload(of: entry), count: entry.length)
        return unsafe payload.withUnsafeBytes { unsafe $0.elementsEqual(held) }
    }

    /// Where the newest group of pictures starts: the first packet of the newest keyframe, or nil when that is not held
    /// any more.
    package var groupStart: Int64? {
        guard let newestKeyframe, entry(newestKeyframe) != nil else { return nil }
        return keyframeStart(of: newestKeyframe)
    }

    /// The first packet of the picture that `sequence` is flagged for: what comes with it in front (H.264: parameter
    /// sets, SEI) is of the same timestamp.
    package func keyframeStart(of sequence: Int64) -> Int64 {
        guard let timestamp = entry(sequence)?.timestamp else { return sequence }
        var start = sequence
        while sequence - start < Self.longestPreamble, entry(start - 1)?.timestamp == timestamp { start -= 1 }
        return start
    }

    /// More packets do not lead a picture.
    private static let longestPreamble: Int64 = 16

    private func slot(of sequence: Int64) -> Int { Int(truncatingIfNeeded: sequence) & (slots - 1) }
    private func offset(of position: Int64) -> Int { Int(position % Int64(byteCapacity)) }
    private func holdsBytes(of entry: Entry) -> Bool {
        entry.position >= 0 && entry.position + Int64(byteCapacity) >= head
    }

    private mutating func allocateOnce() {
        guard unsafe slab == nil else { return }
        unsafe slab = UnsafeMutableRawPointer.allocate(byteCount: byteCapacity, alignment: 64)
        index = [Entry](repeating: .none, count: slots)
    }

    /// Copies the payload to the write head and returns its absolute position.
    private mutating func write(_ payload: borrowing RawSpan) -> Int64 {
        let length = payload.byteCount
        if offset(of: head) + length > byteCapacity {
            head += Int64(byteCapacity - offset(of: head))
        }
        let position = head
        guard let slab = unsafe slab else { preconditionFailure("the slab is allocated before the first write") }
        let target = unsafe slab + offset(of: position)
        unsafe payload.withUnsafeBytes { source in
            if let start = source.baseAddress { unsafe target.copyMemory(from: start, byteCount: length) }
        }
        head += Int64(length)
        return position
    }

    private mutating func noteKeyframe(_ entry: Entry) {
        guard let current = newestKeyframe, index[slot(of: current)].sequence == current else {
            newestKeyframe = entry.sequence
            return
        }
        let samePicture = index[slot(of: current)].timestamp == entry.timestamp
        if samePicture ? entry.sequence < current : entry.sequence > current { newestKeyframe = entry.sequence }
    }
}
