import Glibc
import HTTPTypes
import Hummingbird
import Synchronization
import Testing

@testable import ControlPlane

// Streams followed over real connections: what arrives, what ends them, and that a reader who leaves is noticed.

@Suite(.timeLimit(.minutes(5))) struct EventStreamClientTests {
    private static func items(
        _ client: EventStreamClient, _ request: EventStreamClient.Request
    ) async -> [EventStreamClient.Item] {
        var items: [EventStreamClient.Item] = []
        for await item in client.open(request) { items.append(item) }
        return items
    }

    @Test func eventsArriveInOrderUntilTheServerEnds() async throws {
        let seen = Mutex<String?>(nil)
        try await withServer { request in
            seen.withLock { $0 = request.headers[.authorization] }
            let stream = EventStream()
            for i in 0..<500 { stream.send("n", "\(i)") }
            stream.finish()
            return stream.response()
        } _: { url in
            let client = EventStreamClient()
            let items = await Self.items(client, .init(url + "/x", headers: [("Authorization", "Bearer a")]))
            #expect(items.first == .opened && items.last == .ended(.finished))
            #expect(items.dropFirst().dropLast() == (0..<500).map { .event(name: "n", data: "\($0)") }[...])
        }
        #expect(seen.withLock { $0 } == "Bearer a")
    }

    /// Whoever reads slowly is waited for with many short events, or a few of the longest.
    @Test(
        arguments: [
            (1, EventStreamParser.longest, true), (4, EventStreamParser.longest, true),
            (5, EventStreamParser.longest, false), (1_024, 0, true), (1_024, 64 << 10, true),
            (1_024, (64 << 10) + 1, false), (1_025, 0, false),
        ])
    func whatWaitsIsBoundedInBytesToo(items: Int, bytes: Int, mayWait: Bool) {
        #expect(EventStreamClient.mayWait(items, bytes: bytes) == mayWait)
    }

    @Test func heartbeatsKeepAStreamAndSilenceEndsIt() async throws {
        try await withServer { request in
            EventStream().response(heartbeat: request.uri.path == "/beats" ? .milliseconds(50) : .seconds(600))
        } _: { url in
            let client = EventStreamClient()
            async let silent = Self.items(client, .init(url + "/silent", silence: .seconds(12)))
            let stream = client.open(.init(url + "/beats", silence: .seconds(10)))
            for await item in stream.prefix(1) { #expect(item == .opened) }
            let begin = ContinuousClock.now
            let living = Task {
                for await item in stream { return item as EventStreamClient.Item? }; return nil
            }
            #expect(await silent == [.opened, .ended(.silent)])
            #expect(.now - begin < .seconds(300), "it ended before the next beat was due")
            // The other one is still there, after more time than it may be silent.
            living.cancel()
            let last = await living.value
            #expect(last == nil, "\(String(describing: last))")
        }
    }

    @Test func otherAnswersEndWithTheReason() async throws {
        try await withServer { request in
            switch request.uri.path {
            case "/json": .json(["a"])
            case "/moved":
                Response(status: .temporaryRedirect, headers: [.location: "/events"])
            case "/long":
                Response(
                    status: .ok, headers: [.contentType: "text/event-stream; charset=utf-8"],
                    body: .init(byteBuffer: .init(repeating: 0x61, count: EventStreamParser.longest + 1)))
            default: Response(status: .notFound)
            }
        } _: { url in
            let client = EventStreamClient()
            #expect(await Self.items(client, .init(url + "/none")) == [.ended(.status(404))])
            #expect(await Self.items(client, .init(url + "/moved")) == [.ended(.status(307))])
            #expect(await Self.items(client, .init(url + "/json")) == [.ended(.contentType("application/json"))])
            #expect(await Self.items(client, .init(url + "/long")) == [.opened, .ended(.tooLong)])
        }
    }

    @Test func unreachableAndUnusable() async throws {
        let client = EventStreamClient()
        for url in ["", "nonsense", "file:///etc/passwd", "http://127.0.0.1:1/"] {
            let items = await Self.items(client, .init(url))
            guard case .ended(.failed) = items.first, items.count == 1 else {
                Issue.record("\(url): \(items)")
                continue
            }
        }
        // Accepts, by the kernel's grace, and never answers.
        let port = freePort()
        let socket = listeningSocket(port)
        defer { close(socket) }
        let request = EventStreamClient.Request("http://127.0.0.1:\(port)/", silence: .milliseconds(200))
        #expect(await Self.items(client, request) == [.ended(.silent)])
    }

    @Test func aReaderWhoLeavesClosesTheConnection() async throws {
        let (begun, gone) = (Counter(), Counter())
        try await withServer { _ in
            begun.add()
            let stream = EventStream()
            stream.send("a", "1")
            return stream.response(heartbeat: .milliseconds(20), onEnd: { gone.add() })
        } _: { url in
            let client = EventStreamClient()
            for await item in client.open(.init(url)) where item != .opened { break }
            let task = Task { for await _ in client.open(.init(url)) {} }
            #expect(await eventually { begun.value == 2 })
            task.cancel()
            await task.value
            #expect(await eventually { gone.value == 2 })
            // And so does the end of the client.
            let stream: AsyncStream<EventStreamClient.Item>
            do {
                let short = EventStreamClient()
                stream = short.open(.init(url))
            }
            var last: EventStreamClient.Item?
            for await item in stream { last = item }
            #expect(last == .ended(.finished))
        }
    }

    @Test func aSlowReaderLosesTheStream() async throws {
        let gone = Counter()
        try await withServer { _ in
            let stream = EventStream(bound: 5_000)
            for i in 0..<3_000 { stream.send("n", "\(i)") }
            return stream.response(onEnd: { gone.add() })
        } _: { url in
            let client = EventStreamClient()
            let stream = client.open(.init(url))
            #expect(await eventually { gone.value == 1 })
            var count = 0
            var last: EventStreamClient.Item?
            for await item in stream { (count, last) = (count + 1, item) }
            #expect(count == EventStreamClient.mostWaiting + 2 && last == .ended(.notRead))
        }
    }

    @Test func manyStreamsOnOneThread() async throws {
        try await withServer { _ in
            let stream = EventStream()
            stream.send("a", "1")
            return stream.response()
        } _: { url in
            let client = EventStreamClient()
            var streams: [AsyncStream<EventStreamClient.Item>] = []
            // The server's queue of connections is shorter than all of them.
            for _ in 0..<EventStreamClient.mostStreams / 50 {
                let some = (0..<50).map { _ in client.open(.init(url, silence: .seconds(30))) }
                for stream in some {
                    var items: [EventStreamClient.Item] = []
                    for await item in stream.prefix(2) { items.append(item) }
                    #expect(items == [.opened, .event(name: "a", data: "1")])
                }
                streams += some
            }
            #expect(await Self.items(client, .init(url)) == [.ended(.tooMany)])
            streams = []
            #expect(
                await eventually {
                    let first = await client.open(.init(url)).first { _ in true }
                    return first == .opened
                })
        }
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
}
