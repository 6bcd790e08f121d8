// RFC 7983 and 5761: which protocol the first bytes of a datagram mean, for every first byte and every shortest length.
import Testing
import WebRTC

@Suite("Datagram classification")
struct ClassificationTests {
    private func classify(_ bytes: [UInt8]) -> DatagramClass { unsafe DatagramClass.classify(bytes.span.bytes) }

    @Test func everyFirstByte() {
        for first in 0...255 as ClosedRange<UInt8> {
            let expected: DatagramClass =
                switch first {
                case 0...3: .stun
                case 20...63: .dtls
                case 128...191: .rtp
                default: .unknown
                }
            #expect(classify([first] + [UInt8](repeating: 0, count: 31)) == expected, "\(first)")
        }
    }

    @Test func everySecondByteOfMedia() {
        for second in 0...255 as ClosedRange<UInt8> {
            let expected: DatagramClass = 192...223 ~= second ? .rtcp : .rtp
            #expect(classify([0x80, second] + [UInt8](repeating: 0, count: 30)) == expected, "\(second)")
        }
    }

    @Test(arguments: [(0x00, 20, DatagramClass.stun), (0x16, 13, .dtls), (0x80, 12, .rtp)])
    func shortestOfEachProtocol(first: UInt8, length: Int, expected: DatagramClass) {
        for count in 0..<48 {
            let bytes = [UInt8]([first] + [UInt8](repeating: 0, count: 47)).prefix(count)
            #expect(classify(Array(bytes)) == (count < length ? .unknown : expected), "\(count) bytes")
        }
    }

    @Test func shortestRTCP() {
        #expect(classify(packetBytes("81C90001 00000001")) == .rtcp)
        #expect(classify(packetBytes("81C90001 000000")) == .unknown)
    }
}
