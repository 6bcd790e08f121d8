import HTTPTypes
import Hummingbird
import WebRTC

/// What proxies in front say of the client. Nobody behind this has to know that there are any.
extension NodeSurface {
    /// A request of the public or plain listener with the scheme that its client used, and the client's address. Who is no
    /// proxy of ours is a client, whatever it says.
    func received(_ request: Request, _ context: PeerContext) -> (request: Request, remote: TransportAddress?) {
        var head = request.head
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
