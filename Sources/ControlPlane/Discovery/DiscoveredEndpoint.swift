package import WebRTC

/// An internal listener of a node above, as a source names it. A hint: what the node itself answers decides.
package struct DiscoveredEndpoint: Hashable, Sendable {
    /// IP address and TCP port.
    package var address: TransportAddress
    /// Of the pod, where the source tells: the node's name in a StatefulSet.
    package var hostname: String?
    package var region: String?
    /// The source says that it takes traffic: ready (absent = ready), and not terminating.
    package var isReady = true
    /// SRV priority; lower is asked first. 0 where the source knows none.
    package var priority = 0

    package init(
        _ address: TransportAddress, hostname: String? = nil, region: String? = nil, isReady: Bool = true,
        priority: Int = 0
    ) {
        (self.address, self.hostname, self.region) = (address, hostname, region)
        (self.isReady, self.priority) = (isReady, priority)
    }

    /// `scheme`: `http` or `https`.
    package func url(_ scheme: String) -> String { "\(scheme)://\(address)" }

    /// An address that a node can have: neither unspecified, multicast, broadcast nor link-local.
    static func isUsable(_ address: TransportAddress) -> Bool {
        if address.isUnspecified || address.isLinkLocal { return false }
        return address.isIPv4 ? address.low >> 28 < 0xE : address.high >> 56 != 0xFF
    }

    /// One entry per address, in order of appearance. Of duplicates the one that is ready says more, and so does a name
    /// or region that the other lacks.
    package static func merged(_ endpoints: [DiscoveredEndpoint]) -> [DiscoveredEndpoint] {
        var result: [DiscoveredEndpoint] = []
        var positions: [TransportAddress: Int] = [:]
        for endpoint in endpoints {
            guard let position = positions[endpoint.address] else {
                positions[endpoint.address] = result.count
                result.append(endpoint)
                continue
            }
            result[position].isReady = result[position].isReady || endpoint.isReady
            result[position].hostname = result[position].hostname ?? endpoint.hostname
            result[position].region = result[position].region ?? endpoint.region
            result[position].priority = min(result[position].priority, endpoint.priority)
        }
        return result
    }
}
