// What the writer makes the parser reads back, and what RFC 8489 forbids is refused rather than guessed at.
import Testing
import WebRTC

@Suite struct STUNParsingTests {
    private static let id = STUNMessage.TransactionID(high: 0x0102_0304, low: 0x0506_0708_090A_0B0C)

    /// Header with the right length, then `attributes` as they are.
    private func message(_ attributes: [UInt8], type: [UInt8] = [0, 1]) -> [UInt8] {
        type + [UInt8(attributes.count >> 8), UInt8(attributes.count & 0xFF), 0x21, 0x12, 0xA4, 0x42]
            + (1...12).map { UInt8($0) } + attributes
    }

    @Test(arguments: [STUNMessage.Class.request, .indication, .success, .error], [UInt16(1), 0x0B5, 0xFFF])
    func classAndMethodShareTheTypeField(messageClass: STUNMessage.Class, method: UInt16) throws {
        let bytes = STUNWriter(messageClass, transactionID: Self.id, method: method).finish(key: nil)
        let parsed = try #require(STUNMessage.parse(bytes))
        #expect(parsed.messageClass == messageClass)
        #expect(parsed.method == method)
        #expect(parsed.transactionID == Self.id)
        #expect(parsed.fingerprint == .valid)
        #expect(!parsed.hasIntegrity)
    }

    @Test func typeFieldsOnTheWire() {
        let expected: [(STUNMessage.Class, UInt16, [UInt8])] = [
            (.request, 1, [0x00, 0x01]), (.indication, 1, [0x00, 0x11]), (.success, 1, [0x01, 0x01]),
            (.error, 1, [0x01, 0x11]), (.error, 3, [0x01, 0x13]), (.success, 9, [0x01, 0x09]),
            (.request, 0xFFF, [0x3E, 0xEF]),
        ]
        for (messageClass, method, wire) in expected {
            let bytes = STUNWriter(messageClass, transactionID: Self.id, method: method).finish(key: nil)
            #expect(Array(bytes[..<2]) == wire)
        }
    }

