// What we seal is byte for byte what libsrtp2 seals, for every shape of packet and every rollover counter, and does not
// depend on what was sealed before.

import Testing

@testable import WebRTC

@Suite struct SRTPSealTests {
    @Test(arguments: SRTPProfile.allCases) func sealedPacketsEqualLibsrtps(profile: SRTPProfile) throws {
        var random = SeededGenerator(seed: 7)
        let material = makeMaterial(profile).local
        let session = try #require(SRTPSession(material))
        #expect(session.overhead == (profile == .aes128CMHMACSHA1_80 ? 10 : 16))
        let lengths =
            [0, 1, 15, 16, 17, 63, 64, 65, 1_130, 1_200]
            + (0..<40).map { _ in Int.random(in: 0...1_200, using: &random) }
        for length in lengths {
            for words in [nil, 0, 1, 5] as [Int?] {
                let padding = Int.random(in: 0...3, using: &random) == 0 ? Int.random(in: 1...255, using: &random) : 0
                let packet = PlainRTP(
                    sequence: UInt16.random(in: 0...0x7FFF, using: &random), payload: random.bytes(length),
                    padding: padding, extensionWords: words)
                let oracle = LibSRTP(profile, key: material.localKey, salt: material.localSalt, inbound: false)
                #expect(packet.sealed(by: session) == oracle.protect(packet.whole))
            }
        }
    }

    @Test(arguments: SRTPProfile.allCases, [1, 0xFFFF, 0x1_0000, 0x1234_5678, 0xFFFF_FFFF] as [UInt64])
    func rolloverCountersEqualLibsrtps(profile: SRTPProfile, rolloverCounter: UInt64) throws {
        let material = makeMaterial(profile).local
        let session = try #require(SRTPSession(material))
        // libsrtp2 takes a rollover counter once it knows the source.
        let oracle = LibSRTP(
            profile, key: material.localKey, salt: material.localSalt, inbound: false,
            rolloverCounter: UInt32(rolloverCounter))
        for sequence in [UInt16(100), 101, 102] {
            let packet = PlainRTP(
                sequence: sequence, rolloverCounter: rolloverCounter, payload: Array("some payload".utf8))
            #expect(packet.sealed(by: session) == oracle.protect(packet.whole))
        }
    }

    /// libsrtp2 as a receiver follows us over the wrap of the sequence number.
    @Test(arguments: SRTPProfile.allCases) func sequenceNumbersWrap(profile: SRTPProfile) throws {
        let material = makeMaterial(profile).local
        let session = try #require(SRTPSession(material))
        let receiver = LibSRTP(profile, key: material.localKey, salt: material.localSalt, inbound: true)
        for index in UInt64(65_400)..<65_700 {
            let packet = PlainRTP(
                sequence: UInt16(truncatingIfNeeded: index), rolloverCounter: index >> 16,
                payload: [1, 2, 3, UInt8(truncatingIfNeeded: index)], padding: Int(index % 5))
            #expect(receiver.unprotect(packet.sealed(by: session)) == packet.whole)
        }
    }

    /// The history repeats packets from before the wrap while newer ones go out.
    @Test(arguments: SRTPProfile.allCases) func sealingAgainGivesTheSameBytes(profile: SRTPProfile) throws {
        let session = try #require(SRTPSession(makeMaterial(profile).local))
        let packets = (UInt64(65_500)..<65_600).map { index in
            PlainRTP(
                sequence: UInt16(truncatingIfNeeded: index), rolloverCounter: index >> 16,
                payload: [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 100), padding: Int(index % 3))
        }
        let first = packets.map { $0.sealed(by: session) }
        let again = packets.reversed().map { $0.sealed(by: session) }
        #expect(first == again.reversed())
        #expect(Set(first).count == first.count)
    }

    @Test(arguments: SRTPProfile.allCases) func payloadIsEncryptedAndHeaderIsNot(profile: SRTPProfile) throws {
        let session = try #require(SRTPSession(makeMaterial(profile).local))
        let packet = PlainRTP(sequence: 9, payload: [UInt8](repeating: 0x55, count: 64), extensionWords: 2)
        let sealed = packet.sealed(by: session)
        #expect(Array(sealed.prefix(packet.header.count)) == packet.header)
        #expect(sealed.filter { $0 == 0x55 }.count < 8)
    }
}
