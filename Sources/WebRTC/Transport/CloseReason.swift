/// Why a session ended.
package enum CloseReason: String, Hashable, Sendable, CaseIterable {
    /// The client sent DELETE, or the control plane closed it.
    case requested
    /// No transport within the ICE and DTLS timeout: a half-open session. Or a source that should have taken over from
    /// another, and brought nothing.
    case setupTimeout
    /// Neither consent (RFC 7675) nor an authenticated packet within the consent timeout.
    case consentExpired
    /// The certificate is not the one of the SDP.
    case fingerprintMismatch
    /// DTLS failed otherwise.
    case handshakeFailed
    /// The peer closed DTLS (close_notify).
    case peerClosed
    /// The broadcast has no source any more and the hold time is over.
    case sourceGone
    /// A newer publisher took the broadcast (`on_conflict: replace`).
    case replaced
    /// The source came back with codecs that this session cannot take.
    case incompatible
    /// The node stops.
    case shutdown
}
