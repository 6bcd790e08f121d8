import HTTPTypes
import Hummingbird
import WebRTC

/// The door of public listeners. Nobody behind it has to know that there are proxies in front, or tokens in queries.
extension NodeSurface {
    /// A request of the public or plain listener with the scheme and the token that its client used, and the client's
    /// address. Who is no proxy of ours is a client, whatever it says.
    func received(_ request: Request, _ context: PeerContext) -> (request: Request, remote: TransportAddress?) {
        var head = request.head
        if head.headerFields[.authorization] == nil, let found = QueryToken.find(in: head.path ?? "") {
            head.headerFields[.authorization] = "Bearer \(found.token)"
        }
        head.scheme = node.front.tls == nil ? "http" : "https"
        guard let remote = context.remote, proxies.contains(remote) else {
            return (Request(head: head, body: request.body), context.remote)
        }
        let scheme = request.headers[.xForwardedProto]?.lowercased()
        if let scheme, ["http", "https"].contains(scheme) { head.scheme = scheme }
        let client = proxies.client(behind: remote, forwardedFor: request.headers[.xForwardedFor])
        return (Request(head: head, body: request.body), client)
    }
}

extension HTTPField.Name {
    static let xForwardedFor = HTTPField.Name("X-Forwarded-For")!
    static let xForwardedProto = HTTPField.Name("X-Forwarded-Proto")!
}
