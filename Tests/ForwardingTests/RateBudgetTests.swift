import Testing
import WebRTC

@testable import Forwarding

struct RateBudgetTests {
    private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    @Test func theBurstAndThenTheRate() {
        let rate = RateBudget.Rate(perSecond: 10, burst: 5)
        var budget = RateBudget()
        let now = at(1_000)
        let first = (0..<10).count { _ in budget.take(rate, now: now) }
        #expect(first == 5)
        // A hundred milliseconds each.
        let later = [1_099, 1_100, 1_100].map { budget.take(rate, now: at($0)) }
        #expect(later == [false, true, false])
        // What was not used is not saved beyond the burst.
        let last = (0..<100).count { _ in budget.take(rate, now: at(100_000)) }
        #expect(last == 5)
    }

    @Test(arguments: [(0, 0), (1, 1), (5, 5), (6, 5), (1_000_000, 5)])
    func severalAtOnce(asked: Int, taken: Int) {
        var budget = RateBudget()
        let got = budget.take(asked, RateBudget.Rate(perSecond: 10, burst: 5), now: at(1_000))
        #expect(got == taken)
    }

    /// Over a long time it is the rate, however it is asked.
    @Test(arguments: [1, 3, 50]) func theRateOverTime(step: Int64) {
        let rate = RateBudget.Rate(perSecond: 100, burst: 20)
        var budget = RateBudget()
        let taken = stride(from: Int64(0), to: 60_000, by: Int64.Stride(step)).reduce(0) {
            $0 + budget.take(10, rate, now: at($1))
        }
        #expect((5_990...6_020).contains(taken), "\(taken)")
    }
}
