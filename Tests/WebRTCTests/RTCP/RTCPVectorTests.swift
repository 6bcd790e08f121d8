// RTCP on the wire: bytes laid out by hand from RFC 3550, 4585, 5104 and the REMB draft, and compounds that FFmpeg
// sent, read and, where we send that packet too, written.
import Testing
import WebRTC

func parseRTCP(_ bytes: [UInt8]) -> [RTCPPacket]? { unsafe RTCPCompound.parse(bytes.span.bytes) }

@Suite("RTCP on the wire")
struct RTCPVectorTests {
    struct Vector: CustomTestStringConvertible {
        var name: String
        var hex: String
        var packets: [RTCPPacket]
        /// Whether writing `packets` gives exactly these bytes.
        var isCanonical = true
        var testDescription: String { name }
    }

    private static let block = ReportBlock(
        ssrc: SSRC(0xAABB_CCDD), fractionLost: 64, cumulativeLost: -2, highestSequence: 0x0001_FFFE, jitter: 90,
        lastSenderReport: 0x1234_5678, delaySinceLastSenderReport: 0x0001_8000)
    private static let blockHex = "AABBCCDD 40 FFFFFE 0001FFFE 0000005A 12345678 00018000"

    static let reports: [Vector] = [
        Vector(
            name: "FFmpeg: SR and SDES",
            hex: """
                80c80006 c8045df2 eeaded48 fdf3b645 29eff458 00000000 00000000
                81ca0007 c8045df2 0115 70726f626540636173636164652e6578616d706c65 00
                """,
            packets: [
                .senderReport(
                    SenderReport(
                        sender: SSRC(0xC804_5DF2), time: NTPTime(rawValue: 0xEEAD_ED48_FDF3_B645),
                        timestamp: 0x29EF_F458, packets: 0, octets: 0)),
                .sourceDescription([.init(ssrc: SSRC(0xC804_5DF2), cname: "probe@cascade.example")]),
            ]),
        Vector(
            name: "FFmpeg: SR, SDES and BYE",
            hex: """
                80c80006 c8045df2 eeaded4a e5604189 29f291b8 0000001c 00001461
                81ca0007 c8045df2 0115 70726f626540636173636164652e6578616d706c65 00 81cb0001 c8045df2
                """,
            packets: [
                .senderReport(
                    SenderReport(
                        sender: SSRC(0xC804_5DF2), time: NTPTime(rawValue: 0xEEAD_ED4A_E560_4189),
                        timestamp: 0x29F2_91B8, packets: 28, octets: 5_217)),
                .sourceDescription([.init(ssrc: SSRC(0xC804_5DF2), cname: "probe@cascade.example")]),
                .bye([SSRC(0xC804_5DF2)]),
            ]),
        Vector(
            name: "SR with a block",
            hex: "81C8000C 00000001 0000000200000003 00000004 00000005 00000006" + blockHex,
            packets: [
                .senderReport(
                    SenderReport(
                        sender: SSRC(1), time: NTPTime(rawValue: 0x2_0000_0003), timestamp: 4, packets: 5, octets: 6,
                        blocks: [block]))
            ]),
        Vector(
            name: "RR with two blocks", hex: "82C9000D 00000009" + blockHex + blockHex,
            packets: [.receiverReport(sender: SSRC(9), blocks: [block, block])]),
        Vector(name: "empty RR", hex: "80C90001 00000009", packets: [.receiverReport(sender: SSRC(9), blocks: [])]),
        Vector(
            name: "RR with profile-specific words", hex: "81C90009 00000009" + blockHex + "DEADBEEF DEADBEEF",
            packets: [.receiverReport(sender: SSRC(9), blocks: [block])], isCanonical: false),
        Vector(
            name: "SDES with other items, two chunks",
            hex: "82CA0006 00000001 0203414243 010141 00 000000 00000002 010158 00",
            packets: [
                .sourceDescription([.init(ssrc: SSRC(1), cname: "A"), .init(ssrc: SSRC(2), cname: "X")])
            ], isCanonical: false),
        Vector(
            name: "SDES without its terminating zero", hex: "81CA0002 00000001 01024142",
            packets: [.sourceDescription([.init(ssrc: SSRC(1), cname: "AB")])], isCanonical: false),
        Vector(
            name: "SDES chunk without items", hex: "81CA0002 00000001 00000000", packets: [.sourceDescription([])],
            isCanonical: false),
        Vector(
            name: "BYE with a reason", hex: "82CB0004 00000001 00000002 04676F6E65 000000",
            packets: [.bye([SSRC(1), SSRC(2)])], isCanonical: false),
        Vector(name: "BYE of nobody", hex: "80CB0000", packets: [.bye([])], isCanonical: false),
    ]

