import CLinux
import Glibc
package import WebRTC

/// The sockets of one thread, and the preallocated batches for `recvmmsg` and `sendmmsg` that they share.
///
/// Socket 0 is the one that peers are told of. Others (`openClient`) serve one client session each: two sessions
/// towards one server must not share a 5-tuple.
@safe package struct UDPSockets: ~Copyable {
    /// Datagrams per system call. More than 16 gains little when sending, more than 32 when receiving.
    package static let batch = 64
    /// Longer datagrams are truncated by the kernel and dropped here; no peer may send us any (path MTU 1,500).
    package static let maximumDatagram = 2_048
    /// An odd cache line more than the datagram, so that the buffers do not alias in the cache.
    private static let stride = maximumDatagram + 64
    /// How often in one `send` to wait a millisecond for room before the rest is lost, as in a full device queue.
    private static let patience = 3

    /// By socket number; -1: closed.
    private var descriptors: [Int32]
    private let isIPv6: Bool
    private let clientAddress: TransportAddress
    private var segmentation: SegmentationPolicy
    /// The socket that the received batch is from.
    private var receivedOn: UInt16 = 0
    /// Datagrams that no socket would take.
    package private(set) var refused: UInt64 = 0
    /// Datagrams dropped because they were longer than `maximumDatagram`.
    package private(set) var truncated: UInt64 = 0

    private let incoming: UnsafeMutablePointer<clinux_message>
    private let incomingSlots: UnsafeMutablePointer<clinux_slot>
    private let storage: UnsafeMutableRawPointer
    private let outgoing: UnsafeMutablePointer<clinux_message>
    private let outgoingSlots: UnsafeMutablePointer<clinux_slot>

    /// Takes over `descriptor`, bound by `UDPSocket.open`, as socket 0; all sockets are closed at the end.
    package init(descriptor: Int32) {
        var address = UDPSocket.localAddress(of: descriptor)
        address.port = 0
        (descriptors, clientAddress, isIPv6) = ([descriptor], address, !address.isIPv4)
        segmentation = SegmentationPolicy(isPossible: clinux_knows_segmentation(descriptor) != 0)
        let bytes = Self.batch * Self.stride
        unsafe storage = .allocate(byteCount: bytes, alignment: 64)
        unsafe storage.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        unsafe (incoming, incomingSlots) = Self.array(Self.batch)
        // One more than a batch: the last is for the datagrams of a run that has to be split.
        unsafe (outgoing, outgoingSlots) = Self.array(Self.batch + 1)
        for i in 0..<Self.batch {
            unsafe incomingSlots[i].vector = iovec(
                iov_base: storage + i * Self.stride, iov_len: Self.maximumDatagram)
        }
    }

    private static func array(
        _ count: Int
    ) -> (UnsafeMutablePointer<clinux_message>, UnsafeMutablePointer<clinux_slot>) {
        let messages = UnsafeMutablePointer<clinux_message>.allocate(capacity: count)
        let slots = UnsafeMutablePointer<clinux_slot>.allocate(capacity: count)
        unsafe messages.initialize(repeating: clinux_message(), count: count)
        unsafe slots.initialize(repeating: clinux_slot(), count: count)
        for i in 0..<count { unsafe clinux_link(messages + i, slots + i) }
        return unsafe (messages, slots)
    }

    deinit {
        for descriptor in descriptors where descriptor >= 0 { close(descriptor) }
        unsafe incoming.deallocate()
        unsafe incomingSlots.deallocate()
        unsafe outgoing.deallocate()
        unsafe outgoingSlots.deallocate()
        unsafe storage.deallocate()
    }

    /// The descriptor of an open socket, for epoll.
    package func descriptor(_ socket: UInt16) -> Int32 { descriptors[Int(socket)] }

    /// Opens a socket on the same address as socket 0 and any port; its number, or nil when the system has none left.
    package mutating func openClient() -> UInt16? {
        let free = descriptors.firstIndex(of: -1) ?? descriptors.count
        guard free <= Int(UInt16.max), let descriptor = try? UDPSocket.open(clientAddress) else { return nil }
        if free == descriptors.count { descriptors.append(descriptor) } else { descriptors[free] = descriptor }
        return UInt16(free)
    }

    package mutating func closeClient(_ socket: UInt16) {
        precondition(socket > 0 && descriptors[Int(socket)] >= 0, "a client socket is closed once")
        close(descriptors[Int(socket)])
        descriptors[Int(socket)] = -1
    }
}

// MARK: - Receiving

extension UDPSockets {
    /// Fills the receive buffers with what is there, without waiting; the number of datagrams, at most `batch`.
    package mutating func receive(on socket: UInt16 = 0) -> Int {
        receivedOn = socket
        for i in 0..<Self.batch { unsafe incoming[i].msg_hdr.msg_namelen = socklen_t(MemoryLayout<sockaddr_in6>.size) }
        // Errors other than "nothing there" belong to single datagrams (ICMP) and are gone once reported.
        return max(0, Int(unsafe clinux_receive(descriptors[Int(socket)], incoming, UInt32(Self.batch))))
    }

    /// Where datagram `index` of the last `receive` came from; nil when it was too long and is to be ignored.
    package mutating func source(_ index: Int) -> TransportAddress? {
        if unsafe incoming[index].msg_hdr.msg_flags & Int32(MSG_TRUNC) != 0 {
            truncated += 1
            return nil
        }
        var address = unsafe UDPSocket.address(incomingSlots + index)
        address?.socket = receivedOn
        return address
    }

