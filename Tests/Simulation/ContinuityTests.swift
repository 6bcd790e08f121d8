// An edge whose relay moves to another origin: its viewers see one stream, without damage, in sync, and soon again.
import Testing
import WebRTC

@testable import Forwarding

/// publisher → origins one and two → edge → viewer. The edge is fed by one of the origins.
struct MovingEdge {
    let cascade: Cascade
    let (publisher, one, two, edge, viewer): (Host, Host, Host, Host, Host)
    private(set) var relay: SessionID

    init(seed: UInt64, delays: (Int64, Int64)) throws {
        cascade = Cascade(seed: seed)
        (cascade.keyframeEvery, cascade.answersRequests) = (1_000_000, true)
        (publisher, one, two, edge) = (
            try cascade.host("publisher"), try cascade.host("one"), try cascade.host("two"), try cascade.host("edge")
        )
        let network = cascade.network
        network.link(edge, one, Link(delay: .milliseconds(delays.0), jitter: .milliseconds(2)))
        network.link(edge, two, Link(delay: .milliseconds(delays.1), jitter: .milliseconds(2)))
        cascade.publish(from: publisher, to: one)
        cascade.publish(from: publisher, to: two)
        (relay, _) = cascade.connect(source: edge, to: one)
        viewer = try cascade.viewer("viewer", of: edge)
        network.link(viewer, edge, Link(delay: .milliseconds(10)))
        cascade.play(from: publisher, until: .zero + .seconds(Int64(4)))
    }

    /// Opens a relay to `host`; it takes over when it is connected.
    mutating func move(to host: Host) { (relay, _) = cascade.connect(source: edge, to: host) }
    func play(for time: Interval) { cascade.play(from: publisher, until: cascade.network.now + time) }
    func pausePublisher(for time: Interval) { cascade.network.run(until: cascade.network.now + time) }

    var video: [Cascade.Sample] { cascade.line(of: "viewer", track: 0) }
    var audio: [Cascade.Sample] { cascade.line(of: "viewer", track: 1) }

    /// When the present relay was connected, and when it took over.
    var connected: Instant? {
        edge.timeline.first { if case .connected(relay, _, _) = $0.event { true } else { false } }?.at
    }
    var moved: Instant? {
        edge.timeline.first { if case .feeds(relay, _) = $0.event { true } else { false } }?.at
    }

    /// The viewer's streams are one line each, which its decoder and its clock can follow.
    func checkContinuity(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let session = try #require(viewer.unit.peers.values.compactMap { $0 as? Publisher }.first)
        for (track, samples) in [video, audio].enumerated() {
            let encoding = session.source.tracks[track].encodings[0]
            #expect(
                encoding.ssrc == session.source.tracks[track].negotiated.encodings[0].ssrc,
                sourceLocation: sourceLocation)
            #expect(encoding.line?.first == 0, "the stream never restarted", sourceLocation: sourceLocation)
            #expect(encoding.reception.lost == 0, sourceLocation: sourceLocation)
            let pairs = Array(zip(samples, samples.dropFirst()))
            let gaps = pairs.count { $1.sequence != $0.sequence + 1 }
            #expect(gaps == 0, sourceLocation: sourceLocation)
            let steps = pairs.count { a, b in
                let step = Int32(bitPattern: b.timestamp &- a.timestamp)
                // The packets of one picture share their time; nothing else does, the same picture brought again included.
                let isSamePicture = track == 0 && a.stamp.frame == b.stamp.frame && a.stamp.index < b.stamp.index
                return isSamePicture ? step != 0 : step <= 0
            }
            #expect(steps == 0, "time goes forward", sourceLocation: sourceLocation)
            // Over a longer way the new source's keyframe may be one that the old one brought as well.
            let again = pairs.count { a, b in
                (b.stamp.frame, b.stamp.index) <= (a.stamp.frame, a.stamp.index)
                    && !(track == 0 && b.keyframe && b.stamp.index == 0)
            }
            #expect(again == 0, "no media comes twice", sourceLocation: sourceLocation)
        }
        // A picture that follows on another than its predecessor, or on a part of it, is a keyframe.
        let video = video
        let damaged = zip(video, video.dropFirst()).count { a, b in
            let follows = b.stamp.frame == a.stamp.frame + 1 && a.marker
            return a.stamp.frame != b.stamp.frame && (b.stamp.index != 0 || !(follows || b.keyframe))
        }
        #expect(damaged == 0, sourceLocation: sourceLocation)
    }

    /// How far apart the sender reports place video and audio that were captured at the same moment, at worst, for what
    /// arrived in that time.
    func asynchrony(from start: Instant, to end: Instant) -> Interval {
        func skews(_ samples: [Cascade.Sample]) -> [Interval] {
            samples.filter { $0.at >= start && $0.at < end }.compactMap(\.skew)
        }
        let (video, audio) = (skews(video), skews(audio))
        guard let lowest = video.min(), let highest = video.max(), let low = audio.min(), let high = audio.max()
        else { return .seconds(Int64(1_000)) }
        return max(highest - low, high - lowest)
    }

    /// The longest time without a new picture in that time.
    func pause(from start: Instant, to end: Instant) -> Interval {
        let times = video.filter { $0.at >= start && $0.at < end }.map(\.at)
        return zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? .seconds(Int64(1_000))
    }
}

