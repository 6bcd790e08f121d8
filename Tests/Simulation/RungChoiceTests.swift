// Who is taken from one encoding to another, and who is not.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct RungChoiceTests {
    /// A publisher's three encodings, an edge far away from it, and a viewer of that.
    private struct Scene {
        let cascade = Cascade(seed: 401)
        let top: Host
        let edge: Host
        let viewer: Host
        let relay: SessionID
        let session: SessionID

        init(link: Link, names: [String] = RungScene.names) throws {
            (cascade.keyframeEvery, cascade.encodings) = (60, Set(0..<max(1, names.count)))
            (cascade.packetsPerFrame, cascade.packetsOfEncodings, cascade.keyframeSize) = (11, [11, 4, 1], 4)
            top = try cascade.host("top", formats: [TrackFormat(codec: Cascade.vp8, rids: names), Cascade.formats[1]])
            edge = try cascade.host("edge")
            cascade.network.link(top, edge, Link(delay: .milliseconds(90)))
            cascade.play(from: top, until: .zero + .seconds(Int64(2)))
            relay = cascade.connect(source: edge, to: top, bursts: true, isRelay: true, encodings: 8).1
            viewer = try cascade.watcher("viewer")
            cascade.network.link(viewer, edge, link)
            session = cascade.connect(source: viewer, to: edge, bursts: true, tellsArrivals: true).1
        }

        func play(_ seconds: Double) { cascade.play(from: top, until: cascade.network.now + .seconds(seconds)) }
        var peer: Viewer? { edge.unit.peers[session] as? Viewer }
        var reads: Int? { peer.map { $0.broadcast.tracks[0].streams[$0.records[0].index].destination } }
        func narrow() { cascade.network.change(from: edge, to: viewer) { ($0.rate, $0.queue) = (700_000, 26_250) } }
        /// Packets that the relay has carried of each encoding.
        var carried: [UInt64] {
            guard let relay = top.unit.peers[relay] as? Viewer else { return [] }
            return relay.records.filter { $0.encoding != nil }.map {
                relay.broadcast.tracks[$0.track].streams[$0.index].packets
            }
        }
    }

    private let wide = Link(delay: .milliseconds(20), rate: 5_000_000, queue: 187_500)

    /// The lowest is at the edge before anybody needs it, so a step down does not wait for the node above; the others are
    /// there when they are read. The publisher is asked for nothing.
    @Test func aStepDownAtAnEdge() throws {
        let scene = try Scene(link: wide)
        scene.play(6)
        #expect(scene.reads == 0 && scene.carried[0] > 300 && scene.carried[2] > 80 && scene.carried[1] == 0)
        scene.narrow()
        let drop = scene.cascade.network.now
        scene.play(0.7)
        #expect(scene.reads == 2)
        scene.play(5)
        let before = scene.carried[0]
        scene.play(2)
        #expect(scene.carried[0] == before, "nobody reads it any more")
        let line = scene.cascade.line(of: "viewer", track: 0).filter { $0.at > drop + .seconds(Int64(1)) }
        #expect(!line.isEmpty && line.allSatisfy { $0.encoding == 2 })
        scene.cascade.network.change(from: scene.edge, to: scene.viewer) { ($0.rate, $0.queue) = (5_000_000, 187_500) }
        scene.play(12)
        #expect(scene.reads == 0 && scene.cascade.line(of: "viewer", track: 0).last?.encoding == 0)
        #expect(scene.top.unit.statistics.keyframeRequestsSent == 0)
    }

    @Test func whoHasChosenIsLeftThere() throws {
        let scene = try Scene(link: wide)
        scene.play(3)
        scene.cascade.network.apply(.select(scene.session, .video, rid: "f"), to: scene.edge)
        scene.narrow()
        scene.play(5)
        #expect(scene.reads == 0 && scene.edge.unit.statistics.stepsDown == 0)
        #expect(scene.edge.unit.statistics.probePackets == 0)
        // He leaves it to the server again.
        scene.cascade.network.apply(.select(scene.session, .video, rid: nil), to: scene.edge)
        scene.play(3)
        #expect(scene.reads == 2)
    }

    /// Nothing comes back from a viewer, who has chosen or not, or the publisher pauses: nobody waits for that all the time.
    @Test(arguments: [nil, "f"], [true, false]) func silence(wish: String?, pause: Bool) throws {
        let scene = try Scene(link: wide)
        scene.play(3)
        scene.cascade.network.apply(.select(scene.session, .video, rid: wish), to: scene.edge)
        scene.play(1)
        if pause {
            scene.cascade.encodings = []
            scene.play(3)
            scene.cascade.encodings = [0, 1, 2]
            scene.play(4)
            #expect(scene.reads == 0 && scene.edge.unit.statistics.stepsDown == 0, "nobody's link is worse")
        } else {
            scene.cascade.network.passes = { [from = scene.viewer.address.low] _, source, _ in source.low != from }
            scene.play(3)
            #expect(scene.reads == (wish == nil ? 2 : 0))
        }
    }

    /// While a higher encoding is tried it ends.
    @Test(arguments: [1, 2]) func whatIsTriedEnds(rung: Int) {
        let link = Link(delay: .milliseconds(20), rate: 5_000_000, queue: 187_500)
        var (model, tried) = (RungModel(seed: 3, link, rung: rung - 1), 0)
        for _ in 0..<20 {
            for _ in 0..<1_000 where model.link.probe == nil { model.run(for: .milliseconds(10)) }
            if model.link.probe != nil { tried += 1 }
            model.coming = rung
            model.run(for: .milliseconds(Int64(700)))
            #expect(model.rung == rung - 1 && model.link.probe == nil)
            model.coming = 3
        }
        #expect(tried > 3)
    }

    /// Nothing is measured where nothing can be chosen: packets carry no numbers then.
    @Test func oneEncodingIsNotWatched() throws {
        let scene = try Scene(link: wide, names: [])
        scene.play(3)
        #expect(scene.peer?.link == nil && scene.edge.unit.broadcasts[Cascade.broadcast]?.tracks[0].watched == 0)
        #expect(scene.cascade.line(of: "viewer", track: 0).count > 100)
    }

    /// A viewer who lies about arrivals harms himself at most.
    @Test func feedbackOfAnySort() throws {
        let scene = try Scene(link: wide)
        scene.play(3)
        var random = SeededGenerator(seed: 7)
        let viewer = try #require(scene.peer)
        for _ in 0..<2_000 {
            let arrivals = (0..<Int.random(in: 1...300, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? Int64.random(in: -100_000_000...100_000_000, using: &random) / 1_000_000 : nil
            }
            let base = UInt16.random(in: 0...UInt16.max, using: &random)
            for feedback in TransportFeedback.packets(
                sender: SSRC(1), media: SSRC(2), baseSequence: base, feedbackCount: 0, arrivals: arrivals)
            {
                for datagram in RTCPCompound.write([.transportFeedback(feedback)]) {
                    unsafe scene.edge.unit.receiveRTCP(datagram.span.bytes, of: viewer, now: scene.cascade.network.now)
                }
            }
        }
        scene.play(3)
        #expect(scene.peer != nil && scene.cascade.line(of: "viewer", track: 0).count > 200)
    }

    /// The publisher's order says nothing: browsers name their smallest first.
    @Test func theLargestIsTheBest() {
        var choice = EncodingChoice(count: 3)
        var now = Instant.zero
        func play(_ choice: inout EncodingChoice, _ seconds: Int) {
            for _ in 0..<seconds * 30 {
                for e in 0..<3 { _ = choice.received(e, now: now) }
                now = now + .milliseconds(33)
            }
        }
        play(&choice, 1)
        #expect(choice.current == 0)
        // A track has room for more encodings as soon as a node reads it.
        choice.rank([30_000, 110_000, 315_000, 0, 0, 0, 0, 0])
        play(&choice, 2)
        #expect(choice.current == 2)
        // Larger by a little is not better; not known is not.
        choice.rank([340_000, 0, 315_000])
        play(&choice, 3)
        #expect(choice.current == 2)
        choice.rank([0, 0, 0])
        choice.rank([])
        play(&choice, 3)
        #expect(choice.current == 2)
    }
}
