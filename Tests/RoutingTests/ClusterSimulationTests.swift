import FoundationEssentials
import Testing
import WebRTC

@testable import Routing

extension ClusterSimulation {
    /// The whole life of a cluster.
    func run() -> Figures {
        for name in plan.broadcasts { revive(name) }
        for viewer in viewers.indices { time.after(random(.zero, .seconds(8))) { [self] in arrive(viewer) } }
        disturb(until: .seconds(5) + random(.seconds(25), .seconds(55)))
        time.run(until: .seconds(60))
        settleDown()
        isQuiet = true
        time.run(until: now + .seconds(20))
        checkSingleRelays()
        // Everything is mended, and comes to rest in good order.
        isQuiet = false
        mend()
        for name in plan.broadcasts { revive(name) }
        time.run(until: now + .seconds(60))
        checkCopies(isAtRest: true)
        checkSingleRelays()
        // Everybody goes, and what is left over has time to end.
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
        checkCopies(isAtRest: false)
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

/// Whole clusters of routers, with everything that can happen to them, in virtual time. `CASCADE_SEEDS` is how many, and
/// `CASCADE_SEED` runs that one only and prints what happens in it.
struct ClusterSimulationTests {
    private static let seeds: ClosedRange<UInt64> = {
        let environment = ProcessInfo.processInfo.environment
        if let one = environment["CASCADE_SEED"].flatMap({ UInt64($0) }) { return one...one }
        #if DEBUG
            let usual: UInt64 = 5
        #else
            let usual: UInt64 = 30
        #endif
        return 1...max(1, environment["CASCADE_SEEDS"].flatMap { UInt64($0) } ?? usual)
    }()

    /// Two halves, for two processors.
    @Test(arguments: [0, 1]) func everybodyWhoCanHaveMediaHasIt(half: UInt64) {
        var figures = ClusterSimulation.Figures()
        for seed in Self.seeds where seed % 2 == half {
            let simulation = ClusterSimulation(seed: seed)
            if Self.seeds.count == 1 { simulation.trace = { print($0) } }
            let result = simulation.run()
            if let failure = simulation.failures.first {
                Issue.record("seed \(seed): \(failure)\n\(Self.trace(of: seed))")
            }
            figures.recovery = max(figures.recovery, result.recovery)
            figures.busiest = max(figures.busiest, result.busiest)
            figures.asks += result.asks
            figures.events += result.events
        }
        print("cluster simulation: half of \(Self.seeds.count) seeds, \(figures)")
    }

    @Test func theSameSeedDoesTheSame() {
        #expect(ClusterSimulation(seed: 7).run().events == ClusterSimulation(seed: 7).run().events)
    }

    /// Nothing in a router waits for a moment that it does not announce: told the time at each step as well it does the same.
    @Test func nothingIsDueBetweenDeadlines() {
        for seed in Self.seeds.prefix(3) {
            let lines = [false, true].map { isTicking in
                var lines: [String] = []
                let simulation = ClusterSimulation(seed: seed)
                simulation.trace = { lines.append($0) }
                simulation.isTicking = isTicking
                _ = simulation.run()
                return lines
            }
            let difference = zip(lines[0], lines[1]).first { $0 != $1 }.map { "\($0), but ticking \($1)" }
            #expect(lines[0].count == lines[1].count && difference == nil, "seed \(seed): \(difference ?? "no end")")
        }
    }

    /// The last that happened before the first failure.
    private static func trace(of seed: UInt64) -> String {
        var lines: [String] = []
        var hasFailed = false
        let simulation = ClusterSimulation(seed: seed)
        simulation.trace = { line in
            if !hasFailed { lines.append(String(line.prefix(200))) }
            hasFailed = hasFailed || line.contains("FAILURE")
        }
        _ = simulation.run()
        return lines.suffix(60).joined(separator: "\n")
    }
}
