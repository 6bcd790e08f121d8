import Dispatch
import Glibc

/// SIGTERM and SIGINT as calls of a closure instead of the end of the process.
enum TerminationSignals {
    /// Calls `body` with each signal's name, one after the other, until the task is cancelled.
    static func forEach(_ body: (String) async -> Void) async {
        let (stream, continuation) = AsyncStream<String>.makeStream(bufferingPolicy: .bufferingNewest(2))
        let sources = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")].map { number, name in
            // Dispatch only watches; the default action has to be switched off.
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(name) }
            source.resume()
            return source
        }
        for await name in stream { await body(name) }
        for source in sources { source.cancel() }
    }
}