@Suite struct ContinuityTests {
    @Test(arguments: [(10, 150), (150, 10), (10, 10)] as [(Int64, Int64)])
    func theSourceMovesToAnotherOrigin(delays: (Int64, Int64)) throws {
        var edge = try MovingEdge(seed: 71, delays: delays)
        // Somebody asked the old origin a moment ago: that must not keep the new one from being asked.
        edge.viewer.unit.broadcasts[Cascade.broadcast]?.tracks[0].preferred.keyframes.want(
            now: edge.cascade.network.now)
        edge.play(for: .milliseconds(200))
        let start = edge.cascade.network.now
        edge.move(to: edge.two)
        edge.play(for: .seconds(Int64(5)))
        try edge.checkContinuity()

        let connected = try #require(edge.connected)
        let log = try #require(edge.edge.unit.peers[edge.relay]).transport.log.all
        #expect(log.contains { $0.event == .keyframeRequestSent && $0.at == connected }, "asked at once")
        #expect(edge.edge.unit.peers.values.count { $0 is Publisher } == 1, "the old one was replaced")

        // The viewer's link takes 10 ms.
        let moved = try #require(edge.moved) + .milliseconds(10)
        let settled = moved + .milliseconds(2_500)
        let before = edge.asynchrony(from: start - .seconds(Int64(1)), to: moved)
        let during = edge.asynchrony(from: moved, to: settled)
        let after = edge.asynchrony(from: settled, to: edge.cascade.network.now)
        let pause = edge.pause(from: start, to: settled)
        print(
            "move \(delays): asynchrony \(before.milliseconds), \(during.milliseconds), \(after.milliseconds) ms,",
            "pause \(pause.milliseconds) ms")
        #expect(before <= .milliseconds(20))
        #expect(during <= .milliseconds(100))
        #expect(after <= .milliseconds(20))
        // A frame's time, and what there is of jitter.
        #expect(pause <= .milliseconds(50))
    }

    /// The node that is asked has no keyframe to give for long: the old source goes on as if nothing had happened.
    @Test func theOldSourceFeedsUntilTheNewOneHasAKeyframe() throws {
        var edge = try MovingEdge(seed: 75, delays: (10, 10))
        edge.cascade.answersRequests = false
        let start = edge.cascade.network.now
        edge.move(to: edge.two)
        edge.play(for: .seconds(Int64(3)))
        #expect(edge.connected != nil && edge.moved == nil)
        edge.cascade.answersRequests = true
        edge.play(for: .seconds(Int64(3)))
        try edge.checkContinuity()
        #expect(edge.moved != nil)
        #expect(edge.pause(from: start, to: edge.cascade.network.now) <= .milliseconds(50))
    }

