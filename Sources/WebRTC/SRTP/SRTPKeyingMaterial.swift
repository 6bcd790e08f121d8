/// What a DTLS-SRTP handshake yields (RFC 5764 §4.2): master keys and salts, by direction as this side sees it.
package struct SRTPKeyingMaterial: Sendable {
    package var profile: SRTPProfile
    /// Protects what we send: `profile.keyLength` and `profile.saltLength` bytes.
    package var localKey: [UInt8]
    package var localSalt: [UInt8]
    /// Protects what the peer sends.
    package var remoteKey: [UInt8]
    package var remoteSalt: [UInt8]

    package init(
        profile: SRTPProfile, localKey: [UInt8], localSalt: [UInt8], remoteKey: [UInt8], remoteSalt: [UInt8]
    ) {
        self.profile = profile
        (self.localKey, self.localSalt) = (localKey, localSalt)
        (self.remoteKey, self.remoteSalt) = (remoteKey, remoteSalt)
    }
}
