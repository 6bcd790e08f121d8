import FoundationEssentials
import Hummingbird

/// The layer selection extension of WHEP (draft-ietf-wish-whep, section "Video Layer Selection extension").
extension NodeSurface {
    private struct Selection: Decodable {
        /// The position of the m-line, or its mid.
        var mediaId: String?
        /// A name of the `layers` event; without one the server chooses.
        var rid: String?
        /// Members that would limit something that we do not limit.
        var unsupported: [String] = []

        private struct Key: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            for key in container.allKeys {
                switch key.stringValue {
                case "mediaId":
                    mediaId =
                        try (try? container.decodeIfPresent(Int.self, forKey: key)).flatMap { $0 }.map(String.init)
                        ?? container.decodeIfPresent(String.self, forKey: key)
                case "rid", "encodingId": rid = try container.decodeIfPresent(String.self, forKey: key)
                default:
                    if try !container.decodeNil(forKey: key) { unsupported.append(key.stringValue) }
                }
            }
        }
    }

    /// `POST /session/{id}/layer`: `{"mediaId": "1", "rid": "h"}`; without `rid` the server chooses again.
    func selectLayer(_ resource: ResourceName, _ request: Request) async throws(Problem) -> Response {
        guard let found = await sessions.find(resource, on: .public), found.purpose == .viewer else {
            throw .unknownSession
        }
        try authorize(.watch, found.broadcast, request)
        guard MediaType.matches(request.headers[.contentType], MediaType.json) else {
            throw .unsupportedMediaType(expected: MediaType.json)
        }
        let bytes = try await body(of: request)
        guard let selection = try? JSONDecoder().decode(Selection.self, from: Data(bytes)) else {
            throw .invalidRequest(#"expected {"mediaId": an m-line's position or mid, "rid": an encoding's name}"#)
        }
        if let name = selection.unsupported.min() { throw .unsupportedLimit(name) }
        switch await sessions.selectLayer(resource, media: selection.mediaId, rid: selection.rid) {
        case .selected: return Response(status: .ok)
        case .unknownSession: throw .unknownSession
        case .unknownMedia: throw .unknownLayer("there is no video under that mediaId")
        case .unknownEncoding(let names):
            let known = names.isEmpty ? "the broadcast has one encoding" : "there are \(names.joined(separator: ", "))"
            throw .unknownLayer("no encoding of that name; \(known)")
        }
    }
}

extension ViewerEvent {
    static let layerRelation = "urn:ietf:params:whep:ext:core:layer"
}

extension Problem {
    static func unknownLayer(_ detail: String) -> Problem {
        Problem(.unprocessableContent, "unknown-layer", "There is no such layer", detail: detail)
    }

    static func unsupportedLimit(_ member: String) -> Problem {
        Problem(
            .unprocessableContent, "unsupported-limit", "Layers are chosen by rid",
            detail: "\"\(QuotedText.shown(member, atMost: 40))\" is not supported")
    }
}
