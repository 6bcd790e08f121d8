import HTTPTypes
import Hummingbird
import Logging
import ServiceLifecycle
import Synchronization

@testable import ControlPlane

/// A small HTTP server on loopback while `body` runs.
func withServer<Result: Sendable>(
    port: Int = freePort(), _ respond: @escaping @Sendable (Request) async throws -> Response,
    _ body: @escaping @Sendable (_ url: String) async throws -> Result
) async throws -> Result {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let (running, continuation) = AsyncStream.makeStream(of: Void.self)
    let application = Application(
        responder: CallbackResponder<BasicRequestContext> { request, _ in try await respond(request) },
        configuration: .init(address: .hostname("127.0.0.1", port: port)),
        onServerRunning: { _ in continuation.finish() }, logger: logger)
    let group = ServiceGroup(configuration: .init(services: [application], logger: logger))
    async let ended: Void = group.run()
    for await _ in running {}
    let result: Swift.Result<Result, any Error>
    do {
        result = .success(try await body("http://127.0.0.1:\(port)"))
    } catch {
        result = .failure(error)
    }
    await group.triggerGracefulShutdown()
    try await ended
    return try result.get()
}

/// Requests that a server has got, "METHOD path authorization".
final class HeardRequests: Sendable {
    private let requests = Mutex<[String]>([])

    var all: [String] { requests.withLock { $0 } }

    func add(_ request: Request) {
        let line = "\(request.method.rawValue) \(request.uri.path) \(request.headers[.authorization] ?? "none")"
        requests.withLock { $0.append(line) }
    }

    func count(_ begin: String) -> Int { all.count { $0.hasPrefix(begin) } }
}
