// One index, one packet: what is sealed in two pieces is the same packet as in one, and another one is noticed.
import Testing

@testable import WebRTC

@Suite struct SealingWatchTests {
    @Test func theSamePacketIsTakenAgainAndAnotherIsNot() {
        let watch = SealingWatch()
        #expect(watch.accepts(ssrc: 1, index: 5, tag: 7))
        #expect(watch.accepts(ssrc: 1, index: 5, tag: 7))
        #expect(watch.accepts(ssrc: 2, index: 5, tag: 8), "of another stream")
        #expect(watch.accepts(ssrc: 1, index: 6, tag: 9))
        #expect(!watch.accepts(ssrc: 1, index: 6, tag: 10))
    }

    @Test(arguments: SRTPProfile.allCases, [0, 1, 2, 15, 16, 17, 100])
    func aPrefixIsSealedLikeTheRestOfThePayload(profile: SRTPProfile, prefix: Int) throws {
        let key = [UInt8](repeating: 7, count: profile.keyLength)
        let salt = [UInt8](repeating: 9, count: profile.saltLength)
        let session = try #require(
            SRTPSession(
                SRTPKeyingMaterial(profile: profile, localKey: key, localSalt: salt, remoteKey: key, remoteSalt: salt)))
        session.watchSealing()
        let packet = PlainRTP(sequence: 3, payload: (0..<100).map { UInt8($0) }, extensionWords: 2)
        #expect(packet.sealed(by: session, prefix: prefix) == packet.sealed(by: session))
    }
}
