// Published vectors: key derivation and AES-CM of RFC 3711 appendix B, AES-GCM packets of RFC 7714 §16.

import Testing

@testable import WebRTC

@Suite struct SRTPVectorTests {
    /// RFC 3711 B.3.
    @Test func keyDerivation() throws {
        let keys = try #require(
            SRTPSessionKeys(
                profile: .aes128CMHMACSHA1_80, masterKey: bytes("E1F97A0D3E018BE0D64FA32C06DE4139"),
                masterSalt: bytes("0EC675AD498AFEEBB6960B3AABE6")))
        #expect(keys.cipherKey == bytes("C61E7A93744F39EE10734AFE3FF7A087"))
        #expect(keys.salt == bytes("30CBBC08863D8C85D49DB34A9AE1"))
        #expect(keys.authenticationKey == bytes("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"))
    }

    @Test func keysOfTheWrongLengthAreRefused() {
        for profile in SRTPProfile.allCases {
            let (key, salt) = ([UInt8](repeating: 1, count: profile.keyLength), [UInt8](repeating: 2, count: 14))
            #expect(SRTPSessionKeys(profile: profile, masterKey: key + [0], masterSalt: salt) == nil)
            #expect(SRTPSessionKeys(profile: profile, masterKey: key, masterSalt: salt + [0]) == nil)
            #expect(SRTPSessionKeys(profile: profile, masterKey: [], masterSalt: []) == nil)
            var material = makeMaterial(profile).local
            material.remoteSalt.removeLast()
            #expect(SRTPSession(material) == nil)
        }
    }

    /// RFC 3711 B.2: the key stream of SSRC 0 and index 0.
    @Test func counterModeKeyStream() throws {
        let keys = SRTPSessionKeys(
            profile: .aes128CMHMACSHA1_80, cipherKey: bytes("2B7E151628AED2A6ABF7158809CF4F3C"),
            salt: bytes("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"), authenticationKey: [UInt8](repeating: 0, count: 20))
        guard let sealer = RTPSealer(keys) else { Issue.record("no sealer"); return }
        let sealed = PlainRTP(sequence: 0, ssrc: 0, payload: [UInt8](repeating: 0, count: 48)).sealed(by: sealer)
        #expect(
            hex(sealed[12..<60]) == "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab"
                + "41e95b3bb0a2e8dd477901e4fca894c0")
    }

    /// RFC 7714 §16.1.1 and §16.2.1: "Gallia est omnis divisa in partes tres", ROC 0.
    @Test(arguments: [
        (
            SRTPProfile.aeadAES128GCM, "000102030405060708090a0b0c0d0e0f",
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
                + "899d7f27beb16a9152cf765ee4390cce"
        ),
        (
            .aeadAES256GCM, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b"
                + "7aa3db36dfffd6b0f9bb7878d7a76c13"
        ),
    ])
    func authenticatedEncryption(profile: SRTPProfile, key: String, expected: String) throws {
        let keys = SRTPSessionKeys(
            profile: profile, cipherKey: bytes(key), salt: bytes("517569642070726f2071756f"), authenticationKey: [])
        guard let sealer = RTPSealer(keys) else { Issue.record("no sealer"); return }
        var packet = PlainRTP(sequence: 0, payload: Array("Gallia est omnis divisa in partes tres".utf8))
        packet.header = bytes("8040f17b8041f8d35501a0b2")
        #expect(hex(packet.sealed(by: sealer)) == "8040f17b8041f8d35501a0b2" + expected)
    }

    /// RFC 7714 §17.1: AEAD_AES_128_GCM, index 0x5D4.
    @Test func authenticatedEncryptionOfRTCP() throws {
        let keys = SRTPSessionKeys(
            profile: .aeadAES128GCM, cipherKey: bytes("000102030405060708090a0b0c0d0e0f"),
            salt: bytes("517569642070726f2071756f"), authenticationKey: [])
        let plain = bytes(
            "81c8000d4d6172734e5450314e54503252545020 0000042a0000e9304c756e61 deadbeefdeadbeefdeadbeefdeadbeef deadbeef"
        )
        let sealed = bytes(
            "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded"
                + "0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4")
        guard let sealer = SRTCPCipher(keys, .seal), let opener = SRTCPCipher(keys, .open) else {
            Issue.record("no cipher")
            return
        }
        var packet = plain + [UInt8](repeating: 0xEE, count: sealer.overhead)
        unsafe packet.withUnsafeMutableBufferPointer { buffer in
            let start = buffer.baseAddress!
            unsafe sealer.seal(start, plain.count, index: 0x5D4)
            #expect(unsafe hex(buffer) == hex(sealed))
            #expect(unsafe opener.index(of: start, buffer.count) == 0x5D4)
            #expect(unsafe opener.open(start, buffer.count, index: 0x5D4) == plain.count)
        }
        #expect(Array(packet.prefix(plain.count)) == plain)
    }
}
