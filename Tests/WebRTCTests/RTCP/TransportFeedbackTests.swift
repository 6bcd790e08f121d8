// Transport-wide feedback: chunks and deltas as the draft draws them, arrivals that survive writing and reading,
// division into packets, and packets that lie.
import Testing
import WebRTC

@Suite("Transport-wide feedback")
struct TransportFeedbackTests {
    private static func feedback(_ base: UInt16, _ count: UInt8, _ arrivals: [Int64?]) -> [RTCPPacket] {
        [
            .transportFeedback(
                TransportFeedback(
                    sender: SSRC(1), media: SSRC(2), baseSequence: base, feedbackCount: count, arrivals: arrivals))
        ]
    }

    /// `first`: "8F", or "AF" with padding; `words`: the length field.
    private static func head(_ first: String, _ words: String) -> String { "\(first)CD\(words) 00000001 00000002" }

    private static func none(_ count: Int) -> [Int64?] { [Int64?](repeating: nil, count: count) }

    static let vectors: [RTCPVectorTests.Vector] = [
        .init(
            name: "one packet", hex: head("AF", "0005") + "0064 0001 000001 00 2001 00 01",
            packets: feedback(100, 0, [256])),
        .init(
            name: "zeros instead of declared padding", hex: head("8F", "0005") + "0064 0001 000001 00 2001 00 00",
            packets: feedback(100, 0, [256]), isCanonical: false),
        .init(
            name: "5 ms apart, from 3 × 64 ms", hex: head("AF", "0006") + "FFFF 0003 000003 07 2003 141414 000003",
            packets: feedback(65_535, 7, [788, 808, 828])),
        .init(
            name: "negative reference", hex: head("AF", "0005") + "0001 0001 FFFFFF 00 2001 FF 01",
            packets: feedback(1, 0, [-1])),
        // The draft's example of a run (§3.1.3): 221 packets not received; and then one that was.
        .init(
            name: "run of 221 missing", hex: head("AF", "0006") + "0000 00DE 000000 01 00DD 2001 04 000003",
            packets: feedback(0, 1, none(221) + [4])),
        // Its example of one-bit symbols (§3.1.4): 1 missing, 5 received, 3 missing, 3 received, 2 missing.
        .init(
            name: "one-bit vector", hex: head("AF", "0007") + "0005 000E 000001 02 9F1C 0101010101010101 0002",
            packets: feedback(5, 2, [nil, 257, 258, 259, 260, 261] + none(3) + [262, 263, 264, nil, nil])),
        // Two-bit symbols: missing, large (-2), three small, two missing.
        .init(
            name: "two-bit vector", hex: head("AF", "0006") + "0005 0007 000001 03 C950 FFFE 0A0000 01",
            packets: feedback(5, 3, [nil, 254, 264, 264, 264, nil, nil]), isCanonical: false),
        .init(
            name: "late and reordered", hex: head("AF", "0006") + "0001 0003 000001 09 DA00 00 03E8 FE9C 01",
            packets: feedback(1, 9, [256, 1_256, 900])),
        .init(
            name: "a run that says too much", hex: head("AF", "0005") + "0064 0001 000001 00 3FFF 00 01",
            packets: feedback(100, 0, [256]), isCanonical: false),
    ]

