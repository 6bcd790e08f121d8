import CLinux
import Glibc
import Synchronization
package import WebRTC

/// A thread that reads one UDP socket and hands over what it reads, for media that other programs send to this process.
/// It answers nothing and knows no sessions; those are a `MediaWorker`'s.
package final class DatagramReader: Sendable {
    /// Batches that may wait for the consumer; older ones are lost then.
    package static let batchCapacity = 256

    package let localAddress: TransportAddress
    /// Datagrams as they came, for one consumer; ends after `stop`.
    package let batches: AsyncStream<[[UInt8]]>
    private let thread: Mutex<Thread?>
    private let stopping = Signal()
    private let losses = LossCount()
    /// Datagrams that the consumer was too slow for, or that were longer than `UDPSockets.maximumDatagram`.
    package var lost: UInt64 { losses.value.load(ordering: .relaxed) }

    package init(_ address: TransportAddress) throws(MediaPlaneError) {
        let descriptor = try UDPSocket.open(address)
        localAddress = UDPSocket.localAddress(of: descriptor)
        let (batches, continuation) = AsyncStream.makeStream(
            of: [[UInt8]].self, bufferingPolicy: .bufferingNewest(Self.batchCapacity))
        self.batches = batches
        let started = Thread(name: "datagrams") { [stopping, losses] in
            var sockets = UDPSockets(descriptor: descriptor)
            while Self.waits(for: descriptor, unless: stopping.descriptor) {
                let truncated = sockets.truncated
                let datagrams = Self.batch(&sockets)
                losses.value.wrappingAdd(sockets.truncated - truncated, ordering: .relaxed)
                if !datagrams.isEmpty, case .dropped(let older) = continuation.yield(datagrams) {
                    losses.value.wrappingAdd(UInt64(older.count), ordering: .relaxed)
                }
            }
            continuation.finish()
        }
        thread = Mutex(started)
    }

    deinit {
        stopping.raise()
        thread.withLock { $0 }?.detach()
    }

    /// Ends the thread and closes the socket. May be called more than once; only the first call waits.
    package func stop() async {
        let last = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        guard let last else { return }
        stopping.raise()
        await last.joined()
    }

    /// False: time to stop.
    private static func waits(for socket: Int32, unless stopping: Int32) -> Bool {
        unsafe withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 2) { entries in
            unsafe entries[0] = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            unsafe entries[1] = pollfd(fd: stopping, events: Int16(POLLIN), revents: 0)
            while unsafe poll(entries.baseAddress, 2, -1) < 0 {}
            return unsafe entries[1].revents == 0
        }
    }

    private static func batch(_ sockets: inout UDPSockets) -> [[UInt8]] {
        var datagrams: [[UInt8]] = []
        for i in 0..<sockets.receive() where sockets.source(i) != nil {
            datagrams.append(unsafe Array(sockets.datagram(i)))
        }
        return datagrams
    }
}

private final class LossCount: Sendable {
    let value = Atomic<UInt64>(0)
}
