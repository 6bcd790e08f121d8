import Testing

@testable import Routing

/// Of the edges of a region one asks above, and the others ask it.
struct HubElectionTests {
    private static let edges = ["edge-1", "edge-2", "edge-3"]

    /// First the one that fetches.
    private static func ranked(_ edges: [String] = edges) -> [String] {
        edges.sorted {
            RendezvousRank(of: $0, for: ScriptedRouter.name) > RendezvousRank(of: $1, for: ScriptedRouter.name)
        }
    }

    private static func node(_ name: String) -> ScriptedRouter {
        var node = ScriptedRouter(name, above: ["origin-1"], peers: edges.filter { $0 != name })
        node.hears("origin-1")
        for peer in edges where peer != name { node.hears("origin-1", peer) }
        return node
    }

    @Test func exactlyOneAsksAbove() {
        let asked = Self.edges.map { name in
            var node = Self.node(name)
            node.wants()
            return node.actions
        }
        #expect(asked.count { $0 == ["ask origin-1 #1"] } == 1)
        #expect(asked.count { $0 == ["ask \(Self.ranked()[0]) #1"] } == 2)
    }

    @Test func theNextOneAsksWhenTheFirstIsGone() {
        let ranked = Self.ranked()
        var second = Self.node(ranked[1])
        second.sees(ranked[0], .down)
        second.loses(ranked[0])
        second.wants()
        #expect(second.actions == ["ask origin-1 #1"])
        var third = Self.node(ranked[2])
        third.forgets(ranked[0])
        third.wants()
        #expect(third.actions == ["ask \(ranked[1]) #1"])
    }

    @Test func onlyWhatTheGoneOneFetchedMoves() {
        let edges = (1...8).map { "edge-\($0)" }
        let hub = { (broadcast: String, edges: [String]) in
            edges.max { RendezvousRank(of: $0, for: broadcast) < RendezvousRank(of: $1, for: broadcast) }
        }
        var counts: [String: Int] = [:]
        for broadcast in (0..<800).map({ "live-\($0)" }) {
            let before = hub(broadcast, edges)
            counts[before ?? "", default: 0] += 1
            for gone in edges where gone != before { #expect(hub(broadcast, edges.filter { $0 != gone }) == before) }
        }
        #expect(counts.values.allSatisfy { 60...140 ~= $0 })
    }

    /// The second fetches while the first is away, and moves to it once it has been back for a while.
    @Test func theFirstFetchesAgainWhenItIsBack() {
        let ranked = Self.ranked()
        var second = Self.node(ranked[1])
        second.sees(ranked[0], .down)
        second.isFed(by: "origin-1")
        second.sees(ranked[0], .up)
        second.passes(9_900)
        #expect(second.actions.isEmpty)
        second.passes(10_200)
        #expect(second.actions == ["ask \(ranked[0]) #2"])
        second.agrees(2, path: "origin-1", ranked[0])
        second.connects(2)
        second.passes(60_000)
        #expect(second.actions == ["fed"])
    }

    /// All are fed by a hub that drains: the one that ranks next asks above, the others wait to hear of that.
    @Test func onlyOneAsksAboveWhenTheHubDrains() {
        let ranked = Self.ranked()
        var (second, third) = (Self.node(ranked[1]), Self.node(ranked[2]))
        second.isFed(by: "origin-1", ranked[0])
        third.isFed(by: "origin-1", ranked[0])
        second.hears("origin-1", ranked[0], ranked[2])
        third.hears("origin-1", ranked[0], ranked[1])
        second.sees(ranked[0], .suspect, isReady: false)
        third.sees(ranked[0], .suspect, isReady: false)
        #expect(second.actions == ["ask origin-1 #2"])
        third.passes(1_500)
        #expect(third.actions.isEmpty)
        third.hears("origin-1", ranked[1])
        #expect(third.actions == ["ask \(ranked[1]) #2"])
    }

    /// One that keeps dying makes nobody move, and one that is fed by an edge of the region itself is left alone.
    @Test func nobodyMovesToOneThatIsNotThereToStay() {
        let ranked = Self.ranked()
        var second = Self.node(ranked[1])
        second.sees(ranked[0], .down)
        second.isFed(by: "origin-1")
        for _ in 0..<10 {
            second.sees(ranked[0], .up)
            second.passes(9_000)
            second.sees(ranked[0], .down)
            second.passes(1_000)
        }
        second.hears("origin-1", ranked[2], ranked[0])
        second.sees(ranked[0], .up)
        second.passes(60_000)
        #expect(second.actions.isEmpty)
    }

    /// The one that it moves to does not agree: it stays, and tries again after the same time.
    @Test func nothingIsLostWhenTheMoveFails() {
        let ranked = Self.ranked()
        var second = Self.node(ranked[1])
        second.sees(ranked[0], .down)
        second.isFed(by: "origin-1")
        second.sees(ranked[0], .up)
        second.passes(20_100)
        #expect(second.actions == ["ask \(ranked[0]) #2"])
        second.agrees(2, path: "origin-1", ranked[0])
        // Its media never comes.
        second.passes(4_100)
        #expect(second.actions == ["fed", "drop #2"])
        second.passes(9_000)
        #expect(second.actions.isEmpty)
        second.passes(13_000)
        #expect(second.actions == ["ask \(ranked[0]) #3"])
    }

    @Test func oneThatRanksAfterIsAskedOnlyWhenThereIsNoOtherWay() {
        let ranked = Self.ranked()
        var first = Self.node(ranked[0])
        first.wants()
        first.refuses(1, .unavailable("timeout"))
        #expect(first.actions.first == "ask origin-1 #1")
        #expect(first.actions.isEmpty)
        first.agrees(2, path: "origin-1", ranked[1])
        #expect(first.actions == ["fed"])
    }

    @Test func oneWhoseWayLeadsThroughUsIsNotAsked() {
        let ranked = Self.ranked()
        var first = ScriptedRouter(ranked[0], above: ["origin-1"], peers: [ranked[1]])
        first.hears("origin-1", ranked[0], ranked[1])
        first.wants()
        first.passes(200)
        #expect(first.actions == ["not live"])
    }
}
