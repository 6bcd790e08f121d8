@testable import WebRTC

extension FuzzTarget {
    static var payloads: [FuzzTarget] {
        [
            payload(
                .h264, ["7C85884021A0", "65888400", "7800076742E01F8D6805000468CE3C80000365888 4", "6742E01F8D6805"]),
            payload(.vp8, ["1000009D012A80026801", "90E08001020330009D012A", "B0F0813412070110"]),
            payload(.vp9, ["8B0249834200", "AF8101020A1000270016C001104983420013F00", "0B00"]),
            payload(.av1, ["180A0B00000002AFF79B5F2008320010", "08000000 02AFF79B5F2008", "600A0B0000"]),
            payload(.opus, ["78"]), parameterSets, accessUnits,
        ]
    }

    private static func payload(_ codec: CodecName, _ seeds: [String]) -> FuzzTarget {
        FuzzTarget(
            name: "payload-" + codec.rawValue.lowercased(), maximumLength: 200,
            seeds: { seeds.map { hexBytes($0) } }
        ) {
            { bytes in
                let span = unsafe bytes.span.bytes
                _ = isKeyframeStart(codec: codec, payload: span)
                if codec == .vp8 { _ = VP8Payload.parse(span) }
            }
        }
    }

    /// Payloads of an H.264 stream, each with its length before it, after an `a=fmtp` line.
    private static let parameterSets = FuzzTarget(
        name: "h264-parameter-sets", maximumLength: 400,
        seeds: {
            let line = Array("sprop-parameter-sets=Z0LgH42F,aM48gA==".utf8)
            let payloads = ["6742E01F8D6805", "68CE3C80", "7800076742E01F8D6805000468CE3C80", "7C8588", "685E3C80"]
            return [[UInt8(line.count)] + line + payloads.map(hexBytes).flatMap { [UInt8($0.count), 1] + $0 }]
        }
    ) {
        { bytes in
            var input = FuzzInput(bytes)
            let line = String(decoding: input.take(Int(input.byte())), as: UTF8.self)
            let codec = CodecFormat(name: .h264, clockRate: 90_000, fmtp: line)
            guard var sets = H264ParameterSets(of: codec) else { return }
            var timestamp: UInt32 = 0
            while !input.isAtEnd {
                let length = Int(input.byte())
                timestamp &+= UInt32(input.byte())
                let payload = input.take(length)
                unsafe sets.observe(payload.span.bytes, timestamp: timestamp)
                if !sets.missing(at: timestamp).isEmpty { sets.noteShown(at: timestamp) }
            }
        }
    }

    /// What `probe publish` does with a file's pictures.
    private static let accessUnits = FuzzTarget(
        name: "h264-access-units", maximumLength: 3_000,
        seeds: { [hexBytes("000000016742E01F8D68050000000168CE3C80000001658884")] }
    ) {
        { bytes in
            for payload in H264Payload.packetize(accessUnit: bytes, maximumPayload: 60) {
                precondition(payload.count <= 60, "a payload is not longer than it may be")
                unsafe H264Payload.forEachUnit(in: payload.span.bytes) { _ in }
            }
        }
    }
}
