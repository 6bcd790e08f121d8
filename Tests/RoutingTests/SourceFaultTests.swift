import Testing

@testable import Routing

/// What a node does about a source that is not what it was.
struct SourceFaultTests {
    /// Fed by the first of two, which both have it, as attempt 1.
    private static func fed() -> ScriptedRouter {
        var node = ScriptedRouter(above: ["edge-a", "edge-b"])
        node.hears("origin-1", "edge-b")
        node.isFed(by: "origin-1", "edge-a")
        return node
    }

    @Test func oneThatCannotBeReachedIsReplacedAndNothingIsLostIfItComesBack() {
        var node = Self.fed()
        node.isReachable(false, 1)
        #expect(node.actions == ["ask edge-b #2"])
        node.refuses(2, .unavailable("timeout"))
        _ = node.actions
        node.isReachable(true, 1)
        node.passes(10_000)
        #expect(node.actions.allSatisfy { !$0.hasPrefix("drop #1") })
        #expect(node.router.canServe(ScriptedRouter.name, now: node.now))
        #expect(node.says == ["origin-1", "edge-a", "edge-1"])
    }

    @Test func theStreamOfTheFeedingNodeBreaksSoItIsVerified() {
        var node = Self.fed()
        node.loses("edge-a")
        #expect(node.actions == ["verify #1"])
        node.loses("edge-b")
        #expect(node.actions == [])
    }

    @Test func oneThatDrainsIsLeftOnceAnotherIsUp() {
        var node = Self.fed()
        node.sees("edge-a", .suspect, isReady: false)
        #expect(node.actions == ["ask edge-b #2"])
        node.agrees(2, path: "origin-1", "edge-b")
        #expect(node.actions == ["fed"])
        #expect(node.says == ["origin-1", "edge-a", "edge-1"])
        node.connects(2)
        #expect(node.says == ["origin-1", "edge-b", "edge-1"])
        node.ends(1, inOrder: true)
        #expect(node.actions == [])
    }

    @Test func oneThatDrainsIsKeptWhileThereIsNoOther() {
        var node = ScriptedRouter(above: ["edge-a"])
        node.isFed(by: "origin-1", "edge-a")
        node.sees("edge-a", .suspect, isReady: false)
        node.passes(10_000)
        #expect(node.actions == [])
        #expect(node.router.canServe(ScriptedRouter.name, now: node.now))
    }

    @Test func oneThatIsSilentThoughItSaysItHasItIsReplaced() {
        var node = Self.fed()
        node.isSilent(true, 1)
        node.passes(900)
        #expect(node.actions == [])
        node.passes(200)
        #expect(node.actions == ["drop #1", "ask edge-b #2"])
    }

    @Test func oneWhosePublisherIsSilentIsKept() {
        var node = ScriptedRouter(above: ["origin-1"])
        node.isFed(by: "origin-1")
        node.isSilent(true, 1)
        node.hearsNoMore("origin-1")
        node.passes(8_000)
        #expect(node.actions == [])
        #expect(node.says == nil)
        #expect(!node.router.canServe(ScriptedRouter.name, now: node.now))
        node.hears("origin-1", started: 2)
        node.isSilent(false, 1)
        #expect(node.actions == [])
        #expect(node.says == ["origin-1", "edge-1"])
    }

    @Test func oneThatDrainsIsNotLeftForOneThatGetsItThroughIt() {
        var node = ScriptedRouter(above: ["origin-1", "edge-a", "edge-b"])
        node.isFed(by: "origin-1")
        node.hears("origin-1", "edge-a")
        node.sees("origin-1", .suspect, isReady: false)
        node.passes(10_000)
        #expect(node.actions == [])
        node.hears("origin-0", "edge-b")
        #expect(node.actions == [])
        node.hears("origin-2", "edge-b")
        #expect(node.actions == ["ask edge-b #2"])
    }

    /// An encoder that makes a keyframe every ten seconds: a newer publication is waited for, a move for order's sake is not.
    @Test(arguments: [true, false]) func howLongASuccessorMayTake(isNewer: Bool) {
        var node = ScriptedRouter(above: ["parent", "other"])
        node.isFed(by: "origin-1", "parent")
        if isNewer {
            node.hears("origin-1", "other", started: 2)
            node.passes(1_100)
        } else {
            node.hears("origin-1", "other")
            node.sees("parent", .suspect, isReady: false)
        }
        #expect(node.actions == ["ask other #2"])
        node.agrees(2, path: "origin-1", "other")
        node.router.connected(ScriptedRouter.name, .init(rawValue: 2), now: node.now)
        node.passes(5_000)
        #expect(node.actions.contains("drop #2") == !isNewer)
        node.passes(1_100)
        #expect(node.actions.contains("drop #2") == isNewer)
    }

