import FoundationEssentials
import Testing

@testable import Routing

/// A publisher who pauses is not one who has gone: who may watch, who is asked, and what is said of it.
struct SilentPublisherTests {
    private static let name = ScriptedRouter.name

    @Test func whatIsSilentCanBeAskedForAndIsAnnouncedAsSilent() {
        var node = ScriptedRouter(above: ["origin-1"])
        node.hears("origin-1", silent: true)
        #expect(node.says == ["origin-1", "edge-1"])
        #expect(node.router.announcements.allSatisfy { !$0.flows })
        node.wants()
        #expect(node.actions == ["ask origin-1 #1"])
        node.agrees(1, path: "origin-1")
        #expect(node.actions == ["fed"])
    }

    /// A picture now and then, for a minute.
    @Test(arguments: [3_000, 5_000, 15_000]) func aRelayOfOneThatPausesIsKeptAndServesWhoeverComes(every pause: Int) {
        var node = ScriptedRouter(above: ["parent", "other"])
        node.isFed(by: "origin-1", "parent")
        node.hears("origin-1", "other")
        for _ in 0..<60_000 / pause {
            node.passes(2_000)
            // The relay's own silence is noticed a moment before the news of the publisher's.
            node.isSilent(true, 1)
            node.passes(300)
            node.hears("origin-1", "parent", silent: true)
            node.hears("origin-1", "other", silent: true)
            node.passes(pause - 2_300)
            #expect(node.router.canServe(Self.name, now: node.now))
            node.hears("origin-1", "other")
            node.hears("origin-1", "parent")
            // The news is quicker than the picture now.
            node.passes(300)
            #expect(node.router.canServe(Self.name, now: node.now))
            node.isSilent(false, 1)
        }
        #expect(node.actions == [])
    }

    /// It was opened while nothing came.
    @Test func aNewRelayOfOneThatPausesIsKept() {
        var node = ScriptedRouter(above: ["origin-1"])
        node.hears("origin-1", silent: true)
        node.wants()
        node.agrees(1, path: "origin-1")
        _ = node.actions
        node.router.feeds(Self.name, .init(rawValue: 1), now: node.now)
        node.passes(60_000)
        #expect(node.actions == [])
        #expect(node.router.canServe(Self.name, now: node.now))
        node.hears("origin-1")
        node.passes(1_100)
        #expect(node.actions == ["drop #1", "ask origin-1 #2"], "that flows there, and nothing comes here")
    }

    @Test func whoeverHasOneThatFlowsIsAskedFirst() {
        var node = ScriptedRouter(above: ["origin-1", "origin-2"])
        node.hears("origin-1", started: 9, silent: true)
        node.hears("origin-2", started: 5)
        #expect(node.says == ["origin-2", "edge-1"])
        node.wants()
        #expect(node.actions == ["ask origin-2 #1"])
        node.agrees(1, path: "origin-2")
        node.connects(1)
        node.hears("origin-1", started: 9)
        #expect(node.actions == ["fed", "ask origin-1 #2"], "the newest that flows")
    }

    @Test func ofTwoThatAreSilentTheNewerCounts() {
        var node = ScriptedRouter(above: ["origin-1", "origin-2"])
        node.hears("origin-1", started: 9, silent: true)
        node.hears("origin-2", started: 5, silent: true)
        node.wants()
        #expect(node.actions == ["ask origin-1 #1"])
    }

    /// The publisher has crashed, and is back at another origin.
    @Test func oneThatIsSilentIsLeftAtOnceForOneThatFlows() {
        var node = ScriptedRouter(above: ["origin-1", "origin-2"])
        node.isFed(by: "origin-1")
        node.isSilent(true, 1)
        node.hears("origin-1", silent: true)
        node.passes(5_000)
        #expect(node.actions == [])
        node.hears("origin-2", started: 2)
        #expect(node.actions == ["drop #1", "ask origin-2 #2"])
    }

    /// What a node further away says of a pause is old news, whichever it is.
    @Test(arguments: [true, false]) func whoIsNearestToThePublisherIsBelieved(isSilent: Bool) {
        var node = ScriptedRouter(above: ["parent", "origin-1", "origin-2"])
        node.hears("origin-1", "parent", started: 9, silent: !isSilent)
        node.hears("origin-1", started: 9, silent: isSilent)
        node.hears("origin-2", started: 5)
        node.wants()
        #expect(node.actions == [isSilent ? "ask origin-2 #1" : "ask parent #1"])
    }

    @Test func onlyWhatFallsSilentWithoutGoingIsKept() {
        var node = ScriptedRouter(above: ["origin-1"])
        node.isFed(by: "origin-1")
        node.isSilent(true, 1)
        node.hears("origin-1", silent: true)
        node.passes(30_000)
        #expect(node.router.canServe(Self.name, now: node.now))
        // Its consent has expired.
        node.hearsNoMore("origin-1")
        #expect(!node.router.canServe(Self.name, now: node.now))
        #expect(node.says == nil)
    }

    private static func json(_ announcement: Announcement) throws -> String {
        String(decoding: try JSONEncoder().encode(announcement), as: UTF8.self)
    }

    @Test func nodesOfAnotherVersionReadIt() throws {
        let flowing = ScriptedRouter.announcement(["origin-1"])
        let text = try Self.json(flowing)
        #expect(!text.contains("silent"))
        #expect(try JSONDecoder().decode(Announcement.self, from: Data(text.utf8)) == flowing)
        let silent = ScriptedRouter.announcement(["origin-1"], silent: true)
        #expect(try JSONDecoder().decode(Announcement.self, from: Data(try Self.json(silent).utf8)) == silent)
        let more = text.dropLast() + #","something":{"else":1}}"#
        #expect(try JSONDecoder().decode(Announcement.self, from: Data(more.utf8)).flows)
    }
}
