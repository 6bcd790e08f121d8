/// Text of others in a message or a log line of ours.
enum QuotedText {
    /// Short, and on one line.
    static func shown(_ text: String, atMost most: Int = 60) -> String {
        let printable = String(
            text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : Character($0) })
        return printable.count > most ? printable.prefix(most) + "…" : printable
    }
}
