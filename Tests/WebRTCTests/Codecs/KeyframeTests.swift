// Where decoders can start: payloads made from real bitstreams of libvpx, libx264, libaom and SVT-AV1 (beginnings of them),
// packetized by FFmpeg's RTP muxer or laid out by hand as browsers do, and damaged ones.
import Testing
import WebRTC

@Suite("Keyframe detection")
struct KeyframeTests {
    struct Payload: CustomTestStringConvertible {
        var name: String
        var hex: String
        var isStart: Bool
        var testDescription: String { name }
    }

    private func isStart(_ codec: CodecName, _ bytes: [UInt8]) -> Bool {
        unsafe isKeyframeStart(codec: codec, payload: bytes.span.bytes)
    }

    static let vp8: [Payload] = [
        .init(name: "FFmpeg, key frame", hex: "90808000 1025009d012a4000300000470885", isStart: true),
        .init(name: "FFmpeg, rest of the key frame", hex: "80808000 7bf939fc2737b9dcee4b", isStart: false),
        .init(name: "FFmpeg, inter frame", hex: "90808001 310300051010001ecad5a2f506", isStart: false),
        .init(name: "no extension", hex: "10 1025009d012a40003000", isStart: true),
        .init(name: "no extension, inter frame", hex: "10 310300051010", isStart: false),
        .init(name: "non-reference bit", hex: "30 1025009d012a40003000", isStart: true),
        .init(name: "7-bit picture id", hex: "90807F 1025009d012a40003000", isStart: true),
        .init(name: "Chromium: picture id, TL0PICIDX, TID", hex: "90F0 9234 05 20 1025009d012a40003000", isStart: true),
        .init(name: "the same, inter frame", hex: "90F0 9234 05 20 310300051010", isStart: false),
        .init(name: "only KEYIDX", hex: "9010 0F 1025009d012a40003000", isStart: true),
        .init(name: "only TL0PICIDX", hex: "9040 0F 1025009d012a40003000", isStart: true),
        .init(name: "second partition", hex: "11 1025009d012a40003000", isStart: false),
        .init(name: "not a start", hex: "00 1025009d012a40003000", isStart: false),
        .init(name: "wrong start code", hex: "10 1025009d012b40003000", isStart: false),
        .init(name: "too short for a start code", hex: "10 102500", isStart: true),
        .init(name: "empty", hex: "", isStart: false),
        .init(name: "descriptor only", hex: "10", isStart: false),
        .init(name: "X without flags", hex: "90", isStart: false),
        .init(name: "I without id", hex: "9080", isStart: false),
        .init(name: "half a 15-bit id", hex: "908080", isStart: false),
        .init(name: "L without TL0PICIDX", hex: "9040", isStart: false),
        .init(name: "T without TID", hex: "9020", isStart: false),
    ]

    static let h264: [Payload] = [
        .init(
            name: "FFmpeg, SPS and PPS in a STAP-A",
            hex: "18 0016 6764000aacb423d80880000003008000000a47891350 0004 68ef0fcb", isStart: false),
        .init(name: "FFmpeg, SEI in an FU-A", hex: "1c86 05ffff63dc45e9bde6d948b7962cd8", isStart: false),
        .init(name: "FFmpeg, IDR slice in an FU-A", hex: "7c85 888437d4d445abc4073c5372", isStart: true),
        .init(name: "FFmpeg, its end", hex: "7c45 1432cf1a59c0151b4110", isStart: false),
        .init(name: "its middle", hex: "7c05 8832cf1a59c0151b4110", isStart: false),
        .init(name: "FFmpeg, the picture's second slice", hex: "65 1222109ff24ca700277f", isStart: false),
        .init(
            name: "FFmpeg, two slices in a STAP-A",
            hex: """
                18 0036 419a262bffb81a69d61310fe6c800f6c6c99a5bfff5f368a4c19c87d307cee1bc0cd31f7e4a00b3b2914f93b704bf\
                3075097325465c0 0007 41126898af24e0
                """, isStart: false),
        .init(name: "SPS", hex: "6764000aacb423d8", isStart: false),
        .init(name: "PPS", hex: "68ef0fcb", isStart: false),
        .init(name: "IDR slice", hex: "65888437d4d445", isStart: true),
        .init(name: "IDR slice, low NRI", hex: "25888437d4d445", isStart: true),
        .init(name: "inter slice", hex: "419a262bffb81a", isStart: false),
        .init(name: "access unit delimiter", hex: "09f0", isStart: false),
        .init(name: "STAP-A, delimiter and SPS", hex: "18 0002 09f0 0004 6764000a", isStart: false),
        .init(name: "STAP-A, IDR slice", hex: "78 0003 658884", isStart: true),
        .init(name: "STAP-A, SPS, PPS, IDR slice", hex: "78 0004 6764000a 0004 68ef0fcb 0003 658884", isStart: true),
        .init(name: "STAP-A, SPS, PPS, inter slice", hex: "78 0004 6764000a 0004 68ef0fcb 0003 419a26", isStart: false),
        .init(name: "recovery point SEI", hex: "06 0601c480", isStart: true),
        .init(
            name: "STAP-A, SPS, PPS, recovery point SEI", hex: "78 0002 6764 0002 68ef 0004 0606 0180", isStart: true),
        .init(name: "user data SEI", hex: "06 05ff63dc", isStart: false),
        .init(name: "STAP-A over its end", hex: "18 0002 09f0 0009 6764000a", isStart: false),
        .init(name: "STAP-A with an empty unit", hex: "18 0000 0004 6764000a", isStart: false),
        .init(name: "FU-A, inter slice", hex: "5c81 9a262bffb81a", isStart: false),
        .init(name: "FU-A, SPS", hex: "7c87 64000aacb4", isStart: false),
        .init(name: "FU-A without data", hex: "7c85", isStart: false),
        .init(name: "header only", hex: "67", isStart: false),
        .init(name: "empty", hex: "", isStart: false),
    ]

