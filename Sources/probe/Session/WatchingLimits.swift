package import Forwarding
import FoundationEssentials
import MediaPlane

extension Limits {
    /// For viewers, each with a broadcast of its own that is passed on to nobody: any payload that fits a datagram, and just
    /// enough history to tell a late packet from one that came twice. A node's histories would take 6 GiB for 1,500 of them.
    package static func watching(viewers: Int) -> Limits {
        var limits = Limits()
        (limits.sessions, limits.broadcasts) = (viewers, viewers)
        limits.maximumPayload = UDPSockets.maximumDatagram
        (limits.videoHistoryBytes, limits.videoHistoryPackets) = (64 << 10, 1_024)
        (limits.audioHistoryBytes, limits.audioHistoryPackets) = (16 << 10, 256)
        return limits
    }
}

/// What viewers take of this system, to be known before the first of them joins. Sockets of one worker are numbered by
/// `UInt16`, which is more than the 20,000 viewers that can be asked for.
package struct SwarmNeeds {
    package var viewers: Int
    package var workers: Int

    package init(viewers: Int, workers: Int) { (self.viewers, self.workers) = (viewers, workers) }

    /// A socket for each viewer; socket, mailbox and epoll set of each worker; connections of the HTTP client, and what every
    /// process has open.
    package var descriptors: Int { viewers + 3 * workers + 128 }

    /// Which limit is too low, and what can be done; nil: there is enough.
    /// - Parameter ports: what the kernel chooses client ports from; nil: not known.
    package func shortage(descriptors limit: Int, ports: Int?) -> String? {
        if limit < descriptors {
            return
                "\(viewers) viewers need \(descriptors) file descriptors, one socket each, and this process may have "
                + "\(limit): raise the hard limit (ulimit -Hn)"
        }
        if let ports, ports < viewers {
            return "\(viewers) viewers need as many UDP ports, and there are \(ports): "
                + "widen net.ipv4.ip_local_port_range"
        }
        return nil
    }

    /// How many ports `text`, of `/proc/sys/net/ipv4/ip_local_port_range`, spans; nil: it is no range.
    package static func ports(_ text: String) -> Int? {
        let bounds = text.split(whereSeparator: \.isWhitespace).compactMap { UInt16($0) }
        return bounds.count == 2 && bounds[0] <= bounds[1] ? Int(bounds[1] - bounds[0]) + 1 : nil
    }

    static var localPorts: Int? {
        FileManager.default.contents(atPath: "/proc/sys/net/ipv4/ip_local_port_range").flatMap {
            ports(String(decoding: $0, as: UTF8.self))
        }
    }
}
