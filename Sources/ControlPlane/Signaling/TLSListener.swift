import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import WebRTC

/// HTTP/1.1 inside TLS, with the certificate that is current when a connection comes in.
struct TLSListener: ServerChildChannel {
    let base: HTTPListener
    let trust: PeerTrust
    let refusals: RareWarning

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        channel.eventLoop.makeCompletedFuture {
            // Some hundred microseconds, less than the handshake: a context of its own keeps connections apart.
            let connection = TLSServerConnection(try TLSServerContext(trust.material))
            try channel.pipeline.syncOperations.addHandler(TLSServerHandler(connection, refusals: refusals))
        }.flatMap { base.setup(channel: channel, logger: logger) }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

extension HTTPServerBuilder {
    /// What one listener of a node speaks.
    ///
    /// - Parameters:
    ///   - idleTimeout: between two requests.
    ///   - trust: nil: HTTP without TLS.
    static func http1(
        _ kind: ListenerKind, of surface: NodeSurface, idleTimeout: TimeAmount, trust: PeerTrust?, logger: Logger
    ) -> HTTPServerBuilder {
        let refusals = RareWarning("TLS handshake refused", every: .seconds(10), logger: logger)
        return .init { responder in
            let plain = HTTPListener(
                base: HTTP1Channel(responder: responder, configuration: .init(idleTimeout: idleTimeout)), kind: kind,
                patience: .nanoseconds(surface.topology.limits.requestTimeout.nanoseconds),
                counters: surface.connections)
            guard let trust else { return plain }
            return TLSListener(base: plain, trust: trust, refusals: refusals)
        }
    }
}

extension Channel {
    /// The client of this connection showed a certificate of the deployment's authority.
    var isPeerVerified: Bool {
        get async {
            let answer = eventLoop.submit {
                try self.pipeline.syncOperations.handler(type: TLSServerHandler.self).isPeerVerified
            }
            return (try? await answer.get()) ?? false
        }
    }
}
