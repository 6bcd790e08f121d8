/// User fragment and password of one ICE agent (RFC 8445 §5.3).
package struct ICECredentials: Hashable, Sendable {
    package var ufrag: String
    package var password: String

    package init(ufrag: String, password: String) { (self.ufrag, self.password) = (ufrag, password) }

    /// Length of every ufrag that we make: it fits a `UInt64`, so a STUN USERNAME finds its session without allocating.
    package static let localUfragLength = 8

    /// Fresh credentials from `generator` (the system generator in production): 48 bits of ufrag, 144 of password.
    package static func generate(using generator: inout some RandomNumberGenerator) -> ICECredentials {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        func text(_ count: Int) -> String { String((0..<count).map { _ in alphabet[Int(generator.next() >> 58)] }) }
        return ICECredentials(ufrag: text(localUfragLength), password: text(24))
    }

    /// The key under which a session with this local ufrag is found; nil when it is not of our making.
    package var ufragKey: UInt64? {
        guard ufrag.utf8.count == Self.localUfragLength else { return nil }
        return ufrag.utf8.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