    @Test(arguments: vectors)
    func readsAndWrites(_ vector: RTCPVectorTests.Vector) {
        let bytes = packetBytes(vector.hex)
        #expect(parseRTCP(bytes) == vector.packets)
        if vector.isCanonical { #expect(RTCPCompound.write(vector.packets) == [bytes]) }
    }

    @Test(arguments: [
        ("8F", "0003", "0064 0001", "fixed part cut"),
        ("8F", "0005", "0064 0000 000001 00 2001 0000", "no statuses"),
        ("8F", "0005", "0064 2001 000001 00 3FFF 3FFF", "more statuses than we take"),
        ("8F", "0005", "0064 0010 000001 00 2001 0000", "deltas where chunks should be"),
        ("8F", "0004", "0064 0001 000001 00", "no chunk"),
        ("8F", "0005", "0064 0003 000001 00 2003 0000", "a delta short"),
        ("AF", "0005", "0064 0001 000001 00 4001 FF 01", "half a large delta"),
        ("8F", "0005", "0064 0001 000001 00 6001 0000", "reserved status in a run"),
        ("8F", "0005", "0064 0002 000001 00 CD50 0000", "reserved status in a vector"),
        ("8F", "0005", "0064 0001 000001 00 0000 0000", "empty run"),
    ])
    func malformed(first: String, words: String, rest: String, name: String) {
        #expect(parseRTCP(packetBytes(Self.head(first, words) + rest)) == nil, "\(name)")
    }

    private func roundTrip(_ packets: [TransportFeedback]) throws -> [TransportFeedback] {
        try RTCPCompound.write(packets.map { .transportFeedback($0) }).map { datagram in
            #expect(datagram.count <= RTCPCompound.maximumDatagram)
            let read = try #require(parseRTCP(datagram))
            guard case .transportFeedback(let feedback)? = read.last, read.count == 1 else {
                throw Unexpected()
            }
            return feedback
        }
    }

    private struct Unexpected: Error {}

    /// All mixtures of loss, bursts, pauses and reordering come back as they went in.
    @Test func arrivalsSurvive() throws {
        var random = SeededGenerator(seed: 0x5EED_0004)
        for round in 0..<3_000 {
            let count = Int.random(in: 1...150, using: &random)
            let loss = [0, 0.02, 0.5, 0.98].randomElement(using: &random)!
            let step = [0, 3, 200, 4_000].randomElement(using: &random)! as Int64
            var time = Int64.random(in: -100_000_000...100_000_000, using: &random)
            var arrivals = (0..<count).map { _ -> Int64? in
                guard Double.random(in: 0..<1, using: &random) >= loss else { return nil }
                time += Int64.random(in: -step...(4 * step), using: &random)
                return time
            }
            arrivals.append(time)
            let sent = TransportFeedback(
                sender: SSRC(1), media: SSRC(2), baseSequence: UInt16.random(in: 0...65_535, using: &random),
                feedbackCount: UInt8(round & 0xFF), arrivals: arrivals)
            #expect(try roundTrip([sent]) == [sent], "round \(round)")
        }
    }

    @Test func divisionLosesNothing() throws {
        var random = SeededGenerator(seed: 0x5EED_0005)
        for round in 0..<100 {
            let loss = [0, 0.3, 0.999].randomElement(using: &random)!
            var time: Int64 = 0
            var arrivals = (0..<Int.random(in: 1...20_000, using: &random)).map { i -> Int64? in
                guard Double.random(in: 0..<1, using: &random) >= loss else { return nil }
                // A pause too long for a delta now and then.
                time += i % 500 == 0 ? 40_000 : Int64.random(in: -20...300, using: &random)
                return time
            }
            arrivals.append(time)
            let base = UInt16.random(in: 0...65_535, using: &random)
            let packets = TransportFeedback.packets(
                sender: SSRC(1), media: SSRC(2), baseSequence: base, feedbackCount: 250,
                arrivals: arrivals + [nil, nil])
            let read = try packets.flatMap { try roundTrip([$0]) }
            #expect(read == packets, "round \(round)")
            var found = [Int64?](repeating: nil, count: arrivals.count)
            for (i, packet) in read.enumerated() {
                #expect(packet.feedbackCount == UInt8(truncatingIfNeeded: 250 + i))
                let start = Int(packet.baseSequence &- base)
                found.replaceSubrange(start..<start + packet.arrivals.count, with: packet.arrivals)
            }
            #expect(found == arrivals, "round \(round)")
        }
    }

    /// A delta has 16 bits, signed.
    @Test(arguments: [(32_767, 1), (32_768, 2), (-32_768, 1), (-32_769, 2)] as [(Int64, Int)])
    func pausesBeyondADeltaDivide(delta: Int64, count: Int) throws {
        let packets = TransportFeedback.packets(
            sender: SSRC(1), media: SSRC(2), baseSequence: 0, feedbackCount: 0, arrivals: [100_000, 100_000 + delta])
        #expect(packets.count == count)
        #expect(try packets.flatMap { try roundTrip([$0]) } == packets)
    }

    @Test func nothingArrivedNothingReported() {
        #expect(
            TransportFeedback.packets(
                sender: SSRC(1), media: SSRC(2), baseSequence: 0, feedbackCount: 0, arrivals: [nil, nil]
            ).isEmpty)
        let late = Self.none(30_000) + [5]
        let packets = TransportFeedback.packets(
            sender: SSRC(1), media: SSRC(2), baseSequence: 10, feedbackCount: 0, arrivals: late)
        #expect(packets.map(\.baseSequence) == [30_010])
        #expect(packets.map(\.arrivals) == [[5]])
    }

    @Test func feedbackThatIsPaddedClosesItsDatagram() {
        let padded = Self.feedback(1, 0, [256])
        let whole = Self.feedback(1, 0, [256, 256])
        let pli = [RTCPPacket.pli(sender: SSRC(1), media: SSRC(2))]
        #expect(RTCPCompound.write(pli + padded).count == 1)
        #expect(RTCPCompound.write(padded + pli).count == 2)
        #expect(RTCPCompound.write(whole + pli).count == 1)
    }

    @Test func arrivalsAreComparedAcrossTheWrap() {
        #expect(TransportFeedback.interval(from: 0xFFFF_FFFE, to: 2) == .milliseconds(1))
        #expect(TransportFeedback.interval(from: 2, to: -2) == .milliseconds(-1))
        #expect(TransportFeedback.interval(from: .max, to: .min) == .microseconds(250))
        #expect(TransportFeedback.ticks(Instant(nanoseconds: 1_000_000)) == 4)
    }
}
