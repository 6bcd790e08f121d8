import HTTPTypes
package import Hummingbird
import NIOCore
import Synchronization
package import WebRTC

/// Who asks: all that a handler learns of the connection.
package struct PeerContext: InitializableFromSource, Sendable {
    /// nil: a socket without an address. It may be a proxy's.
    package let remote: TransportAddress?
    let channel: any Channel

    /// The client showed a certificate of the deployment's authority.
    var isVerified: Bool { get async { await channel.isPeerVerified } }

    package init(source: ApplicationRequestContextSource) {
        channel = source.channel
        remote = TransportAddress(source.channel.remoteAddress)
    }
}

extension TransportAddress {
    /// nil: a socket without an address.
    init?(_ address: SocketAddress?) {
        guard let address, let text = address.ipAddress else { return nil }
        self.init(text, port: UInt16(address.port ?? 0))
    }
}

/// Answers everything that comes in on one listener: finds the route, applies what holds for all of them (methods, CORS,
/// rate, errors, counting) and hands over to the route's handler.
package struct ListenerResponder: HTTPResponder {
    /// Before a client that asks too often hears so.
    private static let pause = Duration.seconds(1)

    package let listener: ListenerKind
    let surface: NodeSurface

    package init(_ listener: ListenerKind, of surface: NodeSurface) {
        (self.listener, self.surface) = (listener, surface)
    }

    package func respond(to request: Request, context: PeerContext) async throws -> Response {
        let id = self.id(of: request)
        var response = await HTTPRequestID.$current.withValue(id) { await respond(request, context) }
        response.headers[.cascadeRequestID] = id.description
        return response
    }

    /// Nodes say which request theirs is part of. Anybody else could put his own into the lines of another.
    private func id(of request: Request) -> HTTPRequestID {
        let given = listener == .internal ? request.headers[.cascadeRequestID] : nil
        return given.flatMap { HTTPRequestID($0) } ?? .generate()
    }

    private func respond(_ request: Request, _ context: PeerContext) async -> Response {
        let (request, remote) = listener == .internal ? (request, context.remote) : surface.received(request, context)
        let path = (request.head.path ?? "/").prefix { $0 != "?" && $0 != "#" }
        let route = Route(path: path, on: listener)
        var response: Response
        do throws(Problem) {
            var request = request
            if let expectation = try Expectation(of: request, on: context.channel) {
                request.body = expectation.body(of: request)
            }
            response = try await answer(request, route: route, from: remote, context)
        } catch {
            response = error.response
        }
        response.headers[.xContentTypeOptions] = "nosniff"
        // Sessions come and go, and their names are secrets.
        if route?.sessionResource != nil { response.headers[.cacheControl] = "no-store" }
        if listener == .public {
            allowCrossOrigin(&response, request: request, route: route)
            if response.status == .created { response.headers[.location]?.append(request.tokenQuery) }
        }
        surface.note(request.method, route, response.status, on: listener, by: remote)
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(
        _ request: Request, route: Route?, from remote: TransportAddress?, _ context: PeerContext
    ) async throws(Problem) -> Response {
        if listener != .internal, let remote, let delay = surface.delay(request.method, by: remote) {
            // Whoever waits for this answer sends nothing else on the connection: a flood becomes a trickle.
            try? await Task.sleep(for: Self.pause)
            throw .tooManyRequests(retryAfter: delay)
        }
        guard let route else { throw .notFound }
        // Whatever has no other meaning may be a page: one that does not exist has no methods either.
        if case .page(let path) = route, Pages.asset(path, on: surface.node.role) == nil { throw .notFound }
        guard route.methods.contains(request.method) else { throw .methodNotAllowed(allow: route.allow) }
        if route == .secured { return try surface.securedAddress(of: request) }
        if request.method == .options { return options(of: route) }
        if listener == .internal, surface.topology.internalTLS != nil, route.needsCertificate,
            await !context.isVerified
        {
            throw .certificateRequired
        }
        if listener == .public,
            let response = try await surface.answerOfOwner(route, request, from: remote)
        {
            return response
        }
        if case .forwarded(let inner) = route { return try await answerForwarded(request, route: inner) }
        return try await handle(request, route: route, on: listener, from: remote)
    }

    /// As the public listener answers; the name tells the asking node that the session's owner speaks.
    private func answerForwarded(_ request: Request, route: Route) async throws(Problem) -> Response {
        let request = try surface.unwrapped(request)
        var response: Response
        do throws(Problem) {
            response = try await handle(request, route: route, on: .public, from: nil)
        } catch {
            response = error.response
        }
        response.headers[.cascadeNode] = surface.node.name
        return response
    }

    private func handle(
        _ request: Request, route: Route, on listener: ListenerKind, from remote: TransportAddress?
    ) async throws(Problem) -> Response {
        switch route {
        case .whip(let name): return try await surface.publish(name, request, from: remote)
        case .whep(let name): return try await surface.watch(name, request, from: remote)
        case .relay(let name): return try await surface.relay(name, request, from: remote)
        case .directory: return try await surface.directoryStream(request, from: remote)
        case .session(let resource): return try await surface.session(resource, on: listener, request)
        case .forwarded, .secured: throw .notFound
        case .sessionEvents(let resource): return try await surface.openEvents(resource, request, from: remote)
        case .sessionEvent(let resource, let name): return try await surface.eventStream(resource, name, request)
        case .layer(let resource): return try await surface.selectLayer(resource, request)
        case .impairment(let resource): return try await surface.impair(resource, request)
        case .debugSession(let id): return try await surface.debugSession(id)
        case .broadcasts: return try await surface.broadcasts(on: listener, request)
        case .nodes: return await surface.nodes(on: listener, request)
        case .iceServers: return surface.iceServers()
        case .health: return .text("ok\n")
        case .readiness: return await surface.readinessAnswer()
        case .outerHealth: return await surface.outerHealthAnswer()
        case .challenge(let name): return try surface.answerChallenge(name)
        case .metrics: return await surface.metricsAnswer()
        case .drain: return try await surface.drain(request)
        case .page(let path): return try surface.page(path)
        }
    }

    private func options(of route: Route) -> Response {
        var response = Response(status: .ok)
        response.headers[.allow] = route.allow
        if let accepted = route.acceptedBody { response.headers[accepted.field] = accepted.type }
        return response
    }

    /// Every page may talk to us (Fetch §3.3): what protects a broadcast is its token, never a cookie.
    private func allowCrossOrigin(_ response: inout Response, request: Request, route: Route?) {
        response.headers[.accessControlAllowOrigin] = "*"
        response.headers[.accessControlExposeHeaders] =
            "Location, Link, ETag, Retry-After, Accept-Post, Accept-Patch, Cascade-Request-Id"
        guard request.method == .options, let route else { return }
        response.headers[.accessControlAllowMethods] = route.allow
        response.headers[.accessControlAllowHeaders] = "Authorization, Content-Type, If-Match"
        response.headers[.accessControlMaxAge] = "86400"
    }
}

/// How many requests were answered how, for `/metrics`.
package final class RequestCounters: Sendable {
    private let counts = Mutex<[NodeMetrics.Request: UInt64]>([:])

    package init() {}

    func count(_ request: NodeMetrics.Request) { counts.withLock { $0[request, default: 0] += 1 } }

    var all: [NodeMetrics.Request: UInt64] { counts.withLock { $0 } }
}

extension Response {
    static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> Response {
        var response = Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: text)))
        response.headers[.contentType] = type
        response.headers[.cacheControl] = "no-store"
        return response
    }

    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        var response = Response(status: status, body: .init(byteBuffer: ByteBuffer(bytes: JSONText.encode(value))))
        response.headers[.contentType] = MediaType.json
        response.headers[.cacheControl] = "no-store"
        return response
    }
}
