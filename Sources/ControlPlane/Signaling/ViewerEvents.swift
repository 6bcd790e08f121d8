import FoundationEssentials
import HTTPTypes
import Hummingbird
import WebRTC

/// The server-sent events extension of WHEP over HTTP (draft-ietf-wish-whep, section "Server Sent Events extension").
extension NodeSurface {
    /// `POST /session/{id}/events`: a stream of the events that the body lists.
    func openEvents(
        _ resource: ResourceName, _ request: Request, from remote: TransportAddress?
    ) async throws(Problem) -> Response {
        try await authorizeEvents(of: resource, request)
        let bytes = try await body(of: request)
        // Without a body: everything that there is.
        var wanted = Set(ViewerEvent.allCases)
        if !bytes.isEmpty {
            guard MediaType.matches(request.headers[.contentType], MediaType.json) else {
                throw .unsupportedMediaType(expected: MediaType.json)
            }
            guard let listed = ViewerEvent.list(bytes) else {
                throw .invalidRequest("expected a JSON array of \(ViewerEvent.names)")
            }
            wanted = listed
        }
        switch await sessions.openEvents(resource, wanted: wanted, from: remote.map { ClientNetwork($0) }) {
        case .unknownSession: throw .unknownSession
        case .full: throw .tooManyStreams
        case .refused(let refusal): throw Problem(refusal)
        case .opened(let name):
            var response = Response(status: .created)
            response.headers[.location] = "\(eventsURL(of: resource, request))/\(name)"
            response.headers[.cacheControl] = "no-store"
            return response
        }
    }

    /// `GET` and `DELETE /session/{id}/events/{sid}`.
    func eventStream(_ resource: ResourceName, _ name: String, _ request: Request) async throws(Problem) -> Response {
        try await authorizeEvents(of: resource, request)
        if request.method == .delete {
            guard await sessions.closeEvents(resource, name) else { throw .unknownEventStream }
            return Response(status: .ok)
        }
        guard let connection = await sessions.connectEvents(resource, name) else { throw .unknownEventStream }
        return connection.response(heartbeat: Self.heartbeat)
    }

    /// Keeps proxies from closing a connection without news.
    private static let heartbeat = Duration.seconds(15)

    /// The `Link` of a viewer's 201 that says where events are to be had, and which, and where a layer is chosen.
    func offerExtensions(of resource: ResourceName, in response: inout Response, _ request: Request) {
        let session = "\(baseURL(for: request))/session/\(resource)"
        let token = request.tokenQuery
        let events =
            "<\(session)/events\(token)>; rel=\"\(ViewerEvent.relation)\"; events=\"\(ViewerEvent.names)\""
        let layer = "<\(session)/layer\(token)>; rel=\"\(ViewerEvent.layerRelation)\""
        response.headers[.link] = "\(events), \(layer)"
    }

    private func eventsURL(of resource: ResourceName, _ request: Request) -> String {
        "\(baseURL(for: request))/session/\(resource)/events"
    }

    /// Events ask for the credentials that the session's POST asked for. Only a viewer has any.
    private func authorizeEvents(of resource: ResourceName, _ request: Request) async throws(Problem) {
        guard let found = await sessions.find(resource, on: .public), found.purpose == .viewer else {
            throw .unknownSession
        }
        try authorize(.watch, found.broadcast, request)
    }
}

extension ViewerEvent {
    static let relation = "urn:ietf:params:whep:ext:core:server-sent-events"

    static var names: String { allCases.map(\.rawValue).joined(separator: ",") }

    /// A JSON array of names; nil: it is none, it is empty, or it has a name that is not ours.
    static func list(_ json: [UInt8]) -> Set<ViewerEvent>? {
        guard let names = try? JSONDecoder().decode([String].self, from: Data(json)), !names.isEmpty else { return nil }
        let events = names.compactMap { ViewerEvent(rawValue: $0) }
        return events.count == names.count ? Set(events) : nil
    }
}

extension Problem {
    static let unknownEventStream = Problem(.notFound, "unknown-event-stream", "There is no such event stream")
    static let tooManyStreams = Problem(
        .conflict, "too-many-event-streams", "The session has as many event streams as it may have")
}

extension HTTPField.Name {
    static let link = HTTPField.Name("Link")!
}
