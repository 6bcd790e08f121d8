import HTTPTypes
import Hummingbird
import NIOCore
import Routing
import WebRTC

/// WHIP (RFC 9725), WHEP (draft-ietf-wish-whep) and, for nodes, the same WHEP as the relay.
extension NodeSurface {
    // MARK: - Endpoints

    func publish(_ name: String, _ request: Request, from remote: TransportAddress?) async throws(Problem) -> Response {
        try checkName(name)
        guard request.method == .post else { return describeEndpoint() }
        guard node.role == .origin else { return try await redirectPublisher(name, request) }
        if let elsewhere = try await sendElsewhere(request, "whip", name, as: .publisher) { return elsewhere }
        try authorize(.publish, name, request)
        let offer = try await offer(in: request)
        // Whoever has the token is not held to the share of whoever stands beside him.
        let network = authorizer.isOpen(.publish, broadcast: name) ? remote.map { ClientNetwork($0) } : nil
        do throws(Refusal) {
            return created(try await sessions.publish(name, offer: offer, from: network), on: .public, request)
        } catch {
            throw Problem(error)
        }
    }

    /// RFC 9725 §4.5: 307 keeps method and body. The node it leads to asks for the token itself.
    private func redirectPublisher(_ name: String, _ request: Request) async throws(Problem) -> Response {
        guard let origin = await directory.origin(preferring: await sessions.origin(of: name)) else {
            throw .noPublishersHere
        }
        return redirect(request, to: origin, "whip/\(name)")
    }

    func watch(_ name: String, _ request: Request, from remote: TransportAddress?) async throws(Problem) -> Response {
        try checkName(name)
        guard request.method == .post else { return describeEndpoint() }
        guard node.viewers else { throw .noViewersHere }
        if let elsewhere = try await sendElsewhere(request, "whep", name, as: .viewer) { return elsewhere }
        try authorize(.watch, name, request)
        return try await watch(name, request, as: .viewer, from: remote.map { ClientNetwork($0) })
    }

    func relay(_ name: String, _ request: Request, from remote: TransportAddress?) async throws(Problem) -> Response {
        try checkName(name)
        guard request.method == .post else { return describeEndpoint() }
        let issuer = try authorizeNode(name, request)
        let waiting = RelayClient.path(request.headers[.cascadePath])
        // Without tokens a node is whoever it says it is.
        let asking = Sessions.AskingNode(
            name: issuer ?? waiting.last, waiting: waiting, instance: instance(of: request),
            attempt: request.headers[.cascadeAttempt].flatMap { UInt64($0) },
            isCold: request.headers[.cascadeStart] == CascadeField.newestGroup)
        await hear(asking.name, request, from: remote)
        return try await watch(name, request, as: .relay, by: asking)
    }

    /// Which broadcasts can be had from this node, as long as the connection lasts.
    func directoryStream(_ request: Request, from remote: TransportAddress?) async throws(Problem) -> Response {
        let issuer = try authorizeNode(NodeTokens.anyBroadcast, request)
        await hear(issuer, request, from: remote)
        guard await sessions.takesFollowers else { throw .full("too many nodes follow this one") }
        let stream = EventStream()
        return stream.response(
            onBegin: { [sessions] in await sessions.follow(with: stream) },
            onEnd: { [sessions] in await sessions.unfollow(stream) })
    }

    private func instance(of request: Request) -> String? {
        request.headers[.cascadeInstance].flatMap { $0.utf8.count <= NodeFacts.longestInstance ? $0 : nil }
    }

    /// Nodes below are not probed from here: what they ask tells that two of them have one name.
    private func hear(_ name: String?, _ request: Request, from remote: TransportAddress?) async {
        guard let name, let instance = instance(of: request) else { return }
        await directory.hear(name, instance, at: remote?.host ?? "unknown")
    }

