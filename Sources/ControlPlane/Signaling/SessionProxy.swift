import HTTPTypes
import Hummingbird
package import Logging
import NIOCore
import Routing
import Synchronization
import WebRTC

/// Carries requests about sessions of other nodes to their owners, so that any replica behind a load balancer answers for
/// all. A session's name ends in its owner's; the owner has the routes below `/forwarded` on its internal listener.
package final class SessionProxy: Sendable {
    /// Requests to one owner under way at once; one more is answered 503, so that an owner that hangs holds up nobody but
    /// its own sessions' clients.
    static let most = 16
    /// Of these, for what changes or ends a session (PATCH, DELETE) alone.
    static let reserve = 4
    /// Percent of them that one client network may have: it may do its worst and leaves the others half.
    static let share = 50
    /// Bytes of data; a longer event is left out: it would wait for each viewer.
    static let longestEvent = 64 << 10
    /// A stream's heartbeat comes every 15 s.
    static let silence = Duration.seconds(40)
    /// For the owner's whole answer, or the beginning of its stream. Clients that end give up after two seconds (OBS), and
    /// have to hear from us before that.
    static let timeout = Duration.milliseconds(1_200)

    private let topology: Topology
    private let tokens: NodeTokens
    private let logger: Logger
    /// Its own: an owner that hangs takes none of the relays' threads.
    private let http: HTTPClient
    private let streams: EventStreamClient
    private let discovered: @Sendable (String) async -> String?
    private let shares: FairShares
    /// Requests under way, by owner.
    private let towards = Mutex<[String: FairShares]>([:])

    /// - Parameters:
    ///   - shares: of the node; each owner's places are shared apart, too.
    ///   - discovered: the internal URL of a node that the topology does not name; nil: there is no such node.
    package init(
        topology: Topology, tokens: NodeTokens, trust: PeerTrust?, shares: FairShares, logger: Logger,
        discovered: @escaping @Sendable (String) async -> String?
    ) {
        (self.topology, self.tokens, self.logger, self.discovered) = (topology, tokens, logger, discovered)
        self.shares = shares
        http = HTTPClient(exchanges: topology.limits.forwardedRequests, trust: trust)
        streams = EventStreamClient(trust: trust, mostStreams: topology.limits.viewers)
    }

    /// Who has a session, if it is a node that may be asked.
    struct Owner {
        var name: String
        /// Internal, without a trailing slash.
        var url: String
    }

    /// nil: no such node is known.
    func owner(of resource: ResourceName) async -> Owner? {
        guard let name = resource.node.map(String.init), NodeName.isValid(name) else { return nil }
        if let node = topology.node(named: name) { return Owner(name: name, url: node.internalListener.url) }
        return await discovered(name).map { Owner(name: name, url: $0) }
    }

    /// The owner's route for a public one. A session's name has no character that needs an escape, so a path with one, or
    /// with dots for a segment, names nothing: nil.
    static func forwardedPath(_ path: String) -> String? {
        let path = path.prefix { $0 != "?" && $0 != "#" }
        guard path.hasPrefix("/session/"),
            path.utf8.allSatisfy({ $0 == UInt8(ascii: "/") || BroadcastName.isAllowed($0) }),
            !path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." })
        else { return nil }
        return "/forwarded" + path
    }

    /// The request as its owner is to get it: the node's own token as the credential, the client's beside it.
    func request(_ request: Request, body: [UInt8], to owner: Owner) throws(Problem) -> HTTPClient.Request {
        guard let path = Self.forwardedPath(request.head.path ?? "") else { throw .unknownSession }
        var headers = ForwardedHeaders.inRequests.compactMap { name in
            request.headers[name].map { (name: name.rawName, value: $0) }
        }
        if let authorization = request.headers[.authorization] {
            headers.append((HTTPField.Name.cascadeAuthorization.rawName, authorization))
        }
        if let token = tokens.authorization(for: NodeTokens.anyBroadcast, at: owner.name) {
            headers.append((HTTPField.Name.authorization.rawName, token))
        }
        if let request = HTTPRequestID.current { headers.append((CascadeField.requestID, request.description)) }
        return HTTPClient.Request(
            request.method.rawValue, owner.url + path, headers: headers, body: body,
            timeout: Self.timeout, peer: owner.name)
    }

    /// What owners' places were refused, for `/metrics`.
    var refused: [FairShares.Refusal: UInt64] {
        towards.withLock { owners in
            owners.values.reduce(into: [:]) { sum, owner in
                sum.merge(owner.refused[.forwardedRequests] ?? [:], uniquingKeysWith: +)
            }
        }
    }

    /// A place on the way to an owner, and one of all ways.
    func hold(
        _ method: HTTPRequest.Method, to owner: Owner, for network: ClientNetwork?
    ) throws(Problem) -> [HeldPlace] {
        let own = towards.withLock { towards in
            let own = towards[owner.name] ?? FairShares([.forwardedRequests: Self.most], percent: Self.share)
            towards[owner.name] = own
            return own
        }
        if method != .patch, method != .delete, own.taken(.forwardedRequests) >= Self.most - Self.reserve {
            throw .full("requests to \(owner.name)")
        }
        do throws(FairShares.RefusalError) {
            let place = try HeldPlace(.forwardedRequests, for: network, of: own)
            return [place, try HeldPlace(.forwardedRequests, for: network, of: shares)]
        } catch {
            throw Problem(Refusal(.forwardedRequests, error.refusal))
        }
    }

    /// The owner's answer, as it is.
    func forward(
        _ request: Request, body: [UInt8], to owner: Owner, for network: ClientNetwork?
    ) async throws(Problem) -> Response {
        let outgoing = try self.request(request, body: body, to: owner)
        let places = try hold(request.method, to: owner, for: network)
        defer { withExtendedLifetime(places) {} }
        let answer: HTTPClient.Response
        do {
            answer = try await http.perform(outgoing)
        } catch {
            throw unreachable(owner, error.description)
        }
        // Without the name somebody else answers at this address, or the owner refuses our token, not the client's.
        guard answer.header(HTTPField.Name.cascadeNode.rawName) == owner.name, 200...599 ~= answer.status else {
            throw unreachable(owner, "status \(answer.status), not from the owner")
        }
        var response = Response(status: .init(code: answer.status))
        if !answer.body.isEmpty { response.body = .init(byteBuffer: ByteBuffer(bytes: answer.body)) }
        for name in ForwardedHeaders.inAnswers { response.headers[name] = answer.header(name.rawName) }
        return response
    }

    /// The owner's stream of events, event by event.
    func follow(_ request: Request, at owner: Owner, for network: ClientNetwork?) async throws(Problem) -> Response {
        let outgoing = try self.request(request, body: [], to: owner)
        let place: HeldPlace
        do throws(FairShares.RefusalError) {
            place = try HeldPlace(.eventStreams, for: network, of: shares)
        } catch {
            throw Problem(Refusal(.eventStreams, error.refusal))
        }
        let headers = outgoing.headers.filter { $0.name.lowercased() != "accept" }
        let items = streams.open(
            .init(
                outgoing.url, headers: headers, silence: Self.silence, patience: Self.timeout, peer: owner.name))
        var iterator = items.makeAsyncIterator()
        switch await iterator.next() {
        case .opened: break
        case .ended(.status(401)): throw .unauthorized
        case .ended(.status(403)): throw .forbidden
        case .ended(.status(404)): throw .unknownSession
        case .ended(.tooMany): throw .full("event streams of other nodes")
        case .ended(let end): throw unreachable(owner, end.description)
        case .event, nil: throw unreachable(owner, "no stream")
        }
        let stream = EventStream()
        let task = Task {
            for await item in items {
                guard case .event(let name, let data) = item, data.utf8.count <= Self.longestEvent else { continue }
                // More than one line of data cannot come from a node.
                stream.send(name, data.replacing("\n", with: " "))
            }
            stream.finish()
        }
        let carried = CarriedStream(task: task, place: place)
        return stream.response(heartbeat: .seconds(15), onEnd: { carried.end() })
    }

    /// Ends with the response that carries it, also with one that never begins because the client has gone.
    private final class CarriedStream: Sendable {
        private let task: Task<Void, Never>
        private let place: HeldPlace

        init(task: Task<Void, Never>, place: HeldPlace) { (self.task, self.place) = (task, place) }
        deinit { task.cancel() }

        func end() { task.cancel() }
    }

    private func unreachable(_ owner: Owner, _ reason: String) -> Problem {
        logger.debug("session's owner does not answer", metadata: ["owner": "\(owner.name)", "reason": "\(reason)"])
        return .ownerUnreachable
    }
}

