// RFC 8285 header extensions: finding elements among padding, reserved ids and lengths that lie; the block that goes
// out.
import Testing
import WebRTC

@Suite("RTP header extensions")
struct HeaderExtensionTests {
    struct Lookup: CustomTestStringConvertible {
        var name: String
        /// Profile, length and data of the extension.
        var hex: String
        var id: UInt8
        /// The element's data; nil: absent
        var data: String?
        var testDescription: String { name }
    }

    static let lookups: [Lookup] = [
        // RFC 8285 §4.2, the figure: an element of one byte, one of two, padding, one of four.
        Lookup(name: "one-byte figure, first", hex: "BEDE0003 10A1 21B1B2 0000 33C1C2C3C4", id: 1, data: "A1"),
        Lookup(name: "one-byte figure, second", hex: "BEDE0003 10A1 21B1B2 0000 33C1C2C3C4", id: 2, data: "B1B2"),
        Lookup(name: "one-byte figure, third", hex: "BEDE0003 10A1 21B1B2 0000 33C1C2C3C4", id: 3, data: "C1C2C3C4"),
        Lookup(name: "one-byte figure, none", hex: "BEDE0003 10A1 21B1B2 0000 33C1C2C3C4", id: 4, data: nil),
        // §4.3, the figure: no data, one byte, padding, four bytes.
        Lookup(name: "two-byte figure, empty", hex: "10000003 0100 0201B1 00 0304C1C2C3C4", id: 1, data: ""),
        Lookup(name: "two-byte figure, second", hex: "10000003 0100 0201B1 00 0304C1C2C3C4", id: 2, data: "B1"),
        Lookup(name: "two-byte figure, third", hex: "10000003 0100 0201B1 00 0304C1C2C3C4", id: 3, data: "C1C2C3C4"),
        Lookup(name: "two-byte with application bits", hex: "100F0001 0701AA00", id: 7, data: "AA"),
        Lookup(name: "two-byte id above 14", hex: "10000001 C801AA00", id: 200, data: "AA"),
        Lookup(name: "two-byte id 15 is ordinary", hex: "10000001 0F01AA00", id: 15, data: "AA"),
        Lookup(
            name: "sixteen bytes", hex: "BEDE0005 1F" + String(repeating: "AB", count: 16) + "000000", id: 1,
            data: String(repeating: "AB", count: 16)),
        Lookup(name: "first of two equal ids", hex: "BEDE0001 10AA10BB", id: 1, data: "AA"),
        Lookup(name: "after padding", hex: "BEDE0002 000000 10AA 000000", id: 1, data: "AA"),
        Lookup(name: "id 15 ends it", hex: "BEDE0002 10AA F0BB 20CC 0000", id: 2, data: nil),
        Lookup(name: "before id 15", hex: "BEDE0002 10AA F0BB 20CC 0000", id: 1, data: "AA"),
        Lookup(name: "id 15 is no element", hex: "BEDE0001 F0AA0000", id: 15, data: nil),
        Lookup(name: "id 0 with a length ends it", hex: "BEDE0002 01AABB 20CC 000000", id: 2, data: nil),
        Lookup(name: "id 0 is padding", hex: "BEDE0001 00000000", id: 0, data: nil),
        Lookup(name: "one-byte element over the end", hex: "BEDE0001 13AABBCC", id: 1, data: nil),
        Lookup(name: "two-byte element over the end", hex: "10000001 0103AABB", id: 1, data: nil),
        Lookup(name: "two-byte length missing", hex: "10000001 00000001", id: 1, data: nil),
        Lookup(name: "unknown profile", hex: "ABCD0001 10AA0000", id: 1, data: nil),
        Lookup(name: "no data at all", hex: "BEDE0000", id: 1, data: nil),
    ]

    @Test(arguments: lookups)
    func findsTheElement(_ lookup: Lookup) throws {
        // The payload looks like an element, so that reading on would be noticed.
        let bytes = packetBytes("9060 0001 00000002 00000003" + lookup.hex + "10EE 20EE")
        let packet = try #require(parseRTP(bytes))
        let range = unsafe packet.extensionRange(id: lookup.id, in: bytes.span.bytes)
        #expect(range.map { Array(bytes[$0]) } == lookup.data.map { packetBytes($0) })
    }

    @Test func textAndNumbers() throws {
        let bytes = RTPHeader.packet(
            payloadType: PayloadType(96), sequence: SequenceNumber(1), timestamp: 0, ssrc: SSRC(1),
            extensions: [(1, Array("video0".utf8)), (2, [0xC3]), (3, [0xAB, 0xCD]), (4, [1])], payload: [])
        let packet = try #require(parseRTP(bytes))
        #expect(unsafe packet.extensionText(id: 1, in: bytes.span.bytes) == "video0")
        #expect(unsafe packet.extensionText(id: 2, in: bytes.span.bytes) == nil)
        #expect(unsafe packet.extensionText(id: 9, in: bytes.span.bytes) == nil)
        #expect(unsafe packet.extensionUInt16(id: 3, in: bytes.span.bytes) == 0xABCD)
        #expect(unsafe packet.extensionUInt16(id: 4, in: bytes.span.bytes) == nil)
    }

    @Test func packetWriterChoosesTheElementHeader() {
        let cases: [(extensions: [(id: UInt8, data: [UInt8])], block: String)] = [
            ([(1, [0xAA])], "BEDE0001 10AA0000"),
            ([(3, [0xAA, 0xBB]), (14, [0xCC])], "BEDE0002 31AABB E0CC 000000"),
            ([(1, [])], "10000001 01000000"),
            ([(15, [0xAA])], "10000001 0F01AA00"),
            (
                [(2, [UInt8](repeating: 7, count: 17)), (3, [1])],
                "10000006 0211" + String(repeating: "07", count: 17) + "030101 0000"
            ),
        ]
        for (extensions, block) in cases {
            let bytes = RTPHeader.packet(
                payloadType: PayloadType(96), sequence: SequenceNumber(1), timestamp: 0, ssrc: SSRC(1),
                extensions: extensions, payload: [0x55])
            #expect(Array(bytes[12..<bytes.count - 1]) == packetBytes(block))
        }
    }
}
