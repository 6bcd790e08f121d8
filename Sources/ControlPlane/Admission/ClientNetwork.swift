package import WebRTC

/// Whom a request counts for: an IPv4 address, or the /64 of an IPv6 address, which one host has to itself (RFC 4291
/// §2.5.1, RFC 6177): it may send from any address of it.
package struct ClientNetwork: Hashable, Sendable, CustomStringConvertible {
    private let address: TransportAddress

    package init(_ address: TransportAddress) {
        var address = address
        (address.port, address.socket) = (0, 0)
        if !address.isIPv4, !address.isLoopback { address.low = 0 }
        self.address = address
    }

    /// On this host: a reverse proxy, a test. Nobody comes from here over the network.
    package var isLoopback: Bool { address.isLoopback }

    package var description: String { address.isIPv4 || isLoopback ? address.host : address.host + "/64" }
}
