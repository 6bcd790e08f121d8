import Foundation
import Routing
import Testing

@testable import ControlPlane

// When a node should get traffic, and what it says when not.

@Suite struct ReadinessTests {
    private static func body(_ readiness: Readiness) -> String {
        let facts = NodeFacts(
            node: "edge-1", role: "edge", region: "eu", url: "http://127.0.0.1:8081", viewers: true,
            ready: readiness.state == .ready, draining: readiness.isDraining, load: 0.5, instance: "x")
        return String(decoding: JSONText.encode(readiness.answer(with: facts)), as: UTF8.self)
    }

    @Test(arguments: [
        // draining, origin reachable, limit → state
        (false, true, nil as String?, Readiness.State.ready),
        (true, true, nil, .draining),
        (true, false, "viewers", .draining),
        (false, false, "viewers", .noOriginReachable),
        (false, true, "viewers", .overloaded(limit: "viewers")),
    ])
    func state(draining: Bool, reachable: Bool, limit: String?, expected: Readiness.State) throws {
        var readiness = Readiness()
        (readiness.isDraining, readiness.originReachable, readiness.reachedLimit) = (draining, reachable, limit)
        #expect(readiness.state == expected)
        #expect(readiness.status == (expected == .ready ? 200 : 503))
        let body = try #require(
            try JSONSerialization.jsonObject(with: Data(Self.body(readiness).utf8)) as? [String: Any])
        #expect(body["ready"] as? Bool == (expected == .ready))
        #expect((body["reason"] == nil) == (expected == .ready))
    }

    @Test func bodies() {
        var readiness = Readiness()
        let rest = #","region":"eu","role":"edge","url":"http://127.0.0.1:8081","viewers":true}"#
        readiness.isDraining = true
        #expect(
            Self.body(readiness)
                == #"{"detail":"the node takes no new sessions","draining":true,"instance":"x","load":0.5,"node":"edge-1","ready":false,"#
                + #""reason":"draining""# + rest)
        readiness.isDraining = false
        #expect(
            Self.body(readiness) == #"{"draining":false,"instance":"x","load":0.5,"node":"edge-1","ready":true"# + rest)
        readiness.reachedLimit = "sessions"
        #expect(Self.body(readiness).hasPrefix(#"{"detail":"limit sessions is reached","#))
    }
}
