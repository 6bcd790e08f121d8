import Glibc

/// How many sockets the process may have. Each relay and each HTTP connection takes one, and the soft limit of most
/// systems is 1,024.
package enum DescriptorLimit {
    /// Raises the soft limit to the hard one, which is the operator's to set.
    package static func raise() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
