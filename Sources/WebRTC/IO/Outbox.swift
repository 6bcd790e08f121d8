/// Datagrams on their way to the socket: one preallocated slab, written once, handed to `sendmmsg` as it is.
///
/// Neighbouring datagrams for one destination that lie contiguously and are equally long (the last may be shorter) are
/// merged into one message with a segment size, which the kernel splits again (UDP GSO).
@safe package final class Outbox {
    package struct Message: Sendable {
        package var destination: TransportAddress
        package var offset: Int
        package var length: Int
        /// Length of each datagram in the run, the last may be shorter; equal to `length` for a single datagram.
        package var segment: Int
    }

    /// A run never exceeds these: the kernel takes at most 64 segments and one UDP payload of 65,507 bytes.
    package static let maximumSegments = 16
    package static let maximumRunBytes = 60_000
    /// The largest datagram that `reserve` accepts.
    package static let maximumDatagram = 1_500
    /// Longer ones may have to be fragmented, which the kernel does for single datagrams only: an IPv6 packet of 1,500.
    package static let maximumSegment = 1_500 - 40 - 8

    /// Bytes and messages that fit in.
    private static let capacity = 1 << 20
    private static let maximumMessages = 1_024

    package private(set) var messages: [Message] = []
    package private(set) var used = 0
    /// Datagrams since the last `removeAll`, counting each segment of a run.
    package private(set) var datagrams = 0
    /// Whether runs are merged; the socket clears it where the kernel refuses GSO.
    package var coalesces = true
    /// Datagrams that found no room since the beginning.
    package private(set) var refused: UInt64 = 0
    private let base: UnsafeMutableRawPointer

    package init() {
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: Self.capacity, alignment: 64)
        messages.reserveCapacity(Self.maximumMessages)
    }

    deinit { unsafe base.deallocate() }

    package var isEmpty: Bool { messages.isEmpty }

    /// Whether `count` more datagrams of the largest size are sure to fit.
    package func hasRoom(for count: Int) -> Bool {
        messages.count + count <= Self.maximumMessages && used + count * Self.maximumDatagram <= Self.capacity
    }

    /// Where the next datagram is to be written, or nil when there is no room. Follow with `commit`, or just reserve again.
    @unsafe package func reserve(_ length: Int) -> UnsafeMutableRawPointer? {
        guard length <= Self.maximumDatagram, used + length <= Self.capacity, messages.count < Self.maximumMessages
        else {
            refused += 1
            return nil
        }
        return unsafe base + used
    }

    /// Makes the `length` bytes written at the last `reserve` a datagram for `destination`.
    package func commit(_ length: Int, to destination: TransportAddress) {
        precondition(length > 0 && used + length <= Self.capacity, "commit follows a reserve of at least that length")
        defer { used += length; datagrams += 1 }
        if coalesces, let last = messages.indices.last {
            let run = messages[last]
            if run.destination == destination, length <= run.segment, run.segment <= Self.maximumSegment,
                run.length % run.segment == 0,
                run.length / run.segment < Self.maximumSegments, run.length + length <= Self.maximumRunBytes
            {
                messages[last].length += length
                return
            }
        }
        messages.append(Message(destination: destination, offset: used, length: length, segment: length))
    }

    /// Copies one datagram in; false when there is no room.
    @discardableResult
    package func append(_ bytes: borrowing RawSpan, to destination: TransportAddress) -> Bool {
        let length = bytes.byteCount
        guard length > 0, let target = unsafe reserve(length) else { return false }
        unsafe bytes.withUnsafeBytes { unsafe target.copyMemory(from: $0.baseAddress!, byteCount: length) }
        commit(length, to: destination)
        return true
    }

    @discardableResult
    package func append(_ bytes: [UInt8], to destination: TransportAddress) -> Bool {
        unsafe append(bytes.span.bytes, to: destination)
    }

    /// The slab, for the socket. Valid until the next `removeAll` or the end of the outbox.
    @unsafe package var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: used) }

    /// Forgets everything; the memory is kept.
    package func removeAll() {
        messages.removeAll(keepingCapacity: true)
        (used, datagrams) = (0, 0)
    }

    /// Each datagram apart, for tests and the virtual network.
    package func datagramsForTesting() -> [(destination: TransportAddress, bytes: [UInt8])] {
        messages.flatMap { message in
            stride(from: 0, to: message.length, by: message.segment).map { start in
                let length = min(message.segment, message.length - start)
                let slice = unsafe UnsafeRawBufferPointer(start: base + message.offset + start, count: length)
                return unsafe (message.destination, Array(slice))
            }
        }
    }
}
