// Who joins sees the newest group of pictures at once, paced, under the times at which its pictures leave, and is then as one
// who has been there for long. Nobody asks the publisher for anything.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct BurstStartTests {
    private struct Scene {
        let cascade: Cascade
        let publisher: Host
        let origin: Host

        /// A keyframe every ten seconds, from a publisher that makes none when asked; its group is five seconds old.
        init(seed: UInt64, _ codec: CodecFormat = Cascade.vp8, age: Int64 = 5) throws {
            cascade = Cascade(seed: seed)
            (cascade.keyframeEvery, cascade.codec, cascade.numbersPictures) = (300, codec, codec == Cascade.vp8)
            let formats = [TrackFormat(codec: codec), Cascade.formats[1]]
            publisher = try cascade.host("publisher", formats: formats)
            origin = try cascade.host("origin", formats: formats)
            cascade.publish(from: publisher, to: origin, video: codec)
            cascade.play(from: publisher, until: .zero + .seconds(age))
        }

        func play(for seconds: Int64) {
            cascade.play(from: publisher, until: cascade.network.now + .seconds(seconds))
        }

        func join(_ name: String, _ node: Host? = nil, loss: Double = 0, rtx: Bool = true) throws -> Host {
            let viewer = try cascade.watcher(name)
            cascade.network.link(viewer, node ?? origin, Link(delay: .milliseconds(10), loss: loss))
            cascade.connect(source: viewer, to: node ?? origin, rtx: rtx, video: [cascade.codec], bursts: true)
            return viewer
        }

        /// A node that has nothing of the broadcast.
        func coldEdge(delay: Int64 = 90, loss: Double = 0) throws -> Host {
            let edge = try cascade.host("edge")
            cascade.network.link(edge, origin, Link(delay: .milliseconds(delay), loss: loss))
            cascade.connect(source: edge, to: origin, bursts: true, isRelay: true)
            return edge
        }

        func askForKeyframe(_ viewer: Host) {
            let broadcast = viewer.unit.broadcasts[Cascade.broadcast]!
            broadcast.tracks[0].preferred.keyframes.want(now: cascade.network.now)
            viewer.unit.requestKeyframes(of: broadcast, now: cascade.network.now)
        }
    }

    /// One time per picture, times and pictures never back.
    private func expectSteady(_ line: [Cascade.Sample], loss: Double = 0) {
        for (a, b) in zip(line, line.dropFirst()) {
            let step = Int32(bitPattern: b.timestamp &- a.timestamp)
            #expect(a.stamp.frame == b.stamp.frame ? step == 0 || b.keyframe : step > 0)
            guard let before = a.numbers, let after = b.numbers else { continue }
            if step == 0 {
                #expect(before == after)
            } else {
                let ids = (after.pictureID! &- before.pictureID!) & 0x7FFF
                #expect(ids > 0 && ids < 400, "a picture's number is new")
                if loss == 0, b.stamp.frame <= a.stamp.frame + 1 {
                    #expect(ids == 1 && after.tl0PictureIndex! == before.tl0PictureIndex! &+ 1)
                }
            }
        }
    }

    @Test(arguments: [Cascade.vp8, Cascade.h264], [0, 0.02]) func whoJoinsIsSoonAtTheLiveEdge(
        codec: CodecFormat, loss: Double
    ) throws {
        for rtx in [true, false] {
            let scene = try Scene(seed: 201, codec)
            let cascade = scene.cascade
            _ = try scene.join("viewer", loss: loss, rtx: rtx)
            let joined = cascade.network.now
            scene.play(for: 4)
            let line = cascade.line(of: "viewer", track: 0)
            let first = try #require(line.first)
            #expect(first.keyframe && first.stamp.frame == 0)
            #expect(first.at - joined < .milliseconds(200), "it does not wait for the keyframe five seconds ahead")
            // 5 s of pictures at four times their pace, while more come.
            let live = try #require(line.first { $0.at - $0.stamp.sent < .milliseconds(60) })
            #expect(live.at - joined < .milliseconds(2_200))
            // However old a packet is: it is repaired while it has just been sent.
            let settled = line.filter { $0.stamp.sent < cascade.network.now - .milliseconds(500) }
            for (a, b) in zip(settled, settled.dropFirst()) { #expect(b.sequence == a.sequence + 1) }
            expectSteady(line, loss: loss)
            // Its own time again: a picture's 3,000 ticks.
            let late = line.filter { $0.at - joined > .milliseconds(3_000) && $0.stamp.index == 0 }
            #expect(late.count > 20)
            for (a, b) in zip(late, late.dropFirst()) where b.stamp.frame == a.stamp.frame + 1 {
                #expect(b.timestamp &- a.timestamp == 3_000)
            }
            #expect(scene.publisher.unit.statistics.keyframeRequestsReceived == 0)
            #expect(scene.origin.unit.catchup.isEmpty)
        }
    }

    /// The first packets are lost, which no NACK can tell; the viewer asks for a keyframe, and gets the group again, as
    /// pictures that it has not had.
    @Test(arguments: [true, false]) func whoMissesTheBeginningGetsItAgain(rtx: Bool) throws {
        let scene = try Scene(seed: 202)
        let cascade = scene.cascade
        let viewer = try scene.join("viewer", rtx: rtx)
        scene.play(for: 1)
        let before = cascade.line(of: "viewer", track: 0).count { $0.keyframe }
        let asked = cascade.network.now
        scene.askForKeyframe(viewer)
        scene.play(for: 3)
        let line = cascade.line(of: "viewer", track: 0)
        let again = line.filter { $0.at >= asked }
        let keyframe = try #require(again.first { $0.keyframe })
        #expect(before > 0 && keyframe.at - asked < .milliseconds(100) && keyframe.stamp.frame == 0)
        expectSteady(line)
        let live = try #require(again.last)
        #expect(live.at - live.stamp.sent < .milliseconds(60))
        #expect(scene.publisher.unit.statistics.keyframeRequestsReceived == 0)
    }

    /// A keyframe that comes while a burst goes on is where it goes on.
    @Test func aNewKeyframeEndsTheBurst() throws {
        let scene = try Scene(seed: 203, age: 9)
        let cascade = scene.cascade
        _ = try scene.join("viewer")
        scene.play(for: 3)
        let line = cascade.line(of: "viewer", track: 0)
        let newer = try #require(line.first { $0.stamp.frame == 300 })
        #expect(line.first?.stamp.frame == 0 && newer.keyframe)
        #expect(newer.at - newer.stamp.sent < .milliseconds(60), "it is at the live edge with it")
        #expect(line.contains { $0.stamp.frame == 100 } && !line.contains { $0.stamp.frame == 290 })
        for (a, b) in zip(line, line.dropFirst()) { #expect(b.sequence == a.sequence + 1) }
        expectSteady(line)
    }

    /// The first viewer of a region does not wait either: the relay begins with the upper node's group.
    @Test(arguments: [0, 0.01], [UInt64(204), 205, 206]) func aColdEdgeShowsThePictureAtOnce(
        loss: Double, seed: UInt64
    ) throws {
        let scene = try Scene(seed: seed)
        let cascade = scene.cascade
        let began = cascade.network.now
        let edge = try scene.coldEdge(loss: loss)
        _ = try scene.join("first", edge)
        scene.play(for: 4)
        let line = cascade.line(of: "first", track: 0)
        let first = try #require(line.first)
        #expect(first.keyframe)
        // Four round trips of 180 ms; with losses a repeated flight more.
        #expect(first.at - began < .milliseconds(loss == 0 ? 720 : 2_000))
        let newest = try #require(line.last)
        #expect(newest.at - newest.stamp.sent < .milliseconds(loss == 0 ? 150 : 500))
        if loss == 0 {
            expectSteady(line)
            #expect(scene.origin.unit.statistics.keyframeRequestsReceived == 0)
        }
        #expect(scene.publisher.unit.statistics.keyframeRequestsReceived == 0)
        // And the next one has it from the edge.
        let later = cascade.network.now
        _ = try scene.join("second", edge)
        scene.play(for: 4)
        let second = cascade.line(of: "second", track: 0)
        #expect(try #require(second.first).at - later < .milliseconds(200))
        expectSteady(second, loss: 1)
    }

    /// The source changes while a burst goes on, or soon after: what left before may still be asked for, and has to be the same
    /// packet (the network watches the sealing).
    @Test(arguments: [Int64(300), 1_000, 2_500], [true, false]) func anotherSourceTakesOver(
        after milliseconds: Int64, rtx: Bool
    ) throws {
        let scene = try Scene(seed: 208)
        let cascade = scene.cascade
        let other = try cascade.host("other")
        _ = try scene.join("viewer", loss: 0.05, rtx: rtx)
        cascade.play(from: scene.publisher, until: cascade.network.now + .milliseconds(milliseconds))
        cascade.keyframeEvery = 30
        cascade.publish(from: other, to: scene.origin)
        cascade.play(from: other, until: cascade.network.now + .seconds(Int64(4)))
        let line = cascade.line(of: "viewer", track: 0)
        let last = try #require(line.last)
        #expect(cascade.network.now - last.at < .milliseconds(200))
        for (a, b) in zip(line, line.dropFirst()) { #expect(Int32(bitPattern: b.timestamp &- a.timestamp) >= 0) }
    }

    /// What is still on its way again is no reason to wait for the next keyframe; what is lost for good is.
    @Test func aGroupWithAHoleIsSentWhileItMayBeMended() throws {
        let scene = try Scene(seed: 207)
        let encoding = scene.origin.unit.broadcasts[Cascade.broadcast]!.tracks[0].preferred
        let now = scene.cascade.network.now
        let second = Interval.seconds(Int64(1))
        #expect(encoding.burstStart(mendedWithin: second, now: now) != nil)
        let payload = [UInt8](repeating: 1, count: 20)
        let newest = encoding.history.newest!
        _ = unsafe encoding.accept(
            sequence: newest + 2, timestamp: encoding.history.entry(newest)!.timestamp &+ 3_000, marker: true,
            keyframe: false, payload: payload.span.bytes, now: now)
        #expect(encoding.burstStart(mendedWithin: second, now: now + .milliseconds(400)) != nil)
        #expect(encoding.burstStart(mendedWithin: second, now: now + .milliseconds(1_100)) == nil)
    }

    /// A viewer who has just come asks for a keyframe because of a hole that nobody can mend. The group with the hole would be
    /// no help: the publisher is asked; and what else is lost to that viewer is still repaired.
    @Test func aHoleThatNobodyMendsIsThePublishersBusiness() throws {
        let scene = try Scene(seed: 209)
        let cascade = scene.cascade
        let viewer = try scene.join("viewer", loss: 0.05, rtx: false)
        scene.play(for: 3)
        let encoding = scene.origin.unit.broadcasts[Cascade.broadcast]!.tracks[0].preferred
        _ = unsafe encoding.accept(
            sequence: encoding.history.newest! + 30, timestamp: encoding.edge(at: cascade.network.now), marker: true,
            keyframe: false, payload: [UInt8](repeating: 1, count: 20).span.bytes, now: cascade.network.now)
        cascade.network.run(until: cascade.network.now + .milliseconds(1_500))
        scene.askForKeyframe(viewer)
        cascade.network.run(until: cascade.network.now + .milliseconds(500))
        #expect(scene.origin.unit.statistics.keyframeRequestsSent == 1)
        let repairs = scene.origin.unit.catchup.repairs
        scene.play(for: 3)
        #expect(scene.origin.unit.catchup.repairs > repairs + 10)
    }

    /// Whichever datagrams of checks and handshake are lost.
    @Test(arguments: 0..<40 as Range<UInt64>) func aColdRelayConnectsOverABadLine(seed: UInt64) throws {
        let scene = try Scene(seed: seed, age: 1)
        let edge = try scene.coldEdge(delay: 20, loss: 0.25)
        scene.play(for: 8)
        #expect(
            edge.events.contains { if case .connected = $0 { true } else { false } }, "the control plane has been told")
        #expect(edge.unit.broadcasts[Cascade.broadcast]!.tracks[0].preferred.history.newest ?? 0 > 100)
    }
}
