import CLinux

/// What tells one version of a file from the next without reading it.
struct FileVersion: Hashable {
    private let device: UInt64
    private let inode: UInt64
    /// Bytes; 0 for what is no regular file.
    let size: Int64
    private let seconds: Int64
    private let nanoseconds: Int64

    /// Of the file at `path`, behind symbolic links too; nil: there is none. What was written just now may be written again
    /// within the clock's grain and look the same: whoever reads such a fresh one has to look once more.
    static func of(_ path: String) -> (version: FileVersion?, isFresh: Bool) {
        var status = clinux_file_version()
        var milliseconds: Int64 = 0
        guard unsafe clinux_file_version(path, &status, &milliseconds) == 0 else { return (nil, false) }
        let version = FileVersion(
            device: status.device, inode: status.inode, size: status.size, seconds: status.seconds,
            nanoseconds: status.nanoseconds)
        return (version, 0...50 ~= milliseconds)
    }
}
