/// Why a datagram or packet was discarded. Each one is counted under exactly one of these.
package enum DropReason: UInt8, CaseIterable, Sendable {
    /// First byte in no RFC 7983 range, or shorter than any protocol's header.
    case unclassified
    /// Not STUN and from an address no session owns.
    case unknownSource
    case malformedSTUN
    /// STUN for a user fragment that no session has.
    case unknownUfrag
    /// MESSAGE-INTEGRITY or FINGERPRINT did not verify.
    case stunIntegrity
    /// A STUN response that answers nothing we asked.
    case unexpectedSTUN
    case malformedDTLS
    /// Media before the DTLS handshake finished.
    case beforeKeys
    case srtpAuthentication
    case srtpReplay
    case malformedRTP
    case malformedRTCP
    /// RTP whose SSRC, MID, RID and payload type lead to no track.
    case unknownStream
    /// A payload type that was not negotiated.
    case unknownPayloadType
    /// Of a source that has not taken over yet, or has not been closed yet.
    case notInTurn
    /// Already received.
    case duplicate
    /// Older than the history or from before the last reset.
    case tooOld
    /// RTP sent to us by a session that only receives.
    case wrongDirection
    /// RTCP, or sequence numbers in a NACK, beyond what one session may send.
    case feedbackBudget
    /// A keyframe request beyond what one viewer may cause.
    case keyframeBudget
    /// A DTLS record for which the queue of handshakes had no room; the peer repeats it.
    case handshakesBusy
    /// Payload longer than `Limits.maximumPayload`.
    case tooLarge
    /// The outbox had no room: the socket does not keep up.
    case outboxFull
    /// Dropped on purpose by `setImpairment`.
    case impairment
    case sessionClosed
}
