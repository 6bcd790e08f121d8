// Parameter sets are kept from every shape in which they come, and given back for pictures that lack them.
import Testing
import WebRTC

@Suite struct H264ParameterSetsTests {
    private static let sps = packetBytes("6742e01f8d6805")
    private static let pps = packetBytes("68ce3c80")
    /// The same with the next id: Exp-Golomb 010.
    private static let pps1 = packetBytes("685e3c80")

    private func sets(_ payloads: [(hex: String, timestamp: UInt32)], fmtp: String = "") -> H264ParameterSets {
        var sets = H264ParameterSets(of: CodecFormat(name: .h264, clockRate: 90_000, fmtp: fmtp))!
        for (hex, timestamp) in payloads { unsafe sets.observe(packetBytes(hex).span.bytes, timestamp: timestamp) }
        return sets
    }

    @Test func singleUnitsAndAggregatesAreKept() {
        for shape in [
            [("6742e01f8d6805", 1), ("68ce3c80", 1)], [("78 0007 6742e01f8d6805 0004 68ce3c80", 1)],
            [("78 0002 09f0 0007 6742e01f8d6805 0004 68ce3c80 0003 658884", 1)],
            [("68ce3c80", 1), ("6742e01f8d6805", 1)],
        ] as [[(hex: String, timestamp: UInt32)]] {
            let sets = sets(shape)
            #expect(sets.missing(at: 1).isEmpty, "the picture has its own")
            #expect(sets.missing(at: 2) == [Self.sps, Self.pps])
        }
    }

    @Test func whatIsKnownOnlyInPartIsNotGiven() {
        #expect(sets([("6742e01f8d6805", 1)]).missing(at: 2).isEmpty)
        #expect(sets([("68ce3c80", 1)]).missing(at: 2).isEmpty)
        #expect(sets([]).missing(at: 2).isEmpty)
    }

    @Test func aPictureWithHalfOfThemIsGivenAll() {
        let sets = sets([("6742e01f8d6805", 1), ("68ce3c80", 1), ("6742e01f8d6805", 2)])
        #expect(sets.missing(at: 2) == [Self.sps, Self.pps])
    }

    @Test func severalOfAKindAreToldApartByTheirIDs() {
        let sets = sets([("6742e01f8d6805", 1), ("68ce3c80", 1), ("685e3c80", 1), ("68ce3c81", 2)])
        #expect(sets.missing(at: 3) == [Self.sps, packetBytes("68ce3c81"), Self.pps1])
    }

    @Test func theSDPMayBringThem() {
        #expect(
            sets([], fmtp: "sprop-parameter-sets=Z0LgH41oBQ==,aM48gA==").missing(at: 7) == [Self.sps, Self.pps])
        for broken in ["sprop-parameter-sets=", "sprop-parameter-sets=*,aM48gA==", "sprop-parameter-sets=Z0=L,aM48gA"] {
            #expect(sets([], fmtp: broken).missing(at: 7).isEmpty)
        }
    }

    @Test func otherCodecsHaveNone() {
        #expect(H264ParameterSets(of: CodecFormat(name: .vp8, clockRate: 90_000)) == nil)
    }

    /// Whatever comes, what is kept stays small: a picture is never given more than its encoder could mean.
    @Test func damagedSetsAreBounded() {
        var mutator = PacketMutator(seed: 0x5EED_0264)
        var sets = sets([])
        let originals = ["6742e01f8d6805", "68ce3c80", "78 0007 6742e01f8d6805 0004 68ce3c80"].map { packetBytes($0) }
        for round in 0..<20_000 {
            let bytes = round % 8 == 0 ? mutator.noise(upTo: 600) : mutator.mutate(originals[round % 3])
            unsafe sets.observe(bytes.span.bytes, timestamp: UInt32(round))
        }
        let given = sets.missing(at: .max)
        #expect(given.count <= 16 && given.allSatisfy { $0.count <= 480 })
    }
}
