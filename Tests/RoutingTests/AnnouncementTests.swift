import Testing

@testable import Routing

/// What a node says that can be had from it.
struct AnnouncementTests {
    @Test func whatIsPublishedHereComesFirst() {
        var node = ScriptedRouter("origin-9", above: ["origin-1"])
        node.hears("origin-1", started: 9)
        let own = ScriptedRouter.announcement(["origin-9"], started: 3)
        node.router.setOwn(own, for: own.name, now: .zero)
        #expect(node.router.takeChanges() == [.announce(own)])
        #expect(node.router.path(of: own.name) == ["origin-9"])
        node.router.setOwn(nil, for: own.name, now: .zero)
        #expect(node.says == ["origin-1", "origin-9"])
    }

    /// The clock of its origin was set back, or forward and back again.
    @Test(arguments: [(10_000, 6_400), (10_000, 10_000), (10_000, 10_500)] as [(UInt64, UInt64)])
    func theNextPublicationIsTheNewer(then: UInt64, now: UInt64) {
        let former = Publication(startedAt: then, after: nil, origin: "origin-1")
        let next = Publication(startedAt: now, after: former, origin: "origin-1")
        #expect(former.started == then && former < next && next.started >= now)
    }

    @Test(arguments: [(Announcement.longestTexts, true), (Announcement.longestTexts + 1, false)])
    func freeTextsAreBoundedTogether(bytes: Int, isValid: Bool) {
        var announcement = ScriptedRouter.announcement(["origin-1"])
        announcement.title = String(repeating: "t", count: 96)
        announcement.tracks = [.init(kind: "video", codec: "H264", clockRate: 90_000, channels: 1, fmtp: "")]
        announcement.tracks[0].fmtp = String(repeating: "f", count: bytes - 96 - 9 - 6)
        announcement.encodings = [.init(kind: "video", rid: "q")]
        #expect(announcement.isValid == isValid)
    }

    @Test func onlyChangesAreTold() {
        var node = ScriptedRouter(above: ["origin-1"])
        node.hears("origin-1")
        #expect(node.router.takeChanges().count == 1)
        node.hears("origin-1")
        node.sees("origin-1", .suspect)
        #expect(node.router.takeChanges() == [])
        node.hearsNoMore("origin-1")
        #expect(node.router.takeChanges() == [.withdraw(ScriptedRouter.name)])
    }

    @Test func whatALostNodeSaidIsForgottenAfterTheLease() {
        var node = ScriptedRouter(above: ["origin-1"])
        node.hears("origin-1")
        node.loses("origin-1")
        node.passes(1_900)
        #expect(node.says == ["origin-1", "edge-1"])
        node.passes(200)
        #expect(node.says == nil)
        #expect(node.router.known == [])
    }

    @Test func aStreamThatComesBackInTimeReplacesWhatWasSaid() {
        var node = ScriptedRouter(above: ["origin-1"])
        node.hears("origin-1")
        node.loses("origin-1")
        node.passes(1_000)
        let again = ScriptedRouter.announcement(["origin-1"], started: 2)
        node.router.apply(.snapshot(ScriptedRouter.id("origin-1"), [again]), now: node.now)
        node.passes(10_000)
        #expect(node.says == ["origin-1", "edge-1"])
        #expect(node.router.announcements.first?.publication.started == 2)
    }

    @Test func theShortestPathIsToldUntilAnotherOneFeeds() {
        var node = ScriptedRouter(above: ["edge-a", "origin-1"])
        node.hears("origin-1", "edge-a")
        node.hears("origin-1")
        #expect(node.says == ["origin-1", "edge-1"])
        node.wants()
        #expect(node.actions == ["ask edge-a #1"])
        node.agrees(1, path: "origin-1", "edge-a")
        node.connects(1)
        #expect(node.says == ["origin-1", "edge-a", "edge-1"])
    }
}
