import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// HTTP/1.1 as Hummingbird speaks it, with a `RequestWatch`.
struct HTTPListener: ServerChildChannel {
    let base: HTTP1Channel
    let kind: ListenerKind
    /// How long a request may take to come.
    let patience: TimeAmount
    let counters: ConnectionCounters

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let watch = RequestWatch(patience: patience) { [counters, kind] in counters.count($0, on: kind) }
            try pipeline.addHandler(watch, position: .after(decoder))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

/// The body of a request did not come in time: 408.
struct LateRequest: Error {}

/// Sees to it that the requests of one connection come in time, and that it ends after an answer that could not wait for
/// the whole of one. Stands next to the HTTP decoder, where heads are still as the client wrote them.
///
/// Deadlines are for a header and for a body as a whole, however often a byte of them comes. Between requests Hummingbird
/// waits: there a byte does not count, only a whole header.
final class RequestWatch: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Asks for an interim answer.
    enum Event { case `continue` }

    private enum Phase {
        /// Before the first request.
        case fresh
        /// A request is whole; another may follow.
        case between
        /// A head has come, its end has not.
        case receiving
        /// The answer under way is the last.
        case ending
        /// It has been given.
        case ended
    }

    /// How long the end of a connection waits for the client to read its answer and to stop sending.
    private static let farewell = TimeAmount.seconds(2)

    private let patience: TimeAmount
    private let count: (ConnectionCounters.Event) -> Void
    private var phase = Phase.fresh
    /// Requests whose answers are not complete.
    private var unanswered = 0
    private var isLate = false
    private var deadline: Scheduled<Void>?

    init(patience: TimeAmount, count: @escaping (ConnectionCounters.Event) -> Void) {
        (self.patience, self.count) = (patience, count)
    }

    func handlerAdded(context: ChannelHandlerContext) { wait(patience, context) }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    // MARK: - Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Nobody is to answer any more.
        if phase == .ending || phase == .ended { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            stopWaiting()
            guard Self.namesItsHost(head) else {
                return errorCaught(context: context, error: HTTPParserError.invalidHeaderToken)
            }
            phase = .receiving
            unanswered += 1
            context.fireChannelRead(wrapInboundOut(.head(Self.withoutVainExpectation(head))))
        case .body:
            context.fireChannelRead(data)
        case .end:
            stopWaiting()
            phase = .between
            context.fireChannelRead(data)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if phase == .receiving, deadline == nil { wait(patience, context) }
        context.fireChannelReadComplete()
    }

    /// Exactly one `Host` (RFC 9112 §3.2); a client of before 1.1 may leave it out.
    private static func namesItsHost(_ head: HTTPRequestHead) -> Bool {
        let hosts = head.headers["Host"].count
        return hosts == 1 || hosts == 0 && isOld(head)
    }

    private static func isOld(_ head: HTTPRequestHead) -> Bool { (head.version.major, head.version.minor) < (1, 1) }

    /// A client of before 1.1 knows no interim answers: it cannot have meant its `Expect`.
    private static func withoutVainExpectation(_ head: HTTPRequestHead) -> HTTPRequestHead {
        guard isOld(head) else { return head }
        var head = head
        head.headers.remove(name: "Expect")
        return head
    }

    /// What is not HTTP is answered 400 by Hummingbird.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError, phase != .ending, phase != .ended {
            count(.malformed)
            stopWaiting()
            phase = .ending
        }
        context.fireErrorCaught(error)
    }

    // MARK: - Answers

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard case Event.continue? = event as? Event else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        let answer = HTTPServerResponsePart.head(.init(version: .http1_1, status: .continue))
        context.writeAndFlush(wrapOutboundOut(answer), promise: promise)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            // The answer to a request that is not all there. Its rest is not waited for, and so nobody can tell where the
            // next one begins.
            if phase == .receiving, unanswered == 1 { phase = .ending }
            if phase == .ending, unanswered <= 1 { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            unanswered -= 1
            guard phase == .ending, unanswered <= 0 else { return context.write(data, promise: promise) }
            phase = .ended
            let promise = promise ?? context.eventLoop.makePromise()
            promise.futureResult.assumeIsolated().whenComplete { _ in context.close(mode: .output, promise: nil) }
            context.writeAndFlush(data, promise: promise)
            stopWaiting()
            wait(Self.farewell, context)
        }
    }

    // MARK: - Time

    private func wait(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: time) {
            let (watch, context) = bound.value
            watch.timeIsUp(context)
        }
    }

    private func stopWaiting() {
        deadline?.cancel()
        deadline = nil
    }

    private func timeIsUp(_ context: ChannelHandlerContext) {
        deadline = nil
        switch phase {
        case .fresh:
            count(.noRequest)
            // The half of a header that may have come is no fault of its own.
            phase = .ended
            context.close(promise: nil)
        case .receiving where unanswered == 1 && !isLate:
            // Whoever reads the body hears of it, and answers.
            count(.lateRequest)
            isLate = true
            wait(Self.farewell, context)
            context.fireErrorCaught(LateRequest())
        case .between: break
        case .receiving, .ending, .ended: context.close(promise: nil)
        }
    }
}