/// Header fields that mean the same at the owner.
enum ForwardedHeaders {
    static let inRequests: [HTTPField.Name] = [.contentType, .ifMatch, .accept]
    static let inAnswers: [HTTPField.Name] = [
        .contentType, .eTag, .location, .link, .retryAfter, .cacheControl, .wwwAuthenticate, .allow, .acceptPatch,
        .acceptPost,
    ]
}

extension HTTPField.Name {
    /// The client's `Authorization`, when a node asks for it.
    static let cascadeAuthorization = HTTPField.Name("Cascade-Authorization")!
    /// Who answers a forwarded request.
    static let cascadeNode = HTTPField.Name("Cascade-Node")!
}

extension Problem {
    static let ownerUnreachable = Problem(
        .serviceUnavailable, "owner-unreachable", "The node that has this session does not answer", retryAfter: 2)
}

extension NodeSurface {
    /// Answers a request of the public listener about a session of another node; nil: it is this node's to answer.
    func answerOfOwner(
        _ route: Route, _ request: Request, from remote: TransportAddress?
    ) async throws(Problem) -> Response? {
        guard let resource = route.sessionResource, let name = resource.node, name != node.name else { return nil }
        guard let owner = await proxy.owner(of: resource) else { throw .unknownSession }
        let network = remote.map { ClientNetwork($0) }
        switch (route, request.method) {
        case (.sessionEvent, .get): return try await proxy.follow(request, at: owner, for: network)
        // How a session of that node is used. Whether it is there its owner knows, who is not asked: anybody may send any
        // number of these, and nobody needs them.
        case (.session, .get), (.session, .head): return describeSession()
        default:
            return try await proxy.forward(request, body: try await body(of: request), to: owner, for: network)
        }
    }

    /// What another node asks in a client's place: nil without its token. The request comes out as the client sent it.
    func unwrapped(_ request: Request) throws(Problem) -> Request {
        _ = try authorizeNode(NodeTokens.anyBroadcast, request)
        var head = request.head
        head.headerFields[.authorization] = request.headers[.cascadeAuthorization]
        head.headerFields[.cascadeAuthorization] = nil
        // How we were reached is not how the client is.
        head.authority = nil
        return Request(head: head, body: request.body)
    }
}
