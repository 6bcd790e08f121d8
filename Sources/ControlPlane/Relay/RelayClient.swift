/// Finds a node above that has a broadcast and opens a WHEP session there, as a viewer would but on the internal
/// listener and with a node token.
package struct RelayClient: Sendable {
    /// A node to pull from.
    package struct Upstream: Hashable, Sendable {
        package var name: String
        /// Internal URL, without a trailing slash.
        package var url: String

        package init(name: String, url: String) { (self.name, self.url) = (name, url) }
    }

    package enum Outcome: Sendable {
        case answered(UpstreamSession, sdp: String)
        /// At least one node answered, and none has the broadcast live.
        case notLive(retryAfter: Int)
        /// A node has it and refuses our offer; what it said.
        case refused(String)
        /// No node answered in time; what the last one did.
        case unavailable(String)
    }

    /// Knows whom to ask; nil on an origin.
    private let directory: NodeDirectory?
    private let client: WHIPClient
    private let tokens: NodeTokens
    private let budget: Duration

    /// - Parameter budget: for all upstreams together.
    package init(directory: NodeDirectory?, http: HTTPClient, tokens: NodeTokens, budget: Duration) {
        self.directory = directory
        client = WHIPClient(http: http)
        self.tokens = tokens
        self.budget = budget
    }

    /// Whether there is, or may some time be, anybody to ask.
    package var hasUpstreams: Bool { directory != nil }

    /// Offers to one upstream after the other, best first, until one answers 201. Each gets an equal share of the time that is left,
    /// so that one that accepts and stays silent does not use it all up.
    package func open(_ broadcast: String, offer: String) async -> Outcome {
        let deadline = ContinuousClock.now + budget
        let upstreams = await directory?.candidates() ?? []
        var outcome = Outcome.unavailable("no upstream is known")
        for (index, upstream) in upstreams.enumerated() {
            let share = (deadline - .now) / (upstreams.count - index)
            guard share > .zero else { break }
            let next: Outcome
            do {
                let answer = try await client.post(
                    offer: offer, url: "\(upstream.url)/relay/\(broadcast)",
                    token: await token(for: broadcast, at: upstream.name), timeout: share, peer: upstream.name)
                next = judge(answer, from: upstream)
            } catch {
                next = .unavailable("\(upstream.name): \(error)")
                await directory?.doubt(upstream)
            }
            switch (next, outcome) {
            case (.answered, _): return next
            // "Not live" and "refused" say more than silence.
            case (.unavailable, .notLive), (.unavailable, .refused): break
            default: outcome = next
            }
        }
        return outcome
    }

    /// Ends a session above; best effort, its consent check ends it otherwise.
    package func close(_ session: UpstreamSession, broadcast: String) async {
        let token = await token(for: broadcast, at: session.node)
        _ = try? await client.delete(url: session.url, token: token, timeout: .seconds(2), peer: session.node)
    }

    private func token(for broadcast: String, at node: String) async -> String? {
        BearerToken(await tokens.authorization(for: broadcast, at: node))?.text
    }

    private func judge(_ answer: WHIPClient.Answer, from upstream: Upstream) -> Outcome {
        switch answer.status {
        case 201:
            guard let url = answer.location else { return .unavailable("\(upstream.name): 201 without Location") }
            return .answered(UpstreamSession(node: upstream.name, url: url), sdp: answer.sdp)
        case 404, 409:
            return .notLive(retryAfter: answer.retryAfter ?? 2)
        case 400, 406, 422:
            return .refused(answer.problem ?? "\(upstream.name): status \(answer.status)")
        default:
            return .unavailable("\(upstream.name): \(answer.problem ?? "status \(answer.status)")")
        }
    }
}
