/// Lines with others below them: the shape of all configuration languages that are rendered.
indirect enum Outline {
    case line(String)
    /// `end` closes what `head` has opened; nil: the indentation is enough.
    case block(_ head: String, [Outline], end: String? = "}")

    static func text(_ items: [Outline], depth: Int = 0) -> String {
        let indentation = String(repeating: "  ", count: depth)
        return items.map { item in
            switch item {
            case .line(let text): text.isEmpty ? "\n" : indentation + text + "\n"
            case .block(let head, let items, let end):
                indentation + head + "\n" + Outline.text(items, depth: depth + 1)
                    + (end.map { indentation + $0 + "\n" } ?? "")
            }
        }.joined()
    }
}

/// In double quotes, as YAML, HCL, gdnsd and Caddy's syntax read them alike.
func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
}