    static let vp9: [Payload] = [
        .init(name: "FFmpeg, key frame", hex: "08 824983420003f002f60438241c18420003", isStart: true),
        .init(name: "FFmpeg, rest of it", hex: "00 409d12ac0c08575ad85ae47f3ff71f", isStart: false),
        // FFmpeg leaves P at 0.
        .init(name: "FFmpeg, inter frame", hex: "0c 860040929c18494000030000007e0c", isStart: false),
        .init(name: "profile 1", hex: "08 a249834200007e005ec10704", isStart: true),
        .init(name: "profile 1, inter frame", hex: "08 a60040929c20494000037000", isStart: false),
        .init(name: "profile 2", hex: "08 924983420001f8017b061c12", isStart: true),
        .init(name: "profile 2, inter frame", hex: "08 960040929c1049c000037000", isStart: false),
        .init(name: "profile 3", hex: "08 b124c1a100001f8017b061c1", isStart: true),
        .init(name: "profile 3, error resilient", hex: "08 b1a4c1a100001f8017b061c1", isStart: true),
        .init(name: "profile 3, inter frame", hex: "08 b30020494e0c24e000018020", isStart: false),
        .init(name: "P set", hex: "48 824983420003f002", isStart: false),
        .init(name: "7-bit picture id", hex: "88 7F 824983420003f002", isStart: true),
        .init(name: "15-bit picture id", hex: "88 9234 824983420003f002", isStart: true),
        .init(name: "layer indices with TL0PICIDX", hex: "A8 9234 00 05 824983420003f002", isStart: true),
        .init(name: "layer indices, flexible mode", hex: "B8 9234 00 824983420003f002", isStart: true),
        .init(name: "upper spatial layer of a key picture", hex: "A8 9234 03 05 824983420003f002", isStart: false),
        .init(
            name: "Chromium SVC: two layers' sizes, two pictures of structure",
            hex: "AA 8001 00 00 38 014000F0 028001E0 02 04 01 0801 02 824983420003f002", isStart: true),
        .init(name: "structure without sizes", hex: "0A 00 824983420003f002", isStart: true),
        .init(name: "structure over the end", hex: "0A 08 FF 0C010203", isStart: false),
        .init(name: "structure missing", hex: "0A", isStart: false),
        .init(name: "shows an existing frame", hex: "08 88", isStart: false),
        .init(name: "wrong sync code", hex: "08 82498343", isStart: false),
        .init(name: "not VP9", hex: "08 024983420003f002", isStart: false),
        .init(name: "too short for a sync code", hex: "08 8249", isStart: true),
        .init(name: "descriptor only", hex: "08", isStart: false),
        .init(name: "picture id missing", hex: "88", isStart: false),
        .init(name: "layer indices missing", hex: "A8 9234", isStart: false),
        .init(name: "empty", hex: "", isStart: false),
    ]

