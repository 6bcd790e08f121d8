import Glibc
package import WebRTC

/// Every address of the host's running interfaces, port 0, without link-local ones: IPv4 first, then IPv6, and loopback
/// after both: some clients check the front first.
///
/// Loopback is there on purpose: Firefox forms no pair with a server that offers 127.0.0.1 alone, and a browser on the
/// same host may be without any other.
package func hostAddresses() -> [TransportAddress] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard unsafe getifaddrs(&list) == 0 else { return [] }
    defer { unsafe freeifaddrs(list) }
    var found: [TransportAddress] = []
    var next = unsafe list
    while let entry = unsafe next?.pointee {
        unsafe next = entry.ifa_next
        let isUp = unsafe entry.ifa_flags & UInt32(IFF_UP) != 0
        guard isUp, let raw = unsafe UnsafeRawPointer(entry.ifa_addr) else { continue }
        let address: TransportAddress
        switch Int32(unsafe raw.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET:
            let ipv4 = unsafe raw.loadUnaligned(as: sockaddr_in.self)
            address = TransportAddress(ipv4: UInt32(bigEndian: ipv4.sin_addr.s_addr), port: 0)
        case AF_INET6:
            // Two 64-bit words after family, port and flow information.
            let offset = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr)!
            let high = unsafe UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let low = unsafe UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
            address = TransportAddress(ipv6High: high, low: low, port: 0)
        default: continue
        }
        if !address.isLinkLocal, !address.isUnspecified, !found.contains(address) { found.append(address) }
    }
    let rank = { (a: TransportAddress) in (a.isLoopback ? 2 : 0) + (a.isIPv4 ? 0 : 1) }
    return found.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }.map(\.element)
}

extension TransportAddress {
    /// Those of `hosts` under which a socket bound to this address receives.
    func reachableHostAddresses(_ hosts: [TransportAddress]) -> [TransportAddress] {
        if !isUnspecified { return [self] }
        return isIPv4 ? hosts.filter(\.isIPv4) : hosts
    }
}
