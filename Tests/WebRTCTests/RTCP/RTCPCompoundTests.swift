// Compounds as we send them: packets in order, datagrams within their size, long lists divided; and damaged ones.
import Testing
import WebRTC

@Suite("RTCP compounds")
struct RTCPCompoundTests {
    private func read(_ datagrams: [[UInt8]]) throws -> [RTCPPacket] {
        try datagrams.flatMap { try #require(parseRTCP($0)) }
    }

    @Test func packetsShareADatagram() {
        let packets: [RTCPPacket] = [
            .receiverReport(sender: SSRC(1), blocks: []), .sourceDescription([.init(ssrc: SSRC(1), cname: "c")]),
            .pli(sender: SSRC(1), media: SSRC(2)), .nack(sender: SSRC(1), media: SSRC(2), lost: [SequenceNumber(7)]),
        ]
        let datagrams = RTCPCompound.write(packets)
        #expect(datagrams.count == 1)
        #expect(parseRTCP(datagrams[0]) == packets)
    }

    @Test func nothingIsNoDatagram() {
        #expect(RTCPCompound.write([]) == [])
        #expect(RTCPCompound.write([.nack(sender: SSRC(1), media: SSRC(2), lost: [])]) == [])
    }

    /// Every other number, so that each entry carries eight or nine of them; across the wrap.
    @Test func longNACKsAreDivided() throws {
        let lost = (0..<5_000).map { SequenceNumber(UInt16(truncatingIfNeeded: 60_000 + 2 * $0)) }
        let datagrams = RTCPCompound.write([.nack(sender: SSRC(1), media: SSRC(2), lost: lost)])
        #expect(datagrams.count == 3)
        #expect(datagrams.allSatisfy { $0.count <= RTCPCompound.maximumDatagram })
        var found: [SequenceNumber] = []
        for datagram in datagrams {
            // Read each entry on its own: the parser takes no more than 1,024 from one packet.
            for at in stride(from: 12, to: datagram.count, by: 4) {
                let one = packetBytes("81CD0003 00000001 00000002") + datagram[at..<at + 4]
                guard case .nack(SSRC(1), SSRC(2), let some)? = parseRTCP(one)?.first else {
                    Issue.record("not a NACK")
                    return
                }
                found += some
            }
        }
        #expect(found == lost)
    }

    @Test(
        arguments: [
            ([10, 10, 11], [10, 11]), ([10, 26, 27], [10, 26, 27]), ([20, 10, 21], [20, 10, 21]),
            ([65_530, 5, 11], [65_530, 5, 11]), ([3, 1, 2, 3], [3, 1, 2, 3]),
        ] as [([UInt16], [UInt16])])
    func nackTakesAnyOrder(lost: [UInt16], expected: [UInt16]) throws {
        let packet = RTCPPacket.nack(sender: SSRC(1), media: SSRC(2), lost: lost.map { SequenceNumber($0) })
        let read = try read(RTCPCompound.write([packet]))
        #expect(read == [.nack(sender: SSRC(1), media: SSRC(2), lost: expected.map { SequenceNumber($0) })])
    }

    @Test func moreThan31BlocksBecomeSeveralReports() throws {
        let blocks = (0..<70).map { ReportBlock(ssrc: SSRC(UInt32($0)), highestSequence: UInt32($0)) }
        let report = SenderReport(
            sender: SSRC(1), time: NTPTime(rawValue: 5), timestamp: 6, packets: 7, octets: 8, blocks: blocks)
        let packets = try read(RTCPCompound.write([.senderReport(report)]))
        var head = report
        head.blocks = Array(blocks[..<31])
        #expect(
            packets == [
                .senderReport(head), .receiverReport(sender: SSRC(1), blocks: Array(blocks[31..<62])),
                .receiverReport(sender: SSRC(1), blocks: Array(blocks[62...])),
            ])
    }

    @Test func longNamesAreCut() throws {
        for length in [0, 1, 2, 3, 4, 254, 255, 256, 400] {
            let name = String(repeating: "n", count: length)
            let packets: [RTCPPacket] = [
                .sourceDescription([.init(ssrc: SSRC(1), cname: name), .init(ssrc: SSRC(2), cname: "x")])
            ]
            let expected = String(repeating: "n", count: min(length, 255))
            #expect(
                try read(RTCPCompound.write(packets)) == [
                    .sourceDescription([.init(ssrc: SSRC(1), cname: expected), .init(ssrc: SSRC(2), cname: "x")])
                ])
        }
    }

    @Test(arguments: [-8_388_608, -8_388_607, -1, 0, 1, 8_388_607] as [Int32])
    func cumulativeLossIs24BitsSigned(_ lost: Int32) throws {
        let blocks = [ReportBlock(ssrc: SSRC(1), cumulativeLost: lost)]
        #expect(
            try read(RTCPCompound.write([.receiverReport(sender: SSRC(2), blocks: blocks)])) == [
                .receiverReport(sender: SSRC(2), blocks: blocks)
            ])
    }

    @Test func cumulativeLossSticksAtItsEnds() throws {
        for (lost, expected) in [(Int32.min, -8_388_608), (.max, 8_388_607)] as [(Int32, Int32)] {
            let packet = RTCPPacket.receiverReport(
                sender: SSRC(2), blocks: [.init(ssrc: SSRC(1), cumulativeLost: lost)])
            #expect(
                try read(RTCPCompound.write([packet])) == [
                    .receiverReport(sender: SSRC(2), blocks: [.init(ssrc: SSRC(1), cumulativeLost: expected)])
                ])
        }
    }

    @Test(arguments: [1, 262_143, 262_144, 1_500_000, 8_000_001, 1 << 40, .max] as [UInt64])
    func bitratesKeep18Bits(_ bitrate: UInt64) throws {
        let packets = try read(RTCPCompound.write([.remb(sender: SSRC(1), bitrate: bitrate, media: [SSRC(2)])]))
        guard case .remb(_, let read, _) = packets[0] else {
            Issue.record("not a REMB")
            return
        }
        #expect(read <= bitrate)
        #expect(bitrate - read <= bitrate >> 17)
    }

    @Test func damagedCompoundsAreReadOrRefused() {
        var mutator = PacketMutator(seed: 0x5EED_0003)
        let originals = (RTCPVectorTests.reports + RTCPVectorTests.feedback + TransportFeedbackTests.vectors).map {
            packetBytes($0.hex)
        }
        var accepted = 0
        for round in 0..<60_000 {
            var bytes = mutator.mutate(originals[round % originals.count])
            if round % 5 == 0 { bytes += mutator.mutate(originals[(round / 5) % originals.count]) }
            if round % 11 == 0 { bytes = packetBytes("8FCD") + mutator.noise(upTo: 64) }
            guard let packets = parseRTCP(bytes) else { continue }
            accepted += 1
            // What was read can be written, and then means the same.
            let known = packets.filter { if case .other = $0 { false } else { true } }
            let written = RTCPCompound.write(known)
            let read = written.compactMap { parseRTCP($0) }
            #expect(read.count == written.count, "round \(round)")
            #expect(RTCPCompound.write(Array(read.joined())) == written, "round \(round)")
        }
        #expect(accepted > 5_000)
    }
}
