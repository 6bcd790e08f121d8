// Loss on the relay and on the last hop is repaired on each hop, in time, and viewers' requests for keyframes never
// reach the publisher one to one.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct LossTests {
    struct Outcome {
        var share: Double
        var requestsPerSecond: Double
        var keyframeRequestsFromViewers: UInt64
    }

    /// 20 s of a broadcast, publisher → origin → edge → viewers, with 2 % loss on relay and viewer links.
    func run(seed: UInt64, viewers: Int, rtx: Bool) throws -> Outcome {
        let cascade = Cascade(seed: seed)
        let network = cascade.network
        let (publisher, origin, edge) = (
            try cascade.host("publisher"), try cascade.host("origin"), try cascade.host("edge")
        )
        network.link(publisher, origin, Link(delay: .milliseconds(5)))
        network.link(origin, edge, Link(delay: .milliseconds(80), loss: 0.02, jitter: .milliseconds(3)))
        cascade.publish(from: publisher, to: origin)
        cascade.connect(source: edge, to: origin)
        cascade.play(from: publisher, until: .zero + .seconds(Int64(2)))
        var names: [String] = []
        for n in 0..<viewers {
            let viewer = try cascade.viewer("viewer-\(n)", of: edge, rtx: rtx)
            network.link(viewer, edge, Link(delay: .milliseconds(10), loss: 0.02, jitter: .milliseconds(2)))
            names.append(viewer.name)
        }
        let end = Instant.zero + .seconds(Int64(20))
        cascade.play(from: publisher, until: end)
        network.run(until: end + .seconds(Int64(1)))

        var worst = 1.0
        for name in names {
            let arrivals = cascade.arrivals[name] ?? [:]
            // The packet that came first, which need not be the lowest: what the edge sends before the viewer's end of
            // DTLS is up is gone, and the viewer asks for nothing from before its first packet; but a repair from
            // upstream may bring it a single one of those.
            guard let first = arrivals.min(by: { $0.value < $1.value })?.key else {
                Issue.record("\(name) saw nothing")
                continue
            }
            let expected = cascade.published.filter { ($0.frame, $0.index) >= (first.frame, first.index) }
            #expect(expected.count > 2_000, "\(name) began late: frame \(first.frame)")
            let inTime = expected.count { stamp in
                arrivals[stamp].map { $0 - stamp.sent <= .milliseconds(500) } ?? false
            }
            worst = min(worst, Double(inTime) / Double(expected.count))
        }
        let sent = publisher.unit.statistics.keyframeRequestsReceived
        return Outcome(
            share: worst, requestsPerSecond: Double(sent) / 20,
            keyframeRequestsFromViewers: edge.unit.statistics.keyframeRequestsReceived)
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func everyViewerGetsTheVideoWithin500ms(seed: UInt64) throws {
        let outcome = try run(seed: seed, viewers: 4, rtx: true)
        #expect(outcome.share >= 0.999)
        #expect(outcome.requestsPerSecond <= 1)
    }

    /// In these runs a viewer's transport comes up after the edge has begun to send to it, and the first packet on its
    /// line is a repair from upstream for what it missed.
    @Test(
        arguments: [
            1_719_965_530_884_153_688, 12_975_093_724_544_905_027, 17_740_124_581_436_568_134,
        ] as [UInt64])
    func viewersWhoseTransportIsLateMissNothingFromThenOn(seed: UInt64) throws {
        let outcome = try run(seed: seed, viewers: 3, rtx: true)
        #expect(outcome.share >= 0.999)
        #expect(outcome.requestsPerSecond <= 1)
    }

    @Test(arguments: [11, 12] as [UInt64])
    func repairWithoutRTXIsThePacketAgain(seed: UInt64) throws {
        let outcome = try run(seed: seed, viewers: 3, rtx: false)
        #expect(outcome.share >= 0.999)
    }
}
