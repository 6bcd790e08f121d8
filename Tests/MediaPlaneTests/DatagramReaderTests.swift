// What other programs send to the process comes out of the stream, and the stream ends.

import MediaPlane
import Testing
import WebRTC

@Suite(.timeLimit(.minutes(5))) struct DatagramReaderTests {
    private let loopback = TransportAddress("127.0.0.1", port: 0)!

    @Test func datagramsComeInOrder() async throws {
        let reader = try DatagramReader(loopback)
        var sender = UDPSockets(descriptor: try UDPSocket.open(loopback))
        let outbox = Outbox()
        let expected = (0..<200).map { [UInt8($0), 1, 2] }
        for datagram in expected { outbox.append(datagram, to: reader.localAddress) }
        sender.send(outbox, now: MonotonicClock.now())
        var received: [[UInt8]] = []
        for await batch in reader.batches {
            received += batch
            if received.count == expected.count { break }
        }
        #expect(received == expected)
        await reader.stop()
    }

    @Test func stopEndsTheStream() async throws {
        let reader = try DatagramReader(loopback)
        await reader.stop()
        await reader.stop()
        for await _ in reader.batches { Issue.record("nothing was sent") }
    }
}
