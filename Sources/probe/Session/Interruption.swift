import Dispatch
import Glibc
import Synchronization

/// Whether the user has asked for the end (SIGINT, SIGTERM). A second signal ends the process at once.
final class Interruption: Sendable {
    private let flag = Atomic(false)

    var isRequested: Bool { flag.load(ordering: .relaxed) }

    /// Asks for the end as a signal would.
    func request() { flag.store(true, ordering: .relaxed) }

    /// Sleeps, in slices short enough to notice the signal; throws `CancellationError` when it came.
    func sleep(_ duration: Duration) async throws {
        let end = ContinuousClock.now + duration
        while !isRequested, ContinuousClock.now < end {
            try await Task.sleep(for: min(.milliseconds(50), end - .now))
        }
        if isRequested { throw CancellationError() }
    }

    /// Runs `body` with both signals turned into a request.
    static func catching<Result>(_ body: (Interruption) async throws -> Result) async rethrows -> Result {
        let interruption = Interruption()
        let sources = [SIGINT, SIGTERM].map { number in
            // Dispatch only watches; the default action has to be switched off.
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if interruption.flag.exchange(true, ordering: .relaxed) { exit(1) }
            }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        return try await body(interruption)
    }
}
