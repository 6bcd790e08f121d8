import CLinux
import Glibc
import MediaPlane
import Synchronization

/// Lines on their way to a descriptor that may take its time: a pipe whose reader stalls, a file on a full disk.
///
/// Whoever writes never waits; a thread of the writer's own does. Lines come out in their order. What the queue has no room
/// for is dropped and counted, and said in a line of its own where the gap is.
package final class LineWriter: Sendable {
    /// Bytes that wait at most; as much again is on its way. A good ten thousand lines.
    package static let capacity = 4 << 20
    /// After a failure that may pass, such as a full disk.
    package static let pause = Duration.seconds(1)

    private let queue: Queue
    private let written: Signal

    /// - Parameters:
    ///   - descriptor: stays open as long as the process.
    ///   - gap: the line, with its line break, that says how many are missing.
    package init(
        descriptor: Int32, capacity: Int = LineWriter.capacity, pause: Duration = LineWriter.pause,
        gap: @escaping @Sendable (UInt64) -> String
    ) {
        let (queue, written) = (Queue(capacity: capacity), Signal())
        (self.queue, self.written) = (queue, written)
        Thread(name: "log") {
            var missing: UInt64 = 0
            func sayWhatIsMissing() {
                guard missing > 0, Self.write(Array(gap(missing).utf8), to: descriptor, pause: pause) else { return }
                missing = 0
            }
            while let batch = queue.take() {
                for line in batch.lines {
                    sayWhatIsMissing()
                    guard !Self.write(line, to: descriptor, pause: pause) else { continue }
                    missing += 1
                    queue.drop()
                }
                missing += batch.missing
                sayWhatIsMissing()
                if queue.finish() { written.raise() }
            }
        }.detach()
    }

    deinit { queue.end() }

    /// - Parameter line: with its line break.
    package func write(_ line: String) { queue.put(Array(line.utf8)) }

    /// Lines that were dropped since the beginning.
    package var dropped: UInt64 { queue.dropped }

    /// Waits, blocking, until all that was written so far is out: at the end of a process.
    ///
    /// - Returns: false: not within `limit`.
    @discardableResult
    package func flush(within limit: Duration) -> Bool {
        let deadline = ContinuousClock.now + limit
        while !queue.isEmpty {
            let left = deadline - .now
            guard left > .zero else { return false }
            written.wait(atMost: left)
        }
        return true
    }

    /// One `write` for a whole line where the system takes it whole, so that lines of several processes do not mix.
    ///
    /// - Returns: false: nobody will ever read it.
    private static func write(_ line: [UInt8], to descriptor: Int32, pause: Duration) -> Bool {
        var rest = line[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: clinux_await_room(descriptor)
            case ENOSPC, EDQUOT, ENOBUFS, ENOMEM: usleep(UInt32(pause / .microseconds(1)))
            default: return false
            }
        }
        return true
    }
}

/// What the writing thread and those who write share.
private final class Queue: Sendable {
    private struct State {
        var lines: [[UInt8]] = []
        var bytes = 0
        /// Came after `lines`, and had no room.
        var missing: UInt64 = 0
        var dropped: UInt64 = 0
        var isWriting = false
        var isEnding = false
    }

    private let capacity: Int
    private let state = Mutex(State())
    private let signal = Signal()

    init(capacity: Int) { self.capacity = capacity }

    func put(_ line: [UInt8]) {
        let isFirst = state.withLock { state in
            // One line is taken in any case. Once one is missing the gap goes on until the thread comes by.
            guard state.missing == 0, state.bytes == 0 || state.bytes + line.count <= capacity else {
                state.missing += 1
                state.dropped += 1
                return false
            }
            state.lines.append(line)
            state.bytes += line.count
            return state.lines.count == 1
        }
        if isFirst { signal.raise() }
    }

    /// Waits for lines; nil: there will be no more.
    func take() -> (lines: [[UInt8]], missing: UInt64)? {
        while true {
            let (batch, isOver) = state.withLock { state in
                defer { (state.lines, state.bytes, state.missing) = ([], 0, 0) }
                state.isWriting = !state.lines.isEmpty
                return ((state.lines, state.missing), state.isEnding)
            }
            if !batch.0.isEmpty { return batch }
            if isOver { return nil }
            signal.wait()
        }
    }

    /// A line that was taken cannot be written.
    func drop() { state.withLock { $0.dropped += 1 } }

    /// What was taken is out; whether there is no more.
    func finish() -> Bool {
        state.withLock { state in
            state.isWriting = false
            return state.lines.isEmpty
        }
    }

    func end() {
        state.withLock { $0.isEnding = true }
        signal.raise()
    }

    var dropped: UInt64 { state.withLock { $0.dropped } }
    /// Nothing waits, and nothing is on its way.
    var isEmpty: Bool { state.withLock { $0.lines.isEmpty && !$0.isWriting } }
}
