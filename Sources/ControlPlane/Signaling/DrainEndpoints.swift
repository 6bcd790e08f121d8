import HTTPTypes
import Hummingbird
import Routing

/// Draining over HTTP.
extension NodeSurface {
    /// `POST /drain` begins, `DELETE /drain` takes back.
    func drain(_ request: Request) async throws(Problem) -> Response {
        if request.method == .post {
            await directory.watchOthers(closely: true)
            await sessions.beginDrain(.request)
        } else {
            guard await sessions.cancelDrain() else { throw .stopping }
            await directory.watchOthers(closely: false)
        }
        let readiness = await readiness()
        return .json(readiness.answer(with: await sessions.facts(readiness)))
    }

    /// 307 to a node that takes what this one does not take while it drains; nil: it does not drain. The node it leads to
    /// asks for the token itself.
    ///
    /// - Throws: 503 when no other node is known.
    func sendElsewhere(
        _ request: Request, _ endpoint: String, _ name: String, as purpose: SessionPurpose
    ) async throws(Problem) -> Response? {
        switch await sessions.elsewhere(for: purpose) {
        case .here: return nil
        case .nowhere: throw .draining
        case .node(let node): return redirect(request, to: node.url, "\(endpoint)/\(name)")
        }
    }

    /// RFC 9725 §4.5: 307 keeps method and body; the query goes along.
    func redirect(_ request: Request, to node: String, _ path: String) -> Response {
        let query = request.head.path?.split(separator: "?", maxSplits: 1).dropFirst().first.map { "?\($0)" } ?? ""
        var response = Response(status: .temporaryRedirect)
        response.headers[.location] = "\(topology.url(node, forClientOf: request.host?.host))/\(path)\(query)"
        response.headers[.cacheControl] = "no-store"
        return response
    }
}

extension Problem {
    static let stopping = Problem(.conflict, "stopping", "The node was told to stop, which cannot be taken back")
}
