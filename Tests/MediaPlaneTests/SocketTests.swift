// The socket moves datagrams unchanged: batches, GSO runs, IPv6, dual stack, refusals. Real loopback sockets.

import Glibc
import MediaPlane
import Testing
import WebRTC

@Suite struct SocketTests {
    @Test func datagramsArriveUnchangedWithTheirSource() throws {
        let (a, b) = (try Peer(), try Peer())
        #expect(a.address.port != 0)
        _ = a.send([pattern(1, 1), pattern(1_200, 2)], to: b.address)
        let received = b.receive(2)
        #expect(received.map(\.bytes) == [pattern(1, 1), pattern(1_200, 2)])
        #expect(received.allSatisfy { $0.source == a.address })
    }

    @Test func answersReachTheSender() throws {
        let (a, b) = (try Peer(), try Peer())
        _ = a.send([pattern(20, 1)], to: b.address)
        let request = try #require(b.receive(1).first)
        _ = b.send([request.bytes], to: try #require(request.source))
        #expect(a.receive(1).map(\.bytes) == [pattern(20, 1)])
    }

    @Test func moreThanOneBatchOfDifferentDestinations() throws {
        let a = try Peer()
        let peers = try (0..<5).map { _ in try Peer() }
        let outbox = Outbox()
        for i in 0..<300 { outbox.append(pattern(100 + i, i), to: peers[i % 5].address) }
        a.send(outbox)
        for (p, peer) in peers.enumerated() {
            let expected = stride(from: p, to: 300, by: 5).map { pattern(100 + $0, $0) }
            #expect(peer.receive(60).map(\.bytes) == expected)
        }
        #expect(a.refused == 0)
    }

    /// A run of equal datagrams with a shorter last one leaves as one message and arrives as what it was.
    @Test func runsArriveAsSeparateDatagrams() throws {
        let (a, b) = (try Peer(), try Peer())
        let datagrams = (0..<15).map { pattern(1_166, $0) } + [pattern(700, 99)]
        let outbox = a.send(datagrams, to: b.address)
        #expect(outbox.messages.count == 1 && outbox.messages[0].segment == 1_166)
        #expect(outbox.coalesces, "this kernel knows UDP_SEGMENT")
        #expect(b.receive(16).map(\.bytes) == datagrams)
    }

    @Test func runsBetweenSingleDatagramsKeepTheirOrder() throws {
        let (a, b) = (try Peer(), try Peer())
        let sizes = [500, 500, 500, 40, 1_200, 1_200, 1_300, 9]
        let datagrams = sizes.enumerated().map { pattern($0.element, $0.offset) }
        let outbox = a.send(datagrams, to: b.address)
        #expect(outbox.messages.count < sizes.count)
        #expect(b.receive(sizes.count).map(\.bytes) == datagrams)
    }

    /// A run that the kernel does not take arrives all the same, and nobody else's is sent apart for it.
    @Test func refusedRunsAreSentOneByOne() throws {
        let (a, b) = (try Peer(), try Peer())
        try a.refuseRuns()
        let datagrams = (0..<8).map { pattern(900, $0) } + [pattern(100, 77)]
        for _ in 0..<40 {
            let outbox = a.send(datagrams, to: b.address)
            #expect(b.receive(9).map(\.bytes) == datagrams)
            #expect(outbox.coalesces && outbox.messages.count == 1)
        }
        #expect(a.refused == 0)
    }

    @Test func afterRefusalsOfManyDestinationsInARowRunsAreNotMade() throws {
        let (a, b) = (try Peer(), try Peer(TransportAddress("0.0.0.0", port: 0)!))
        try a.refuseRuns()
        let datagrams = (0..<3).map { pattern(900, $0) }
        for host in 1...40 {
            let outbox = a.send(datagrams, to: TransportAddress("127.0.1.\(host)", port: b.address.port)!)
            #expect(b.receive(3).map(\.bytes) == datagrams)
            #expect(outbox.coalesces == (host < 32))
        }
        #expect(a.refused == 0)
    }

    /// More datagrams than fit in one system call, of runs that leave apart between others that leave whole.
    @Test func manyRunsToANarrowPathKeepTheirOrder() throws {
        let (a, b) = (try Peer(), try Peer())
        try a.refuseRuns()
        for _ in 0..<2 {
            let outbox = Outbox()
            for i in 0..<200 { outbox.append(pattern(i % 10 == 9 ? 40 : 600, i), to: b.address) }
            #expect(outbox.messages.count == 20)
            a.send(outbox)
            #expect(b.receive(200).map(\.bytes) == (0..<200).map { pattern($0 % 10 == 9 ? 40 : 600, $0) })
        }
        #expect(a.refused == 0)
    }

    @Test func unreachableDestinationsCostOnlyThemselves() throws {
        let (a, b) = (try Peer(), try Peer())
        let outbox = Outbox()
        outbox.append(pattern(10, 1), to: b.address)
        outbox.append(pattern(10, 2), to: TransportAddress("::1", port: 9)!)  // no IPv6 on an IPv4 socket
        outbox.append(pattern(10, 3), to: TransportAddress("127.0.0.1", port: 0)!)
        outbox.append(pattern(10, 4), to: b.address)
        a.send(outbox)
        #expect(b.receive(2).map(\.bytes) == [pattern(10, 1), pattern(10, 4)])
        #expect(a.refused == 2)
    }

    @Test func tooLongDatagramsAreDroppedAndCounted() throws {
        let (a, b) = (try Peer(), try Peer())
        let long = pattern(5_000, 1)
        let sent = unsafe long.withUnsafeBytes { bytes in
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = b.address.port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            return unsafe withUnsafePointer(to: &address) { pointer in
                unsafe sendto(
                    a.socket.descriptor(0), bytes.baseAddress, bytes.count, 0,
                    UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self),
                    socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(sent == 5_000)
        _ = a.send([pattern(30, 2)], to: b.address)
        let received = b.receive(2)
        #expect(received.map { $0.source == nil } == [true, false])
        #expect(b.socket.truncated == 1)
    }

    @Test func ipv6() throws {
        let v6 = TransportAddress("::1", port: 0)!
        let (a, b) = (try Peer(v6), try Peer(v6))
        let datagrams = (0..<4).map { pattern(1_000, $0) }
        _ = a.send(datagrams, to: b.address)
        let received = b.receive(4)
        #expect(received.map(\.bytes) == datagrams)
        #expect(received.allSatisfy { $0.source == a.address })
    }

    /// A socket on `::` talks to IPv4 peers, under their IPv4 addresses.
    @Test func dualStack() throws {
        let both = try Peer(TransportAddress("::", port: 0)!)
        let (v4, v6) = (try Peer(), try Peer(TransportAddress("::1", port: 0)!))
        _ = v4.send([pattern(4, 4)], to: TransportAddress("127.0.0.1", port: both.address.port)!)
        _ = v6.send([pattern(6, 6)], to: TransportAddress("::1", port: both.address.port)!)
        for request in both.receive(2) { _ = both.send([request.bytes], to: try #require(request.source)) }
        let answer4 = try #require(v4.receive(1).first)
        #expect(answer4.bytes == pattern(4, 4) && answer4.source?.isIPv4 == true)
        #expect(v6.receive(1).map(\.bytes) == [pattern(6, 6)])
    }

    /// Client sockets have ports of their own; answers carry their number and leave through them.
    @Test func clientSocketsAreApart() throws {
        let (a, b) = (try Peer(), try Peer())
        let (first, second) = (try #require(a.openClient()), try #require(a.openClient()))
        #expect([first, second] == [1, 2])
        let outbox = Outbox()
        var ports: [UInt16] = []
        for number in [first, 0, second, first] {
            ports.append(UDPSocket.localAddress(of: a.socket.descriptor(number)).port)
            var address = b.address
            address.socket = number
            outbox.append([UInt8(number)], to: address)
        }
        a.send(outbox)
        let received = b.receive(4)
        #expect(received.map { $0.source?.port } == ports)
        #expect(Set(ports).count == 3)
        _ = b.send([[42]], to: TransportAddress("127.0.0.1", port: ports[2])!)
        var entry = pollfd(fd: a.socket.descriptor(second), events: Int16(POLLIN), revents: 0)
        #expect(unsafe poll(&entry, 1, 2_000) == 1)
        #expect(a.receiveOnce(on: first) == 0)
        #expect(a.receiveOnce(on: second) == 1)
        var expected = b.address
        expected.socket = second
        #expect(a.source == expected)
        a.socket.closeClient(first)
        outbox.removeAll()
        var gone = b.address
        gone.socket = first
        outbox.append([1], to: gone)
        a.send(outbox)
        #expect(a.refused == 1, "a closed socket's datagrams are lost, not sent elsewhere")
        #expect(a.openClient() == first, "numbers are used again")
    }

    @Test func aTakenPortIsAnErrorThatSaysSo() throws {
        let taken = try Peer()
        #expect(throws: MediaPlaneError.system(call: "bind", address: taken.address, code: EADDRINUSE)) {
            _ = try UDPSocket.open(taken.address)
        }
    }
}
