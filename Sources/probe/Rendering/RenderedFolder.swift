import FoundationEssentials

/// The folder that holds the files of one target, and perhaps others' files.
struct RenderedFolder {
    var path: String
    var target: RenderTarget

    /// What differs between the folder and `files`, one line each.
    func faults(against files: [RenderedFile]) throws -> [String] {
        let expected = Set(files.map(\.path))
        let present = try paths()
        return files.compactMap { file in
            guard present.contains(file.path) else { return "missing: \(place(file.path))" }
            return content(of: file.path) == Data(file.text.utf8) ? nil : "stale: \(place(file.path))"
        } + present.filter { !expected.contains($0) }.map { "foreign: \(place($0))" }
    }

    /// Makes the folder hold `files`. Each of them is whole at any time.
    /// - Returns: what has been done, one line each.
    func write(_ files: [RenderedFile]) throws -> [String] {
        let expected = Set(files.map(\.path))
        let present = try paths()
        let foreign = present.filter { expected.contains($0) && !isOurs($0) }
        guard foreign.isEmpty else {
            throw ProbeError(
                "not written: \(foreign.map(place).joined(separator: ", ")) \(foreign.count == 1 ? "is" : "are") there and "
                    + "not of this command; choose another --out, or remove \(foreign.count == 1 ? "it" : "them")")
        }
        var changes: [String] = []
        for file in files where content(of: file.path) != Data(file.text.utf8) {
            let url = URL(filePath: place(file.path))
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(file.text.utf8).write(to: url, options: .atomic)
            changes.append("written: \(place(file.path))")
        }
        for left in present where !expected.contains(left) && isOurs(left) {
            try FileManager.default.removeItem(atPath: place(left))
            changes.append("removed: \(place(left))")
        }
        return changes.isEmpty ? ["\(path): nothing to change"] : changes
    }

    private func place(_ file: String) -> String { path + "/" + file }

    private func content(of file: String) -> Data? { try? Data(contentsOf: URL(filePath: place(file))) }

    private func isOurs(_ file: String) -> Bool {
        content(of: file)?.starts(with: Data(target.mark(for: file).utf8)) == true
    }

    /// All files below the folder, in order; none if there is no folder.
    private func paths() throws -> [String] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try FileManager.default.subpathsOfDirectory(atPath: path).filter { file in
            var isFolder = false
            return FileManager.default.fileExists(atPath: place(file), isDirectory: &isFolder) && !isFolder
        }.sorted()
    }
}
