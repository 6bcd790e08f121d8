import Logging
import NIOCore

/// TLS at the front of a server's channel: decrypts what comes in, encrypts what goes out. A handshake that does not end is
/// a first request that does not come, which `RequestWatch` waits for.
final class TLSServerHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let connection: TLSServerConnection
    private let refusals: RareWarning

    init(_ connection: TLSServerConnection, refusals: RareWarning) {
        (self.connection, self.refusals) = (connection, refusals)
    }

    var isPeerVerified: Bool { connection.isPeerVerified }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        let plain = unsafe buffer.withUnsafeReadableBytes { unsafe connection.receive($0) }
        flushOutgoing(context)
        if !plain.isEmpty { context.fireChannelRead(wrapInboundOut(context.channel.allocator.buffer(bytes: plain))) }
        switch connection.state {
        case .handshaking, .open: break
        case .closed: context.close(promise: nil)
        case .failed(let error):
            refusals.note(["remote": "\(context.remoteAddress?.ipAddress ?? "unknown")", "reason": "\(error)"])
            context.close(promise: nil)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let buffer = unwrapOutboundIn(data)
        guard unsafe buffer.withUnsafeReadableBytes({ unsafe connection.send($0) }) else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        let bytes = connection.takeOutgoing()
        context.write(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode != .input {
            connection.close()
            flushOutgoing(context)
        }
        context.close(mode: mode, promise: promise)
    }

    private func flushOutgoing(_ context: ChannelHandlerContext) {
        let bytes = connection.takeOutgoing()
        guard !bytes.isEmpty else { return }
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
    }
}
