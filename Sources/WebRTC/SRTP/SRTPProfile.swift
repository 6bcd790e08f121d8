/// DTLS-SRTP protection profiles (RFC 5764 §4.1.2, RFC 7714 §14.2), in our order of preference.
package enum SRTPProfile: UInt16, Hashable, Sendable, CaseIterable {
    case aeadAES128GCM = 0x0007
    case aeadAES256GCM = 0x0008
    case aes128CMHMACSHA1_80 = 0x0001

    package var keyLength: Int { self == .aeadAES256GCM ? 32 : 16 }
    package var saltLength: Int { self == .aes128CMHMACSHA1_80 ? 14 : 12 }
}
