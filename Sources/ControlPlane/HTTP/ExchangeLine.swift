internal import DequeModule
internal import Synchronization

/// Lets a number of exchanges begin, and the next whenever one is over.
final class ExchangeLine: Sendable {
    /// More are refused at once.
    private static let mostWaiting = 10_000

    private struct State {
        var running = 0
        var waiting: Deque<@Sendable () -> Void> = []
    }

    private let atOnce: Int
    private let state = Mutex(State())

    init(atOnce: Int) { self.atOnce = atOnce }

    /// `begin` is called now or later; whatever it begins ends with `leave`. False: it never will be.
    func enter(_ begin: @escaping @Sendable () -> Void) -> Bool {
        let (isInLine, mayBegin) = state.withLock { state in
            guard state.running == atOnce else {
                state.running += 1
                return (true, true)
            }
            guard state.waiting.count < Self.mostWaiting else { return (false, false) }
            state.waiting.append(begin)
            return (true, false)
        }
        if mayBegin { begin() }
        return isInLine
    }

    func leave() {
        let next = state.withLock { state -> (@Sendable () -> Void)? in
            let next = state.waiting.popFirst()
            if next == nil { state.running -= 1 }
            return next
        }
        next?()
    }
}
