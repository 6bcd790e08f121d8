/// A certificate hash as SDP carries it (RFC 8122 §5).
package struct Fingerprint: Hashable, Sendable {
    package enum Algorithm: String, Hashable, Sendable {
        case sha256 = "sha-256", sha384 = "sha-384", sha512 = "sha-512"
    }
    package var algorithm: Algorithm
    package var bytes: [UInt8]

    package init(algorithm: Algorithm, bytes: [UInt8]) { (self.algorithm, self.bytes) = (algorithm, bytes) }
}
