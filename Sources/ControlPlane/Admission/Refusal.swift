package import WebRTC

/// Why a session is not opened or not changed. Signalling maps each to a status.
package enum Refusal: Error, Sendable {
    /// The node takes nothing new.
    case draining
    /// One of `NodeLimits` is reached; which.
    case full(String)
    /// The client's network has its share of one of them; which.
    case share(String)
    /// Somebody else publishes the broadcast (`on_conflict: reject`).
    case alreadyLive
    case notLive(retryAfter: Int)
    /// The asking node feeds this one, or waits for it.
    case loop
    /// The asking node has got the broadcast by a later request: this one was long on its way.
    case superseded
    /// No node above answers.
    case noOrigin
    case negotiation(NegotiationError)
    case unknownSession
    /// `If-Match` names another ICE session than the current one.
    case preconditionFailed
    case invalidFragment(String)
}

/// The `If-Match` of a PATCH (RFC 9110 §13.1.1).
package enum IfMatch: Sendable {
    case any
    /// Strong entity tags, quotes included.
    case tags([String])

    package init(_ text: String) {
        let parts = text.split(separator: ",").map { part in
            String(part.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        }
        self = parts.contains("*") ? .any : .tags(parts)
    }

    func matches(_ etag: String) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains(etag)
        }
    }
}
