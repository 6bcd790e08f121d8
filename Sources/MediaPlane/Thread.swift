import CLinux
import Glibc
import WebRTC

/// A POSIX thread. Whatever is not `Sendable` is created inside `body`, so the compiler can prove that it stays there.
package struct Thread: Sendable {
    private let handle: pthread_t

    /// Starts a thread named `name` (at most 15 bytes are shown by the system).
    package init(name: String, _ body: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(Body(name: name, run: body)).toOpaque()
        var handle = pthread_t()
        let status = unsafe pthread_create(
            &handle, nil,
            { raw in
                let body = unsafe Unmanaged<Body>.fromOpaque(raw!).takeRetainedValue()
                unsafe pthread_setname_np(pthread_self(), String(body.name.prefix(15)))
                body.run()
                return nil
            }, box)
        precondition(status == 0, "the system lets the process have its media threads")
        self.handle = handle
    }

    /// Lets the calling thread run before ordinary ones of this process and others; where the system does not allow that
    /// (no CAP_SYS_NICE, no RLIMIT_NICE), all stays as it is.
    static func preferCaller() { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -10) }

    /// Waits for the end of the thread. To be called once, and not after `detach`.
    func join() { pthread_join(handle, nil) }

    /// The same without blocking: threads of the concurrency pool must not wait for others, so a thread of its own does.
    func joined() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            Thread(name: "media-join") {
                join()
                continuation.resume()
            }.detach()
        }
    }

    /// Lets the thread end on its own.
    package func detach() { pthread_detach(handle) }

    /// CPU time so far, user and system. Not after `join` or `detach`.
    var processorTime: Interval {
        var clock = clockid_t()
        var time = timespec()
        guard unsafe pthread_getcpuclockid(handle, &clock) == 0, unsafe clock_gettime(clock, &time) == 0
        else { return .zero }
        return .seconds(Int64(time.tv_sec)) + Interval(nanoseconds: Int64(time.tv_nsec))
    }

    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) { (self.name, self.run) = (name, run) }
    }
}
