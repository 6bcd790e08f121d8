import HTTPTypes
import Hummingbird

/// `?token=`: a Bearer token in the query, for players that cannot send header fields (RFC 6750 §2.3). Behind the door it is
/// the `Authorization` field that the client would have sent.
enum QueryToken {
    private static let key = "token="

    /// As it stands in the query of `path`, and as it is meant; nil: there is none, it is no token, or there are several.
    static func find(in path: String) -> (raw: Substring, token: String)? {
        guard let query = path.firstIndex(of: "?").map({ path[path.index(after: $0)...] }) else { return nil }
        let found = query.prefix { $0 != "#" }.split(separator: "&").filter { $0.hasPrefix(key) }
        guard found.count == 1, let raw = found.first?.dropFirst(key.count),
            let token = String(raw).removingPercentEncoding, TopologySyntax.isBearerToken(token)
        else { return nil }
        return (raw, token)
    }
}

extension Request {
    /// What URLs that this client goes on with have to end with: it sends its token there as it has done here.
    var tokenQuery: String {
        guard let found = QueryToken.find(in: head.path ?? ""), headers[.authorization] == "Bearer \(found.token)"
        else {
            return ""
        }
        return "?token=\(found.raw)"
    }
}
