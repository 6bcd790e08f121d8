/// The client side of WHIP (RFC 9725) and WHEP over HTTP: relays, `probe publish` and `probe watch`.
package struct WHIPClient: Sendable {
    /// What a server said to an offer.
    package struct Answer: Sendable {
        package var status: Int
        /// Which answered in the end.
        package var url: String
        /// The session resource, absolute: `Location` resolved against `url`.
        package var location: String?
        /// For requests to `location`: the token, where it leads to the very origin that was shown the token.
        package var token: String?
        package var etag: String?
        /// SDP answer of a 201; empty otherwise.
        package var sdp: String
        /// `Cascade-Path`, of nodes of ours.
        package var path: String?
        /// `Retry-After` in seconds.
        package var retryAfter: Int?
        /// `detail` or `title` of a problem+json body (RFC 9457), for people: one line of 200 characters at most.
        package var problem: String?
    }

    /// What becomes of an offer that is answered 307 or 308, the way to balance load (RFC 9725 §4.5).
    /// None leads from https to http.
    package enum Redirects: Sendable {
        /// That is the answer. Nodes ask whom they mean to ask.
        case refused
        /// Followed. The token stays at the origin that it was given for (RFC 9110 §15.4): the next one may be anybody's.
        case followed
        /// Followed with the token, wherever it leads.
        case trusted
    }

    /// More hops than this are a loop.
    package static let maximumRedirects = 5

    package let http: HTTPClient
    private let redirects: Redirects

    package init(http: HTTPClient, redirects: Redirects = .refused) { (self.http, self.redirects) = (http, redirects) }

    /// POSTs an offer.
    ///
    /// - Parameter peer: the name of the node that must answer on `https` between nodes.
    package func post(
        offer: String, url: String, token: String? = nil, headers: [(name: String, value: String)] = [],
        timeout: Duration = .seconds(10), peer: String? = nil
    ) async throws(HTTPClient.Failure) -> Answer {
        let deadline = ContinuousClock.now + timeout
        var (target, token) = (url, token)
        for _ in 0...Self.maximumRedirects {
            let response = try await http.perform(
                .init(
                    "POST", target,
                    headers: [("Content-Type", "application/sdp"), ("Accept", "application/sdp")]
                        + authorization(token) + headers,
                    body: Array(offer.utf8), timeout: deadline - .now, peer: peer))
            guard redirects != .refused, response.status == 307 || response.status == 308 else {
                return answer(response, from: target, shown: token)
            }
            guard let location = response.header("Location"),
                let next = HTTPClient.resolve(location, against: target)
            else { throw .init(description: "redirect without a usable Location") }
            guard scheme(next) == scheme(target) || scheme(next) == "https" else {
                throw .init(description: "redirect out of TLS refused")
            }
            if redirects == .followed, !HTTPClient.haveOneOrigin(target, next) { token = nil }
            target = next
        }
        throw .init(description: "more than \(Self.maximumRedirects) redirects")
    }

    /// Ends the session; returns the HTTP status.
    @discardableResult
    package func delete(
        url: String, token: String? = nil, headers: [(name: String, value: String)] = [],
        timeout: Duration = .seconds(3), peer: String? = nil
    ) async throws(HTTPClient.Failure) -> Int {
        try await http.perform(
            .init("DELETE", url, headers: authorization(token) + headers, timeout: timeout, peer: peer)
        ).status
    }

    private func authorization(_ token: String?) -> [(name: String, value: String)] {
        token.map { [("Authorization", "Bearer \($0)")] } ?? []
    }

    private func scheme(_ url: String) -> String { url.prefix { $0 != ":" }.lowercased() }

    private func answer(_ response: HTTPClient.Response, from url: String, shown token: String?) -> Answer {
        let created = response.status == 201
        let location = created ? response.header("Location").flatMap { HTTPClient.resolve($0, against: url) } : nil
        return Answer(
            status: response.status, url: url, location: location,
            token: location.map { HTTPClient.haveOneOrigin($0, url) } == true ? token : nil,
            etag: response.header("ETag"), sdp: created ? response.text : "",
            path: response.header(CascadeField.path),
            retryAfter: response.header("Retry-After").flatMap { Int($0) }.map { min(max($0, 0), 3_600) },
            problem: created
                ? nil : ProblemDetail(json: response.body)?.text.map { QuotedText.shown($0, atMost: 200) })
    }
}
