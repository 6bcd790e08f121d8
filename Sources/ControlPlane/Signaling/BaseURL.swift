import HTTPTypes
import Hummingbird
import WebRTC

/// URLs that we hand out, where the topology leaves the node's `url` open: they lead to where the client has reached us.
extension NodeSurface {
    /// The base of URLs of the public listener. Empty, for relative references (RFC 9110 §10.2.2), where neither the
    /// topology nor the request tells.
    func baseURL(for request: Request) -> String {
        guard !node.publicListener.isURLGiven else { return node.publicListener.url }
        return request.host.map { "\(request.head.scheme ?? "http")://\($0.text)" } ?? ""
    }
}

extension Topology {
    /// Where a client finds a node whose public URL is said to be `url`. A node of this machine that the file gives none is
    /// found under the name that the client has for this machine: `127.0.0.1` is another one for him.
    func url(_ url: String, forClientOf host: String?) -> String {
        let other = nodes.first {
            $0.publicListener.url == url && !$0.publicListener.isURLGiven
                && TransportAddress($0.publicListener.host, port: 0)?.isUnspecified == true
                && TopologySyntax.baseURL($0.internalListener.url).map { TopologySyntax.machine($0.host) } == "loopback"
        }
        guard let host, let other else { return url }
        return other.publicURL(host: host)
    }
}

extension Topology.Node {
    /// Of the public listener, under a name that a client has for this machine.
    func publicURL(host: String) -> String {
        TopologySyntax.defaultURL(
            host: host, port: publicListener.port, scheme: front.tls == nil ? "http" : "https")
    }
}

extension Request {
    /// How the client has reached us; nil: it does not say, or not in a way that may be repeated.
    var host: (text: String, host: String)? {
        guard headers[.host] == nil else { return nil }  // more than one Host field
        return head.authority.flatMap { TopologySyntax.authority($0) }
    }
}

extension HTTPField.Name {
    static let host = HTTPField.Name("Host")!
}
