import FoundationEssentials
import HTTPTypes
import Hummingbird
import MediaPlane
import Routing

/// What operators, orchestrators, pages and tests ask of a node beside sessions.
extension NodeSurface {
    // MARK: - API

    /// What can be watched here by whoever asks; on the internal listener what comes through this node now.
    func broadcasts(on listener: ListenerKind, _ request: Request) async throws(Problem) -> Response {
        guard listener == .public else { return .json(await sessions.liveBroadcasts()) }
        let authorization = request.headers[.authorization]
        try require(authorizer.decideList(authorization: authorization))
        return .json(
            await sessions.knownBroadcasts().filter { authorizer.mayKnow(of: $0.name, authorization: authorization) })
    }

    private struct NodeSummary: Encodable {
        var name: String
        /// nil: a node that the topology does not name.
        var role: String?
        var region: String?
        var url: String?
        var lat: Double?
        var lon: Double?
        /// What the asked node is to that one; nil: itself, or one that is not watched.
        var kind: String?
        var ready: Bool?
        /// `up`, `suspect` or `down`.
        var state: String?
        /// Share of the viewer limit in use, 0...1.
        var load: Double?
        /// Milliseconds of a small HTTP exchange.
        var rtt: Double?
        var isSelf: Bool
        /// true: two processes have the name; nil otherwise.
        var conflict: Bool?

        enum CodingKeys: String, CodingKey {
            case name, role, region, url, lat, lon, kind, ready, state, load, rtt, conflict
            case isSelf = "self"
        }
    }

    /// The topology's nodes; on the internal listener also those that discovery has found beside them, whose names may
    /// be internal addresses.
    func nodes(on listener: ListenerKind, _ request: Request) async -> Response {
        let mine = await sessions.facts(readiness())
        let host = listener == .public ? request.host?.host : nil
        let own = host == nil ? node.publicListener.url : baseURL(for: request)
        let observations = await directory.observations
        let known = Dictionary(observations.map { ($0.name, $0) }, uniquingKeysWith: { best, _ in best })
        var list = topology.nodes.map { other in
            let location = topology.region(named: other.region)?.location
            let isSelf = other.name == node.name
            return NodeSummary(
                name: other.name, role: other.role.rawValue, region: other.region,
                url: isSelf ? own : topology.url(other.publicListener.url, forClientOf: host),
                lat: location?.latitude, lon: location?.longitude,
                kind: known[other.name]?.kind.rawValue, ready: isSelf ? mine.ready : known[other.name]?.isReady,
                state: known[other.name]?.state.rawValue, load: isSelf ? mine.load : known[other.name]?.facts?.load,
                rtt: Self.milliseconds(known[other.name]?.roundTrip), isSelf: isSelf)
        }
        if listener == .internal {
            for other in observations where topology.node(named: other.name) == nil {
                list.append(
                    NodeSummary(
                        name: other.name, role: other.facts?.role, region: other.region,
                        url: other.facts.flatMap { $0.url.isEmpty ? nil : $0.url },
                        kind: other.kind.rawValue, ready: other.isReady, state: other.state.rawValue,
                        load: other.facts?.load, rtt: Self.milliseconds(other.roundTrip), isSelf: false))
            }
        }
        for index in list.indices where await directory.isContested(list[index].name) { list[index].conflict = true }
        return .json(list)
    }

    private static func milliseconds(_ duration: Duration?) -> Double? {
        duration.map { $0 / .milliseconds(1) }
    }

    private struct RTCConfiguration: Encodable {
        var iceServers: [String]
    }

    /// Candidates of the node are enough where it can be reached directly; no STUN or TURN server is configured.
    func iceServers() -> Response { .json(RTCConfiguration(iceServers: [])) }

    // MARK: - Operations

    func readiness() async -> Readiness {
        var readiness = await sessions.readiness
        if directory.pullsBroadcasts { readiness.originReachable = await directory.isAnyReachable }
        return readiness
    }

    func readinessAnswer() async -> Response {
        let readiness = await readiness()
        var response = Response.json(readiness.answer(with: await sessions.facts(readiness)))
        response.status = HTTPResponse.Status(code: readiness.status)
        if response.status != .ok { response.headers[.retryAfter] = "5" }
        return response
    }

    /// For those who choose among nodes from outside, such as name servers.
    func outerHealthAnswer() async -> Response {
        let status = await readiness().status
        var response = Response.text(status == 200 ? "ok\n" : "not ready\n")
        response.status = HTTPResponse.Status(code: status)
        return response
    }

    func metricsAnswer() async -> Response {
        var metrics = NodeMetrics(node: node.name, role: node.role, region: node.region)
        metrics.uptime = .now - started
        metrics.readiness = await readiness()
        metrics.sessions = await sessions.snapshot()
        metrics.requests = requests.all
        metrics.refused = shares.refused
        metrics.connections = [.public: shares.taken(.connections), .internal: shares.taken(.internalConnections)]
        metrics.connectionFaults = connections.all
        metrics.logLinesDropped = log?.dropped ?? 0
        metrics.refused[.forwardedRequests, default: [:]].merge(proxy.refused, uniquingKeysWith: +)
        metrics.nameConflicts = await directory.nameConflicts
        if directory.pullsBroadcasts { metrics.directory = await directory.snapshot() }
        metrics.fragmented = .now
        metrics.workers = await media.statistics()
        return .text(metrics.render(), type: PrometheusText.contentType)
    }

    // MARK: - Sessions from the inside

    private struct Impairment: Decodable {
        /// Share of outgoing datagrams to drop, 0...1.
        var loss: Double
    }

    func impair(_ resource: ResourceName, _ request: Request) async throws(Problem) -> Response {
        guard topology.simulation else { throw .simulationOnly }
        guard MediaType.matches(request.headers[.contentType], MediaType.json) else {
            throw .unsupportedMediaType(expected: MediaType.json)
        }
        let bytes = try await body(of: request)
        guard let impairment = try? JSONDecoder().decode(Impairment.self, from: Data(bytes)),
            0...1 ~= impairment.loss
        else { throw .invalidRequest(#"expected {"loss": a number from 0 to 1}"#) }
        guard await sessions.impair(resource, loss: impairment.loss) else { throw .unknownSession }
        return Response(status: .noContent)
    }

    func debugSession(_ id: String) async throws(Problem) -> Response {
        guard let report = await sessions.debugReport(id) else { throw .unknownSession }
        return .json(report)
    }
}
