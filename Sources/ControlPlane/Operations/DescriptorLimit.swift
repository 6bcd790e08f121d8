import Glibc

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
}
