import Logging
import Testing

@testable import ControlPlane

struct RareWarningTests {
    @Test func oneInAWhileAndHowManyWereLeftOut() {
        let record = LogRecord()
        let warning = RareWarning("attack", every: .seconds(10), logger: record.logger)
        let start = ContinuousClock.now
        for n in 0..<5 { warning.note(["n": "\(n)"], now: start + .seconds(n)) }
        #expect(record.lines == ["attack n=0 unsaid=0"])
        warning.note(["n": "5"], now: start + .seconds(10))
        #expect(record.lines == ["attack n=0 unsaid=0", "attack n=5 unsaid=4"])
    }
}
