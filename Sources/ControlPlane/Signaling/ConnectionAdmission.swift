import Glibc
import Logging
import NIOCore
import Synchronization
import WebRTC

/// In front of a listener's acceptor: gives each connection its place or closes it, and pauses where there is no descriptor
/// left for one.
final class ConnectionAdmission: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel
    typealias OutboundIn = Never
    typealias OutboundOut = Never

    /// Until it is tried again to accept one.
    static let pause = TimeAmount.milliseconds(100)
    /// Of each of the two warnings.
    private static let quiet = Duration.seconds(60)

    /// Descriptors that the listener leaves to others: the public one to the internal one, relays and probes, and both to
    /// what the process needs to live.
    private var reserve: Int { listener == .internal ? 16 : 64 }

    private let listener: ListenerKind
    private let shares: FairShares
    /// Who brings everybody: the connections of a proxy are not one client's.
    private let proxies: TrustedProxies
    private let counters: ConnectionCounters
    private let refusals: RareWarning
    private let shortages: RareWarning
    private var isPausing = false

    init(_ listener: ListenerKind, of surface: NodeSurface, logger: Logger) {
        self.listener = listener
        (shares, proxies, counters) = (surface.shares, surface.proxies, surface.connections)
        refusals = RareWarning("connections refused", every: Self.quiet, logger: logger)
        shortages = RareWarning("no descriptor left for a connection", every: Self.quiet, logger: logger)
    }

    /// Makes one the first handler of a listening channel.
    static func join(
        _ server: any Channel, as listener: ListenerKind, of surface: NodeSurface, logger: Logger
    ) async {
        // Fails only for a listener that is closed already.
        try? await server.eventLoop.submit {
            let admission = ConnectionAdmission(listener, of: surface, logger: logger)
            try server.pipeline.syncOperations.addHandler(admission, position: .first)
        }.get()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let connection = unwrapInboundIn(data)
        guard !DescriptorLimit.isLow(reserve: reserve) else {
            connection.close(promise: nil)
            return pause(context, "too few are left")
        }
        let remote = TransportAddress(connection.remoteAddress)
        let result =
            switch listener {
            case .public, .plain: shares.take(.connections, for: remote.flatMap(network))
            case .internal: shares.take(.internalConnections, for: nil)
            }
        switch result {
        case .success(let place):
            connection.closeFuture.whenComplete { [shares] _ in shares.giveBack(place) }
            context.fireChannelRead(data)
        case .failure(let error):
            connection.close(promise: nil)
            refusals.note([
                "listener": "\(listener.rawValue)", "remote": "\(remote?.host ?? "unknown")",
                "reason": "\(error.refusal.rawValue)",
                "advice": error.refusal == .share ? "limits.address_share" : "limits.connections",
            ])
        }
    }

    private func network(of remote: TransportAddress) -> ClientNetwork? {
        proxies.contains(remote) ? nil : ClientNetwork(remote)
    }

    /// Reading goes on at the end of the pause.
    func read(context: ChannelHandlerContext) {
        if !isPausing { context.read() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let failure = error as? IOError, Self.passes(failure.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        pause(context, "\(failure)")
    }

    private func pause(_ context: ChannelHandlerContext, _ reason: String) {
        counters.count(.noDescriptor, on: listener)
        shortages.note([
            "listener": "\(listener.rawValue)", "reason": "\(reason)",
            "advice": "raise the limit of open files (ulimit -n, LimitNOFILE), or lower limits.connections",
        ])
        guard !isPausing else { return }
        isPausing = true
        // Without this the event loop would try again at once, and again, and have no time for anything else.
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.pause) {
            let (admission, context) = bound.value
            admission.isPausing = false
            try? context.channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }

    /// Of accept(2): the process or the system has no room for one more, at the moment.
    private static func passes(_ code: CInt) -> Bool { [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code) }
}
