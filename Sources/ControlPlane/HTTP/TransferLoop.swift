internal import CCurl
internal import MediaPlane
internal import Synchronization

/// The thread that drives all outgoing HTTP of the process, through libcurl's multi interface: nobody waits for a peer
/// that does not answer but whoever asked it.
final class TransferLoop: Sendable {
    static let shared = TransferLoop()

    enum Command: Sendable {
        case start(Int, TransferOrder, @Sendable () -> any TransferReceiver)
        case cancel(Int, tells: Bool)
    }

    private struct State {
        var commands: [Command] = []
        var next = 0
        /// Address of libcurl's multi handle once there is one. A number, since only its thread may use it for more than
        /// `curl_multi_wakeup`.
        var multi: UInt?
    }

    private let state = Mutex(State())

    private init() {
        Thread(name: "http") { TransferThread(self).run() }.detach()
    }

    /// Names a transfer to be.
    func makeID() -> Int {
        state.withLock { state in
            state.next += 1
            return state.next
        }
    }

    /// - Parameter receiver: made on the loop's thread, and called there only.
    func start(_ id: Int, _ order: TransferOrder, _ receiver: @escaping @Sendable () -> any TransferReceiver) {
        send(.start(id, order, receiver))
    }

    /// Ends a transfer, if it has not ended yet; its receiver is told that it is `finished`, or nothing.
    func cancel(_ id: Int, tells: Bool) { send(.cancel(id, tells: tells)) }

    private func send(_ command: Command) {
        state.withLock { state in
            state.commands.append(command)
            guard let address = state.multi, let multi = unsafe UnsafeMutableRawPointer(bitPattern: address)
            else { return }
            _ = unsafe curl_multi_wakeup(multi)
        }
    }

    // MARK: - For the thread

    func attach(_ multi: UInt) { state.withLock { $0.multi = multi } }

    func takeCommands() -> [Command] {
        state.withLock { state in
            defer { state.commands = [] }
            return state.commands
        }
    }
}

/// What the thread has: everything of libcurl's.
@safe private final class TransferThread {
    private let loop: TransferLoop
    private let multi: UnsafeMutableRawPointer
    private var transfers: [Int: Transfer] = [:]
    /// Of libcurl's handles, by address.
    private var ids: [UInt: Int] = [:]
    /// No transfer is overdue before.
    private var nextDeadline = ContinuousClock.now

    init(_ loop: TransferLoop) {
        guard let multi = unsafe CurlHandle.makeMulti() else { preconditionFailure("libcurl initialises") }
        self.loop = loop
        unsafe self.multi = unsafe multi
        loop.attach(UInt(bitPattern: multi))
    }

    /// As long as the process lives.
    func run() {
        while true {
            for command in loop.takeCommands() { apply(command) }
            var running: Int32 = 0
            _ = unsafe curl_multi_perform(multi, &running)
            endFinished()
            endOverdue(now: .now)
            let wait = Int32(max(.zero, nextDeadline - .now) / .milliseconds(1)) + 1
            _ = unsafe curl_multi_poll(multi, nil, 0, wait, nil)
        }
    }

    private func apply(_ command: TransferLoop.Command) {
        switch command {
        case .cancel(let id, let tells): remove(id, tells ? .finished : nil)
        case .start(let id, let order, let makeReceiver):
            let receiver = makeReceiver()
            let transfer = Transfer(order, receiver)
            guard let transfer, unsafe curl_multi_add_handle(multi, transfer.handle) == CURLM_OK else {
                return receiver.end(.failed("libcurl did not initialise"))
            }
            transfers[id] = transfer
            ids[transfer.address] = id
            nextDeadline = min(nextDeadline, transfer.deadline ?? nextDeadline)
        }
    }

    /// - Parameter end: what the receiver is told last.
    private func remove(_ id: Int, _ end: Transfer.End?) {
        guard let transfer = transfers.removeValue(forKey: id) else { return }
        ids[transfer.address] = nil
        _ = unsafe curl_multi_remove_handle(multi, transfer.handle)
        if let end { transfer.receiver.end(end) }
    }

    private func endFinished() {
        var waiting: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &waiting) {
            guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
            let (handle, code) = unsafe (message.pointee.easy_handle, message.pointee.data.result)
            guard let id = ids[UInt(bitPattern: handle)], let transfer = transfers[id] else { continue }
            remove(id, code == CURLE_OK ? .finished : .failed(transfer.reason(of: code)))
        }
    }

    private func endOverdue(now: ContinuousClock.Instant) {
        guard nextDeadline <= now else { return }
        nextDeadline = now + .seconds(60)
        for (id, transfer) in transfers {
            guard let deadline = transfer.deadline else { continue }
            if deadline <= now { remove(id, .overdue) } else { nextDeadline = min(nextDeadline, deadline) }
        }
    }
}
