// What OBS sends is seen at an edge, and it is asked for nothing that nobody gets: asked for other encodings' packets, its
// real builds answer with wrong ones and hang up.

import Forwarding
import Testing

@testable import ControlPlane

@Suite("OBS", .serialized) struct OBSTests {
    @Test(arguments: [2, 3, 4]) func viewersGetTheLargestEncodingAndOnlyThatIsAskedForAgain(encodings: Int) async throws
    {
        var topology = Topology.forTests()
        topology.addNode("origin-1", .origin)
        topology.addNode("edge-1", .edge, upstream: ["origin-1"])
        try await withNodes(topology) { nodes in
            let (origin, edge) = (nodes["origin-1"]!, nodes["edge-1"]!)
            let encoder = try OBSPeer(encodings: encodings)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await encoder.publish(to: origin.url + "/whip/live") { #expect($0 == 201) } }
                defer { group.cancelAll() }
                #expect(await eventually { encoder.seen.isConnected })
                let viewer = try MediaPeer()
                #expect(try await viewer.watch(edge.url + "/whep/live").status == 201)
                // Some three seconds, in which ten packets of each encoding stay away at first.
                #expect(await viewer.receives(moreThan: 400))
                let video = try #require(await viewer.video)
                #expect(video.bytes / video.packets > UInt64(OBSPeer.payloadBytes(1)), "the largest, which comes first")
                #expect(video.keyframes > 0)
                let nacked = encoder.seen.nacked
                #expect(nacked[0] ?? 0 > 0, "its losses are repaired")
                #expect(Array(nacked.keys) == [0], "\(nacked)")
                await viewer.stop()
            }
        }
    }
}
