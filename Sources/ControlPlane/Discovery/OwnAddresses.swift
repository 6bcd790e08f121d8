import MediaPlane
import WebRTC

/// Where a node hears itself: a source that names such an address names nobody to ask. What listens beside it on the same
/// host, at another address with the same port, is somebody else.
struct OwnAddresses {
    private let port: Int
    /// nil: a name, which says no more than that it is this host.
    private let listen: TransportAddress?
    private let hosts: [TransportAddress]

    init(_ listener: Topology.Listener, hosts: [TransportAddress] = hostAddresses()) {
        (port, listen, self.hosts) = (listener.port, TransportAddress(listener.host, port: 0), hosts)
    }

    func contains(_ address: TransportAddress) -> Bool {
        guard Int(address.port) == port else { return false }
        var host = address
        host.port = 0
        if let listen, !listen.isUnspecified { return host == listen }
        // A socket at `::` receives IPv4, too.
        if listen?.isIPv4 == true, !host.isIPv4 { return false }
        return host.isLoopback || hosts.contains(host)
    }
}
