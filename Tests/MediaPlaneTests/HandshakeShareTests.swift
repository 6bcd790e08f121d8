import Testing
import WebRTC

@testable import MediaPlane

@Suite struct HandshakeShareTests {
    @Test(arguments: [(0, 2), (1, 2), (4, 2), (6, 3), (50, 25)] as [(Int64, Int64)])
    func handshakesHaveAThirdOfTheTimeOrTwoMilliseconds(media: Int64, handshakes: Int64) {
        #expect(HandshakeShare.time(afterMedia: .milliseconds(media)) == .milliseconds(handshakes))
    }
}