    /// A better one is being asked when the present one is lost: now anybody will do.
    @Test func oneThatIsLostWhileABetterOneIsAskedIsReplacedByAnybody() {
        var node = ScriptedRouter(above: ["parent", "edge-a", "edge-b"])
        node.isFed(by: "origin-1", "parent")
        node.hears("origin-1", "edge-a")
        node.hears("origin-1", "parent", "edge-b")
        node.sees("parent", .suspect, isReady: false)
        #expect(node.actions == ["ask edge-a #2"])
        node.ends(1, inOrder: false)
        node.refuses(2, .unavailable("timeout"))
        #expect(node.actions == ["ask edge-b #3"])
    }

    @Test func oneThatDrainsAndBringsNothingIsLeftForAnybody() {
        var node = ScriptedRouter(above: ["origin-1", "origin-2"])
        node.isFed(by: "origin-1")
        node.sees("origin-1", .suspect, isReady: false)
        node.sees("origin-2", .suspect, isReady: false)
        node.isSilent(true, 1)
        node.hearsNoMore("origin-1")
        node.hears("origin-2", started: 2)
        #expect(node.actions == ["drop #1", "ask origin-2 #2"])
    }

    @Test func aNewerPublicationElsewhereIsFollowedAndAnOlderOneIsNot() {
        var node = ScriptedRouter(above: ["origin-1", "origin-2"])
        node.isFed(by: "origin-1")
        node.hears("origin-2", started: 0)
        node.passes(10_000)
        #expect(node.actions == [])
        node.hears("origin-2", started: 7)
        #expect(node.actions == ["ask origin-2 #2"])
        node.agrees(2, path: "origin-2")
        node.connects(2)
        // It does not go back and forth.
        node.hears("origin-1", started: 6)
        node.passes(10_000)
        #expect(node.actions == ["fed"])
    }

    @Test func anEdgeThatFeedsUsIsGivenTimeToFollowTheBroadcast() {
        var node = ScriptedRouter(above: ["edge-a", "edge-b"])
        node.isFed(by: "origin-1", "edge-a")
        node.hears("origin-2", "edge-b", started: 7)
        node.passes(500)
        node.hears("origin-2", "edge-a", started: 7)
        node.passes(5_000)
        #expect(node.actions == [])
        node.hears("origin-3", "edge-b", started: 8)
        node.passes(1_100)
        #expect(node.actions == ["ask edge-b #2"])
    }

    @Test func whatWasEndedInOrderAndIsNotLiveElsewhereIsOver() {
        var node = ScriptedRouter(above: ["origin-1"])
        node.isFed(by: "origin-1")
        node.hearsNoMore("origin-1")
        node.ends(1, inOrder: true)
        node.passes(200)
        #expect(node.actions == ["not live", "over"])
        #expect(!node.router.isWanted(ScriptedRouter.name))
    }

    @Test(arguments: [true, false])
    func itIsNotOverWhenTheNodeAboveStopped(saysSo: Bool) {
        var node = ScriptedRouter(above: ["origin-1"])
        node.isFed(by: "origin-1")
        node.hearsNoMore("origin-1")
        if saysSo { node.sees("origin-1", .suspect, isReady: false) } else { node.loses("origin-1") }
        node.ends(1, inOrder: true)
        node.passes(5_000)
        #expect(!node.actions.contains("over"))
        #expect(node.router.isWanted(ScriptedRouter.name))
    }

    @Test func oneWhosePublisherHasBeenSilentForLongIsNotWaitedFor() {
        var node = ScriptedRouter(above: ["origin-1"])
        node.isFed(by: "origin-1")
        node.isSilent(true, 1)
        node.hearsNoMore("origin-1")
        node.passes(12_000)
        #expect(node.actions.first == "drop #1")
        node.hears("origin-1", started: 2)
        node.passes(200)
        #expect(node.actions.last == "ask origin-1 #2")
    }
}