    @Test func everyAttributeComesBack() throws {
        var writer = STUNWriter(.request, transactionID: Self.id)
        writer.addUsername(Array("abcdefgh:peer".utf8))
        writer.addPriority(0x6E7F_00FF)
        writer.addControlling(tieBreaker: 0xFEDC_BA98_7654_3210)
        writer.addUseCandidate()
        writer.addError(487, reason: "Role Conflict")
        let key = Array("secret".utf8)
        let bytes = writer.finish(key: key)
        let parsed = try #require(STUNMessage.parse(bytes))
        #expect(parsed.priority == 0x6E7F_00FF)
        #expect(parsed.controlling == 0xFEDC_BA98_7654_3210)
        #expect(parsed.controlled == nil)
        #expect(parsed.useCandidate)
        #expect(parsed.errorCode == 487)
        #expect(
            parsed.localUfragKey(in: bytes) == ICECredentials(ufrag: "abcdefgh", password: "").ufragKey)
        #expect(parsed.verifyIntegrity(key: key, in: bytes))
    }

    @Test(arguments: [
        ("abcdefgh:x", true), ("abcdefgh:", true), ("abcdefgh:a:b", true), ("abcdefgh", false), ("abcdefghi:x", false),
        ("abcdefg:x", false), ("abc:efgh:x", false), (":abcdefg:x", false), ("", false), (":", false),
    ])
    func ufragIsEightBytesAndAColon(username: String, found: Bool) throws {
        var writer = STUNWriter(.request, transactionID: Self.id)
        writer.addUsername(Array(username.utf8))
        let bytes = writer.finish(key: nil)
        let parsed = try #require(STUNMessage.parse(bytes))
        #expect((parsed.localUfragKey(in: bytes) != nil) == found)
    }

    @Test func malformedMessages() {
        let user: [UInt8] = [0, 6, 0, 4, 97, 98, 99, 100]
        let good = message(user)
        #expect(STUNMessage.parse(good) != nil, "the base of the cases below")
        let cases: [(String, [UInt8])] = [
            ("empty", []), ("header cut", Array(good[..<19])), ("trailing bytes", good + [0, 0, 0, 0]),
            ("length not a multiple of four", good + [0]), ("body cut", Array(good[..<24])),
            ("wrong cookie", good.replacing(at: 7, with: 0x43)), ("first bits set", good.replacing(at: 0, with: 0x40)),
            ("attribute past the end", message([0, 6, 0, 5, 97, 98, 99, 100])),
            ("attribute of 65,535", message([0, 6, 0xFF, 0xFF, 97, 98, 99, 100])),
            ("PRIORITY of 3", message([0, 0x24, 0, 3, 1, 2, 3, 0])),
            ("ICE-CONTROLLING of 4", message([0x80, 0x2A, 0, 4, 1, 2, 3, 4])),
            ("MESSAGE-INTEGRITY of 4", message([0, 8, 0, 4, 1, 2, 3, 4])),
            ("FINGERPRINT of 0", message([0x80, 0x28, 0, 0])),
            ("FINGERPRINT not last", message([0x80, 0x28, 0, 4, 1, 2, 3, 4] + user)),
            ("ERROR-CODE of 0", message([0, 9, 0, 0])), ("error 200", message([0, 9, 0, 4, 0, 0, 2, 0])),
            ("error 4 hundred 100", message([0, 9, 0, 4, 0, 0, 4, 100])),
            ("XOR-MAPPED-ADDRESS of 0", message([0, 0x20, 0, 0])),
        ]
        for (name, bytes) in cases { #expect(STUNMessage.parse(bytes) == nil, "\(name)") }
    }

    @Test func wrongFingerprintIsReported() throws {
        var bytes = RFC5769.request
        bytes[bytes.count - 1] ^= 1
        #expect(try #require(STUNMessage.parse(bytes)).fingerprint == .invalid)
        let absent = message([])
        #expect(try #require(STUNMessage.parse(absent)).fingerprint == .absent)
    }

    @Test func mappedAddressOfUnknownFamilyOrSizeIsNoAddress() throws {
        for attribute: [UInt8] in [
            [0, 0x20, 0, 8, 0, 3, 1, 2, 3, 4, 5, 6], [0, 0x20, 0, 8, 0, 2, 1, 2, 3, 4, 5, 6],
            [0, 0x20, 0, 4, 0, 1, 1, 2],
        ] {
            let bytes = message(attribute, type: [1, 1])
            #expect(try #require(STUNMessage.parse(bytes)).mappedAddress == nil)
        }
    }

    @Test func unknownAttributesAreListedOnceAndOnlyRequiredOnes() throws {
        let bytes = message(
            [0x7F, 0xFF, 0, 1, 9, 0, 0, 0] + [0xC0, 0x57, 0, 4, 0, 0, 0, 1] + [0, 0x26, 0, 0] + [0x7F, 0xFF, 0, 0])
        let parsed = try #require(STUNMessage.parse(bytes))
        #expect(parsed.hasUnknownAttributes)
        #expect(parsed.unknownAttributes(in: bytes) == [0x7FFF, 0x0026])
    }

    /// Someone on the path may append, but not change what was signed.
    @Test func whatFollowsIntegrityIsIgnored() throws {
        var writer = STUNWriter(.request, transactionID: Self.id)
        writer.addUsername(Array("abcdefgh:peer".utf8))
        let key = Array("secret".utf8)
        let signed = writer.finish(key: key).dropLast(8)
        var bytes = Array(signed) + [0, 0x25, 0, 0] + [0, 0x24, 0, 4, 1, 2, 3, 4] + [0x7F, 0xFF, 0, 0]
        bytes[3] = UInt8(bytes.count - 20)
        let parsed = try #require(STUNMessage.parse(bytes))
        #expect(!parsed.useCandidate)
        #expect(parsed.priority == nil)
        #expect(!parsed.hasUnknownAttributes)
        #expect(parsed.verifyIntegrity(key: key, in: bytes))
    }

    @Test func firstOfTwoEqualAttributesCounts() throws {
        let bytes = message([0, 0x24, 0, 4, 0, 0, 0, 1] + [0, 0x24, 0, 4, 0, 0, 0, 2])
        #expect(try #require(STUNMessage.parse(bytes)).priority == 1)
    }
}

extension [UInt8] {
    fileprivate func replacing(at index: Int, with byte: UInt8) -> [UInt8] {
        var copy = self
        copy[index] = byte
        return copy
    }
}
