/// All that a `PeerConnection` must know to set up its transport, in one value.
package struct TransportParameters: Sendable {
    /// Which side of the connection we are.
    package enum Role: Hashable, Sendable {
        /// ICE-lite, DTLS passive: towards publishers, viewers and relaying edges.
        case server
        /// ICE controlling with host candidates, DTLS active: relay and tools.
        case client
    }

    package var role: Role
    package var localICE: ICECredentials
    package var remoteICE: ICECredentials
    /// What the peer's certificate must hash to, one of them. Verified always.
    package var remoteFingerprints: [Fingerprint]
    /// Where to send checks (client). A server only answers and needs none.
    package var remoteCandidates: [TransportAddress]
    /// Whether we open the DTLS handshake (`a=setup:active`). Clients do; a server only towards a peer that offered
    /// `passive` (FFmpeg's WHIP muxer).
    package var dtlsActive: Bool

    package init(
        role: Role, localICE: ICECredentials, remoteICE: ICECredentials, remoteFingerprints: [Fingerprint],
        remoteCandidates: [TransportAddress] = [], dtlsActive: Bool? = nil
    ) {
        (self.role, self.localICE, self.remoteICE) = (role, localICE, remoteICE)
        (self.remoteFingerprints, self.remoteCandidates) = (remoteFingerprints, remoteCandidates)
        self.dtlsActive = dtlsActive ?? (role == .client)
    }
}
