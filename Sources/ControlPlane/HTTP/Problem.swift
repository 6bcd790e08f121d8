import FoundationEssentials
import HTTPTypes
import Hummingbird

/// A refused request: an HTTP status and an RFC 9457 body whose `type` stays the same per cause, so that clients and
/// tests may rely on it. Never holds a secret.
struct Problem: Error {
    var status: HTTPResponse.Status
    /// Last part of the `type`.
    var cause: String
    var title: String
    /// What was wrong with this very request.
    var detail: String?
    /// Seconds until the same request may succeed.
    var retryAfter: Int?
    var headers = HTTPFields()

    static let typePrefix = "urn:cascade:problem:"

    init(
        _ status: HTTPResponse.Status, _ cause: String, _ title: String, detail: String? = nil, retryAfter: Int? = nil
    ) {
        (self.status, self.cause, self.title) = (status, cause, title)
        (self.detail, self.retryAfter) = (detail, retryAfter)
    }

    var response: Response {
        let detail = ProblemDetail(
            type: Self.typePrefix + cause, title: title, status: status.code, detail: detail)
        var fields = headers
        fields[.contentType] = "application/problem+json"
        fields[.cacheControl] = "no-store"
        if let retryAfter { fields[.retryAfter] = String(retryAfter) }
        return Response(status: status, headers: fields, body: .init(byteBuffer: .init(bytes: JSONText.encode(detail))))
    }
}

/// The members of RFC 9457 §3.1 that we use.
struct ProblemDetail: Codable {
    var type: String?
    var title: String?
    var status: Int?
    var detail: String?

    init(type: String, title: String, status: Int, detail: String?) {
        (self.type, self.title, self.status, self.detail) = (type, title, status, detail)
    }

    /// nil: not a problem document.
    init?(json: [UInt8]) {
        guard let decoded = try? JSONDecoder().decode(Self.self, from: Data(json)) else { return nil }
        self = decoded
    }

    var text: String? { detail ?? title }
}

// The catalogue: every cause that this node answers with.
extension Problem {
    static func unsupportedMediaType(expected: String) -> Problem {
        Problem(.unsupportedMediaType, "unsupported-media-type", "The content type must be \(expected)")
    }
    static func invalidSDP(_ detail: String) -> Problem {
        Problem(.badRequest, "invalid-sdp", "The session description is not usable", detail: detail)
    }
    static func invalidFragment(_ detail: String) -> Problem {
        Problem(.badRequest, "invalid-fragment", "The ICE fragment is not usable", detail: detail)
    }
    static func invalidRequest(_ detail: String) -> Problem {
        Problem(.badRequest, "invalid-request", "The request is not usable", detail: detail)
    }
    static let invalidName = Problem(
        .badRequest, "invalid-broadcast-name",
        "A broadcast's name is 1 to 128 of A-Z a-z 0-9 . _ ~ -, and neither . nor ..")
    static func unsupportedOffer(_ detail: String) -> Problem {
        Problem(.unprocessableContent, "unsupported-offer", "The offer cannot be served", detail: detail)
    }
    static func notPlayable(_ detail: String) -> Problem {
        Problem(.notAcceptable, "codecs-not-acceptable", "The offer has none of the broadcast's codecs", detail: detail)
    }
    static let notFound = Problem(.notFound, "not-found", "There is nothing here")
    static let unknownSession = Problem(.notFound, "unknown-session", "There is no such session")
    static func notLive(retryAfter: Int) -> Problem {
        Problem(.conflict, "not-live", "The broadcast is not live", retryAfter: retryAfter)
    }
    static let alreadyLive = Problem(
        .conflict, "already-live", "Somebody else publishes this broadcast", retryAfter: 5)
    static let bodyTooLarge = Problem(.contentTooLarge, "body-too-large", "The body is too large")
    static let lateRequest = Problem(.requestTimeout, "request-timeout", "The body did not come in time")
    static let preconditionRequired = Problem(
        .preconditionRequired, "if-match-required", "If-Match with the session's ETag is required")
    static let preconditionFailed = Problem(
        .preconditionFailed, "etag-stale", "If-Match does not name the current ICE session")
    static func tooManyRequests(retryAfter: Int) -> Problem {
        Problem(.tooManyRequests, "rate-limited", "Too many requests from this address", retryAfter: retryAfter)
    }
    static func full(_ what: String) -> Problem {
        Problem(.serviceUnavailable, "node-full", "This node is full", detail: what, retryAfter: 5)
    }
    static func share(_ what: String) -> Problem {
        Problem(
            .tooManyRequests, "address-share", "This address has as much of this node as one address may have",
            detail: what, retryAfter: 5)
    }
    static let draining = Problem(
        .serviceUnavailable, "draining", "This node takes nothing new", retryAfter: 5)
    static let noOrigin = Problem(
        .serviceUnavailable, "no-origin", "No origin answers at the moment", retryAfter: 2)
    static let superseded = Problem(
        .serviceUnavailable, "superseded", "A later request of the asking node has been answered")
    static let loopDetected = Problem(
        .init(code: 508, reasonPhrase: "Loop Detected"), "relay-loop",
        "The broadcast comes to this node through the asking one, or the path is too long")
    static let noPublishersHere = Problem(
        .misdirectedRequest, "not-an-origin", "This node takes no publishers and knows no origin")
    static let noViewersHere = Problem(.forbidden, "no-viewers-here", "This node takes no viewers")
    static let simulationOnly = Problem(
        .forbidden, "simulation-only", "Impairment needs simulation: true in the topology")

    static var unauthorized: Problem {
        var problem = Problem(.unauthorized, "token-missing", "A Bearer token is required")
        problem.headers[.wwwAuthenticate] = "Bearer"
        return problem
    }
    static let certificateRequired = Problem(
        .forbidden, "certificate-required", "A client certificate of the deployment's authority is required")
    static let forbidden = Problem(.forbidden, "token-rejected", "The token does not open this")

    static func methodNotAllowed(allow: String) -> Problem {
        var problem = Problem(.methodNotAllowed, "method-not-allowed", "The method does not apply to this resource")
        problem.headers[.allow] = allow
        return problem
    }
}
