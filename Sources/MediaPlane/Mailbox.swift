import CLinux
import Forwarding
import Glibc
import Synchronization

/// Commands on their way to one worker thread: a lock around a queue swap, and one wake-up per batch.
final class Mailbox: Sendable {
    /// Packets to `ingest` that wait behind this many commands are refused: the thread does not keep up, and late media
    /// is worthless. All other commands are taken always; their number is bounded by the requests that cause them.
    static let ingestCapacity = 4_096

    private struct State {
        var commands: [Command] = []
        var isStopping = false
    }

    private let signal = Signal()
    private let state = Mutex(State())

    /// Readable when there may be something new.
    var descriptor: Int32 { signal.descriptor }

    /// False: refused, because the queue is full or the worker stops.
    func send(_ command: Command) -> Bool {
        let (accepted, wasEmpty) = state.withLock { state -> (Bool, Bool) in
            if state.isStopping { return (false, false) }
            let wasEmpty = state.commands.isEmpty
            if case .ingest = command, state.commands.count >= Self.ingestCapacity { return (false, false) }
            state.commands.append(command)
            return (true, wasEmpty)
        }
        if wasEmpty { signal.raise() }
        return accepted
    }

    /// Commands sent before are still carried out, later ones are refused.
    func stop() {
        state.withLock { $0.isStopping = true }
        signal.raise()
    }

    /// Exchanges the waiting commands for the (empty) `commands`, whose memory is used again; whether to stop after them.
    func take(_ commands: inout [Command]) -> Bool {
        state.withLock { state in
            swap(&state.commands, &commands)
            return state.isStopping
        }
    }

    /// Makes the descriptor unreadable until the next command.
    func clearSignal() { signal.clear() }
}

/// An eventfd(2): what one thread raises, another finds by epoll or waits for.
package final class Signal: Sendable {
    let descriptor: Int32

    package init() {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        precondition(descriptor >= 0, "the process has a descriptor left for a thread's signal")
    }

    deinit { close(descriptor) }

    package func raise() {
        var one: UInt64 = 1
        // Fails only when 2^64 - 2 signals are unread, and then the descriptor is readable anyway.
        _ = unsafe write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    func clear() {
        var value: UInt64 = 0
        _ = unsafe read(descriptor, &value, MemoryLayout<UInt64>.size)
    }

    /// Blocks the calling thread until it is raised.
    package func wait() {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while unsafe poll(&entry, 1, -1) != 1 {}
        clear()
    }

    /// As `wait`, but not for ever: a moment longer than `limit` at most.
    package func wait(atMost limit: Duration) {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let milliseconds = min(max(0, limit / .milliseconds(1)), 1_000_000)
        if unsafe poll(&entry, 1, Int32(milliseconds) + 1) == 1 { clear() }
    }
}