    /// It takes over as it is five seconds after its first packet: what it is there for (a newer publication, say) counts.
    @Test func theNewSourceTakesOverWithoutAKeyframeInTheEnd() throws {
        var edge = try MovingEdge(seed: 76, delays: (10, 10))
        edge.cascade.answersRequests = false
        edge.move(to: edge.two)
        edge.play(for: .seconds(Int64(6)))
        let (connected, moved) = (try #require(edge.connected), try #require(edge.moved))
        #expect((5_000...5_050).contains((moved - connected).milliseconds))
        #expect(edge.edge.unit.peers.values.count { $0 is Publisher } == 1)
    }

    /// One that is connected and brings nothing takes over when the old one has fallen silent as well, not before.
    @Test func aNewSourceThatBringsNothingWaits() throws {
        var edge = try MovingEdge(seed: 79, delays: (10, 10))
        let empty = try edge.cascade.host("empty")
        edge.cascade.network.link(edge.edge, empty, Link(delay: .milliseconds(10)))
        let start = edge.cascade.network.now
        edge.move(to: empty)
        edge.play(for: .seconds(Int64(12)))
        try edge.checkContinuity()
        #expect(edge.connected != nil && edge.moved == nil)
        #expect(edge.pause(from: start, to: edge.cascade.network.now) <= .milliseconds(50))
        let silent = edge.cascade.network.now
        edge.pausePublisher(for: .seconds(Int64(5)))
        let moved = try #require(edge.moved)
        #expect((2_000...4_100).contains((moved - silent).milliseconds), "\((moved - silent).milliseconds) ms")
        #expect(edge.edge.unit.peers.values.count { $0 is Publisher } == 1)
    }

    /// A relay moves while its publisher pauses, to a node that begins to fetch the broadcast itself: whenever he goes on,
    /// not a picture is missed.
    @Test(arguments: [0, 20, 60, 150, 400, 800, 1_900, 2_100, 3_500] as [Int64])
    func aMoveDuringAPauseCostsNoPicture(resumed: Int64) throws {
        var edge = try MovingEdge(seed: 81, delays: (10, 10))
        let parent = try edge.cascade.host("parent")
        edge.cascade.network.link(parent, edge.two, Link(delay: .milliseconds(150)))
        edge.cascade.network.link(parent, edge.edge, Link(delay: .milliseconds(10)))
        edge.pausePublisher(for: .seconds(Int64(4)))
        edge.cascade.connect(source: parent, to: edge.two)
        edge.move(to: parent)
        edge.pausePublisher(for: .milliseconds(resumed))
        let before = edge.cascade.published.count
        edge.play(for: .seconds(Int64(4)))
        let published = edge.cascade.published[before...].dropLast(60)
        let arrivals = edge.cascade.arrivals["viewer"] ?? [:]
        #expect(edge.moved != nil)
        #expect(published.count { arrivals[$0] == nil } == 0)
        try edge.checkContinuity()
    }

    /// The old source is still there, but nothing comes from it any more: sound need not wait for the new one's keyframe.
    @Test func theNewSourceDoesNotWaitForOneThatHasStalled() throws {
        var edge = try MovingEdge(seed: 80, delays: (10, 10))
        edge.cascade.answersRequests = false
        edge.move(to: edge.two)
        edge.play(for: .seconds(Int64(1)))
        #expect(edge.connected != nil && edge.moved == nil)
        let stalled = edge.cascade.network.now
        edge.cascade.network.link(edge.publisher, edge.one, Link(loss: 1))
        edge.play(for: .seconds(Int64(1)))
        let moved = try #require(edge.moved)
        #expect((400...600).contains((moved - stalled).milliseconds), "\((moved - stalled).milliseconds) ms")
    }

    /// The old source ends while the new one waits for its keyframe.
    @Test func theNewSourceIsThereAtOnceWhenTheOldOneEnds() throws {
        var edge = try MovingEdge(seed: 77, delays: (10, 10))
        edge.cascade.answersRequests = false
        let old = edge.relay
        edge.move(to: edge.two)
        edge.play(for: .seconds(Int64(1)))
        let end = edge.cascade.network.now
        edge.cascade.network.apply(.close(old, reason: .requested), to: edge.edge)
        #expect(edge.moved == end)
        edge.cascade.answersRequests = true
        edge.play(for: .seconds(Int64(2)))
        try edge.checkContinuity()
        #expect(edge.pause(from: end, to: edge.cascade.network.now) <= .milliseconds(150))
    }

    /// The old source is cut off while the new one waits: the picture goes on when that is noticed.
    @Test func theNewSourceIsThereWhenTheOldOneIsCutOff() throws {
        var edge = try MovingEdge(seed: 78, delays: (10, 10))
        edge.cascade.answersRequests = false
        edge.move(to: edge.two)
        edge.play(for: .milliseconds(600))
        edge.cascade.network.link(edge.edge, edge.one, Link(delay: .milliseconds(10), loss: 1))
        edge.cascade.answersRequests = true
        edge.play(for: .seconds(Int64(4)))
        #expect(edge.moved != nil)
        #expect(edge.edge.unit.peers.values.count { $0 is Publisher } == 1)
        let after = edge.cascade.network.now - .milliseconds(500)
        #expect(edge.pause(from: after, to: edge.cascade.network.now) <= .milliseconds(50))
    }

    @Test func itMovesBackAndForthTenTimes() throws {
        var edge = try MovingEdge(seed: 72, delays: (10, 150))
        for round in 0..<10 {
            edge.move(to: round % 2 == 0 ? edge.two : edge.one)
            edge.play(for: .milliseconds(900 + 170 * Int64(round)))
        }
        edge.play(for: .seconds(Int64(3)))
        try edge.checkContinuity()
        let now = edge.cascade.network.now
        let asynchrony = edge.asynchrony(from: now - .milliseconds(800), to: now)
        #expect(asynchrony <= .milliseconds(20), "\(asynchrony.milliseconds) ms")
    }

    @Test func theOldSourceIsGoneForFiveSeconds() throws {
        var edge = try MovingEdge(seed: 73, delays: (10, 150))
        edge.cascade.network.apply(.close(edge.relay, reason: .requested), to: edge.edge)
        edge.play(for: .seconds(Int64(5)))
        edge.move(to: edge.two)
        edge.play(for: .seconds(Int64(5)))
        try edge.checkContinuity()
        // Five seconds and the set-up are that long on the media clocks too.
        for (samples, rate) in [(edge.video, 90_000), (edge.audio, 48_000)] {
            let gap = zip(samples, samples.dropFirst()).map { Int($1.timestamp &- $0.timestamp) }.max() ?? 0
            #expect((5 * rate...7 * rate).contains(gap), "\(Double(gap) / Double(rate)) s")
        }
        let connected = try #require(edge.connected)
        #expect(edge.asynchrony(from: connected, to: connected + .milliseconds(2_500)) <= .milliseconds(100))
        let now = edge.cascade.network.now
        #expect(edge.asynchrony(from: connected + .milliseconds(2_500), to: now) <= .milliseconds(20))
    }

    /// The new source is a parent that begins to fetch the broadcast itself.
    @Test func oneMoreHopOnTheNewWay() throws {
        var edge = try MovingEdge(seed: 74, delays: (10, 40))
        let parent = try edge.cascade.host("parent")
        edge.cascade.network.link(parent, edge.two, Link(delay: .milliseconds(30)))
        edge.cascade.network.link(parent, edge.edge, Link(delay: .milliseconds(10)))
        edge.cascade.connect(source: parent, to: edge.two)
        let start = edge.cascade.network.now
        edge.move(to: parent)
        edge.play(for: .seconds(Int64(5)))
        try edge.checkContinuity()
        let connected = try #require(edge.connected)
        let log = try #require(edge.edge.unit.peers[edge.relay]).transport.log.all
        #expect(log.contains { $0.event == .keyframeRequestSent && $0.at == connected })
        let pause = edge.pause(from: start, to: edge.cascade.network.now)
        print("one more hop: pause \(pause.milliseconds) ms")
        #expect(pause <= .milliseconds(50))
        let settled = connected + .milliseconds(3_500)
        #expect(edge.asynchrony(from: settled, to: edge.cascade.network.now) <= .milliseconds(20))
    }
}
