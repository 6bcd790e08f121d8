import HTTPTypes
package import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization

/// A `text/event-stream` (HTML Standard §9.2) that is being served: a bounded queue between whoever has news and one
/// connection. Who reads too slowly loses the stream, not single events, and begins anew with a fresh state.
package final class EventStream: Sendable {
    private let texts: AsyncStream<String>
    private let queue: AsyncStream<String>.Continuation

    /// - Parameter bound: events that may wait for the connection.
    package init(bound: Int = 1_024) {
        (texts, queue) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(bound))
    }

    /// Queues one event. `data` is one line, as JSON of ours is.
    package func send(_ event: String, _ data: String) {
        if case .dropped = queue.yield("event: \(event)\ndata: \(data)\n\n") { finish() }
    }

    package func send(_ event: String, _ data: some Encodable) {
        send(event, JSONText.text(data))
    }

    /// What is queued still goes out, then the response ends.
    package func finish() { queue.finish() }

    /// The response that carries the stream, to be made once. A comment goes out every `heartbeat`, so that either side
    /// notices when the other one is gone.
    ///
    /// - Parameters:
    ///   - onBegin: called once the connection takes the body; a HEAD and a client that has gone never get there.
    ///   - onEnd: called after that, when the connection is gone or the stream has ended.
    package func response(
        heartbeat: Duration = .milliseconds(500), onBegin: @escaping @Sendable () async -> Void = {},
        onEnd: @escaping @Sendable () async -> Void = {}
    ) -> Response {
        var response = Response(
            status: .ok,
            body: ResponseBody { [texts, queue] writer in
                await onBegin()
                let beating = Task {
                    while !Task.isCancelled {
                        try? await Task.sleep(for: heartbeat)
                        queue.yield(":\n\n")
                    }
                }
                let ending = Task {
                    try? await gracefulShutdown()
                    queue.finish()
                }
                defer {
                    beating.cancel()
                    ending.cancel()
                }
                do {
                    for await text in texts { try await writer.write(ByteBuffer(string: text)) }
                } catch {
                    // The reader has gone, which is the usual end.
                }
                queue.finish()
                await onEnd()
                try await writer.finish(nil)
            })
        response.headers[.contentType] = MediaType.eventStream
        response.headers[.cacheControl] = "no-store"
        // Proxies of the nginx family pass events on at once.
        response.headers[.init("X-Accel-Buffering")!] = "no"
        return response
    }
}
