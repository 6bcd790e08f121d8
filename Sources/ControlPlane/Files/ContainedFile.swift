import Glibc

/// A file of a folder where it really is. Mounted volumes are symbolic links (`..data`), and whoever may write files there
/// need not be one who may read all that this process can.
enum ContainedFile {
    /// - Parameter name: without a slash.
    /// - Returns: nil: a symbolic link leads out of the folder. What is not there stays as it is named.
    static func path(of name: String, in folder: String) -> String? {
        let file = folder + "/" + name
        guard let target = resolved(file), let folder = resolved(folder) else { return file }
        return target.hasPrefix(folder == "/" ? folder : folder + "/") ? target : nil
    }

    private static func resolved(_ path: String) -> String? {
        guard let text = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }
}
