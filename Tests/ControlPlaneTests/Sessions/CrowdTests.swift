import Forwarding
import Routing
import Testing
import WebRTC

@testable import ControlPlane

// Everybody watches one broadcast at one node, and leaves at once. What a join and a leave cost is printed: the last ones
// should not cost much more than the first.

@Suite("Crowd") struct CrowdTests {
    private static let viewers = 5_000
    private static let step = 1_000

    private static func milliseconds(_ duration: Duration) -> Int { Int(duration / .milliseconds(1)) }

    @Test func aCrowdComesStaysAndLeavesAtOnce() async throws {
        try await withOrigin({ $0.limits.sessionsHalfOpen = 2 * Self.viewers }) { node in
            let publisher = try await node.publishLive("a")
            let clock = ContinuousClock()
            let remote = TransportAddress("192.0.2.1", port: 9)!
            let offer = try SessionDescription.parse(Offers.viewer())
            var ids: [SessionID] = []
            for first in stride(from: 0, to: Self.viewers, by: Self.step) {
                let time = try await clock.measure {
                    for _ in 0..<Self.step {
                        let opened = try await node.sessions.watch("a", offer: offer, as: .viewer)
                        let id = try #require(await node.sessions.identifier(of: opened.resource))
                        await node.sessions.apply(.connected(id, remote: remote, profile: .aeadAES128GCM))
                        ids.append(id)
                    }
                }
                print("crowd: joins \(first) to \(first + Self.step) took \(Self.milliseconds(time)) ms")
                let live = await node.sessions.liveBroadcasts()
                #expect(live.map(\.viewers) == [first + Self.step])
                let metrics = try await node.request("GET", "/metrics", internal: true)
                #expect(metrics.text.contains(#"sfu_sessions{kind="viewer"} \#(first + Self.step)"#))
            }
            // Some close on their own, all the others by their worker when the broadcast ends.
            let leaving = ids.prefix(Self.viewers / 2)
            let time = await clock.measure {
                for id in leaving {
                    await node.sessions.apply(.closed(id, reason: .peerClosed, SessionStatistics(direction: .sink)))
                }
            }
            print("crowd: \(leaving.count) left in \(Self.milliseconds(time)) ms")
            #expect(await node.sessions.liveBroadcasts().map(\.viewers) == [Self.viewers / 2])
            let whole = await clock.measure { await node.sessions.endAll() }
            print("crowd: the broadcast with \(Self.viewers / 2) viewers ended in \(Self.milliseconds(whole)) ms")
            #expect(await node.sessions.liveBroadcasts().isEmpty)
            #expect(try await node.request("GET", try node.path(of: publisher)).status == 404)
            // Nothing is left once the worker has confirmed.
            #expect(await eventually { await node.sessions.hasNothing })
            #expect(await node.sessions.snapshot().present.values.allSatisfy { $0 == 0 })
        }
    }
}

extension Sessions {
    fileprivate var hasNothing: Bool { sessions.isEmpty && closing.isEmpty && resources.isEmpty && broadcasts.isEmpty }

    fileprivate func endAll() {
        for id in broadcasts.keys { closeBroadcast(id, reason: .requested) }
    }
}
