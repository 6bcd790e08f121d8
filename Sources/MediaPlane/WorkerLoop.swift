import CLinux
import Forwarding
import Glibc
import WebRTC

/// What one media thread does, from its first turn to its last.
///
///     mailbox ─► apply ─┐
///     socket ─► receive ├─► flush ─► socket        one reading of the clock per turn
///     clock ─► advance ─┘     └────► events
///
/// The unit and the buffers are created on the thread and never leave it.
struct WorkerLoop: ~Copyable {
    /// Commands of one turn, which open or close a session each: many that come at once must not keep media waiting.
    private static let commandTime = Interval.milliseconds(2)
    /// Receive batches per socket and turn: a flood must not keep viewers, deadlines and commands waiting.
    private static let receiveBatches = 4
    private static let wakeUpsPerTurn = 64
    private static let mostReplies = 64
    /// What epoll reports for the mailbox; other values are socket numbers.
    private static let mailboxTag = UInt32.max

    private let unit: ForwardingUnit
    private let mailbox: Mailbox
    private let deliver: (Event) -> Void
    private var sockets: UDPSockets
    private let poller: Int32
    private var commands: [Command] = []
    private var nextCommand = 0
    /// Some wait for the next turn.
    private var isBehind = false
    /// Sockets that have something to read.
    private var readable: [UInt16] = [0]
    /// Sockets of client sessions, to be closed with them.
    private var clients: [SessionID: UInt16] = [:]

    init(unit: ForwardingUnit, sockets: consuming UDPSockets, mailbox: Mailbox, deliver: @escaping (Event) -> Void) {
        let poller = epoll_create1(Int32(EPOLL_CLOEXEC))
        let watched = (
            clinux_watch(poller, sockets.descriptor(0), 0), clinux_watch(poller, mailbox.descriptor, Self.mailboxTag)
        )
        precondition(watched == (0, 0), "the process has a descriptor left for a worker's epoll set")
        self.sockets = sockets
        (self.unit, self.mailbox, self.deliver, self.poller) = (unit, mailbox, deliver, poller)
    }

    deinit { close(poller) }

    /// Returns after the mailbox was told to stop and what was sent before has been done.
    mutating func run() {
        while true {
            let now = MonotonicClock.now()
            let isLast = applyCommands(now)
            for socket in readable { receive(on: socket, now) }
            sendAll(now)
            if unit.nextDeadline <= now {
                while unit.advance(now: now) { sendAll(now) }
                sendAll(now)
                advanceHandshakes(now)
            }
            deliverEvents()
            if isLast { return }
            wait()
        }
    }

    private mutating func applyCommands(_ now: Instant) -> Bool {
        let end = now + Self.commandTime
        isBehind = false
        while true {
            if nextCommand == commands.count {
                commands.removeAll(keepingCapacity: true)
                nextCommand = 0
                let isStopping = mailbox.take(&commands)
                if commands.isEmpty { return isStopping }
            }
            apply(commands[nextCommand], now)
            nextCommand += 1
            makeRoom(now)
            isBehind = MonotonicClock.now() >= end
            if isBehind { return false }
        }
    }

    private mutating func apply(_ command: Command, _ now: Instant) {
        if case .open(let parameters) = command, parameters.transport.role == .client {
            openClient(parameters, now)
        } else {
            unit.apply(command, now: now)
        }
    }

    /// A client session gets a socket, and so a 5-tuple, of its own.
    private mutating func openClient(_ parameters: SessionParameters, _ now: Instant) {
        // A number that is in use is the unit's to refuse.
        guard clients[parameters.id] == nil else { return unit.apply(.open(parameters), now: now) }
        guard let socket = sockets.openClient() else { return refuse(parameters) }
        guard clinux_watch(poller, sockets.descriptor(socket), UInt32(socket)) == 0 else {
            sockets.closeClient(socket)
            return refuse(parameters)
        }
        clients[parameters.id] = socket
        var parameters = parameters
        parameters.socket = socket
        unit.apply(.open(parameters), now: now)
    }

    /// Out of descriptors.
    private func refuse(_ parameters: SessionParameters) {
        let statistics = SessionStatistics(direction: parameters.direction)
        deliver(.closed(parameters.id, reason: .handshakeFailed, statistics))
    }

    private mutating func receive(on socket: UInt16, _ now: Instant) {
        for batch in 1...Self.receiveBatches {
            let count = sockets.receive(on: socket)
            for i in 0..<count {
                guard let source = sockets.source(i) else { continue }
                var datagram = unsafe sockets.datagram(i).mutableBytes
                unit.receive(&datagram, from: source, now: now)
                makeRoom(now)
            }
            if count < UDPSockets.batch { return }
            // So much at once must leave before more comes in, or the outbox overflows.
            if batch == Self.receiveBatches { sendAll(now) }
        }
    }

    /// What one command or datagram is answered with must fit.
    private mutating func makeRoom(_ now: Instant) {
        if !unit.outbox.hasRoom(for: Self.mostReplies) { sendAll(now) }
    }

    /// Fan-out, replies and good-byes. The outbox is as large as one burst; what needs more goes in several.
    private mutating func sendAll(_ now: Instant) {
        var isMore = true
        while isMore {
            isMore = unit.flush(now: now)
            if unit.outbox.isEmpty { return }
            sockets.send(unit.outbox, now: now)
            unit.outbox.removeAll()
        }
    }

    /// Steps of handshakes for as long as media can wait. `turn`: when this turn began; all until now was media's.
    private mutating func advanceHandshakes(_ turn: Instant) {
        let start = MonotonicClock.now()
        let end = start + HandshakeShare.time(afterMedia: start - turn)
        while unit.hasHandshakes, MonotonicClock.now() < end {
            if !unit.advanceHandshake(now: turn) { sendAll(turn) }
        }
        sendAll(turn)
    }

    private mutating func deliverEvents() {
        for event in unit.takeEvents() {
            switch event {
            case .statistics(let request, var statistics):
                // What the sockets lost, the unit cannot know.
                statistics.drops[Int(DropReason.outboxFull.rawValue)] += sockets.refused
                statistics.drops[Int(DropReason.tooLarge.rawValue)] += sockets.truncated
                statistics.datagramsIn += sockets.truncated
                deliver(.statistics(request, statistics))
            case .closed(let session, _, _):
                // Its last datagrams (BYE, close_notify) have been sent.
                if let socket = clients.removeValue(forKey: session) { sockets.closeClient(socket) }
                deliver(event)
            default: deliver(event)
            }
        }
    }

    /// Sleeps until a socket or the mailbox has something, or the next deadline.
    private mutating func wait() {
        var limit: Int64 = isBehind ? 0 : -1
        if !isBehind, unit.nextDeadline != .distantFuture {
            limit = max(0, (unit.nextDeadline - MonotonicClock.now()).nanoseconds)
        }
        readable.removeAll(keepingCapacity: true)
        unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.wakeUpsPerTurn) { events in
            let first = events.baseAddress!
            let count = unsafe clinux_wait(poller, first, Int32(Self.wakeUpsPerTurn), limit)
            precondition(count >= 0 || errno == EINTR, "the epoll set lives as long as the loop")
            for i in 0..<max(0, Int(count)) {
                let tag = unsafe clinux_tag(first + i)
                if tag == Self.mailboxTag { mailbox.clearSignal() } else { readable.append(UInt16(tag)) }
            }
        }
    }
}
