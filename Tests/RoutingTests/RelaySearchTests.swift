import Testing

@testable import Routing

/// Whom a node asks for a broadcast, and what it makes of the answers.
struct RelaySearchTests {
    @Test func allWhoWantOneBroadcastShareOneSearch() {
        var node = ScriptedRouter(above: ["origin-1"])
        node.hears("origin-1")
        for _ in 0..<3 { node.wants() }
        #expect(node.actions == ["ask origin-1 #1"])
        node.agrees(1, path: "origin-1")
        #expect(node.actions == ["fed"])
        node.wants()
        #expect(node.actions == ["fed"])
        node.connects(1)
        node.wants()
        #expect(node.actions == ["fed"])
        #expect(node.says == ["origin-1", "edge-1"])
    }

    @Test func oneThatNobodyAnnouncesIsWaitedForBriefly() {
        var node = ScriptedRouter(above: ["origin-1"])
        node.wants()
        node.passes(100)
        #expect(node.actions == [])
        node.passes(100)
        #expect(node.actions == ["not live"])
    }

    @Test func newsThatComesInTimeIsFollowed() {
        var node = ScriptedRouter(above: ["origin-1"])
        node.wants()
        node.passes(100)
        node.hears("origin-1")
        #expect(node.actions == ["ask origin-1 #1"])
    }

    @Test func aNodeBelowHasSeenItAnnouncedSoThatAboveIsAsked() {
        var node = ScriptedRouter(above: ["origin-1"])
        node.wants(for: "edge-2")
        #expect(node.actions == ["ask origin-1 #1"])
    }

    @Test func oneAboveOfWhichNothingIsKnownIsAsked() {
        var node = ScriptedRouter(above: ["origin-1"])
        node.loses("origin-1")
        node.wants()
        #expect(node.actions == ["ask origin-1 #1"])
        node.refuses(1, .unavailable("timeout"))
        #expect(node.actions == ["unavailable"])
    }

    @Test func whoHasTheNewestPublicationIsAsked() {
        var node = ScriptedRouter(above: ["origin-1", "origin-2"])
        node.hears("origin-1", started: 5)
        node.hears("origin-2", started: 6)
        node.wants()
        #expect(node.actions == ["ask origin-2 #1"])
        #expect(node.says == ["origin-2", "edge-1"])
    }

    @Test func ofTwoOfTheSameMomentTheOriginsNameDecides() {
        for order in [["origin-1", "origin-2"], ["origin-2", "origin-1"]] {
            var node = ScriptedRouter(above: order)
            for origin in order { node.hears(origin, started: 5) }
            node.wants()
            #expect(node.actions == ["ask origin-2 #1"])
        }
    }

    @Test func theNextIsAskedWhenOneRefuses() {
        var node = ScriptedRouter(above: ["edge-a", "edge-b"])
        node.hears("origin-1", "edge-a")
        node.hears("origin-1", "edge-b")
        node.wants()
        node.refuses(1, .unavailable("timeout"))
        node.refuses(2, .notLive(retryAfter: 2))
        #expect(node.actions == ["ask edge-a #1", "ask edge-b #2", "not live"])
    }

    @Test func theDownAreAskedLast() {
        var node = ScriptedRouter(above: ["edge-a", "edge-b"])
        node.sees("edge-a", .down)
        node.hears("origin-1", "edge-a")
        node.hears("origin-1", "edge-b")
        node.wants()
        node.refuses(1, .unavailable("timeout"))
        #expect(node.actions == ["ask edge-b #1", "ask edge-a #2"])
    }

    @Test func theLifelessAreNotWaitedForWhenThereIsNewsOfAnother() {
        var node = ScriptedRouter(above: ["edge-a", "edge-b"])
        node.hears("origin-1", "edge-a")
        node.sees("edge-a", .down)
        node.wants()
        #expect(node.actions == ["ask edge-a #1"])
        node.hears("origin-1", "edge-b")
        #expect(node.actions == ["ask edge-b #2"])
        node.agrees(1, path: "origin-1", "edge-a")
        #expect(node.actions == ["drop #1"])
    }

    @Test func aRelayThatDoesNotComeUpIsGivenUp() {
        var node = ScriptedRouter(above: ["edge-a", "edge-b"])
        node.hears("origin-1", "edge-a")
        node.hears("origin-1", "edge-b")
        node.wants()
        node.agrees(1, path: "origin-1", "edge-a")
        node.passes(4_000)
        #expect(node.actions == ["ask edge-a #1", "fed", "drop #1", "ask edge-b #2"])
    }

    @Test func nothingIsLeftOfOneThatNobodyWants() {
        var node = ScriptedRouter(above: ["origin-1"])
        node.isFed(by: "origin-1")
        node.router.release(ScriptedRouter.name)
        #expect(node.actions == ["drop #1"])
        #expect(!node.router.isWanted(ScriptedRouter.name))
        #expect(node.router.nextDeadline == nil)
        // Answers that are still under way are of no use any more.
        node.wants()
        node.router.release(ScriptedRouter.name)
        node.agrees(2, path: "origin-1")
        #expect(node.actions == ["ask origin-1 #2", "drop #2"])
    }

    @Test func aLostSourceIsLookedForAgainAtGrowingIntervals() {
        var node = ScriptedRouter(above: ["origin-1"])
        node.isFed(by: "origin-1")
        node.ends(1, inOrder: false)
        var asked = 0
        for _ in 0..<100 {
            for action in node.actions where action.hasPrefix("ask") {
                asked += 1
                node.refuses(UInt64(asked + 1), .unavailable("connection refused"))
            }
            node.passes(100)
        }
        #expect(6...14 ~= asked)
    }
}