    private func watch(
        _ name: String, _ request: Request, as purpose: SessionPurpose, by asking: Sessions.AskingNode? = nil,
        from network: ClientNetwork? = nil
    ) async throws(Problem) -> Response {
        let offer = try await offer(in: request)
        do throws(Refusal) {
            let opened = try await sessions.watch(
                name, offer: offer, as: purpose, by: asking, host: request.host?.host, from: network)
            var response = created(opened, on: purpose == .relay ? .internal : .public, request)
            if purpose == .relay { response.headers[.cascadePath] = opened.path.joined(separator: ", ") }
            if purpose == .viewer { offerExtensions(of: opened.resource, in: &response, request) }
            return response
        } catch {
            throw Problem(error)
        }
    }

    /// GET and HEAD of an endpoint: 2xx without a body (RFC 9725 §4.1), naming the type that POST takes.
    private func describeEndpoint() -> Response {
        var response = Response(status: .ok)
        response.headers[.contentType] = MediaType.sdp
        response.headers[.acceptPost] = MediaType.sdp
        return response
    }

    private func offer(in request: Request) async throws(Problem) -> SessionDescription {
        guard MediaType.matches(request.headers[.contentType], MediaType.sdp) else {
            throw .unsupportedMediaType(expected: MediaType.sdp)
        }
        let bytes = try await body(of: request)
        guard !bytes.isEmpty else { throw .invalidSDP("the body is empty") }
        do {
            return try SessionDescription.parse(bytes)
        } catch {
            throw .invalidSDP(error.description)
        }
    }

    private func created(_ opened: Sessions.Opened, on listener: ListenerKind, _ request: Request) -> Response {
        var response = Response(status: .created, body: .init(byteBuffer: ByteBuffer(string: opened.answer)))
        response.headers[.contentType] = MediaType.sdp
        // Nodes go back where they have asked, whatever this one is called there.
        let base = listener == .public ? baseURL(for: request) : ""
        response.headers[.location] = "\(base)/session/\(opened.resource)"
        response.headers[.eTag] = opened.etag
        response.headers[.cacheControl] = "no-store"
        return response
    }

    // MARK: - Session resources

    func session(
        _ resource: ResourceName, on listener: ListenerKind, _ request: Request
    ) async throws(Problem) -> Response {
        guard let found = await sessions.find(resource, on: listener) else { throw .unknownSession }
        switch request.method {
        case .patch:
            try await authorizeSession(found, request)
            return try await patch(resource, on: listener, request)
        case .delete:
            // If-Match means nothing here (RFC 9725 §4.2): a client that is done is done.
            try await authorizeSession(found, request)
            guard await sessions.delete(resource, on: listener) else { throw .unknownSession }
            return Response(status: .ok)
        default:
            return describeSession()
        }
    }

    /// GET and HEAD of a session: 2xx without a body, naming the type that PATCH takes.
    func describeSession() -> Response {
        var response = Response(status: .ok)
        response.headers[.acceptPatch] = MediaType.fragment
        return response
    }

    /// A session asks for the credentials that its POST asked for.
    private func authorizeSession(
        _ session: (broadcast: String, purpose: SessionPurpose, etag: String), _ request: Request
    ) async throws(Problem) {
        switch session.purpose {
        case .publisher: try authorize(.publish, session.broadcast, request)
        case .viewer: try authorize(.watch, session.broadcast, request)
        case .relay, .upstream: _ = try authorizeNode(session.broadcast, request)
        }
    }

    private func patch(
        _ resource: ResourceName, on listener: ListenerKind, _ request: Request
    ) async throws(Problem) -> Response {
        guard MediaType.matches(request.headers[.contentType], MediaType.fragment) else {
            throw .unsupportedMediaType(expected: MediaType.fragment)
        }
        guard let ifMatch = request.headers[.ifMatch] else { throw .preconditionRequired }
        let bytes = try await body(of: request)
        let fragment: ICEFragment
        do {
            fragment = try Negotiation.parseFragment(bytes)
        } catch {
            throw .invalidFragment("\(error)")
        }
        do throws(Refusal) {
            switch try await sessions.patch(resource, on: listener, ifMatch: IfMatch(ifMatch), fragment: fragment) {
            case .trickled:
                return Response(status: .noContent)
            case .restarted(let fragment, let etag):
                var response = Response.text(fragment, type: MediaType.fragment)
                response.headers[.eTag] = etag
                return response
            }
        } catch {
            throw Problem(error)
        }
    }
}
