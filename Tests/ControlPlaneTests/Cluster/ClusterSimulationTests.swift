import FoundationEssentials
import Testing
import WebRTC

@testable import ControlPlane

extension ClusterSimulation {
    /// The whole life of a cluster.
    func run() -> Figures {
        for name in plan.broadcasts { revive(name) }
        for viewer in viewers.indices { time.after(random(.zero, .seconds(8))) { [self] in arrive(viewer) } }
        disturb(until: .seconds(5) + random(.seconds(25), .seconds(55)))
        time.run(until: .seconds(60))
        settleDown()
        isQuiet = true
        time.run(until: now + .seconds(12))
        checkSingleRelays()
        // Everybody goes, everything is mended, and what is left over has time to end.
        isQuiet = false
        mend()
        for viewer in viewers.indices { leave(viewer) }
        time.run(until: now + .seconds(100))
        checkNothingIsLeft()
        // And all come back.
        for name in plan.broadcasts { revive(name) }
        for viewer in viewers.indices { time.after(random(.zero, .seconds(3))) { [self] in arrive(viewer) } }
        time.run(until: now + .seconds(8))
        lastFault = now - .seconds(4)
        isQuiet = true
        time.run(until: now + .seconds(2))
        checkCopies()
        checkSingleRelays()
        for viewer in viewers.indices { leave(viewer) }
        time.run(until: now + .seconds(60))
        checkNothingIsLeft()
        for node in nodes where node.plan.isOrigin { kill(node) }
        time.run(until: now + RelayRouter.lease + .seconds(1))
        checkNothingIsKnown()
        if time.isExhausted { fail("no rest") }
        time.stop()
        figures.events = time.count
        return figures
    }
}

/// Whole clusters of routers, with everything that can happen to them, in virtual time.
struct ClusterSimulationTests {
    private static let seeds: ClosedRange<UInt64> = {
        let environment = ProcessInfo.processInfo.environment
        if let one = environment["CASCADE_SEED"].flatMap({ UInt64($0) }) { return one...one }
        return 1...(environment["CASCADE_SEEDS"].flatMap { UInt64($0) } ?? 1_000)
    }()

    @Test func everybodyWhoCanHaveMediaHasIt() async {
        var figures = ClusterSimulation.Figures()
        var worst: UInt64 = 0
        var failed = 0
        for seed in Self.seeds {
            let simulation = ClusterSimulation(seed: seed)
            if Self.seeds.count == 1 { simulation.trace = { print($0) } }
            let result = simulation.run()
            if !simulation.failures.isEmpty {
                failed += 1
                print("seed \(seed): \(simulation.failures.prefix(2))")
            }
            if result.recovery > figures.recovery { worst = seed }
            figures.recovery = max(figures.recovery, result.recovery)
            figures.busiest = max(figures.busiest, result.busiest)
            figures.asks += result.asks
            figures.events += result.events
        }
        print("\(failed) failed, worst recovery \(figures.recovery) in seed \(worst), \(figures)")
    }
}
