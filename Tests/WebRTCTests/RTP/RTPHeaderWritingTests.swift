// The headers the fan-out writes: exact bytes, nothing beyond them, and what the parser reads back.
import Testing
import WebRTC

@Suite("RTP header writing")
struct RTPHeaderWritingTests {
    private let canary: UInt8 = 0xEE

    /// What `body` wrote, from an odd address; all else must still be the canary.
    private func written(_ body: (UnsafeMutableRawPointer) -> Int) -> [UInt8] {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 96, alignment: 16)
        defer { unsafe memory.deallocate() }
        unsafe memory.initializeMemory(as: UInt8.self, repeating: canary)
        let length = unsafe body(memory.baseAddress! + 1)
        let all = unsafe Array(memory)
        #expect(all[0] == canary)
        #expect(all[(1 + length)...].allSatisfy { $0 == canary }, "written beyond the header")
        return Array(all[1..<1 + length])
    }

    @Test(arguments: [false, true], [false, true])
    func fixedHeader(marker: Bool, padding: Bool) {
        let bytes = unsafe written {
            unsafe RTPHeader.write(
                to: $0, marker: marker, padding: padding, payloadType: PayloadType(0x60),
                sequence: SequenceNumber(0xFFFE), timestamp: 0x0102_0304, ssrc: SSRC(0xF1F2_F3F4))
        }
        let expected = [padding ? 0xA0 : 0x80, marker ? 0xE0 : 0x60] + packetBytes("FFFE 01020304 F1F2F3F4")
        #expect(bytes == expected)
    }

    struct Block: CustomTestStringConvertible {
        var mid: String
        var midID: UInt8
        var transportID: UInt8
        /// nil: cannot be written
        var hex: String?
        var testDescription: String { "\(mid) \(midID) \(transportID)" }
    }

    static let blocks: [Block] = [
        Block(mid: "", midID: 0, transportID: 0, hex: ""),
        Block(mid: "0", midID: 0, transportID: 0, hex: ""),
        Block(mid: "", midID: 4, transportID: 0, hex: ""),
        Block(mid: "0", midID: 4, transportID: 0, hex: "BEDE0001 4030 0000"),
        Block(mid: "abc", midID: 14, transportID: 0, hex: "BEDE0001 E2616263"),
        Block(mid: "", midID: 0, transportID: 3, hex: "BEDE0001 31ABCD00"),
        Block(mid: "0", midID: 4, transportID: 3, hex: "BEDE0002 31ABCD 4030 000000"),
        Block(
            mid: "0123456789abcdef", midID: 1, transportID: 2,
            hex: "BEDE0005 21ABCD 1F30313233343536373839616263646566"),
        Block(mid: "0123456789abcdefg", midID: 1, transportID: 0, hex: nil),
        Block(mid: "0123456789abcdefg", midID: 0, transportID: 0, hex: ""),
        Block(mid: "0", midID: 15, transportID: 0, hex: nil),
        Block(mid: "0", midID: 1, transportID: 15, hex: nil),
    ]

    @Test(arguments: blocks)
    func headerWithExtensions(_ block: Block) throws {
        let extensions = OutgoingExtensions(
            mid: block.mid, midID: block.midID, transportSequenceID: block.transportID)
        guard let hex = block.hex else {
            #expect(extensions == nil)
            return
        }
        let some = try #require(extensions)
        #expect(some.length == packetBytes(hex).count)
        for padding in [false, true] {
            let bytes = unsafe written {
                unsafe RTPHeader.write(
                    to: $0, marker: true, padding: padding, payloadType: PayloadType(96),
                    sequence: SequenceNumber(1), timestamp: 2, ssrc: SSRC(3), extensions: some,
                    transportSequence: 0xABCD)
            }
            let first: UInt8 = 0x80 | (padding ? 0x20 : 0) | (hex.isEmpty ? 0 : 0x10)
            #expect(bytes == [first, 0xE0] + packetBytes("0001 00000002 00000003" + hex))
        }
    }

    @Test func theParserFindsWhatWasWritten() throws {
        let extensions = try #require(OutgoingExtensions(mid: "video", midID: 9, transportSequenceID: 5))
        var bytes = unsafe written {
            unsafe RTPHeader.write(
                to: $0, marker: false, padding: false, payloadType: PayloadType(102), sequence: SequenceNumber(9),
                timestamp: 8, ssrc: SSRC(7), extensions: extensions, transportSequence: 65_535)
        }
        bytes += [1, 2, 3]
        let packet = try #require(parseRTP(bytes))
        #expect(packet.payload.count == 3)
        #expect(unsafe packet.extensionText(id: 9, in: bytes.span.bytes) == "video")
        #expect(unsafe packet.extensionUInt16(id: 5, in: bytes.span.bytes) == 65_535)
    }

    @Test func wholePacketsComeBackAsTheyWentIn() throws {
        var random = SeededGenerator(seed: 0x5EED_0002)
        for round in 0..<2_000 {
            let payload = (0..<Int.random(in: 0...40, using: &random)).map { UInt8($0) }
            let padding = Bool.random(using: &random) ? Int.random(in: 1...255, using: &random) : 0
            let csrcs = (0..<Int.random(in: 0...15, using: &random)).map { SSRC(UInt32($0)) }
            let element = (0..<Int.random(in: 0...255, using: &random)).map { UInt8($0) }
            let id = UInt8.random(in: 1...255, using: &random)
            let bytes = RTPHeader.packet(
                marker: round % 2 == 0, payloadType: PayloadType(UInt8(round % 128)),
                sequence: SequenceNumber(UInt16(truncatingIfNeeded: round &* 77)), timestamp: UInt32(round),
                ssrc: SSRC(UInt32(round) << 8), csrcs: csrcs, extensions: [(id, element)], payload: payload,
                padding: padding)
            let packet = try #require(parseRTP(bytes), "round \(round)")
            #expect(Array(bytes[packet.payload]) == payload)
            #expect(packet.payload.upperBound == bytes.count - padding)
            let range = try #require(unsafe packet.extensionRange(id: id, in: bytes.span.bytes), "round \(round)")
            #expect(Array(bytes[range]) == element)
        }
    }
}
