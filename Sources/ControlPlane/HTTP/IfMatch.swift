/// The `If-Match` of a PATCH (RFC 9110 §13.1.1).
package enum IfMatch: Sendable {
    case any
    /// Strong entity tags, quotes included.
    case tags([String])

    package init(_ text: String) {
        let parts = text.split(separator: ",").map { part in
            String(part.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        }
        self = parts.contains("*") ? .any : .tags(parts)
    }

    func matches(_ etag: String) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains(etag)
        }
    }
}
