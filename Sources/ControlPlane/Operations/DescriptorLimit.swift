import CLinux
import Forwarding
import Glibc
package import Logging

/// How many sockets the process may have. Each relay and each HTTP connection takes one, and the soft limit of most
/// systems is 1,024.
package enum DescriptorLimit {
    /// Raises the soft limit to the hard one, which is the operator's to set; returns what it is then.
    @discardableResult
    package static func raise() -> Int {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0 else { return .max }
        let soft = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        return Int(clamping: unsafe setrlimit(resource, &limit) == 0 ? limit.rlim_max : soft)
    }

    /// Whether a new descriptor is one of the last `reserve`. The system always gives the lowest one that is free, so who
    /// asks this first leaves those to the others: libdispatch, for one, ends a process in which it cannot open a file.
    static func isLow(reserve: Int) -> Bool {
        var limit = rlimit()
        let new = eventfd(0, Int32(EFD_CLOEXEC))
        guard new >= 0 else { return true }
        close(new)
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return false }
        return Int(new) >= Int(clamping: limit.rlim_cur) - reserve
    }
}

extension NodeLimits {
    /// What a node has open beside the things that are counted here: files, event loops, probes, its HTTP clients.
    private static let descriptorsBeside = 256

    /// How many descriptors a node takes that reaches these limits.
    package func descriptors(of node: Topology.Node) -> Int {
        let relays = node.upstream.hasSources ? forwarding.broadcasts * node.media.workers : 0
        let streams = min(eventStreams ?? viewers, viewers)
        return Self.descriptorsBeside + connections + (internalConnections ?? connections) + relays + streams
            + forwardedRequests + 3 * node.media.workers
    }

    /// Lowers what the public may take of `descriptors`, so that the internal listener, relays and probes always have
    /// some: at most half are public connections, a quarter internal ones, an eighth streams of events from other nodes.
    ///
    /// - Returns: whether that was necessary.
    package mutating func fit(into descriptors: Int, of node: Topology.Node) -> Bool {
        guard self.descriptors(of: node) > descriptors else { return false }
        internalConnections = max(1, min(internalConnections ?? connections, descriptors / 4))
        connections = max(1, min(connections, descriptors / 2))
        eventStreams = max(1, min(eventStreams ?? viewers, descriptors / 8))
        return true
    }
}

extension Topology {
    /// With limits for which the process has descriptors; says so where they are lower than the file has them.
    package func fitting(into descriptors: Int, for node: Node, logger: Logger) -> Topology {
        var topology = self
        guard topology.limits.fit(into: descriptors, of: node) else { return self }
        logger.warning(
            "fewer descriptors than the limits need",
            metadata: [
                "descriptors": "\(descriptors)", "needed": "\(limits.descriptors(of: node))",
                "connections": "\(topology.limits.connections)",
                "advice": "raise the hard limit of open files (ulimit -Hn, LimitNOFILE), or lower limits.connections",
            ])
        return topology
    }
}
