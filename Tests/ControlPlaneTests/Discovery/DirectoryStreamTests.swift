import Routing
import Synchronization
import Testing
import WebRTC

@testable import ControlPlane

// Directories of other nodes, followed over real connections.

@Suite(.timeLimit(.minutes(5))) struct DirectoryStreamTests {
    @Test func aDirectoryIsFollowedAndBeginsAnew() async throws {
        let origin = FakeNode("origin-1")
        origin.change { $0.broadcasts = [origin.announcement("a"), origin.announcement("b")] }
        let topology = Topology.below([origin])
        try await withFakeNodes([origin]) {
            try await Follower.run(topology.nodes[1], in: topology, authorization: { "Bearer for-\($0)" }) { follower in
                #expect(await eventually { follower.story(of: origin) == ["snapshot a b"] })
                #expect(origin.state.withLock { $0.authorization } == "Bearer for-origin-1")
                origin.send("announce", origin.announcement("c"))
                origin.send("withdraw", ["name": "a"])
                // What was never announced cannot be withdrawn.
                origin.send("withdraw", ["name": "z"])
                origin.send("announce", origin.announcement("b", started: 2))
                #expect(await eventually { follower.story(of: origin) == ["snapshot a b", "+c", "-a", "+b"] })
                #expect(await follower.directory.snapshot().streams == [.above: 1])
                #expect(await follower.directory.snapshot().announcements == 2)
                #expect(await eventually { follower.neighbours.map(\.state) == [.up] })
                // The first that is heard of a neighbour is that it is one.
                guard case .neighbours = follower.events.first else {
                    Issue.record("neighbours come first")
                    return
                }

                let probes = origin.probes
                origin.change { $0.broadcasts = [origin.announcement("d")] }
                origin.breakStreams()
                #expect(await eventually { follower.story(of: origin).suffix(2) == ["lost", "snapshot d"] })
                #expect(await eventually { origin.probes > probes })
                #expect(await follower.directory.snapshot().lostStreams == 1)
            }
        }
    }

    @Test func rubbishIsSkippedAndCounted() async throws {
        let (origin, other) = (FakeNode("origin-1"), FakeNode("origin-2"))
        origin.change { $0.rubbish = [("announce", "{}"), ("hello", "")] }
        let topology = Topology.below([origin, other])
        try await withFakeNodes([origin, other]) {
            try await Follower.run(topology.nodes[2], in: topology) { follower in
                #expect(await eventually { await follower.directory.snapshot().malformedEvents == 2 })
                #expect(follower.story(of: origin).isEmpty)
                origin.send("announce", origin.announcement("too-early"))
                var looped = origin.announcement("b")
                looped.path = ["origin-1", "edge-2", "origin-1"]
                let facts = origin.state.withLock { $0.facts }
                origin.send("snapshot", FakeNode.Snapshot(node: facts, broadcasts: [looped, origin.announcement("a")]))
                for (event, text) in [
                    ("announce", "["), ("announce", ""), ("announce", #"{"name":"x"}"#),
                    ("withdraw", #"{"name":"../x"}"#),
                    ("withdraw", "7"), ("node", #"{"node":"Evil Name"}"#), ("snapshot", "{}"), ("reboot", "{}"),
                ] { origin.send(event, text: text) }
                origin.send("announce", looped)
                origin.send("announce", origin.announcement("c"))
                #expect(await eventually { follower.story(of: origin) == ["snapshot a", "+c"] })
                #expect(await follower.directory.snapshot().malformedEvents == 13)
                #expect(await eventually { follower.story(of: other) == ["snapshot"] })
                #expect(await eventually { follower.neighbours.map(\.state) == [.up, .up] })
            }
        }
    }

    @Test func moreAnnouncementsThanTheBoundAreIgnored() async throws {
        let origin = FakeNode("origin-1")
        var one = origin.announcement("x")
        (one.title, one.since) = ("", "")
        let many = (0..<NodeDirectory.mostAnnouncements + 5).map { i in
            var copy = one
            copy.name = "\(i)"
            return copy
        }
        origin.change { $0.broadcasts = many }
        let topology = Topology.below([origin])
        try await withFakeNodes([origin]) {
            try await Follower.run(topology.nodes[1], in: topology) { follower in
                #expect(
                    await eventually {
                        await follower.directory.snapshot().announcements == NodeDirectory.mostAnnouncements
                    })
                origin.send("announce", origin.announcement("one-more"))
                origin.send("announce", origin.announcement("7"))
                #expect(await eventually { follower.story(of: origin).last == "+7" })
                #expect(await follower.directory.snapshot().ignoredAnnouncements == 6)
            }
        }
    }

    @Test func aSilentDirectoryIsLost() async throws {
        let origin = FakeNode("origin-1")
        origin.change { $0.heartbeat = .seconds(600) }
        let topology = Topology.below([origin])
        try await withFakeNodes([origin]) {
            try await Follower.run(topology.nodes[1], in: topology) { follower in
                #expect(await eventually { follower.story(of: origin) == ["snapshot"] })
                origin.change { $0.heartbeat = .milliseconds(100) }
                // A busy machine's heartbeats may be late again.
                #expect(await eventually { follower.story(of: origin).prefix(3) == ["snapshot", "lost", "snapshot"] })
            }
        }
    }

    /// A WHEP server of somebody else's can be above, too.
    @Test func aServerWithoutDirectoryIsStillANeighbour() async throws {
        let origin = FakeNode("origin-1")
        origin.change { $0.hasDirectory = false }
        let topology = Topology.below([origin])
        try await withFakeNodes([origin]) {
            try await Follower.run(topology.nodes[1], in: topology) { follower in
                #expect(await eventually { follower.neighbours.map(\.state) == [.up] })
                #expect(follower.story(of: origin).isEmpty)
                #expect(await follower.directory.candidates().map(\.name) == ["origin-1"])
            }
        }
    }

    /// Streams are tried again when a probe was answered, and not before.
    @Test func theDirectoryOfADeadNodeIsNotAskedFor() async throws {
        let origin = FakeNode("origin-1")
        origin.change { $0.isDead = true }
        let topology = Topology.below([origin])
        try await withFakeNodes([origin]) {
            try await Follower.run(topology.nodes[1], in: topology) { follower in
                #expect(await eventually { follower.neighbours.map(\.state) == [.down] })
                // Before the first answer nothing was known of it, so its directory may have been asked for.
                let first = origin.probes
                #expect(await eventually { origin.probes > first })
                let (follows, probes) = (origin.state.withLock { $0.follows }, origin.probes)
                #expect(await eventually { origin.probes >= probes + 4 })
                #expect(origin.state.withLock { $0.follows } == follows)
                origin.change { $0.isDead = false }
                #expect(await eventually { follower.story(of: origin) == ["snapshot"] })
                #expect(await eventually { follower.neighbours.map(\.state) == [.up] })
                // A stream that is up outlives the verdict of probes; one that is lost then is not asked for again.
                origin.change { $0.isDead = true }
                #expect(await eventually { follower.neighbours.map(\.state) == [.down] })
                #expect(await follower.directory.snapshot().streams == [.above: 1])
                let before = origin.state.withLock { $0.follows }
                origin.breakStreams()
                #expect(await eventually { follower.story(of: origin) == ["snapshot", "lost"] })
                let after = origin.probes
                #expect(await eventually { origin.probes >= after + 3 })
                #expect(origin.state.withLock { $0.follows } == before)
                origin.change { $0.isDead = false }
                #expect(await eventually { follower.story(of: origin) == ["snapshot", "lost", "snapshot"] })
            }
        }
    }

    @Test func drainingIsHeardAtOnce() async throws {
        let origin = FakeNode("origin-1")
        let topology = Topology.below([origin])
        try await withFakeNodes([origin]) {
            try await Follower.run(topology.nodes[1], in: topology) { follower in
                #expect(await eventually { follower.neighbours.first?.isReady == true })
                #expect(await eventually { follower.story(of: origin) == ["snapshot"] })
                origin.change { ($0.facts.ready, $0.facts.draining) = (false, true) }
                origin.send("node", origin.state.withLock { $0.facts })
                #expect(await eventually { follower.neighbours.first?.isReady == false })
                #expect(await eventually { follower.neighbours.first?.state == .suspect })
                origin.change { ($0.facts.ready, $0.facts.draining) = (true, false) }
                origin.send("node", origin.state.withLock { $0.facts })
                #expect(await eventually { follower.neighbours.first?.state == .up })
                // An order that stays is not told again and again.
                #expect(follower.events.count { if case .neighbours = $0 { true } else { false } } < 8)
            }
        }
    }

    @Test func drainingThatComesAndGoesIsHeardNowAndThen() async throws {
        let origin = FakeNode("origin-1")
        let topology = Topology.below([origin])
        try await withFakeNodes([origin]) {
            try await Follower.run(topology.nodes[1], in: topology) { follower in
                #expect(await eventually { follower.story(of: origin) == ["snapshot"] })
                var facts = origin.state.withLock { $0.facts }
                for i in 0..<400 {
                    facts.draining = i % 2 == 0
                    origin.send("node", facts)
                }
                origin.send("announce", origin.announcement("last"))
                #expect(await eventually { follower.story(of: origin) == ["snapshot", "+last"] })
                #expect(follower.events.count { if case .neighbours = $0 { true } else { false } } < 200)
            }
        }
    }

    @Test func whoReadsNothingIsToldTheStateLater() async throws {
        let origin = FakeNode("origin-1")
        let topology = Topology.below([origin])
        let directory = Follower(topology.nodes[1], in: topology, authorization: { _ in nil }).directory
        try await withFakeNodes([origin]) {
            let running = Task { try await directory.run() }
            #expect(await eventually { await directory.snapshot().streams[.above] == 1 })
            for i in 0..<NodeDirectory.mostEvents + 100 {
                origin.send("announce", origin.announcement("x\(i)"))
                // The server's queue is shorter.
                guard i % 500 == 499 else { continue }
                #expect(await eventually { await directory.snapshot().announcements == i + 1 })
            }
            #expect(await eventually { await directory.isBehind })
            origin.change { $0.broadcasts = [origin.announcement("last")] }
            let last = Mutex<[Announcement]>([])
            let reading = Task {
                for await event in directory.events {
                    if case .snapshot(_, let list) = event { last.withLock { $0 = list } }
                }
            }
            #expect(await eventually { last.withLock { $0.map(\.name) } == ["last"] })
            running.cancel()
            _ = await running.result
            await reading.value
        }
    }

    @Test(arguments: [UInt64(1), 2]) func mutatedEvents(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let node = FakeNode("origin-1")
        let facts = node.state.withLock { $0.facts }
        let samples = [
            ("snapshot", JSONText.encode(FakeNode.Snapshot(node: facts, broadcasts: [node.announcement("a")]))),
            ("announce", JSONText.encode(node.announcement("b"))), ("withdraw", JSONText.encode(["name": "a"])),
            ("node", JSONText.encode(facts)),
        ]
        var refused = 0
        for round in 0..<800 {
            var (event, bytes) = samples[round % 4]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[position] = .random(in: 32...126, using: &random)
                case 1: bytes.removeSubrange(position..<min(bytes.count, position + 4))
                default: bytes.insert(contentsOf: "[{\"".utf8.shuffled(using: &random), at: position)
                }
                if bytes.isEmpty { (event, bytes) = ("x", [0x20]) }
            }
            switch await DirectoryMessage.read(event, String(decoding: bytes, as: UTF8.self)) {
            case .snapshot(let facts, let list, let malformed):
                #expect(facts.isValid && list.allSatisfy(\.isValid) && list.count + malformed <= 1)
            case .announce(let announcement): #expect(announcement.isValid)
            case .withdraw(let broadcast): #expect(BroadcastName.isValid(broadcast))
            case .node(let facts): #expect(facts.isValid)
            case nil: refused += 1
            }
        }
        #expect(refused > 300)
    }
}
