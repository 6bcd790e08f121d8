/// The client side of WHIP (RFC 9725) and WHEP over HTTP: relays, `probe publish` and `probe watch`.
package struct WHIPClient: Sendable {
    /// What a server said to an offer.
    package struct Answer: Sendable {
        package var status: Int
        /// The session resource, absolute: `Location` resolved against the URL that answered in the end.
        package var location: String?
        package var etag: String?
        /// SDP answer of a 201; empty otherwise.
        package var sdp: String
        /// `Cascade-Path`, of nodes of ours.
        package var path: String?
        /// `Retry-After` in seconds.
        package var retryAfter: Int?
        /// `detail` or `title` of a problem+json body (RFC 9457), for people.
        package var problem: String?
    }

    /// RFC 9725 §4.5: 307 is the way to balance load. More hops than this are a loop.
    package static let maximumRedirects = 5

    package let http: HTTPClient

    package init(http: HTTPClient) { self.http = http }

    /// POSTs an offer, following 307 and 308 within the scheme of `url` (a redirect from https to http would bare the
    /// token). The token goes along, and so does `peer`, the name of the node that must answer on `https` between nodes: the node that answers in the end is the one that has to check it.
    package func post(
        offer: String, url: String, token: String? = nil, headers: [(name: String, value: String)] = [],
        timeout: Duration = .seconds(10), peer: String? = nil
    ) async throws(HTTPClient.Failure) -> Answer {
        let deadline = ContinuousClock.now + timeout
        var target = url
        for _ in 0...Self.maximumRedirects {
            let response = try await http.perform(
                .init(
                    "POST", target,
                    headers: [("Content-Type", "application/sdp"), ("Accept", "application/sdp")]
                        + authorization(token) + headers,
                    body: Array(offer.utf8), timeout: deadline - .now, peer: peer))
            guard response.status == 307 || response.status == 308 else { return answer(response, from: target) }
            guard let location = response.header("Location"),
                let next = HTTPClient.resolve(location, against: target)
            else { throw .init(description: "redirect without a usable Location") }
            guard scheme(next) == scheme(url) else {
                throw .init(description: "redirect to another scheme refused")
            }
            target = next
        }
        throw .init(description: "more than \(Self.maximumRedirects) redirects")
    }

    /// Ends the session; returns the HTTP status.
    @discardableResult
    package func delete(
        url: String, token: String? = nil, timeout: Duration = .seconds(3), peer: String? = nil
    ) async throws(HTTPClient.Failure) -> Int {
        try await http.perform(
            .init("DELETE", url, headers: authorization(token), timeout: timeout, peer: peer)
        ).status
    }

    private func authorization(_ token: String?) -> [(name: String, value: String)] {
        token.map { [("Authorization", "Bearer \($0)")] } ?? []
    }

    private func scheme(_ url: String) -> String { url.prefix { $0 != ":" }.lowercased() }

    private func answer(_ response: HTTPClient.Response, from url: String) -> Answer {
        let created = response.status == 201
        return Answer(
            status: response.status,
            location: created ? response.header("Location").flatMap { HTTPClient.resolve($0, against: url) } : nil,
            etag: response.header("ETag"), sdp: created ? response.text : "",
            path: response.header(RelayClient.pathField),
            retryAfter: response.header("Retry-After").flatMap { Int($0) }.map { min(max($0, 0), 3_600) },
            problem: created ? nil : ProblemDetail(json: response.body)?.text)
    }
}
