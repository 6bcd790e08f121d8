import Testing

@testable import Routing

/// No node gets a broadcast through itself.
struct RelayLoopTests {
    private static let name = ScriptedRouter.name

    @Test func oneThatWaitsForUsIsNotServed() {
        var node = ScriptedRouter(above: ["edge-a", "edge-b"])
        node.hears("origin-1", "edge-a")
        #expect(node.router.objection(to: ["edge-2"], for: Self.name) == nil)
        #expect(node.router.objection(to: ["edge-2", "edge-1", "edge-3"], for: Self.name) == .loop)
        node.wants()
        #expect(node.router.objection(to: ["edge-a"], for: Self.name) == .loop)
        #expect(node.router.objection(to: ["edge-b"], for: Self.name) == nil)
        node.agrees(1, path: "origin-1", "edge-a")
        #expect(node.router.objection(to: ["edge-a"], for: Self.name) == .loop)
        node.connects(1)
        #expect(node.router.objection(to: ["edge-4", "edge-a"], for: Self.name) == .loop)
        #expect(node.router.objection(to: ["origin-1"], for: Self.name) == .loop)
        #expect(node.router.objection(to: (0...16).map { "edge-x\($0)" }, for: Self.name) == .loop)
    }

    @Test func nobodyWhoWaitsForUsIsAsked() {
        var node = ScriptedRouter(above: ["edge-a", "edge-b"])
        node.hears("origin-1", "edge-a")
        node.hears("origin-1", "edge-b")
        node.wants(for: "edge-a")
        #expect(node.actions == ["ask edge-b #1"])
    }

    @Test func anAnswerWhosePathLeadsThroughUsIsDropped() {
        var node = ScriptedRouter(above: ["edge-a", "edge-b"])
        node.hears("origin-1", "edge-a")
        node.hears("origin-1", "edge-b")
        node.wants()
        node.agrees(1, path: "origin-1", "edge-1", "edge-a")
        #expect(node.actions == ["ask edge-a #1", "drop #1", "ask edge-b #2"])
    }

    @Test func pathsThroughUsAndPathsTooLongAreNotFollowed() {
        var node = ScriptedRouter(above: ["edge-a"])
        node.hears("origin-1", "edge-1", "edge-a")
        #expect(node.says == nil)
        node.hears("origin-1", "e-2", "e-3", "e-4", "e-5", "e-6", "edge-a")
        #expect(node.says?.count == 8)
        node.hears("origin-1", "e-2", "e-3", "e-4", "e-5", "e-6", "e-7", "edge-a")
        #expect(node.says == nil)
    }

    @Test(arguments: [
        [], ["origin-1", "origin-1"], ["Origin"], ["origin-1", ""], (0...8).map { "n\($0)" },
    ])
    func pathsThatCannotBeAreNotBelieved(path: [String]) {
        var node = ScriptedRouter(above: ["edge-a"])
        var said = ScriptedRouter.announcement(["origin-1"])
        said.path = path
        said.publication.origin = path.first ?? "origin-1"
        node.router.apply(.announced(ScriptedRouter.id("edge-a"), said), now: .zero)
        node.router.apply(.snapshot(ScriptedRouter.id("edge-a"), [said]), now: .zero)
        #expect(node.says == nil)
    }

    @Test func nodesThatFeedEachOtherLetGo() {
        var node = ScriptedRouter(above: ["edge-a", "edge-b"])
        node.isFed(by: "origin-1", "edge-a")
        node.hears("origin-1", "edge-1", "edge-b", "edge-a")
        #expect(node.actions.first == "drop #1")
        #expect(node.says == nil)
    }

    @Test func whatANodeOnThePathDeniesIsNotBelieved() {
        var node = ScriptedRouter(above: ["origin-1"], peers: ["edge-2", "edge-3"])
        node.hears("origin-1")
        node.hears("origin-1", "edge-2")
        node.hears("origin-1", "edge-3")
        #expect(node.says == ["origin-1", "edge-1"])
        // The origin takes it back: there are no detours.
        node.hearsNoMore("origin-1")
        #expect(node.says == nil)
        // Its link is cut instead: there are.
        node.hears("origin-1")
        node.loses("origin-1")
        node.passes(5_000)
        #expect(node.says == ["origin-1", "edge-2", "edge-1"])
    }
}
