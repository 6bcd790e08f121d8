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

    /// By exact path; there is no file system behind it. Publishing is for origins.
    static func asset(_ path: String, on role: Topology.Role) -> Asset? {
        switch path {
        case "/": Asset(contentType: html, bytes: PackageResources.index_html)
        case "/player.js": Asset(contentType: script, bytes: PackageResources.player_js)
        case "/watching.js": Asset(contentType: script, bytes: PackageResources.watching_js)
        case "/events.js": Asset(contentType: script, bytes: PackageResources.events_js)
        case "/layers.js": Asset(contentType: script, bytes: PackageResources.layers_js)
        case "/signaling.js": Asset(contentType: script, bytes: PackageResources.signaling_js)
        case "/style.css": Asset(contentType: "text/css; charset=utf-8", bytes: PackageResources.style_css)
        case "/icon.svg": Asset(contentType: "image/svg+xml", bytes: PackageResources.icon_svg)
        case "/publish" where role == .origin: Asset(contentType: html, bytes: PackageResources.publish_html)
        case "/publish.js" where role == .origin: Asset(contentType: script, bytes: PackageResources.publish_js)
        default: nil
        }
    }

    private static let html = "text/html; charset=utf-8"
    private static let script = "text/javascript; charset=utf-8"
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
