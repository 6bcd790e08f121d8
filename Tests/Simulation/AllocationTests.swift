// A warmed-up fan-out allocates nothing: not per packet, not per viewer, not per batch.
import AllocationCounter
import Testing
import WebRTC

@testable import Forwarding

@Suite struct AllocationTests {
    @Test func warmFanOutAllocatesNothing() throws {
        let viewers = 40
        let cascade = Cascade(seed: 7)
        let edge = try cascade.host("edge")
        for n in 0..<viewers {
            cascade.connect(source: try cascade.host("viewer-\(n)"), to: edge, rtx: n % 2 == 0)
        }
        // The edge is fed in place; its history wraps more than once while warming up.
        cascade.play(from: edge, until: .zero + .seconds(Int64(4)))
        #expect(edge.unit.broadcasts[Cascade.broadcast]?.tracks[0].streams.count == viewers)
        #expect(edge.unit.broadcasts[Cascade.broadcast]?.tracks[0].streams.allSatisfy { $0.position == .head } == true)

        var allocations: UInt64 = 0
        var datagrams = 0
        for _ in 0..<20 {
            let packets = cascade.nextVideoFrame()
            edge.unit.apply(.ingest(Cascade.broadcast, packets: packets), now: cascade.network.now)
            let before = thread_allocations()
            while true {
                let more = edge.unit.flush(now: cascade.network.now)
                datagrams += edge.unit.outbox.datagrams
                edge.unit.outbox.removeAll()
                if !more { break }
            }
            allocations += thread_allocations() - before
        }
        #expect(datagrams == 20 * Int(cascade.packetsPerFrame) * viewers)
        #expect(allocations == 0, "\(allocations) allocations for \(datagrams) datagrams")
    }

    @Test func theCounterCounts() {
        let before = thread_allocations()
        let array = [UInt8](repeating: 1, count: 100)
        #expect(array.count == 100)
        #expect(thread_allocations() > before)
    }
}

extension AllocationTests {
    @Test func datagramsOfStrangersAllocateNothing() throws {
        let cascade = Cascade(seed: 8)
        let origin = try cascade.host("origin")
        let stranger = TransportAddress(ipv4: 0xC000_0201, port: 4_000)
        // A STUN request for a user fragment that nobody has, media, a DTLS record, noise.
        var check: [UInt8] = [0x00, 0x01, 0x00, 0x18, 0x21, 0x12, 0xA4, 0x42] + (0..<12).map { UInt8($0) }
        check += [0x00, 0x06, 0x00, 0x11] + Array("AAAAAAAA:BBBBBBBB".utf8) + [0, 0, 0]
        let inputs: [[UInt8]] = [
            check, [0x80, 96] + [UInt8](repeating: 3, count: 40), [22, 0xFE, 0xFD] + [UInt8](repeating: 0, count: 40),
            [0xFF, 1, 2], [0x00],
        ]
        var allocations: UInt64 = 0
        for round in 0..<50 {
            for var bytes in inputs {
                var span = bytes.mutableSpan
                var raw = unsafe span.mutableBytes
                let before = thread_allocations()
                origin.unit.receive(&raw, from: stranger, now: cascade.network.now)
                if round > 0 { allocations += thread_allocations() - before }
            }
        }
        #expect(allocations == 0)
        #expect(origin.unit.statistics.drops.reduce(0, +) == 50 * 5)
        #expect(origin.unit.outbox.isEmpty)
    }
}

extension AllocationTests {
    /// What 5,000 viewers send: reports, and NACKs as many as their budget allows.
    @Test func whatViewersReportAllocatesNothing() throws {
        let cascade = Cascade(seed: 9)
        let edge = try cascade.host("edge")
        for n in 0..<10 {
            cascade.connect(source: try cascade.host("viewer-\(n)"), to: edge, rtx: n % 2 == 0)
        }
        cascade.play(from: edge, until: .zero + .seconds(Int64(2)))
        let unit = edge.unit
        let viewers = unit.peers.values.compactMap { $0 as? Viewer }
        var allocations: UInt64 = 0
        for round in 0..<20 {
            // Each is a turn of its own, with a budget.
            let now = cascade.network.now + .milliseconds(Int64(round))
            for viewer in viewers {
                let stream = viewer.broadcast.tracks[0].streams[viewer.records[0].index]
                let lost = (stream.line.next - 40..<stream.line.next).map {
                    SequenceNumber(UInt16(truncatingIfNeeded: $0))
                }
                let datagrams = RTCPCompound.write([
                    .receiverReport(sender: SSRC(1), blocks: [ReportBlock(ssrc: stream.ssrc, cumulativeLost: 3)]),
                    .sourceDescription([.init(ssrc: SSRC(1), cname: "a-name-that-is-longer-than-a-small-string")]),
                    .nack(sender: SSRC(1), media: stream.ssrc, lost: lost),
                    .remb(sender: SSRC(1), bitrate: 1_000_000, media: [stream.ssrc]),
                ])
                for datagram in datagrams {
                    let before = thread_allocations()
                    unsafe unit.receiveRTCP(datagram.span.bytes, of: viewer, now: now)
                    if round > 0 { allocations += thread_allocations() - before }
                }
            }
            while unit.flush(now: now) { unit.outbox.removeAll() }
            unit.outbox.removeAll()
        }
        #expect(viewers.count == 10 && unit.statistics.nacksReceived == 20 * 10 * 40)
        #expect(allocations == 0)
    }
}

extension AllocationTests {
    /// Where links are watched: numbers on packets, and what comes back of them.
    @Test func watchedLinksAllocateNothing() throws {
        let cascade = Cascade(seed: 10)
        let formats = [TrackFormat(codec: Cascade.vp8, rids: ["f", "h"]), Cascade.formats[1]]
        let edge = try cascade.host("edge", formats: formats)
        cascade.encodings = [0, 1]
        for n in 0..<10 {
            cascade.connect(source: try cascade.host("viewer-\(n)"), to: edge, tellsArrivals: true)
        }
        cascade.play(from: edge, until: .zero + .seconds(Int64(4)))
        let unit = edge.unit
        let viewers = unit.peers.values.compactMap { $0 as? Viewer }
        #expect(viewers.count == 10 && viewers.allSatisfy { $0.link != nil })
        var allocations: UInt64 = 0
        var packets = 0
        let now = cascade.network.now
        for round in 0..<20 {
            unit.apply(.ingest(Cascade.broadcast, packets: cascade.nextVideoFrame()), now: now)
            var before = thread_allocations()
            while true {
                let more = unit.flush(now: now)
                packets += unit.outbox.datagrams
                unit.outbox.removeAll()
                if !more { break }
            }
            if round > 0 { allocations += thread_allocations() - before }
            for viewer in viewers {
                let next = try #require(viewer.link).estimate.nextSequence
                let feedback = TransportFeedback.packets(
                    sender: SSRC(1), media: SSRC(2), baseSequence: UInt16(truncatingIfNeeded: next - 6),
                    feedbackCount: 0,
                    arrivals: (0..<6).map { $0 == 3 ? nil : TransportFeedback.ticks(now) + Int64(round * 40 + $0) })
                for datagram in RTCPCompound.write(feedback.map { .transportFeedback($0) }) {
                    before = thread_allocations()
                    unsafe unit.receiveRTCP(datagram.span.bytes, of: viewer, now: now)
                    if round > 0 { allocations += thread_allocations() - before }
                }
            }
        }
        #expect(packets == 20 * 10 * Int(cascade.packetsPerFrame))
        #expect(allocations == 0, "\(allocations) allocations")
    }
}
