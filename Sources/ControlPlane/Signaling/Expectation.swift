import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// `Expect: 100-continue` (RFC 9110 §10.1.1): the client holds its body back until it is asked for it. It is asked when a
/// handler begins to read; what is refused without reading gets its final status instead, at once.
final class Expectation: Sendable {
    private let channel: any Channel
    private let isMet = Atomic(false)

    /// nil: the client expects nothing, or has no body.
    ///
    /// - Throws: 417 for what nobody can meet.
    init?(of request: Request, on channel: any Channel) throws(Problem) {
        guard let expected = request.headers[.expect] else { return nil }
        guard expected.lowercased() == "100-continue" else { throw .expectationFailed }
        let length = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard length > 0 || request.headers[.transferEncoding] != nil else { return nil }
        self.channel = channel
    }

    /// The body was not asked for. The client may leave it out, and then it is the end of the connection that tells where
    /// the request ends.
    var isOpen: Bool { !isMet.load(ordering: .relaxed) }

    func body(of request: Request) -> RequestBody {
        RequestBody(asyncSequence: Body(base: request.body, expectation: self))
    }

    private func meet() {
        guard !isMet.exchange(true, ordering: .relaxed) else { return }
        channel.triggerUserOutboundEvent(InterimAnswers.Event.continue, promise: nil)
    }

    /// Asks for the body when somebody reads it.
    private struct Body: AsyncSequence, Sendable {
        let base: RequestBody
        let expectation: Expectation

        func makeAsyncIterator() -> RequestBody.AsyncIterator {
            expectation.meet()
            return base.makeAsyncIterator()
        }
    }
}

extension Problem {
    static let expectationFailed = Problem(
        .expectationFailed, "expectation-failed", "Nothing but 100-continue can be expected")
}

/// HTTP/1 as Hummingbird speaks it, and interim answers.
struct HTTPListener: ServerChildChannel {
    let base: HTTP1Channel

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(InterimAnswers(), position: .after(decoder))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

/// Next to the HTTP decoder, where the version of a request is known still.
private final class InterimAnswers: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    enum Event { case `continue` }

    /// A client of before 1.1 knows no interim answers: it cannot have meant its `Expect`.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data), head.version.major == 1, head.version.minor == 0 else {
            return context.fireChannelRead(data)
        }
        head.headers.remove(name: "Expect")
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard case Event.continue? = event as? Event else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        let answer = HTTPServerResponsePart.head(.init(version: .http1_1, status: .continue))
        context.writeAndFlush(wrapOutboundOut(answer), promise: promise)
    }
}
