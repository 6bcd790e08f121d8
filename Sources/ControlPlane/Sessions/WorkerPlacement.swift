import WebRTC

/// Which media worker gets a new broadcast: the one with the least load, by its thread's share of processor time.
///
/// A broadcast costs nothing when it is placed and what its viewers cost soon after. So those placed in the last
/// seconds count on top of what has been measured, or a burst of them would all go to the worker that was idle a second
/// ago.
struct WorkerPlacement {
    /// Between two readings of processor time. Each counts half of what is known then.
    static let interval = Duration.seconds(1)
    /// Loads within one step are equal: sessions decide.
    static let step = 0.05
    /// What a new broadcast counts for until it is measured, of one processor.
    static let cost = 0.02
    /// Readings until a new broadcast counts no more.
    private static let settling = 3

    private var shares: [Double]
    /// Broadcasts placed since the last reading, those since the one before, and so on, each by worker.
    private var placed: [[Int]]
    private var last: (times: [Interval], at: Duration)?

    init(workers: Int) {
        shares = Array(repeating: 0, count: workers)
        placed = Array(repeating: Array(repeating: 0, count: workers), count: Self.settling)
    }

    /// When it is time for a reading; nil: there has been none.
    var nextReading: Duration? { last.map { $0.at + Self.interval } }

    /// No worker has a load that counts, so that a reading would change nothing.
    var isAtRest: Bool { shares.indices.allSatisfy { steps(of: $0) == 0 } && placed.joined().allSatisfy { $0 == 0 } }

    /// - Parameters:
    ///   - times: processor time of each worker's thread since its start.
    ///   - now: on the clock of all readings.
    mutating func measure(_ times: [Interval], at now: Duration) {
        defer { last = (times, now) }
        guard let last, now > last.at else { return }
        let elapsed = (now - last.at) / .nanoseconds(1)
        for worker in shares.indices {
            let share = Double((times[worker] - last.times[worker]).nanoseconds) / elapsed
            shares[worker] = (shares[worker] + min(1, max(0, share))) / 2
        }
        placed.removeLast()
        placed.insert(Array(repeating: 0, count: shares.count), at: 0)
    }

    /// A broadcast has been placed there.
    mutating func place(on worker: Int) { placed[0][worker] += 1 }

    /// The worker with the least load; of equal ones that with the fewest sessions, else the first.
    func choose(sessions: [Int]) -> Int {
        shares.indices.min { (steps(of: $0), sessions[$0]) < (steps(of: $1), sessions[$1]) }!
    }

    private func steps(of worker: Int) -> Int {
        let new = placed.reduce(0) { $0 + $1[worker] }
        return Int((shares[worker] + Self.cost * Double(new)) / Self.step)
    }
}
