/// Where tokens and keys come from. Their text goes into `Secret`s and nowhere else, messages included.
struct SecretSource {
    var environment: [String: String]
    /// Relative paths start here: the folder of the topology file.
    var directory: String

    enum Found {
        case secret(String)
        case problem(String)
    }

    func read(environmentVariable name: String) -> Found {
        guard let text = environment[name] else { return .problem("environment variable \(name) is not set") }
        return text.isEmpty ? .problem("environment variable \(name) is empty") : .secret(text)
    }

    static let longestFile = 64 << 10

    func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : directory + "/" + path }

    /// The file's text without white space around it (editors and `echo` end a file with a line break).
    func read(file path: String) -> Found { Self.read(absolute: absolute(path), named: path) }

    /// - Parameter name: for messages.
    static func read(absolute path: String, named name: String) -> Found {
        switch TextFile.read(path, atMost: longestFile) {
        case .problem(let reason): return .problem("\(QuotedText.shown(name)) \(reason)")
        case .text(let text):
            let isSpace = { (c: Character) in c.isWhitespace || c.isNewline }
            let body = text.drop(while: isSpace)
            guard let last = body.lastIndex(where: { !isSpace($0) }) else {
                return .problem("\(QuotedText.shown(name)) is empty")
            }
            return .secret(String(body[...last]))
        }
    }
}
