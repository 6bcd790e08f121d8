import Logging
import Synchronization

/// A warning that anybody could cause again and again: said at once, then at most once in a while, with the number of those
/// that were left out.
final class RareWarning: Sendable {
    private struct State {
        var quietUntil: ContinuousClock.Instant?
        var unsaid = 0
    }

    private let text: Logger.Message
    private let quiet: Duration
    private let logger: Logger
    private let state = Mutex(State())

    init(_ text: Logger.Message, every quiet: Duration, logger: Logger) {
        (self.text, self.quiet, self.logger) = (text, quiet, logger)
    }

    func note(_ metadata: @autoclosure () -> Logger.Metadata, now: ContinuousClock.Instant = .now) {
        let unsaid: Int? = state.withLock { state in
            if let until = state.quietUntil, now < until {
                state.unsaid += 1
                return nil
            }
            defer { state = State(quietUntil: now + quiet) }
            return state.unsaid
        }
        guard let unsaid else { return }
        logger.warning(text, metadata: metadata().merging(["unsaid": "\(unsaid)"]) { $1 })
    }
}
