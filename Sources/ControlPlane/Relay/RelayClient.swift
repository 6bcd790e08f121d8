package import Routing

/// Opens WHEP sessions at other nodes, as a viewer would but on the internal listener and with a node token.
package struct RelayClient: Sendable {
    package enum Outcome: Sendable {
        /// `path`: nodes that the media passes, as the answering node says; empty where it says nothing of it.
        case answered(UpstreamSession, sdp: String, path: [String])
        case refused(RelayRouter.Setback)
        /// It agreed, or sends us elsewhere, in a way that is not gone along with; why, for people.
        case unusable(String)
    }

    private let asking: WHIPClient
    /// Good-byes have a client of their own: those to dead nodes must not hold up requests.
    private let leaving: WHIPClient
    private let tokens: NodeTokens
    private let instance: String
    /// Told when a node does not answer.
    private let doubt: @Sendable (Neighbour.ID) async -> Void

    /// - Parameters:
    ///   - instance: of this process.
    ///   - trust: who is believed on `https`.
    package init(
        tokens: NodeTokens, instance: String, trust: PeerTrust?,
        doubt: @escaping @Sendable (Neighbour.ID) async -> Void
    ) {
        asking = WHIPClient(http: HTTPClient(trust: trust))
        leaving = WHIPClient(http: HTTPClient(exchanges: 4, trust: trust))
        (self.tokens, self.instance, self.doubt) = (tokens, instance, doubt)
    }

    /// Asks one node for a broadcast.
    ///
    /// - Parameters:
    ///   - waiting: names of the nodes that wait for the answer, this one last.
    ///   - isCold: this node has nothing of the broadcast yet, and takes the newest group of pictures at once.
    ///   - request: of whoever wants the broadcast.
    package func ask(
        _ neighbour: Neighbour, for broadcast: String, _ attempt: RelayRouter.Attempt, offer: String,
        waiting: [String], isCold: Bool, request: HTTPRequestID, timeout: Duration
    ) async -> Outcome {
        let start = isCold ? [(CascadeField.start, CascadeField.newestGroup)] : []
        do {
            let answer = try await asking.post(
                offer: offer, url: "\(neighbour.id)/relay/\(broadcast)",
                token: token(for: broadcast, at: neighbour.name),
                headers: [
                    (CascadeField.path, waiting.joined(separator: ", ")), (CascadeField.instance, instance),
                    (CascadeField.attempt, "\(attempt.rawValue)"), (CascadeField.requestID, request.description),
                ] + start,
                timeout: timeout, peer: neighbour.name)
            return judge(answer, from: neighbour, request)
        } catch {
            await doubt(neighbour.id)
            return .refused(.unavailable("\(neighbour.name): \(error)"))
        }
    }

    /// Ends a session above; best effort, its consent check ends it otherwise.
    package func close(_ session: UpstreamSession, broadcast: String) async {
        let token = token(for: broadcast, at: session.node)
        _ = try? await leaving.delete(
            url: session.url, token: token, headers: [(CascadeField.requestID, session.request.description)],
            timeout: .seconds(2), peer: session.node)
    }

    private func token(for broadcast: String, at node: String) -> String? {
        BearerToken(tokens.authorization(for: broadcast, at: node))?.text
    }

    private func judge(
        _ answer: WHIPClient.Answer, from neighbour: Neighbour, _ request: HTTPRequestID
    ) -> Outcome {
        switch answer.status {
        case 201:
            // What is sent there carries a token for the asked node, and a request of ours may mean something to others.
            guard let url = answer.location, HTTPClient.haveOneOrigin(url, neighbour.id) else {
                return .unusable("the Location of its 201 does not lead to \(neighbour.id), where it was asked")
            }
            let path = Self.path(answer.path)
            guard path.count <= RelayRouter.mostWaiting else { return .refused(.loop) }
            let session = UpstreamSession(node: neighbour.name, url: url, request: request)
            return .answered(session, sdp: answer.sdp, path: path)
        case 300..<400:
            return .unusable("it redirects (status \(answer.status)); relays are asked for at \(neighbour.id) only")
        case 404, 409: return .refused(.notLive(retryAfter: answer.retryAfter ?? 2))
        case 508: return .refused(.loop)
        case 400, 406, 422:
            return .refused(.unacceptable(answer.problem ?? "\(neighbour.name): status \(answer.status)"))
        default:
            return .refused(.unavailable("\(neighbour.name): \(answer.problem ?? "status \(answer.status)")"))
        }
    }

    /// The names in a path field; what is no name is left out.
    package static func path(_ field: String?) -> [String] {
        (field ?? "").split(separator: ",", maxSplits: 64).map { $0.filter { $0 != " " && $0 != "\t" } }
            .filter { NodeName.isValid($0) }
    }
}
