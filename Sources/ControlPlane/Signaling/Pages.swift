import HTTPTypes
import Hummingbird
import NIOCore

/// The web pages and what they load, embedded in the program (`Web/`).
enum Pages {
    struct Asset: Sendable {
        var contentType: String
        var bytes: [UInt8]
    }

    /// Scripts and styles only from here, no inline code; connections anywhere, since a session may live on any node.
    static let contentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
        + "connect-src 'self' http: https:; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'"

    /// By exact path; there is no file system behind it.
    static func asset(_ path: String, on role: Topology.Role) -> Asset? {
        switch path {
        case "/", "/compare": placeholder
        case "/publish": role == .origin ? placeholder : nil
        default: nil
        }
    }

    private static let placeholder = Asset(
        contentType: "text/html; charset=utf-8", bytes: PackageResources.placeholder_html)
}

extension NodeSurface {
    func page(_ path: String) throws(Problem) -> Response {
        guard let asset = Pages.asset(path, on: node.role) else { throw .notFound }
        var response = Response(status: .ok, body: .init(byteBuffer: ByteBuffer(bytes: asset.bytes)))
        response.headers[.contentType] = asset.contentType
        response.headers[.cacheControl] = "no-cache"
        response.headers[.contentSecurityPolicy] = Pages.contentSecurityPolicy
        response.headers[HTTPField.Name("Referrer-Policy")!] = "no-referrer"
        return response
    }
}
