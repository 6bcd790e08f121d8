import FoundationEssentials
import Routing
import Testing
import WebRTC

@testable import ControlPlane

// What nodes of other versions say of themselves.

@Suite struct NodeFactsTests {
    private static let whole =
        #"{"node":"edge-1","role":"edge","region":"eu","url":"http://a:1","viewers":true,"ready":true,"draining":false,"#
        + #""load":0.5,"instance":"x"}"#

    private func read(_ text: String) -> NodeFacts? {
        (try? JSONDecoder().decode(NodeFacts.self, from: Data(text.utf8))).flatMap { $0.isValid ? $0 : nil }
    }

    @Test func roundTrip() throws {
        let facts = try #require(read(Self.whole))
        #expect(read(String(decoding: JSONText.encode(facts), as: UTF8.self)) == facts)
    }

    @Test(arguments: [
        // What is missing, and what is taken instead.
        ("region", NodeFacts.known { $0.region = "" }), ("url", .known { $0.url = "" }),
        ("viewers", .known { $0.viewers = false }), ("ready", .known()), ("draining", .known()),
        ("load", .known { $0.load = 0 }), ("instance", .known { $0.instance = "" }),
    ])
    func missing(key: String, expected: NodeFacts) throws {
        let pattern = try Regex(#""\#(key)":("[^"]*"|[^,}]*),?"#)
        let text = Self.whole.replacing(pattern, with: "").replacing(",}", with: "}")
        #expect(!text.contains(key) && text.count < Self.whole.count)
        #expect(read(text) == expected)
        // Said, but nothing is said with it.
        #expect(read(Self.whole.replacing(pattern, with: #""\#(key)":null,"#).replacing(",}", with: "}")) == expected)
    }

    @Test(arguments: [
        (#"{"node":"n","role":"origin"}"#, true),
        (#"{"node":"n","role":"origin","draining":true}"#, true),
        (#"{"node":"n","role":"origin","zone":"b","limits":{"viewers":7},"tags":[1,null]}"#, true),
        (#"{"role":"origin"}"#, false), (#"{"node":"n"}"#, false), (#"{"node":"n","role":"relay"}"#, false),
        (#"{"node":"N n","role":"edge"}"#, false), (#"{"node":null,"role":"edge"}"#, false),
        (#"{"node":"n","role":"edge","load":"high"}"#, false), (#"{"node":"n","role":"edge","load":2}"#, false),
        (#"{"node":"n","role":"edge","url":"javascript:x"}"#, false),
        (#"{"node":"n","role":"edge","region":"E U"}"#, false),
        (#"{"node":"n","role":"edge","instance":"\#(String(repeating: "x", count: 65))"}"#, false),
        ("[]", false), ("", false),
    ])
    func others(text: String, isTaken: Bool) {
        let facts = read(text)
        #expect((facts != nil) == isTaken)
        guard let facts else { return }
        #expect(facts.ready == !facts.draining && facts.load == 0 && !facts.viewers && facts.url.isEmpty)
    }

    /// Nobody is sent to a node that does not say where it is.
    @Test(.timeLimit(.minutes(5))) func withoutURLNoAlternative() async throws {
        let origin = FakeNode("origin-1")
        origin.change { $0.facts.url = "" }
        var topology = Topology.forTests()
        topology.addNode("edge-1", .edge)
        topology.nodes[0].upstream.slices = .init(directory: "/nowhere", service: "origin")
        let (edge, sealed) = (topology.nodes[0], topology)
        try await withFakeNodes([origin]) {
            try await Follower.run(edge, in: sealed) { follower in
                await follower.directory.replace(
                    .slices, by: [.init(TransportAddress("127.0.0.1", port: UInt16(origin.port))!)])
                #expect(await eventually { follower.neighbours.map(\.name) == ["origin-1"] })
                #expect(await eventually { follower.neighbours.map(\.state) == [.up] })
                #expect(await follower.directory.alternatives(for: .viewers).isEmpty)
                #expect(await follower.directory.origin(preferring: "origin-1") == nil)
                origin.change { $0.facts.url = "http://127.0.0.1:2" }
                #expect(await eventually { await follower.directory.origin(preferring: nil) == "http://127.0.0.1:2" })
            }
        }
    }
}

extension NodeFacts {
    fileprivate static func known(_ change: (inout NodeFacts) -> Void = { _ in }) -> NodeFacts {
        var facts = NodeFacts(
            node: "edge-1", role: "edge", region: "eu", url: "http://a:1", viewers: true, ready: true, draining: false,
            load: 0.5, instance: "x")
        change(&facts)
        return facts
    }
}
