import ControlPlane
import Foundation
import Testing

// When a node should get traffic, and what it says when not.

@Suite struct ReadinessTests {
    @Test(arguments: [
        // started, draining, origin reachable, limit → state
        (false, false, true, nil as String?, Readiness.State.starting),
        (false, true, false, "viewers", .starting),
        (true, false, true, nil, .ready),
        (true, true, true, nil, .draining),
        (true, true, false, "viewers", .draining),
        (true, false, false, "viewers", .noOriginReachable),
        (true, false, true, "viewers", .overloaded(limit: "viewers")),
    ])
    func state(started: Bool, draining: Bool, reachable: Bool, limit: String?, expected: Readiness.State) throws {
        var readiness = Readiness()
        (readiness.isStarted, readiness.isDraining) = (started, draining)
        (readiness.originReachable, readiness.reachedLimit) = (reachable, limit)
        #expect(readiness.state == expected)
        #expect(readiness.status == (expected == .ready ? 200 : 503))
        let body = try #require(try JSONSerialization.jsonObject(with: Data(readiness.json.utf8)) as? [String: Any])
        #expect(body["ready"] as? Bool == (expected == .ready))
        #expect((body["reason"] == nil) == (expected == .ready))
    }

    @Test func bodies() {
        var readiness = Readiness()
        #expect(
            readiness.json
                == #"{"ready":false,"reason":"starting","detail":"listeners or media workers are not up yet"}"#)
        readiness.isStarted = true
        readiness.reachedLimit = "sessions"
        #expect(readiness.json == #"{"ready":false,"reason":"overloaded","detail":"limit sessions is reached"}"#)
    }
}