    /// Datagram `index` of the last `receive`; valid until the next one.
    @unsafe package func datagram(_ index: Int) -> UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(
            start: storage + index * Self.stride, count: Int(incoming[index].msg_len))
    }
}

// MARK: - Sending

extension UDPSockets {
    /// Sends all messages of `outbox`, which keeps them, and tells it whether runs are still worth making.
    package mutating func send(_ outbox: Outbox, now: Instant) {
        segmentation.advance(now: now)
        let messages = outbox.messages
        var next = (message: 0, offset: 0)
        var patience = Self.patience
        while next.message < messages.count {
            let socket = messages[next.message].destination.socket
            var count = 0
            while count < Self.batch, next.message < messages.count,
                messages[next.message].destination.socket == socket
            {
                unsafe fill(count, takeMessage(messages, at: &next), from: outbox.bytes)
                count += 1
            }
            transmit(count, on: descriptors[Int(socket)], patience: &patience, now: now)
        }
        outbox.coalesces = segmentation.isEnabled
    }

    /// The message at `next` as it can leave: whole, or one datagram of a run that the path does not take.
    private func takeMessage(
        _ messages: [Outbox.Message], at next: inout (message: Int, offset: Int)
    ) -> Outbox.Message {
        var message = messages[next.message]
        let isSingle = message.length == message.segment
        if next.offset == 0, isSingle || segmentation.takesRun(to: message.destination) {
            next.message += 1
            return message
        }
        let left = message.length - next.offset
        message.offset += next.offset
        message.length = min(message.segment, left)
        next = message.length == left ? (next.message + 1, 0) : (next.message, next.offset + message.length)
        return message
    }

    private func fill(_ index: Int, _ message: Outbox.Message, from slab: UnsafeRawBufferPointer) {
        let (header, slot) = unsafe (outgoing + index, outgoingSlots + index)
        let start = unsafe UnsafeMutableRawPointer(mutating: slab.baseAddress! + message.offset)
        unsafe slot.pointee.vector = iovec(iov_base: start, iov_len: message.length)
        unsafe clinux_set_segment(header, slot, message.length > message.segment ? UInt16(message.segment) : 0)
        let to = message.destination
        switch (to.isIPv4, isIPv6) {
        case (true, false): unsafe clinux_set_ipv4(header, slot, UInt32(truncatingIfNeeded: to.low), to.port)
        case (true, true): unsafe clinux_set_ipv6(header, slot, 0, 0xFFFF << 32 | to.low, to.port)
        case (false, _): unsafe clinux_set_ipv6(header, slot, to.high, to.low, to.port)
        }
    }

    /// Hands the first `count` filled messages to the kernel.
    private mutating func transmit(_ count: Int, on descriptor: Int32, patience: inout Int, now: Instant) {
        var done = 0
        while done < count {
            let sent = Int(unsafe clinux_send(descriptor, outgoing + done, UInt32(count - done)))
            if sent > 0 {
                if segmentation.refusals > 0, (done..<done + sent).contains(where: { segment($0) > 0 }) {
                    segmentation.accepted()
                }
                done += sent
                continue
            }
            let code = errno
            switch SendFailure.classify(code, isRun: segment(done) > 0) {
            case .again: continue
            case .full:
                if waitForRoom(descriptor, &patience) { continue }
                for i in done..<count { refused += UInt64(datagrams(i)) }
                return
            case .split:
                let destination = unsafe UDPSocket.address(outgoingSlots + done)
                precondition(destination != nil, "a message has the address that it was filled with")
                segmentation.refused(code, to: destination!, now: now)
                sendApart(done, on: descriptor, patience: &patience)
            case .drop: refused += UInt64(datagrams(done))
            }
            done += 1
        }
    }

    /// Sends the datagrams of run `index` one by one.
    private mutating func sendApart(_ index: Int, on descriptor: Int32, patience: inout Int) {
        let spare = Self.batch
        let run = unsafe outgoingSlots[index].vector
        let (total, segment) = unsafe (run.iov_len, self.segment(index))
        unsafe outgoingSlots[spare].address = outgoingSlots[index].address
        unsafe outgoing[spare].msg_hdr.msg_namelen = outgoing[index].msg_hdr.msg_namelen
        unsafe clinux_set_segment(outgoing + spare, outgoingSlots + spare, 0)
        var start = 0
        while start < total {
            let length = min(segment, total - start)
            unsafe outgoingSlots[spare].vector = iovec(iov_base: run.iov_base + start, iov_len: length)
            if unsafe clinux_send(descriptor, outgoing + spare, 1) != 1 {
                let failure = SendFailure.classify(errno, isRun: false)
                if failure == .again || failure == .full && waitForRoom(descriptor, &patience) { continue }
                refused += 1
            }
            start += length
        }
    }

    /// Segment length of outgoing message `index`; 0 for a single datagram.
    private func segment(_ index: Int) -> Int { unsafe Int(clinux_segment(outgoing + index, outgoingSlots + index)) }

    private func datagrams(_ index: Int) -> Int {
        let segment = segment(index)
        return segment == 0 ? 1 : unsafe (outgoingSlots[index].vector.iov_len + segment - 1) / segment
    }

    private func waitForRoom(_ descriptor: Int32, _ patience: inout Int) -> Bool {
        guard patience > 0 else { return false }
        patience -= 1
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        unsafe poll(&entry, 1, 1)
        return true
    }
}
