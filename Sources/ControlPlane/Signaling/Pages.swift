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
        if role != .origin, path.hasPrefix("/publish") { return nil }
        return all[path]
    }

    private static let all: [String: Asset] = [
        "/": Asset(contentType: html, bytes: PackageResources.index_html),
        "/player.js": Asset(contentType: script, bytes: PackageResources.player_js),
        "/watching.js": Asset(contentType: script, bytes: PackageResources.watching_js),
        "/network.js": Asset(contentType: script, bytes: PackageResources.network_js),
        "/states.js": Asset(contentType: script, bytes: PackageResources.states_js),
        "/lobby.js": Asset(contentType: script, bytes: PackageResources.lobby_js),
        "/viewing.js": Asset(contentType: script, bytes: PackageResources.viewing_js),
        "/where.js": Asset(contentType: script, bytes: PackageResources.where_js),
        "/events.js": Asset(contentType: script, bytes: PackageResources.events_js),
        "/layers.js": Asset(contentType: script, bytes: PackageResources.layers_js),
        "/signaling.js": Asset(contentType: script, bytes: PackageResources.signaling_js),
        "/panel.js": Asset(contentType: script, bytes: PackageResources.panel_js),
        "/measurements.js": Asset(contentType: script, bytes: PackageResources.measurements_js),
        "/columns.js": Asset(contentType: script, bytes: PackageResources.columns_js),
        "/recording.js": Asset(contentType: script, bytes: PackageResources.recording_js),
        "/chart.js": Asset(contentType: script, bytes: PackageResources.chart_js),
        "/files.js": Asset(contentType: script, bytes: PackageResources.files_js),
        "/compare": Asset(contentType: html, bytes: PackageResources.compare_html),
        "/compare.js": Asset(contentType: script, bytes: PackageResources.compare_js),
        "/summary.js": Asset(contentType: script, bytes: PackageResources.summary_js),
        "/publish": Asset(contentType: html, bytes: PackageResources.publish_html),
        "/publish.js": Asset(contentType: script, bytes: PackageResources.publish_js),
        "/style.css": Asset(contentType: "text/css; charset=utf-8", bytes: PackageResources.style_css),
        "/icon.svg": Asset(contentType: "image/svg+xml", bytes: PackageResources.icon_svg),
    ]

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
