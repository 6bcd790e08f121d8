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
