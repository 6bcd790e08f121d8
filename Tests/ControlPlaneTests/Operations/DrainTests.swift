import Routing
import Testing

@testable import ControlPlane
@testable import Forwarding

// Who is told when, and when a node may stop. All times are handed in.

@Suite struct DrainTests {
    private let start = ContinuousClock.now

    private static func viewers(_ count: Int) -> [SessionID] { (0..<count).map { SessionID(rawValue: UInt64($0) + 1) } }

    private func after(_ seconds: Double) -> Drain.Moment { start + .milliseconds(Int(seconds * 1_000)) }

    /// When each of `viewers` was told, in seconds, if every one that is due can be told.
    private func run(_ drain: inout Drain, until end: Double, step: Double = 0.1) -> [SessionID: Double] {
        var moments: [SessionID: Double] = [:]
        for tick in 0...Int(end / step) {
            for viewer in drain.due(now: after(Double(tick) * step)) {
                moments[viewer] = Double(tick) * step
                drain.tell(viewer)
            }
        }
        return moments
    }

    @Test(arguments: [(1, 10.0), (2, 10), (7, 10), (100, 10), (40, 0.5), (3, 0)])
    func viewersAreSpreadEvenlyOverTheWindow(count: Int, window: Double) {
        var drain = Drain(window: .milliseconds(Int(window * 1_000)), deadline: .seconds(60))
        let begun = drain.begin(.request, viewers: Self.viewers(count), now: start)
        #expect(begun == .begun)
        let moments = run(&drain, until: 60)
        #expect(moments.count == count && drain.waiting == 0 && drain.told.count == count)
        for (index, viewer) in Self.viewers(count).enumerated() {
            let expected = window * Double(index) / Double(count)
            #expect(abs(moments[viewer]! - expected) < 0.11, "viewer \(index) at \(moments[viewer]!)")
        }
    }

    @Test func causesAndTakingBack() {
        typealias Step = (cause: Drain.Cause?, result: Drain.Begun?, taken: Bool?)
        // nil: an attempt to take the drain back, and whether that may be.
        let table: [[Step]] = [
            [(.request, .begun, nil), (.request, .already, nil), (nil, nil, true), (.request, .begun, nil)],
            [(.signal, .begun, nil), (nil, nil, false), (.request, .already, nil), (.signal, .already, nil)],
            [(.request, .begun, nil), (.signal, .escalated, nil), (nil, nil, false)],
            [(nil, nil, true), (.signal, .begun, nil)],
        ]
        for (row, steps) in table.enumerated() {
            var drain = Drain(window: .zero, deadline: .seconds(5))
            for (column, step) in steps.enumerated() {
                if let cause = step.cause {
                    let begun = drain.begin(cause, viewers: [], now: start)
                    #expect(begun == step.result, "row \(row) step \(column)")
                } else {
                    let taken = drain.cancel()
                    #expect(taken == step.taken, "row \(row) step \(column)")
                }
            }
        }
    }

    @Test(arguments: [
        // signal at, sessions, now → over
        (nil as Double?, 0, 100.0, false),
        (0, 1, 59.9, false),
        (0, 1, 60, true),
        (0, 0, 0.1, true),
        (30, 1, 60, false),
        (30, 1, 90, true),
    ])
    func itIsOverAfterASignalWhenNobodyIsLeftOrTimeIsUp(signal: Double?, sessions: Int, now: Double, expected: Bool) {
        var drain = Drain(window: .seconds(10), deadline: .seconds(60))
        _ = drain.begin(.request, viewers: [], now: start)
        if let signal { _ = drain.begin(.signal, viewers: [], now: after(signal)) }
        #expect(drain.isOver(sessions: sessions, now: after(now)) == expected)
    }

    @Test func withoutAlternativeAViewerIsDueAgain() {
        var drain = Drain(window: .zero, deadline: .seconds(60))
        let viewer = Self.viewers(1)[0]
        _ = drain.begin(.request, viewers: [viewer], now: start)
        let first = drain.due(now: start)
        #expect(first == [viewer])
        let tooEarly = drain.due(now: after(0.9))
        #expect(tooEarly == [])
        let second = drain.due(now: after(1))
        #expect(second == [viewer])
        drain.tell(viewer)
        let told = drain.due(now: after(100))
        #expect(told == [])
        #expect(drain.told == [viewer])
    }

    @Test func latecomersGetTheirOwnMoments() {
        var drain = Drain(window: .seconds(10), deadline: .seconds(60))
        let viewers = Self.viewers(51)
        drain.joined(viewers[50], now: start)
        #expect(drain.waiting == 0, "nothing drains")
        _ = drain.begin(.request, viewers: [], now: start)
        for viewer in viewers[..<50] { drain.joined(viewer, now: after(2)) }
        let moments = run(&drain, until: 20).values.sorted()
        #expect(moments.count == 50 && moments.first! >= 2 && moments.last! <= 10)
        for (earlier, later) in zip(moments, moments.dropFirst()) { #expect(later - earlier < 1) }
        drain.joined(viewers[50], now: after(15))
        let late = drain.due(now: after(15))
        #expect(late == [viewers[50]], "the window is over: at once")
        drain.tell(viewers[50])
        // Told and asking again: the message was lost.
        drain.joined(viewers[50], now: after(16))
        let again = drain.due(now: after(16))
        #expect(again == [viewers[50]])
    }

    @Test func whoLeftIsNotDue() {
        var drain = Drain(window: .zero, deadline: .seconds(60))
        let viewers = Self.viewers(2)
        _ = drain.begin(.request, viewers: viewers, now: start)
        drain.left(viewers[0])
        let left = drain.due(now: start)
        #expect(left == [viewers[1]])
        let taken = drain.cancel()
        #expect(taken)
        let none = drain.due(now: after(5))
        #expect(none == [])
    }

    @Test func theWindowEndsWithTheDeadline() {
        #expect(Drain(window: .seconds(10), deadline: .seconds(1)).window == .seconds(1))
    }

    @Test(arguments: [
        // regions of nodes, best first → the nodes that take turns
        ([], [] as [Int]),
        (["eu"], [0]),
        (["eu", "eu", "us"], [0, 1]),
        (["us", "eu"], [1]),
        (["us", "asia", "us"], [0, 2]),
    ])
    func alternativesOfTheRegionTakeTurns(regions: [String], expected: [Int]) {
        let nodes = regions.enumerated().map { index, region in
            NodeFacts(
                node: "n\(index)", role: "edge", region: region, url: "http://n\(index)", viewers: true, ready: true,
                draining: false,
                load: 0)
        }
        let chosen = (0..<12).map { Alternatives.choose(among: nodes, region: "eu", turn: $0)?.node }
        #expect(Set(chosen) == (expected.isEmpty ? [nil] : Set(expected.map { "n\($0)" })))
        for node in expected { #expect(chosen.count { $0 == "n\(node)" } == 12 / expected.count) }
    }
}
