// The links, clocks and viewers that other simulations measure with do what they say.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct LinkTests {
    /// Sends `count` datagrams of `bytes` each, one every `pause`; when each arrives.
    private func arrivals(
        _ link: Link, count: Int, bytes: Int = 1_172, every pause: Interval, seed: UInt64 = 1
    ) -> [Instant?] {
        var (state, random) = (LinkState(link), SeededGenerator(seed: seed))
        return (0..<count).map { i in
            let now = Instant.zero + Interval(nanoseconds: Int64(i) * pause.nanoseconds)
            return state.arrival(bytes: bytes, now: now, using: &random)
        }
    }

    /// 1,200 bytes with headers at 9.6 Mbit/s take 1 ms.
    @Test func aRateDelaysAndAQueueThatIsFullLoses() {
        let link = Link(delay: .milliseconds(10), rate: 9_600_000, queue: 12_000)
        let slow = arrivals(link, count: 50, every: .milliseconds(1))
        #expect(slow.compactMap { $0 }.count == 50)
        let last: Instant? = Instant.zero + .milliseconds(49 + 1 + 10)
        #expect(slow[49] == last)
        // Twice the rate: the queue of ten fills, then every second one is lost, and what passes is late by the queue.
        let fast = arrivals(link, count: 200, every: .microseconds(500))
        let passed = fast.compactMap { $0 }
        #expect((105...115).contains(passed.count), "\(passed.count)")
        #expect(zip(passed, passed.dropFirst()).allSatisfy { $1 - $0 == .milliseconds(1) }, "in order, at the rate")
        #expect(passed.last.map { $0 - (.zero + .milliseconds(100)) <= .milliseconds(10 + 10 + 1) } == true)
        // It drains in a pause.
        var (state, random) = (LinkState(link), SeededGenerator(seed: 1))
        for _ in 0..<100 { _ = state.arrival(bytes: 1_172, now: .zero, using: &random) }
        #expect(state.arrival(bytes: 1_172, now: .zero, using: &random) == nil)
        let later = Instant.zero + .milliseconds(500)
        #expect(state.arrival(bytes: 1_172, now: later, using: &random) == later + .milliseconds(11))
    }

    @Test func lossesComeInBursts() {
        let bursts = GilbertElliott(worsens: 0.01, recovers: 0.25)
        #expect((bursts.loss - 0.0385).magnitude < 0.001)
        let passed = arrivals(Link(bursts: bursts), count: 100_000, every: .milliseconds(1)).map { $0 != nil }
        let lost = passed.count { !$0 }
        #expect((3_500...4_200).contains(lost), "\(lost)")
        let begun = zip(passed, passed.dropFirst()).count { $0 && !$1 }
        let length = Double(lost) / Double(begun)
        #expect((3.6...4.4).contains(length), "\(length)")
        // Single losses of the same share come alone as a rule.
        let single = arrivals(Link(loss: bursts.loss), count: 100_000, every: .milliseconds(1)).map { $0 != nil }
        #expect(Double(single.count { !$0 }) / Double(zip(single, single.dropFirst()).count { $0 && !$1 }) < 1.1)
    }

    @Test func someAreOvertaken() {
        let link = Link(reordered: 0.1, reorderedBy: .milliseconds(5))
        let times = arrivals(link, count: 10_000, every: .milliseconds(1)).compactMap { $0 }
        #expect(times.count == 10_000)
        let late = times.enumerated().count { $1 - (.zero + .milliseconds(Int64($0))) == .milliseconds(6) }
        #expect((900...1_100).contains(late), "\(late)")
    }

    @Test func clocksDiffer() {
        let clock = HostClock(partsPerMillion: 100, offset: .seconds(Int64(3_600)))
        let hour = Instant.zero + .seconds(Int64(3_600))
        #expect(clock.reading(at: hour) == hour + .seconds(Int64(3_600)) + .milliseconds(360))
        for reading in [Instant.zero + .seconds(Int64(4_000)), hour + .seconds(Int64(9_999)) + .microseconds(7)] {
            let time = clock.time(of: reading)
            #expect(clock.reading(at: time) >= reading)
            #expect(clock.reading(at: time - .microseconds(1)) < reading)
        }
        #expect(clock.time(of: .distantFuture) == .distantFuture)
    }

    // MARK: - What is seen

    private func frames(at times: [Int64]) -> [Playout.Frame] {
        times.enumerated().map { i, time in
            .init(captured: .milliseconds(Int64(i) * 33), isKeyframe: i == 0, complete: .zero + .milliseconds(time))
        }
    }

    @Test func freezesAreCountedAsBrowsersDo() {
        let even = (0..<60).map { Int64($0) * 33 }
        #expect(Playout(frames(at: even)).freezes == 0)
        // A frame that stands for 33 + 150 ms is no freeze, one that stands a millisecond longer is.
        for (late, freezes) in [(Int64(150), 0), (151, 1)] {
            let playout = Playout(frames(at: even.enumerated().map { $0 < 40 ? $1 : $1 + late }))
            #expect(playout.freezes == freezes, "\(late)")
            #expect(playout.longest == .milliseconds(33 + late))
        }
        // A frame that never comes breaks what follows, up to the next keyframe.
        var broken = frames(at: even)
        broken[20].complete = nil
        broken[30].isKeyframe = true
        let playout = Playout(broken)
        #expect(playout.undecodable == 10 && playout.shown.count == 50 && playout.freezes == 1)
    }

    @Test func jitterIsBufferedAway() {
        var random = SeededGenerator(seed: 5)
        let times = (0..<600).map { Int64($0) * 33 + Int64.random(in: 0...25, using: &random) }
        let playout = Playout(frames(at: times))
        #expect(playout.freezes == 0)
        #expect(playout.longest < .milliseconds(60))
    }

    /// The seed's headline, in virtual time: the loss is on the last hop, 20 ms from the edge or 200 ms from the origin.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func aNearEdgeRepairsBurstsBeforeTheyAreSeen(seed: UInt64) throws {
        let cascade = Cascade(seed: seed)
        let (publisher, origin, edge) = (
            try cascade.host("publisher"), try cascade.host("origin"), try cascade.host("edge")
        )
        // Clocks as far apart as those of real machines.
        origin.clock = HostClock(partsPerMillion: 50)
        edge.clock = HostClock(partsPerMillion: -50, offset: .seconds(Int64(7)))
        let lossy = GilbertElliott(worsens: 0.004, recovers: 0.4)
        cascade.network.link(publisher, origin, Link(delay: .milliseconds(5)))
        cascade.network.link(origin, edge, Link(delay: .milliseconds(90), jitter: .milliseconds(3)))
        cascade.publish(from: publisher, to: origin)
        cascade.connect(source: edge, to: origin)
        cascade.play(from: publisher, until: .zero + .seconds(Int64(2)))
        for (name, upstream, delay) in [("near", edge, Int64(10)), ("far", origin, 100)] {
            let viewer = try cascade.viewer(name, of: upstream)
            cascade.network.link(
                viewer, upstream,
                Link(delay: .milliseconds(delay), jitter: .milliseconds(2), bursts: lossy, rate: 20_000_000))
        }
        let end = Instant.zero + .seconds(Int64(30))
        cascade.play(from: publisher, until: end)
        cascade.network.run(until: end + .seconds(Int64(1)))
        let (near, far) = (cascade.playout(of: "near"), cascade.playout(of: "far"))
        #expect(near.shown.count > 700 && far.shown.count > 700)
        #expect(near.freezes == 0, "longest \(near.longest)")
        #expect(near.undecodable == 0)
        #expect(near.longest < far.longest)
        print(
            "freezes at \(lossy.loss * 100) % loss in bursts, seed \(seed): near \(near.freezes), longest \(near.longest); "
                + "far \(far.freezes), longest \(far.longest)")
    }
}
