// The numbers of pictures in payload descriptors: where they lie, and that moving them changes nothing else.
import Testing

@testable import WebRTC

@Suite struct PictureNumbersTests {
    struct Payload: CustomTestStringConvertible {
        var codec: CodecName
        var bytes: [UInt8]
        var pictureID: UInt16?
        var tl0: UInt8?
        /// With 1 added to the picture id, and 2 to TL0PICIDX.
        var moved: [UInt8]
        var testDescription: String { "\(codec.rawValue) \(bytes)" }
    }

    static let payloads: [Payload] = [
        // X, I and L, 15 bits, at its end; TID follows.
        .init(
            codec: .vp8, bytes: [0x90, 0xE0, 0xFF, 0xFF, 0xFE, 0x20, 7], pictureID: 0x7FFF, tl0: 0xFE,
            moved: [0x90, 0xE0, 0x80, 0x00, 0x00]),
        .init(
            codec: .vp8, bytes: [0x90, 0x80, 0x81, 0xFF, 7], pictureID: 0x1FF, tl0: nil,
            moved: [0x90, 0x80, 0x82, 0x00]),
        .init(
            codec: .vp8, bytes: [0x80, 0xC0, 0x7F, 0x05, 7], pictureID: 0x7F, tl0: 5, moved: [0x80, 0xC0, 0x00, 0x07]),
        .init(codec: .vp8, bytes: [0x90, 0x40, 0x05, 7], pictureID: nil, tl0: 5, moved: [0x90, 0x40, 0x07]),
        .init(codec: .vp8, bytes: [0x90, 0x20, 0x05, 7], pictureID: nil, tl0: nil, moved: []),
        // I and L without F: TID and TL0PICIDX behind the id.
        .init(
            codec: .vp9, bytes: [0xA8, 0x92, 0x34, 0x20, 0x09, 7], pictureID: 0x1234, tl0: 9,
            moved: [0xA8, 0x92, 0x35, 0x20, 0x0B]),
        .init(
            codec: .vp9, bytes: [0xA8, 0x12, 0x20, 0x09, 7], pictureID: 0x12, tl0: 9, moved: [0xA8, 0x13, 0x20, 0x0B]),
        // Flexible mode has no TL0PICIDX.
        .init(
            codec: .vp9, bytes: [0xB8, 0x92, 0x34, 0x20, 0x09, 7], pictureID: 0x1234, tl0: nil,
            moved: [0xB8, 0x92, 0x35]),
        .init(codec: .vp9, bytes: [0x28, 0x20, 0x09, 7], pictureID: nil, tl0: 9, moved: [0x28, 0x20, 0x0B]),
        .init(codec: .vp9, bytes: [0x08, 7], pictureID: nil, tl0: nil, moved: []),
    ]

    private func parse(_ bytes: [UInt8], _ codec: CodecName) -> PictureNumbers? {
        unsafe PictureNumbers.parse(bytes.span.bytes, of: codec)
    }

    @Test(arguments: payloads) func numbersAreFoundAndMoved(_ payload: Payload) throws {
        let numbers = try #require(parse(payload.bytes, payload.codec))
        #expect(numbers.pictureID == payload.pictureID && numbers.tl0PictureIndex == payload.tl0)
        var target = [UInt8](repeating: 0xEE, count: PictureNumbers.longest + 1)
        let length = unsafe payload.bytes.withUnsafeBytes { source in
            unsafe target.withUnsafeMutableBytes {
                unsafe numbers.writeMoved(by: 1, 2, beginningOf: source.baseAddress!, to: $0.baseAddress!)
            }
        }
        #expect(Array(target[..<length]) == payload.moved)
        #expect(target[length...].allSatisfy { $0 == 0xEE })
    }

    /// Cut off anywhere: found whole, or not at all.
    @Test(arguments: payloads) func whatEndsEarlyHasNone(_ payload: Payload) {
        for length in 0..<payload.bytes.count {
            guard let numbers = parse(Array(payload.bytes[..<length]), payload.codec) else { continue }
            #expect(length >= payload.moved.count)
            #expect(numbers.pictureID == payload.pictureID && numbers.tl0PictureIndex == payload.tl0)
        }
    }

    @Test(arguments: [CodecName.h264, .av1, .opus]) func othersHaveNone(_ codec: CodecName) {
        #expect(parse([0x90, 0xE0, 0xFF, 0xFF, 0xFE, 0x20, 7], codec) == nil)
    }

    @Test func aDescriptorWithoutExtensionHasNone() { #expect(parse([0x10, 7, 7], .vp8) == nil) }
}
