// Frames cut into RTP payloads and put together again: nothing lost, nothing too long, sizes that GSO can merge.
import Testing
import WebRTC

@Suite("Packetizing")
struct PacketizingTests {
    private func isStart(_ codec: CodecName, _ bytes: [UInt8]) -> Bool {
        unsafe isKeyframeStart(codec: codec, payload: bytes.span.bytes)
    }

    /// The beginning of a VP8 key frame by libvpx, filled up.
    private func vp8Frame(_ count: Int) -> [UInt8] {
        Array((packetBytes("1025009d012a40003000") + (0..<max(0, count - 10)).map { UInt8($0 % 251) }).prefix(count))
    }

    @Test(arguments: [1, 10, 1_195, 1_196, 1_197, 2_392, 2_393, 50_000])
    func vp8FramesComeTogether(_ count: Int) throws {
        let frame = vp8Frame(count)
        var packetizer = VP8Packetizer(firstPictureID: 0x1234)
        let payloads = packetizer.packetize(frame: frame)
        #expect(payloads.count == (count + 1_195) / 1_196)
        #expect(payloads.allSatisfy { $0.count <= 1_200 })
        #expect(Set(payloads.dropLast().map(\.count)).count <= 1, "equal sizes but for the last")
        #expect(payloads.last!.count <= payloads[0].count)
        var whole: [UInt8] = []
        for (i, payload) in payloads.enumerated() {
            let descriptor = try #require(unsafe VP8Payload.parse(payload.span.bytes))
            #expect(descriptor.length == 4)
            #expect(descriptor.startsFrame == (i == 0))
            #expect(descriptor.pictureID == 0x1234)
            whole += payload[descriptor.length...]
            #expect(isStart(.vp8, payload) == (i == 0))
        }
        #expect(whole == frame)
    }

    @Test func vp8DescriptorBytes() {
        var packetizer = VP8Packetizer(firstPictureID: 0x7FFF)
        #expect(
            packetizer.packetize(frame: [1, 2, 3], maximumPayload: 6) == [
                [0x90, 0x80, 0xFF, 0xFF, 1, 2],
                [0x80, 0x80, 0xFF, 0xFF, 3],
            ])
        #expect(packetizer.packetize(frame: [4]) == [[0x90, 0x80, 0x80, 0x00, 4]])
        #expect(packetizer.pictureID == 1)
        #expect(packetizer.packetize(frame: []) == [])
    }

    @Test func annexBUnits() {
        let cases: [(stream: String, units: [String])] = [
            ("00000001 09f0 000001 6742 00000001 68ef", ["09f0", "6742", "68ef"]),
            ("000001 6588", ["6588"]), ("000001 6588 0000", ["6588"]),
            ("000001 6588 00000000000001 41", ["6588", "41"]),
            ("6588", []), ("", []), ("000001", []), ("000001 000001 41", ["41"]), ("0001 000001 41", ["41"]),
            ("000001 65 000003 01 000003", ["65 000003 01 000003"]),
        ]
        for (stream, units) in cases {
            let bytes = packetBytes(stream)
            let found = unsafe H264Payload.nalUnits(in: bytes.span.bytes).map { Array(bytes[$0]) }
            #expect(found == units.map { packetBytes($0) }, "\(stream)")
        }
    }

    /// NAL units out of payloads, as RFC 6184 §5.6–5.8 has a receiver do it.
    private func depacketize(_ payloads: [[UInt8]]) -> [[UInt8]] {
        var units: [[UInt8]] = []
        for payload in payloads {
            switch payload[0] & 0x1F {
            case 24:
                var rest = payload[1...]
                while rest.count >= 2 {
                    let length = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
                    units.append(Array(rest.dropFirst(2).prefix(length)))
                    rest = rest.dropFirst(2 + length)
                }
            case 28:
                let isFirst = payload[1] & 0x80 != 0
                #expect(payload[1] & 0xC0 != 0xC0, "a fragment that is the whole unit")
                if isFirst { units.append([payload[0] & 0xE0 | payload[1] & 0x1F]) }
                units[units.count - 1] += payload[2...]
            default: units.append(payload)
            }
        }
        return units
    }

    private func unit(_ header: UInt8, _ count: Int) -> [UInt8] {
        [header] + (1..<count).map { UInt8(1 + $0 % 255) }
    }

    @Test func h264AccessUnitsComeTogether() {
        let start: [UInt8] = [0, 0, 0, 1]
        let (sps, pps) = (packetBytes("6764000aacb423d8"), packetBytes("68ef0fcb"))
        for count in [2, 1_199, 1_200, 1_201, 2_397, 2_398, 30_000] {
            let (idr, second) = ([0x65, 0x88] + unit(0x65, count).dropFirst(2), unit(0x41, 20))
            let accessUnit = [[0x09, 0xF0], sps, pps, unit(0x06, 40), idr, second].flatMap { start + $0 }
            let payloads = H264Payload.packetize(accessUnit: accessUnit)
            #expect(depacketize(payloads) == [sps, pps, unit(0x06, 40), idr, second])
            #expect(payloads.allSatisfy { $0.count <= 1_200 })
            #expect(payloads[0][0] == 0x78, "parameter sets first, in one STAP-A with their NRI")
            #expect(
                payloads.map { isStart(.h264, $0) }.firstIndex(of: true) == 1, "the picture behind them is the start")
            #expect(payloads.count == 2 + (count <= 1_200 ? 1 : (count - 1 + 1_197) / 1_198))
        }
    }

    @Test(arguments: [
        ("000001 65888437", 1_200, ["65888437"]),
        ("000001 09f0 000001 419a", 1_200, ["419a"]),
        ("000001 6742 000001 68ef", 1_200, ["78 0002 6742 0002 68ef"]),
        ("000001 0605 000001 e8ef", 1_200, ["f8 0002 0605 0002 e8ef"]),
        ("000001 6742 000001 68ef", 8, ["6742", "68ef"]),
        ("000001 6742 000001 68ef", 9, ["78 0002 6742 0002 68ef"]),
        ("000001 6742", 1_200, ["6742"]),
        ("000001 65 0102030405", 5, ["7c85 010203", "7c45 0405"]),
        ("000001 65 01020304 0506", 5, ["7c85 010203", "7c45 040506"]),
        ("000001 65 01020304 050607", 5, ["7c85 010203", "7c05 040506", "7c45 07"]),
        ("", 1_200, []),
    ])
    func h264Payloads(stream: String, maximum: Int, payloads: [String]) {
        let found = H264Payload.packetize(accessUnit: packetBytes(stream), maximumPayload: maximum)
        #expect(found == payloads.map { packetBytes($0) })
    }

    @Test func anyStreamIsPacketized() {
        var mutator = PacketMutator(seed: 0x5EED_0007)
        let original = packetBytes("00000001 09f0 000001 6742 000001 68ef 000001 6588010203040506070809 000001 419a")
        for round in 0..<10_000 {
            let stream = mutator.mutate(original)
            let maximum = 4 + round % 40
            let payloads = H264Payload.packetize(accessUnit: stream, maximumPayload: maximum)
            #expect(payloads.allSatisfy { 1...maximum ~= $0.count }, "round \(round)")
        }
    }
}
