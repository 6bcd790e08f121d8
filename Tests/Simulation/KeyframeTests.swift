// The keyframe firewall: however many viewers ask, the publisher hears of it once a second at most, and a joiner's wish
// is repeated until a keyframe comes. Who joins right after a source begins with the keyframe that it brought.
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
            viewer.unit.broadcasts[Cascade.broadcast]?.tracks[0].preferred.keyframes.want(now: now)
            cascade.play(from: publisher, until: now + .milliseconds(100))
        }
        cascade.play(from: publisher, until: .zero + .seconds(Int64(10)))
        let asked = edge.unit.statistics.keyframeRequestsReceived
        let reached = publisher.unit.statistics.keyframeRequestsReceived
        #expect(asked > 100, "30 viewers ask once a second each")
        #expect((5...10).contains(reached), "the publisher heard \(reached) requests in 10 s")
    }

    /// The hub of a region has died: a node takes its place, and another turns to that one a moment later. The publisher
    /// has just been asked for a keyframe and is not asked again for a second.
    @Test(arguments: [0, 100, 400, 800])
    func whoComesRightAfterTheSourceBeginsWithItsKeyframe(delay: Int64) throws {
        let cascade = Cascade(seed: 32)
        (cascade.keyframeEvery, cascade.answersRequests) = (1_000_000, true)
        let (publisher, origin, hub) = (
            try cascade.host("publisher"), try cascade.host("origin"), try cascade.host("hub")
        )
        cascade.publish(from: publisher, to: origin)
        cascade.play(from: publisher, until: .zero + .seconds(Int64(3)))
        cascade.connect(source: hub, to: origin)
        _ = try cascade.viewer("first", of: hub)
        cascade.play(from: publisher, until: .zero + .seconds(Int64(3)) + .milliseconds(200 + delay))
        let begin = try #require(cascade.line(of: "first", track: 0).first).at
        let joined = cascade.network.now
        _ = try cascade.viewer("second", of: hub)
        cascade.play(from: publisher, until: joined + .seconds(Int64(3)))
        let line = cascade.line(of: "second", track: 0)
        let start = try #require(line.first)
        #expect(start.keyframe && start.stamp.index == 0)
        #expect(start.at - joined < .milliseconds(joined - begin < .milliseconds(700) ? 150 : 1_100))
        for (a, b) in zip(line, line.dropFirst()) {
            #expect(b.sequence == a.sequence + 1 && (b.stamp.frame, b.stamp.index) > (a.stamp.frame, a.stamp.index))
        }
        let reached = publisher.unit.statistics.keyframeRequestsReceived
        #expect(reached <= 4, "the publisher heard \(reached) requests in 7 s")
    }
}
