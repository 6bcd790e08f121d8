import FoundationEssentials

/// A small text file, read whole.
enum TextFile {
    enum Result {
        case text(String)
        /// Follows the file's name in a message: "does not exist".
        case problem(String)
    }

    static func read(_ path: String, atMost limit: Int) -> Result {
        let tooLong = { (size: Int) in Result.problem("has \(size) bytes; \(limit) are the most") }
        // What is too large is not read first.
        if let size = FileVersion.of(path).version?.size, size > limit { return tooLong(Int(size)) }
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch let error as CocoaError {
            switch error.code {
            case .fileReadNoSuchFile: return .problem("does not exist")
            case .fileReadNoPermission: return .problem("may not be read by this user")
            default: return .problem("cannot be read (is it a regular file?)")
            }
        } catch {
            return .problem("cannot be read")
        }
        guard data.count <= limit else { return tooLong(data.count) }
        guard let text = String(validating: data, as: UTF8.self) else { return .problem("is not UTF-8") }
        return .text(text)
    }
}
