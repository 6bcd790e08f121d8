// What a node carries of a publisher's encodings: those that somebody below reads, each from its newest group of pictures on,
// without a request to the publisher.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct RelayedEncodingsTests {
    private struct Scene {
        let cascade: Cascade
        /// Publishes three encodings.
        let top: Host
        let edge: Host
        let relay: SessionID

        init(seed: UInt64, loss: Double = 0, names: [String] = ["0", "1", "2"]) throws {
            cascade = Cascade(seed: seed)
            (cascade.keyframeEvery, cascade.encodings) = (90, Set(names.indices))
            let formats = [TrackFormat(codec: Cascade.vp8, rids: names), Cascade.formats[1]]
            top = try cascade.host("top", formats: formats)
            edge = try cascade.host("edge")
            cascade.network.link(top, edge, Link(delay: .milliseconds(90), loss: loss))
            cascade.play(from: top, until: .zero + .seconds(Int64(2)))
            relay = cascade.connect(source: edge, to: top, bursts: true, isRelay: true, encodings: 8).1
        }

        func play(for time: Interval) { cascade.play(from: top, until: cascade.network.now + time) }

        /// - Returns: its session at the edge.
        func join(_ name: String, node: Host? = nil) throws -> SessionID { try joinHost(name, node: node).1 }

        func joinHost(_ name: String, node: Host? = nil) throws -> (Host, SessionID) {
            let viewer = try cascade.watcher(name)
            cascade.network.link(viewer, node ?? edge, Link(delay: .milliseconds(10)))
            return (viewer, cascade.connect(source: viewer, to: node ?? edge, bursts: true).1)
        }

        /// The viewer asks for a keyframe.
        func ask(_ viewer: Host) {
            guard let broadcast = viewer.unit.broadcasts[Cascade.broadcast] else { return }
            broadcast.tracks[0].preferred.keyframes.want(now: cascade.network.now)
            viewer.unit.requestKeyframes(of: broadcast, now: cascade.network.now)
        }

        func select(_ rid: String?, _ session: SessionID, at node: Host? = nil) {
            cascade.network.apply(.select(session, .video, rid: rid), to: node ?? edge)
        }

        /// Packets that the relay's stream of each encoding has carried.
        var carried: [UInt64] { carried(top, relay) }

        func carried(_ node: Host, _ session: SessionID) -> [UInt64] {
            guard let viewer = node.unit.peers[session] as? Viewer else { return [] }
            return viewer.records.filter { $0.encoding != nil }.map {
                viewer.broadcast.tracks[$0.track].streams[$0.index].packets
            }
        }

        /// Encodings of what a viewer got since, one for each picture.
        func watched(_ name: String, since start: Instant) -> [Int] {
            cascade.line(of: name, track: 0).filter { $0.at >= start && $0.marker }.map(\.encoding)
        }
    }

    /// Numbers without a gap, times forward and as fast as the clock, keyframes wherever the encoding is another.
    private func checkLine(_ cascade: Cascade, _ name: String) {
        let line = cascade.line(of: name, track: 0)
        for (a, b) in zip(line, line.dropFirst()) {
            #expect(b.sequence == a.sequence + 1)
            let step = Int32(bitPattern: b.timestamp &- a.timestamp)
            // A group that is sent again begins with its keyframe.
            let isSame = a.encoding == b.encoding && a.stamp.frame == b.stamp.frame
            #expect(isSame ? step == 0 || b.keyframe : step > 0)
            #expect(a.encoding == b.encoding || b.keyframe)
        }
        guard let first = line.first, let last = line.last else { return }
        let ticks = Int64(Int32(bitPattern: last.timestamp &- first.timestamp))
        #expect(abs(ticks - (last.at - first.at).nanoseconds * 9 / 100_000) < 90 * 60)
    }

    @Test(arguments: [0, 0.01]) func onlyWhatIsReadIsCarried(loss: Double) throws {
        let scene = try Scene(seed: 301, loss: loss)
        let first = try scene.join("first")
        scene.play(for: .seconds(Int64(3)))
        #expect(scene.carried[0] > 300 && scene.carried.dropFirst().allSatisfy { $0 == 0 })
        #expect(scene.edge.unit.broadcasts[Cascade.broadcast]?.formats[0].rids == ["0", "1", "2"])

        // A second viewer wants another one.
        let second = try scene.join("second")
        scene.select("2", second)
        var asked = scene.cascade.network.now
        scene.play(for: .seconds(Int64(4)))
        let watched = scene.watched("second", since: asked)
        #expect(watched.last == 2 && scene.watched("first", since: asked).allSatisfy { $0 == 0 })
        let turn = try #require(scene.cascade.line(of: "second", track: 0).first { $0.encoding == 2 })
        #expect(turn.at - asked < .milliseconds(350), "a round trip to the node above, and the group's way")
        #expect(scene.carried[2] > 50 && scene.carried[1] == 0)

        // Nobody reads the first one any more.
        asked = scene.cascade.network.now
        scene.select("2", first)
        scene.play(for: .seconds(Int64(5)))
        let before = scene.carried[0]
        scene.play(for: .seconds(Int64(2)))
        #expect(scene.carried[0] == before)
        #expect(scene.watched("first", since: asked + .seconds(Int64(4))).allSatisfy { $0 == 2 })
        #expect(scene.top.unit.statistics.keyframeRequestsSent == 0)

        // And one of them goes back.
        asked = scene.cascade.network.now
        scene.select(nil, first)
        scene.play(for: .seconds(Int64(2)))
        #expect(scene.watched("first", since: asked).last == 0 && scene.watched("second", since: asked).last == 2)
        if loss == 0 { for name in ["first", "second"] { checkLine(scene.cascade, name) } }
    }

    /// A viewer who began in a burst has gone over to another encoding, and asks for a keyframe: of that one.
    @Test(arguments: 320..<328 as Range<UInt64>) func aKeyframeIsAskedForAfterTheTurn(seed: UInt64) throws {
        let scene = try Scene(seed: seed)
        _ = try scene.join("first")
        scene.select("2", try scene.join("second"))
        scene.play(for: .seconds(Int64(5)))
        let (host, session) = try scene.joinHost("viewer")
        scene.play(for: .seconds(Int64(1)))
        scene.select("2", session)
        scene.play(for: .milliseconds(4_500))
        #expect(scene.watched("viewer", since: .zero).last == 2)
        scene.ask(host)
        scene.play(for: .seconds(Int64(2)))
        checkLine(scene.cascade, "viewer")
    }

    /// And one who asks for a keyframe while it is on its way to another encoding gets there all the same.
    @Test func aKeyframeIsAskedForOnTheWay() throws {
        let scene = try Scene(seed: 306)
        _ = try scene.join("first")
        // What it is on its way to comes already: nothing else reminds anybody of it.
        scene.select("2", try scene.join("second"))
        scene.play(for: .seconds(Int64(5)))
        let (host, session) = try scene.joinHost("viewer")
        scene.play(for: .seconds(Int64(1)))
        scene.select("2", session)
        for _ in 0..<4 {
            scene.play(for: .milliseconds(30))
            scene.ask(host)
        }
        scene.play(for: .seconds(Int64(4)))
        #expect(scene.watched("viewer", since: .zero).last == 2)
        checkLine(scene.cascade, "viewer")
    }

    /// What the edge kept of an encoding from before it was paused is not shown to who joins.
    @Test(arguments: [3, 6, 9]) func whoJoinsAPausedEncodingGetsTheNewestGroup(seconds: Int64) throws {
        let scene = try Scene(seed: 307)
        let first = try scene.join("first")
        scene.play(for: .seconds(Int64(3)))
        scene.select("2", first)
        scene.play(for: .seconds(seconds))
        let joined = scene.cascade.network.now
        _ = try scene.join("second")
        scene.play(for: .seconds(Int64(2)))
        let line = scene.cascade.line(of: "second", track: 0)
        let start = try #require(line.first)
        #expect(start.encoding == 0 && start.keyframe && start.at - joined < .milliseconds(700))
        #expect(line.allSatisfy { joined - $0.stamp.sent < .seconds(Int64(3)) }, "a group is three seconds")
        checkLine(scene.cascade, "second")
    }

    @Test func aWishForWhatIsNotThereChangesNothing() throws {
        let scene = try Scene(seed: 302)
        let viewer = try scene.join("viewer")
        for rid in ["9", "", "\u{1F600}", String(repeating: "x", count: 5_000)] { scene.select(rid, viewer) }
        scene.play(for: .seconds(Int64(3)))
        let watched = scene.watched("viewer", since: .zero)
        #expect(watched.count > 60 && watched.allSatisfy { $0 == 0 })
        #expect(scene.carried.dropFirst().allSatisfy { $0 == 0 })
    }

    /// Top, a parent, an edge: the wish goes up node by node, and nobody else's stream changes.
    @Test func aWishGoesUpTheWholeCascade() throws {
        let scene = try Scene(seed: 303)
        let leaf = try scene.cascade.host("leaf")
        scene.cascade.network.link(leaf, scene.edge, Link(delay: .milliseconds(40)))
        _ = try scene.join("near")
        scene.play(for: .seconds(Int64(2)))
        let below = scene.cascade.connect(source: leaf, to: scene.edge, bursts: true, isRelay: true, encodings: 8).1
        scene.play(for: .seconds(Int64(1)))
        let far = try scene.join("far", node: leaf)
        scene.play(for: .seconds(Int64(2)))
        scene.select("1", far, at: leaf)
        let asked = scene.cascade.network.now
        scene.play(for: .seconds(Int64(4)))
        #expect(
            scene.watched("far", since: asked).last == 1 && scene.watched("near", since: asked).allSatisfy { $0 == 0 })
        #expect(scene.carried[1] > 50 && scene.carried(scene.edge, below)[1] > 50)
        let before = scene.carried(scene.edge, below)[0]
        scene.play(for: .seconds(Int64(2)))
        #expect(scene.carried(scene.edge, below)[0] == before && scene.carried[0] > 0)
        checkLine(scene.cascade, "far")
        checkLine(scene.cascade, "near")
    }

    /// Several streams agreed on, and one encoding published: as if there were no simulcast.
    @Test func oneEncodingHasNoName() throws {
        let scene = try Scene(seed: 304, names: [])
        scene.cascade.encodings = [0]
        _ = try scene.join("viewer")
        scene.play(for: .seconds(Int64(3)))
        #expect(scene.watched("viewer", since: .zero).count > 50)
        #expect(scene.edge.unit.broadcasts[Cascade.broadcast]?.formats[0].rids == [])
        let received = scene.edge.events.compactMap { event -> [ReceivedEncoding]? in
            if case .receiving(_, _, let encodings) = event { encodings } else { nil }
        }
        #expect(received.last?.contains(ReceivedEncoding(kind: .video, rid: nil)) == true)
    }

    /// What is said between the nodes gets lost, comes twice, or late: in the end they agree.
    @Test(arguments: 310..<318 as Range<UInt64>) func wishesSurviveABadLink(seed: UInt64) throws {
        let scene = try Scene(seed: seed)
        let viewer = try scene.join("viewer")
        scene.play(for: .seconds(Int64(2)))
        scene.cascade.network.link(
            scene.top, scene.edge, Link(delay: .milliseconds(90), loss: 0.3, jitter: .milliseconds(60)))
        var random = SeededGenerator(seed: seed)
        var wish = 0
        for _ in 0..<20 {
            wish = Int.random(in: 0...2, using: &random)
            scene.select(String(wish), viewer)
            scene.play(for: .milliseconds(Int64.random(in: 20...900, using: &random)))
        }
        scene.cascade.network.link(scene.top, scene.edge, Link(delay: .milliseconds(90)))
        scene.play(for: .seconds(Int64(6)))
        let before = scene.carried
        scene.play(for: .seconds(Int64(1)))
        for e in 0...2 { #expect((scene.carried[e] > before[e]) == (e == wish)) }
        #expect(
            scene.watched("viewer", since: scene.cascade.network.now - .seconds(Int64(1))).allSatisfy { $0 == wish })
    }
}
