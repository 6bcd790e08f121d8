package import Forwarding
import Glibc
package import Logging
import Synchronization
package import WebRTC

/// The handle of one media thread: a `ForwardingUnit`, one UDP socket (and one more per client session) and one mailbox.
/// The unit itself never leaves its thread.
package final class MediaWorker: Sendable {
    package struct Configuration: Sendable {
        /// Where to bind; port 0 takes any.
        package var address: TransportAddress
        /// `ntpOrigin` is set by the worker, which knows its clock.
        package var unit: ForwardingUnit.Configuration

        package init(address: TransportAddress, unit: ForwardingUnit.Configuration) {
            (self.address, self.unit) = (address, unit)
        }
    }

    private enum Life {
        case running(Thread)
        case stopping(waiting: [CheckedContinuation<Void, Never>])
        case stopped
    }

    package let index: Int
    /// Where the socket is bound, with the real port.
    package let localAddress: TransportAddress
    private let mailbox = Mailbox()
    private let requests = PendingRequests()
    private let life: Mutex<Life>

    /// Starts the thread. `events` gets what no `statistics()` or `report(_:)` call asked for.
    package init(
        index: Int, configuration: Configuration, events: EventQueue, logger: Logger
    ) throws(MediaPlaneError) {
        var logger = logger
        logger[metadataKey: "worker"] = "\(index)"
        let descriptor = try UDPSocket.open(configuration.address)
        let localAddress = UDPSocket.localAddress(of: descriptor)
        let startup = Startup()
        let delivery = Delivery(requests: requests, events: events, logger: logger)
        var configuration = configuration
        configuration.unit.ntpOrigin = MonotonicClock.ntpOrigin()
        let thread = Thread(name: "media-\(index)") { [mailbox, configuration] in
            Thread.preferCaller()
            let sockets = UDPSockets(descriptor: descriptor)
            let unit: ForwardingUnit
            do {
                unit = try ForwardingUnit(configuration.unit)
            } catch {
                startup.finish(.failed(String(describing: error)))
                return
            }
            startup.finish(.running)
            var loop = WorkerLoop(unit: unit, sockets: sockets, mailbox: mailbox) { delivery.deliver($0) }
            loop.run()
        }
        if case .failed(let reason) = startup.wait() {
            thread.join()
            throw .unit(reason)
        }
        (self.index, self.localAddress) = (index, localAddress)
        life = Mutex(.running(thread))
        logger.debug("media worker started", metadata: ["local": "\(localAddress)"])
    }

    deinit {
        mailbox.stop()
        if case .running(let thread) = life.withLock({ $0 }) { thread.detach() }
    }

    /// Queues one command and wakes the thread. False: refused; the worker is stopping, or `.ingest` comes faster than
    /// it is sent.
    @discardableResult
    package func send(_ command: Command) -> Bool { mailbox.send(command) }

    /// Counters of the unit, as of its next turn; empty ones once the worker has stopped.
    /// - Parameter ofSessions: those of each session too.
    package func statistics(ofSessions: Bool = false) async -> UnitStatistics {
        let answer = await requests.ask { self.mailbox.send(.collectStatistics($0, ofSessions: ofSessions)) }
        guard case .statistics(_, let statistics)? = answer else { return UnitStatistics() }
        return statistics
    }

    /// The last protocol events and the counters of one session; nil: there is no such session.
    package func report(_ session: SessionID) async -> SessionReport? {
        let answer = await requests.ask { self.mailbox.send(.collectReport(session, $0)) }
        guard case .report(_, let report)? = answer else { return nil }
        return report
    }

    /// CPU time of the thread since its start. The share of wall time that passes between two readings is the worker's
    /// load; the loop itself pays nothing for it.
    package var processorTime: Interval {
        life.withLock { if case .running(let thread) = $0 { thread.processorTime } else { .zero } }
    }

    /// Lets the thread do what was sent before, and waits for its end. May be called more than once.
    package func stop() async {
        let thread = life.withLock { life -> Thread? in
            guard case .running(let thread) = life else { return nil }
            life = .stopping(waiting: [])
            return thread
        }
        guard let thread else { return await stopped() }
        mailbox.stop()
        await thread.joined()
        requests.close()
        let waiting = life.withLock { life -> [CheckedContinuation<Void, Never>] in
            defer { life = .stopped }
            if case .stopping(let waiting) = life { return waiting }
            return []
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Waits for the `stop` that is under way.
    private func stopped() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isOver = life.withLock { life -> Bool in
                guard case .stopping(let waiting) = life else { return true }
                life = .stopping(waiting: waiting + [continuation])
                return false
            }
            if isOver { continuation.resume() }
        }
    }
}

/// How the thread tells its starter that the unit exists, or why not.
private final class Startup: Sendable {
    enum Outcome { case running, failed(String) }
    private let outcome = Mutex<Outcome?>(nil)
    private let done = Signal()

    func finish(_ result: Outcome) {
        outcome.withLock { $0 = result }
        done.raise()
    }

    /// Blocks for the few milliseconds that OpenSSL needs for its context.
    func wait() -> Outcome {
        done.wait()
        return outcome.withLock { $0 ?? .failed("the thread said nothing") }
    }
}

/// Requests to the unit that somebody awaits.
private final class PendingRequests: Sendable {
    private struct State {
        var next: UInt64 = 1 << 63  // apart from the ids that users of `send` choose
        var waiting: [RequestID: CheckedContinuation<Event?, Never>] = [:]
        var isClosed = false
    }
    private let state = Mutex(State())

    /// Sends a request with a fresh id by `send` and waits for its answer; nil: the worker has stopped.
    func ask(_ send: @Sendable (RequestID) -> Bool) async -> Event? {
        await withCheckedContinuation { continuation in
            let id = state.withLock { state -> RequestID? in
                if state.isClosed { return nil }
                defer { state.next += 1 }
                let id = RequestID(rawValue: state.next)
                state.waiting[id] = continuation
                return id
            }
            guard let id else { return continuation.resume(returning: nil) }
            if !send(id) { _ = answer(id, nil) }
        }
    }

    /// False: nobody awaits this one.
    func answer(_ id: RequestID, _ event: Event?) -> Bool {
        guard let continuation = state.withLock({ $0.waiting.removeValue(forKey: id) }) else { return false }
        continuation.resume(returning: event)
        return true
    }

    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume(returning: nil) }
    }
}

/// Where a worker's events go.
private struct Delivery: Sendable {
    let requests: PendingRequests
    let events: EventQueue
    let logger: Logger

    func deliver(_ event: Event) {
        switch event {
        case .statistics(let id, _), .report(let id, _):
            if requests.answer(id, event) { return }
        default: break
        }
        if let waiting = events.put(event) {
            logger.warning("control plane does not keep up", metadata: ["events-waiting": "\(waiting)"])
        }
    }
}