    static let feedback: [Vector] = [
        Vector(
            name: "NACK of one", hex: "81CD0003 00000001 00000002 04D20000",
            packets: [.nack(sender: SSRC(1), media: SSRC(2), lost: [SequenceNumber(1_234)])]),
        Vector(
            name: "NACK with its mask's ends", hex: "81CD0003 00000001 00000002 FFFF8001",
            packets: [
                .nack(sender: SSRC(1), media: SSRC(2), lost: [65_535, 0, 15].map { SequenceNumber($0) })
            ]),
        Vector(
            name: "NACK with two entries", hex: "81CD0004 00000001 00000002 00100002 00210000",
            packets: [.nack(sender: SSRC(1), media: SSRC(2), lost: [16, 18, 33].map { SequenceNumber($0) })]),
        Vector(name: "PLI", hex: "81CE0002 00000001 00000002", packets: [.pli(sender: SSRC(1), media: SSRC(2))]),
        Vector(
            name: "FIR of two", hex: "84CE0006 00000001 00000000 00000002 07000000 00000003 FF000000",
            packets: [
                .fir(
                    sender: SSRC(1),
                    requests: [.init(media: SSRC(2), sequence: 7), .init(media: SSRC(3), sequence: 255)])
            ]),
        Vector(
            name: "REMB of 1 Mbit/s", hex: "8FCE0005 00000001 00000000 52454D42 010BD090 00000002",
            packets: [.remb(sender: SSRC(1), bitrate: 1_000_000, media: [SSRC(2)])]),
        Vector(
            name: "REMB of 0", hex: "8FCE0006 00000001 00000000 52454D42 02000000 00000002 00000003",
            packets: [.remb(sender: SSRC(1), bitrate: 0, media: [SSRC(2), SSRC(3)])]),
        Vector(
            name: "REMB beyond 64 bits", hex: "8FCE0005 00000001 00000000 52454D42 01FFFFFF 00000002",
            packets: [.remb(sender: SSRC(1), bitrate: .max, media: [SSRC(2)])], isCanonical: false),
        Vector(
            name: "another application's feedback", hex: "8FCE0003 00000001 00000002 41424344",
            packets: [.other(packetType: 206, format: 15)], isCanonical: false),
        Vector(
            name: "SLI, XR and APP",
            hex: "82CE0003 00000001 00000002 00000003 80CF0001 00000001 85CC0002 00000001 41414141",
            packets: [
                .other(packetType: 206, format: 2), .other(packetType: 207, format: 0),
                .other(packetType: 204, format: 5),
            ], isCanonical: false),
        Vector(
            name: "padded PLI", hex: "A1CE0003 00000001 00000002 00000004",
            packets: [.pli(sender: SSRC(1), media: SSRC(2))], isCanonical: false),
        Vector(
            name: "padded in the middle", hex: "A0C90002 00000009 00000004 81CE0002 00000001 00000002",
            packets: [.receiverReport(sender: SSRC(9), blocks: []), .pli(sender: SSRC(1), media: SSRC(2))],
            isCanonical: false),
    ]

    @Test(arguments: reports + feedback)
    func readsAndWrites(_ vector: Vector) {
        let bytes = packetBytes(vector.hex)
        #expect(parseRTCP(bytes) == vector.packets)
        if vector.isCanonical { #expect(RTCPCompound.write(vector.packets) == [bytes]) }
    }

    @Test(arguments: [
        ("", "nothing"), ("80C900", "header cut"), ("00C90001 00000009", "version 0"),
        ("C0C90001 00000009", "version 3"), ("80C90002 00000009", "longer than the datagram"),
        ("80C90001 00000009 80", "rest of a packet"), ("80C90000", "RR without sender"),
        ("81C90001 00000009", "RR without its block"),
        ("80C80005 00000001 0000000200000003 00000004 00000005", "short SR"),
        ("A0C90001 00000000", "padding of zero"), ("A0C90001 00000005", "padding beyond the packet"),
        ("A0C90000", "padding without room"), ("81CB0000", "BYE without its source"),
        ("81CA0000", "SDES without its chunk"), ("81CA0002 00000001 01FF4142", "SDES text beyond the packet"),
        ("81CA0002 00000001 01014102", "SDES item without length"),
        ("81CD0002 00000001 00000002", "NACK without entry"), ("81CD0001 00000001", "NACK without media"),
        ("81CE0001 00000001", "PLI without media"), ("84CE0002 00000001 00000000", "FIR without entry"),
        ("84CE0003 00000001 00000000 00000002", "FIR with half an entry"),
        ("8FCE0004 00000001 00000000 52454D42 01000000", "REMB without its SSRC"),
        ("8FCE0001 00000001", "application feedback without media"),
    ])
    func malformed(hex: String, name: String) {
        #expect(parseRTCP(packetBytes(hex)) == nil, "\(name)")
    }

    @Test func boundsOnePacketPerDatagramAndNACK() {
        let empty = packetBytes("80CB0000")
        let most = Array(repeatElement(empty, count: RTCPCompound.maximumPackets).joined())
        #expect(parseRTCP(most)?.count == RTCPCompound.maximumPackets)
        #expect(parseRTCP(most + empty) == nil)

        let entries = [UInt8]((0..<600).map { [UInt8($0 >> 8), UInt8($0 & 0xFF), 0xFF, 0xFF] }.joined())
        let nack = packetBytes("81CD025A 00000001 00000002") + entries
        guard case .nack(_, _, let lost)?? = parseRTCP(nack)?.first else {
            Issue.record("not read as a NACK")
            return
        }
        #expect(lost.count == 1_020)
    }
}