    private static let sequence = "08 00000002aff79b5f2008"
    static let av1: [Payload] = [
        // Sequence header of 11 bytes, then the beginning of a frame OBU of libaom's first picture.
        .init(name: "libaom, key frame, N", hex: "68 0B" + sequence + "30 10008000dd6d7834", isStart: true),
        .init(name: "libaom, key frame, N missing", hex: "60 0B" + sequence + "30 10008000dd6d7834", isStart: true),
        .init(name: "libaom, inter frame", hex: "10 30 30038080fdf806d1808a", isStart: false),
        .init(
            name: "libaom, with sizes and delimiter", isStart: true,
            sized: "12 00", "0a0a00000002aff79b5f2008", "32e30b10008000dd6d7834"),
        .init(
            name: "SVT-AV1, key frame with sizes", isStart: true, sized: "0a0a00000002afff9f7f2008",
            "32d0071400a92090dd446c8b"),
        .init(name: "SVT-AV1, inter frame", hex: "10 32 8d032902001249248ec0", isStart: false),
        .init(name: "SVT-AV1, shows an existing frame", hex: "10 1a 01b8", isStart: false),
        .init(name: "the same after a sequence header", hex: "68 0B" + sequence + "18 b8", isStart: false),
        .init(name: "sequence header and inter frame", hex: "68 0B" + sequence + "30 30038080", isStart: false),
        .init(name: "frame header OBU instead of frame", hex: "28 0B" + sequence + "18 10", isStart: true),
        .init(name: "OBU extension header", hex: "28 0C 0C20 00000002aff79b5f2008 34 20 10008000", isStart: true),
        .init(name: "sequence header alone, N", hex: "18" + sequence, isStart: true),
        .init(name: "sequence header alone", hex: "10" + sequence, isStart: false),
        .init(name: "metadata between", hex: "38 0B" + sequence + "02 28 01 30 10008000", isStart: true),
        .init(name: "key frame without sequence header", hex: "18 30 10008000dd6d", isStart: false),
        .init(name: "continued OBU", hex: "E8 0B" + sequence + "30 10008000dd6d7834", isStart: false),
        .init(name: "length over the end", hex: "28 7F" + sequence, isStart: false),
        .init(name: "length without an end", hex: "28 FFFFFFFFFFFF", isStart: false),
        .init(name: "empty element", hex: "28 00" + sequence, isStart: false),
        .init(name: "aggregation header only", hex: "18", isStart: false),
        .init(name: "empty", hex: "", isStart: false),
    ]

    @Test(arguments: vp8) func findsStartsOfVP8(_ payload: Payload) {
        #expect(isStart(.vp8, packetBytes(payload.hex)) == payload.isStart)
    }

    @Test(arguments: h264) func findsStartsOfH264(_ payload: Payload) {
        #expect(isStart(.h264, packetBytes(payload.hex)) == payload.isStart)
    }

    @Test(arguments: vp9) func findsStartsOfVP9(_ payload: Payload) {
        #expect(isStart(.vp9, packetBytes(payload.hex)) == payload.isStart)
    }

    @Test(arguments: av1) func findsStartsOfAV1(_ payload: Payload) {
        #expect(isStart(.av1, packetBytes(payload.hex)) == payload.isStart)
    }

    @Test func audioHasNone() {
        #expect(!isStart(.opus, packetBytes("65888437d4d445")))
    }

    /// Any payload gets an answer, under any codec, cut anywhere.
    @Test func damagedPayloadsAreAnswered() {
        var mutator = PacketMutator(seed: 0x5EED_0006)
        let originals = (Self.vp8 + Self.h264 + Self.vp9 + Self.av1).map { packetBytes($0.hex) }
        for original in originals {
            for length in 0...original.count {
                for codec in CodecName.allCases { _ = isStart(codec, Array(original.prefix(length))) }
            }
        }
        var starts = 0
        for round in 0..<40_000 {
            let bytes = round % 8 == 0 ? mutator.noise(upTo: 40) : mutator.mutate(originals[round % originals.count])
            for codec in CodecName.allCases where isStart(codec, bytes) { starts += 1 }
            _ = unsafe VP8Payload.parse(bytes.span.bytes)
            _ = unsafe H264Payload.nalUnits(in: bytes.span.bytes)
        }
        #expect(starts > 5_000)
    }
}

extension KeyframeTests.Payload {
    /// OBUs that keep their size fields, each an element with a length of its own (W = 0), N set.
    fileprivate init(name: String, isStart: Bool, sized obus: String...) {
        var hex = "08"
        for obu in obus {
            let digits = String(packetBytes(obu).count, radix: 16)
            hex += (digits.count == 1 ? "0" : "") + digits + obu
        }
        self.init(name: name, hex: hex, isStart: isStart)
    }
}
