import Glibc
import MediaPlane
import Testing
import WebRTC

/// A bound socket with its address, and what a test needs of it.
@safe final class Peer {
    var socket: UDPSockets
    let address: TransportAddress

    init(_ listen: TransportAddress = TransportAddress("127.0.0.1", port: 0)!) throws {
        let descriptor = try UDPSocket.open(listen)
        address = UDPSocket.localAddress(of: descriptor)
        socket = UDPSockets(descriptor: descriptor)
    }

    /// The next `count` datagrams, or fewer when they do not come within two seconds.
    func receive(_ count: Int) -> [(source: TransportAddress?, bytes: [UInt8])] {
        var all: [(source: TransportAddress?, bytes: [UInt8])] = []
        while all.count < count {
            var entry = pollfd(fd: socket.descriptor(0), events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&entry, 1, 2_000) == 1 else { break }
            for i in 0..<socket.receive() {
                let source = socket.source(i)
                all.append((source, unsafe Array(socket.datagram(i))))
            }
        }
        return all
    }

    /// SO_NO_CHECK makes the kernel answer EINVAL to every GSO message (udp_send_skb).
    func refuseRuns() throws {
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        try #require(unsafe setsockopt(socket.descriptor(0), SOL_SOCKET, SO_NO_CHECK, &on, size) == 0)
    }

    func openClient() -> UInt16? { socket.openClient() }
    func receiveOnce(on number: UInt16) -> Int { socket.receive(on: number) }
    var source: TransportAddress? { socket.source(0) }
    var refused: UInt64 { socket.refused }

    func send(_ datagrams: [[UInt8]], to address: TransportAddress, coalescing: Bool = true) -> Outbox {
        let outbox = Outbox()
        outbox.coalesces = coalescing
        for datagram in datagrams { #expect(outbox.append(datagram, to: address)) }
        send(outbox)
        return outbox
    }

    func send(_ outbox: Outbox) { socket.send(outbox, now: MonotonicClock.now()) }
}

/// Bytes that say which datagram they are.
func pattern(_ length: Int, _ seed: Int) -> [UInt8] {
    (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ seed) }
}
