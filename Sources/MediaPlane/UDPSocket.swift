import CLinux
import Glibc
package import WebRTC

/// Opening and naming of UDP sockets. A descriptor is a plain value, so it can be opened where an error can be reported
/// and be used on another thread.
package enum UDPSocket {
    private static let bufferBytes: Int32 = 4 << 20

    /// Binds a new non-blocking socket; port 0 takes any. `::` receives IPv4 as well.
    package static func open(_ address: TransportAddress) throws(MediaPlaneError) -> Int32 {
        func failure(_ call: String) -> MediaPlaneError { .system(call: call, address: address, code: errno) }
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.isIPv4 ? AF_INET : AF_INET6, type, 0)
        guard descriptor >= 0 else { throw failure("socket") }
        // Best effort: the kernel caps both at net.core.{r,w}mem_max.
        _ = clinux_set_option(descriptor, SOL_SOCKET, SO_RCVBUF, bufferBytes)
        _ = clinux_set_option(descriptor, SOL_SOCKET, SO_SNDBUF, bufferBytes)
        allowFragments(descriptor, isIPv4: address.isIPv4)
        if !address.isIPv4 {
            _ = clinux_set_option(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, address.isUnspecified ? 0 : 1)
        }
        var (message, slot) = unsafe (clinux_message(), clinux_slot())
        if address.isIPv4 {
            unsafe clinux_set_ipv4(&message, &slot, UInt32(truncatingIfNeeded: address.low), address.port)
        } else {
            unsafe clinux_set_ipv6(&message, &slot, address.high, address.low, address.port)
        }
        guard unsafe clinux_bind(descriptor, &slot, message.msg_hdr.msg_namelen) == 0 else {
            let error = failure("bind")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// A packet is as long as its publisher made it, and has to get through to everybody. Linux would set DF and have
    /// routers tell the path MTU. Where their ICMP is filtered, every full packet would be lost without a word. So
    /// routers may fragment IPv4; what the kernel knows to be too long for a path, IPv6 too, it fragments itself.
    private static func allowFragments(_ descriptor: Int32, isIPv4: Bool) {
        // For IPv4 peers of a dual stack socket as well.
        _ = clinux_set_option(descriptor, Int32(IPPROTO_IP), IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
        if !isIPv4 {
            _ = clinux_set_option(descriptor, Int32(IPPROTO_IPV6), IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT)
        }
    }

    /// The address that `descriptor` is bound to.
    package static func localAddress(of descriptor: Int32) -> TransportAddress {
        var slot = unsafe clinux_slot()
        let status = unsafe clinux_local_address(descriptor, &slot)
        precondition(status == 0, "an open socket has a local address")
        let address = unsafe self.address(&slot)
        precondition(address != nil, "a UDP socket's address is IPv4 or IPv6")
        return address!
    }

    /// The address in a slot that the kernel filled; nil for a family other than IPv4 and IPv6.
    static func address(_ slot: UnsafePointer<clinux_slot>) -> TransportAddress? {
        let address = unsafe slot.pointee.address
        switch Int32(address.sin6_family) {
        case AF_INET:
            let ipv4 = unsafe UnsafeRawPointer(slot.pointer(to: \.address)!).load(as: sockaddr_in.self)
            return TransportAddress(
                ipv4: UInt32(bigEndian: ipv4.sin_addr.s_addr), port: UInt16(bigEndian: ipv4.sin_port))
        case AF_INET6:
            var words: (high: UInt64, low: UInt64) = (0, 0)
            unsafe clinux_get_ipv6(slot.pointer(to: \.address)!, &words.high, &words.low)
            return TransportAddress(ipv6High: words.high, low: words.low, port: UInt16(bigEndian: address.sin6_port))
        default: return nil
        }
    }
}
