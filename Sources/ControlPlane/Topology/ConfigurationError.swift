/// Everything that is wrong with the configuration, in the order of the file.
package struct ConfigurationError: Error, Hashable, CustomStringConvertible {
    package struct Problem: Hashable, Sendable, CustomStringConvertible {
        package var file: String
        /// From 1; nil when the problem has no place in the file (it cannot be read, `--node` names nobody).
        package var line: Int?
        /// Such as `nodes[1].media.port`; empty: the file as a whole.
        package var path: String
        package var message: String

        package init(file: String, line: Int? = nil, path: String = "", message: String) {
            (self.file, self.line, self.path, self.message) = (file, line, path, message)
        }

        package var description: String {
            file + (line.map { ":\($0)" } ?? "") + ": " + (path.isEmpty ? "" : path + ": ") + message
        }
    }

    /// Never empty.
    package var problems: [Problem]

    package init(problems: [Problem]) {
        precondition(!problems.isEmpty, "a configuration error names at least one problem")
        self.problems = problems
    }

    /// More are counted only: a file may have as many as it has lines.
    package static let mostShown = 100

    /// One problem per line.
    package var description: String {
        let left = problems.count - Self.mostShown
        let lines = problems.prefix(Self.mostShown).map(\.description) + (left > 0 ? ["and \(left) more"] : [])
        return lines.joined(separator: "\n")
    }
}
