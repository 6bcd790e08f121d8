// The keyframe firewall: however many viewers ask, the publisher hears of it once a second at most, and a joiner's wish
// is repeated until a keyframe comes.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct KeyframeTests {
    @Test func manyViewersAreOneRequestPerSecond() throws {
        let cascade = Cascade(seed: 31)
        // No keyframe after the first frame: all viewers wait, and ask.
        cascade.keyframeEvery = 100_000
        let (publisher, origin, edge) = (
            try cascade.host("publisher"), try cascade.host("origin"), try cascade.host("edge")
        )
        cascade.publish(from: publisher, to: origin)
        cascade.connect(source: edge, to: origin)
        cascade.play(from: publisher, until: .zero + .seconds(Int64(1)))
        for n in 0..<30 {
            let viewer = try cascade.viewer("viewer-\(n)", of: edge)
            let now = cascade.network.now
            // Each viewer asks by itself as well, as a browser without a picture does.
            viewer.unit.broadcasts[Cascade.broadcast]?.tracks[0].keyframes.want(now: now)
            cascade.play(from: publisher, until: now + .milliseconds(100))
        }
        cascade.play(from: publisher, until: .zero + .seconds(Int64(10)))
        let asked = edge.unit.statistics.keyframeRequestsReceived
        let reached = publisher.unit.statistics.keyframeRequestsReceived
        #expect(asked > 100, "30 viewers ask once a second each")
        #expect((5...10).contains(reached), "the publisher heard \(reached) requests in 10 s")
    }
}
