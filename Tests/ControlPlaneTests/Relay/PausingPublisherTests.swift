import Forwarding
import Testing
import WebRTC

@testable import ControlPlane
@testable import Routing

// A publisher who is there and sends nothing for longer than `source_silence`: slides, a still picture, a muted
// microphone. Whoever comes meanwhile may watch, at every node, and gets what comes next.

@Suite("Pausing publisher", .serialized, .timeLimit(.minutes(5))) struct PausingPublisherTests {
    /// The last edge is there for a first viewer in a pause.
    private static var cascade: Topology {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        topology.addNode("edge-2", .edge, upstream: ["edge-1"])
        topology.addNode("edge-3", .edge, upstream: ["origin-1"])
        topology.limits.forwarding.sourceSilence = .milliseconds(500)
        return topology
    }

    @Test(arguments: [MediaPeer.format, MediaPeer.audio]) func whoeverComesInAPauseSeesWhatComesNext(
        format: TrackFormat
    ) async throws {
        try await withNodes(Self.cascade) { nodes in
            let (origin, below) = (nodes["origin-1"]!, nodes["edge-2"]!)
            let publisher = try MediaPeer()
            #expect(try await publisher.publish(to: origin.url + "/whip/live", format: format).status == 201)
            #expect(await eventually { await origin.sessions.isWatchable("live") })
            let first = try MediaPeer()
            #expect(try await first.watch(below.url + "/whep/live").status == 201)
            var picture: UInt16 = 0
            while await first.received == 0, picture < 3_000 {
                picture += 1
                publisher.sendFrame(picture)
                try await Task.sleep(for: .milliseconds(20))
            }
            var viewers = [first]
            for round in 0..<3 {
                #expect(await eventually { await nodes.values.allSatisfyAsync { await !$0.flows("live") } })
                // Longer than it takes to tell a pause from a relay that is stuck.
                if round > 0 { try await Task.sleep(for: RelayRouter.grace + .milliseconds(500)) }
                for name in ["origin-1", "edge-1", "edge-2", "edge-3"] {
                    let viewer = try MediaPeer()
                    let answer = try await viewer.watch(nodes[name]!.url + "/whep/live")
                    #expect(answer.status == 201, "\(name): \(answer)")
                    #expect(try await !nodes[name]!.request("GET", "/api/broadcasts").text.contains("live"))
                    viewers.append(viewer)
                }
                #expect(await eventually { await nodes.values.allSatisfyAsync { await $0.isSettled } })
                var before: [UInt64] = []
                for viewer in viewers { before.append(await viewer.received) }
                picture += 1
                publisher.sendFrame(picture)
                for (viewer, count) in zip(viewers, before) { #expect(await viewer.receives(moreThan: count)) }
            }
            for node in nodes.values {
                let closed = await node.sessions.snapshot().counters.closed
                #expect(closed.isEmpty, "\(closed)")
            }
            for viewer in viewers { await viewer.stop() }
            await publisher.stop()
        }
    }
}

extension RunningNode {
    /// Its source sends.
    fileprivate func flows(_ name: String) async -> Bool { await sessions.flows(name) }

    /// All sessions are connected.
    fileprivate var isSettled: Bool { get async { await sessions.snapshot().opening.values.allSatisfy { $0 == 0 } } }
}

extension Sessions {
    fileprivate func flows(_ name: String) -> Bool {
        names[name].flatMap { broadcasts[$0] }.map { isFlowing($0) } ?? false
    }
}

extension Collection {
    fileprivate func allSatisfyAsync(_ condition: (Element) async -> Bool) async -> Bool {
        for element in self where await !condition(element) { return false }
        return true
    }
}
