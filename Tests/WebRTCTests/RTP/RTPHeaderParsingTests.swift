// What an RTP header says, and which headers say nothing: field positions, CSRCs, padding and every possible cut.
import Testing
import WebRTC

@Suite("RTP header parsing")
struct RTPHeaderParsingTests {
    /// Sent by FFmpeg 5.1's RTP muxer: the last packet of a VP8 frame.
    @Test func readsAPacketOfFFmpeg() throws {
        let bytes = packetBytes("80e00ebf 262b155d 4047bb46 808080008000")
        let packet = try #require(parseRTP(bytes))
        #expect(packet.marker)
        #expect(packet.payloadType == PayloadType(96))
        #expect(packet.sequenceNumber == SequenceNumber(0x0EBF))
        #expect(packet.timestamp == 0x262B_155D)
        #expect(packet.ssrc == SSRC(0x4047_BB46))
        #expect(packet.payload == 12..<18)
        #expect(packet.extensionData.isEmpty)
    }

    struct Shape: CustomTestStringConvertible {
        var name: String
        var hex: String
        /// nil: malformed
        var payload: Range<Int>?
        var testDescription: String { name }
    }

    private static let fixed = "0001 00000002 00000003"
    static let shapes: [Shape] = [
        Shape(name: "no payload", hex: "8060" + fixed, payload: 12..<12),
        Shape(name: "one byte short", hex: "8060 0001 00000002 000000", payload: nil),
        Shape(name: "empty", hex: "", payload: nil),
        Shape(name: "version 0", hex: "0060" + fixed + "00", payload: nil),
        Shape(name: "version 1", hex: "4060" + fixed + "00", payload: nil),
        Shape(name: "version 3", hex: "C060" + fixed + "00", payload: nil),
        Shape(name: "one CSRC", hex: "8160" + fixed + "AAAAAAAA 55", payload: 16..<17),
        Shape(name: "15 CSRCs", hex: "8F60" + fixed + String(repeating: "AAAAAAAA", count: 15), payload: 72..<72),
        Shape(name: "CSRC missing", hex: "8260" + fixed + "AAAAAAAA BBBBBB", payload: nil),
        Shape(name: "empty extension", hex: "9060" + fixed + "BEDE0000 55", payload: 16..<17),
        Shape(name: "extension of one word", hex: "9060" + fixed + "BEDE0001 10AA0000 55", payload: 20..<21),
        Shape(name: "CSRC and extension", hex: "9160" + fixed + "AAAAAAAA BEDE0001 10AA0000 55", payload: 24..<25),
        Shape(name: "extension preamble cut", hex: "9060" + fixed + "BEDE00", payload: nil),
        Shape(name: "extension longer than the packet", hex: "9060" + fixed + "BEDE0002 10AA0000", payload: nil),
        Shape(name: "extension of 65,535 words", hex: "9060" + fixed + "BEDEFFFF 10AA0000", payload: nil),
        Shape(name: "padding of one", hex: "A060" + fixed + "5501", payload: 12..<13),
        Shape(name: "padding of four", hex: "A060" + fixed + "55 00000004", payload: 12..<13),
        Shape(name: "padding only", hex: "A060" + fixed + "000003", payload: 12..<12),
        Shape(name: "padding after extension", hex: "B060" + fixed + "BEDE0001 10AA0000 55 0002", payload: 20..<21),
        Shape(name: "padding of zero", hex: "A060" + fixed + "5500", payload: nil),
        Shape(name: "padding into the header", hex: "A060" + fixed + "5503", payload: nil),
        Shape(name: "padding without a byte for its length", hex: "A060" + fixed, payload: nil),
        Shape(name: "padding into the extension", hex: "B060" + fixed + "BEDE0001 10AA0002", payload: nil),
    ]

    @Test(arguments: shapes)
    func payloadLiesWhereTheHeaderSays(_ shape: Shape) {
        #expect(parseRTP(packetBytes(shape.hex))?.payload == shape.payload)
    }

    @Test func everyPayloadTypeAndMarker() {
        for second in 0...255 as ClosedRange<UInt8> {
            let packet = parseRTP([0x80, second] + [UInt8](repeating: 0, count: 10))
            #expect(packet?.marker == (second >= 128))
            #expect(packet?.payloadType.rawValue == second & 0x7F)
        }
    }

    /// A packet cut anywhere before its payload is malformed, and never read beyond its end.
    @Test func everyCutOfTheHeaderIsMalformed() {
        let whole = RTPHeader.packet(
            payloadType: PayloadType(96), sequence: SequenceNumber(7), timestamp: 1, ssrc: SSRC(2),
            csrcs: [SSRC(3), SSRC(4)], extensions: [(id: 1, data: [1, 2, 3])], payload: [9])
        #expect(whole.count == 12 + 8 + 8 + 1)
        for length in 0..<28 { #expect(parseRTP(Array(whole.prefix(length))) == nil, "\(length) bytes") }
        #expect(parseRTP(whole)?.payload == 28..<29)
    }

    /// RFC 4588 §4: the original sequence number leads the payload of a retransmission.
    @Test func retransmissionNamesItsOriginal() {
        let cases: [(payload: String, padding: Int, original: UInt16?)] = [
            ("1234 AA", 0, 0x1234), ("FFFF AABB", 3, 0xFFFF), ("1234", 0, nil), ("12", 0, nil), ("", 200, nil),
        ]
        for (payload, padding, original) in cases {
            let bytes = RTPHeader.packet(
                payloadType: PayloadType(97), sequence: SequenceNumber(1), timestamp: 0, ssrc: SSRC(5),
                payload: packetBytes(payload), padding: padding)
            let found = unsafe parseRTP(bytes)?.originalSequenceNumber(in: bytes.span.bytes)
            #expect(found == original.map { SequenceNumber($0) }, "\(payload)")
        }
    }

    @Test func mutatedPacketsNeverReachBeyondTheirEnd() throws {
        var mutator = PacketMutator(seed: 0x5EED_0001)
        var accepted = 0
        let originals =
            Self.shapes.map { packetBytes($0.hex) } + [
                RTPHeader.packet(
                    payloadType: PayloadType(96), sequence: SequenceNumber(7), timestamp: 1, ssrc: SSRC(2),
                    extensions: [(id: 1, data: [1, 2, 3]), (id: 200, data: [4])], payload: [9, 9], padding: 9)
            ]
        for round in 0..<40_000 {
            let bytes = round % 8 == 0 ? mutator.noise(upTo: 64) : mutator.mutate(originals[round % originals.count])
            guard let packet = parseRTP(bytes) else { continue }
            accepted += 1
            #expect(packet.payload.lowerBound >= 12 && packet.payload.upperBound <= bytes.count, "round \(round)")
            for id in [1, 2, 14, 15, 200] as [UInt8] {
                guard let range = unsafe packet.extensionRange(id: id, in: bytes.span.bytes) else { continue }
                #expect(packet.extensionData.contains(range.lowerBound) || range.isEmpty, "round \(round)")
                #expect(range.upperBound <= packet.extensionData.upperBound, "round \(round)")
            }
            _ = unsafe packet.originalSequenceNumber(in: bytes.span.bytes)
            _ = unsafe packet.extensionText(id: 1, in: bytes.span.bytes)
        }
        // The corpus must exercise the accepting side too.
        #expect(accepted > 5_000)
    }
}
