import Synchronization
import Testing
import WebRTC

@testable import ControlPlane

// Nothing that is due is looked at late, nobody is woken for nothing, and what is overdue for ever costs little.

@Suite struct AlarmTests {
    private static let pause = Duration.milliseconds(100)
    private static let zero = ContinuousClock.now

    private static func at(_ milliseconds: Int) -> AlarmState.Moment { zero + .milliseconds(milliseconds) }

    /// Looked at, at 0 ms, with this deadline; whoever looks sleeps.
    private static func sleeping(until milliseconds: Int?) -> AlarmState {
        var state = AlarmState(pause: pause, now: zero)
        #expect(state.next(now: zero) == .look)
        #expect(state.set(milliseconds.map(at), now: zero) == false)
        #expect(state.next(now: zero) == .sleep(until: milliseconds.map(at)))
        return state
    }

    @Test func deadlineIsSleptForAndThenLookedAt() {
        var state = Self.sleeping(until: 500)
        #expect(state.next(now: Self.at(499)) == .sleep(until: Self.at(500)))
        #expect(state.next(now: Self.at(500)) == .look)
    }

    @Test func nothingToDoIsSleptForUntilSomethingChanges() {
        var state = Self.sleeping(until: nil)
        #expect(state.next(now: Self.at(1_000_000)) == .sleep(until: nil))
        #expect(state.change() == true, "whoever sleeps is woken")
        #expect(state.change() == false, "once")
        #expect(state.next(now: Self.at(1_000_000)) == .look)
    }

    /// The look comes a pause after the one before, however many changes there are.
    @Test func changesAreLookedAtTogether() {
        var state = Self.sleeping(until: 5_000)
        #expect(state.change() == true)
        #expect(state.next(now: Self.at(20)) == .sleep(until: Self.at(100)))
        #expect(state.change() == false)
        #expect(state.next(now: Self.at(100)) == .look)
        #expect(state.set(Self.at(5_000), now: Self.at(100)) == false)
        #expect(state.next(now: Self.at(100)) == .sleep(until: Self.at(5_000)))
    }

    /// Between the first change and the end of the look there are others; those after its end count again.
    @Test func changesDuringALookBelongToIt() {
        var state = Self.sleeping(until: nil)
        _ = state.change()
        #expect(state.next(now: Self.at(200)) == .look)
        #expect(state.change() == false)
        #expect(state.set(nil, now: Self.at(201)) == false)
        #expect(state.change() == false, "nobody sleeps")
        #expect(state.next(now: Self.at(202)) == .sleep(until: Self.at(301)))
    }

    /// Somebody else has looked, and has found something earlier or later.
    @Test func deadlineMoves() {
        var state = Self.sleeping(until: 5_000)
        #expect(state.set(Self.at(300), now: Self.at(10)) == true, "whoever sleeps too long is woken")
        #expect(state.next(now: Self.at(10)) == .sleep(until: Self.at(300)))
        #expect(state.set(Self.at(9_000), now: Self.at(20)) == false)
        #expect(state.next(now: Self.at(300)) == .sleep(until: Self.at(9_000)), "woken for nothing, once")
    }

    @Test func overdueIsNoBusyLoop() {
        var state = Self.sleeping(until: nil)
        _ = state.change()
        var looks = 0
        var now = Self.at(1_000)
        while now < Self.at(2_000) {
            switch state.next(now: now) {
            case .look:
                looks += 1
                _ = state.set(Self.at(500), now: now)
            case .sleep(let until):
                guard let until else { return #expect(Bool(false), "it is overdue") }
                now = until
            }
        }
        #expect(looks == 10)
    }

    /// Whatever happens in whatever order, each deadline is looked at in its time, and each change within a pause.
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func nothingIsLate(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var state = AlarmState(pause: Self.pause, now: Self.zero)
        var (wakeAt, lookedAt): (Int?, Int) = (0, -100)
        var (deadline, changedAt): (Int?, Int?) = (0, nil)
        for millisecond in 0..<20_000 {
            let now = Self.at(millisecond)
            if Int.random(in: 0..<40, using: &random) == 0 {
                if state.change() { wakeAt = millisecond }
                changedAt = changedAt ?? millisecond
            }
            while wakeAt.map({ $0 <= millisecond }) == true {
                switch state.next(now: now) {
                case .sleep(let until): wakeAt = until.map { Int(($0 - Self.zero) / .milliseconds(1)) }
                case .look:
                    #expect(millisecond >= lookedAt + 100)
                    (lookedAt, changedAt) = (millisecond, nil)
                    deadline = Bool.random(using: &random) ? millisecond + .random(in: -50...900, using: &random) : nil
                    #expect(state.set(deadline.map(Self.at), now: now) == false)
                }
            }
            let due = [deadline, changedAt].compactMap { $0 }.min()
            if let due { #expect(millisecond <= max(due, lookedAt + 100)) }
        }
    }

    /// The same in real time, as far as there is something to wait for.
    @Test(.timeLimit(.minutes(1))) func whoeverSleepsIsWoken() async {
        let readings = Mutex(0)
        let alarm = Alarm(pause: .zero) {
            readings.withLock { $0 += 1 }
            return .now
        }
        let (looks, look) = AsyncStream.makeStream(of: Void.self)
        let running = Task {
            await alarm.run {
                alarm.set(.now + .seconds(3_600))
                look.yield()
            }
            look.finish()
        }
        var iterator = looks.makeAsyncIterator()
        #expect(await iterator.next() != nil, "at once")
        alarm.changed()
        #expect(await iterator.next() != nil, "after a change")
        alarm.set(.now)
        #expect(await iterator.next() != nil, "at an earlier deadline")
        for _ in 0..<1_000 { await Task.yield() }
        #expect(readings.withLock { $0 } < 30, "and is let sleep")
        running.cancel()
        while await iterator.next() != nil {}
        await running.value
    }
}
