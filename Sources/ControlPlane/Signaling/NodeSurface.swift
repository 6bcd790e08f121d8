import HTTPTypes
import Hummingbird
package import Logging
package import MediaPlane
import NIOCore
import Routing
import WebRTC

/// What the routes of both listeners work on. The handlers are in `Endpoints.swift` (WHIP, WHEP, relay and session
/// resources), `ViewerEvents.swift`, `DrainEndpoints.swift`, `Pages.swift` and `OperationsEndpoints.swift` (the rest).
package struct NodeSurface: Sendable {
    package let node: Topology.Node
    package let topology: Topology
    package let sessions: Sessions
    package let media: MediaPlane
    package let authorizer: Authorizer
    package let tokens: NodeTokens
    package let directory: NodeDirectory
    /// How much of each bounded thing one client network may have.
    package let shares: FairShares
    /// Asks the other nodes about their sessions.
    package let proxy: SessionProxy
    package let requests = RequestCounters()
    let connections = ConnectionCounters()
    /// In front of the public listener.
    let proxies: TrustedProxies
    /// Where this node's log goes; nil: not through us.
    let log: LineWriter?
    private let logger: Logger
    /// Of requests that change something, and of those that do not.
    private let changes, reads: RateLimiter
    let started = ContinuousClock.now

    package init(
        node: Topology.Node, topology: Topology, sessions: Sessions, media: MediaPlane, tokens: NodeTokens,
        directory: NodeDirectory, shares: FairShares, proxy: SessionProxy, log: LineWriter?,
        logger: Logger
    ) {
        (self.node, self.topology, self.sessions, self.media) = (node, topology, sessions, media)
        (self.tokens, self.directory, self.proxy) = (tokens, directory, proxy)
        (self.shares, self.log, self.logger) = (shares, log, logger)
        authorizer = Authorizer(topology.auth)
        proxies = TrustedProxies(node.front.proxies)
        let limits = topology.limits
        changes = RateLimiter(
            perSecond: limits.requestsPerSecond, burst: limits.requestBurst, addresses: limits.rateAddresses)
        reads = RateLimiter(perSecond: limits.readsPerSecond, burst: limits.readBurst, addresses: limits.rateAddresses)
    }

    /// nil: go on. Else the seconds after which `client`'s next such request will do.
    func delay(_ method: HTTPRequest.Method, by client: TransportAddress) -> Int? {
        let limiter = [.get, .head, .options].contains(method) ? reads : changes
        return limiter.delay(for: ClientNetwork(client), now: .now)
    }

    /// Counts a request that has been answered, and says so.
    func note(
        _ method: HTTPRequest.Method, _ route: Route?, _ status: HTTPResponse.Status, on listener: ListenerKind,
        by remote: TransportAddress?
    ) {
        // A method or path of the client's invention must not make a series of its own.
        let known: [HTTPRequest.Method] = [.get, .head, .post, .patch, .delete, .options, .put]
        let request = NodeMetrics.Request(
            listener: listener.rawValue, method: known.contains(method) ? method.rawValue : "OTHER",
            route: route?.pattern ?? "none", status: status.code)
        requests.count(request)
        logger.debug(
            "request answered",
            metadata: [
                "listener": "\(request.listener)", "method": "\(request.method)", "route": "\(request.route)",
                "status": "\(request.status)", "remote": "\(remote?.host ?? "unknown")",
            ])
    }

    // MARK: - What handlers have in common

    func authorize(_ scope: Authorizer.Scope, _ broadcast: String, _ request: Request) throws(Problem) {
        try require(authorizer.decide(scope, broadcast: broadcast, authorization: request.headers[.authorization]))
    }

    func require(_ decision: Authorizer.Decision) throws(Problem) {
        switch decision {
        case .allowed: break
        case .missingCredentials: throw .unauthorized
        case .forbidden: throw .forbidden
        }
    }

    /// The name of the asking node, where it has to show one.
    func authorizeNode(_ broadcast: String, _ request: Request) throws(Problem) -> String? {
        switch tokens.decide(broadcast: broadcast, authorization: request.headers[.authorization]) {
        case .allowed(let issuer): return issuer
        case .missingCredentials: throw .unauthorized
        case .forbidden: throw .forbidden
        }
    }

    /// The whole body, within the topology's bound.
    func body(of request: Request) async throws(Problem) -> [UInt8] {
        let limit = topology.limits.bodyBytes
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit { throw .bodyTooLarge }
        do {
            let buffer = try await request.body.collect(upTo: limit)
            return Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw .bodyTooLarge
        } catch is LateRequest {
            throw .lateRequest
        } catch {
            throw .invalidRequest("the body could not be read")
        }
    }

    func checkName(_ name: String) throws(Problem) {
        guard BroadcastName.isValid(name) else { throw .invalidName }
    }
}

extension Problem {
    /// How a refusal by the table of sessions is told over HTTP.
    init(_ refusal: Refusal) {
        switch refusal {
        case .draining: self = .draining
        case .full(let what): self = .full(what)
        case .share(let what): self = .share(what)
        case .alreadyLive: self = .alreadyLive
        case .notLive(let retryAfter): self = .notLive(retryAfter: retryAfter)
        case .noOrigin: self = .noOrigin
        case .loop: self = .loopDetected
        case .superseded: self = .superseded
        case .unknownSession: self = .unknownSession
        case .preconditionFailed: self = .preconditionFailed
        case .invalidFragment(let reason): self = .invalidFragment(reason)
        case .negotiation(let error):
            switch error.status {
            case 406: self = .notPlayable(error.reason)
            case 422: self = .unsupportedOffer(error.reason)
            default: self = .invalidSDP(error.reason)
            }
        }
    }
}
