import HTTPTypes
import Hummingbird
import NIOCore

/// What a plain listener answers.
extension NodeSurface {
    /// Where the same is to be had by TLS. Old clients make a GET of everything that is redirected with 301, which does no
    /// harm to a GET; 308 keeps method and body (RFC 9110 §15.4).
    func securedAddress(of request: Request) throws(Problem) -> Response {
        guard let path = request.head.path, path.hasPrefix("/") else {
            throw .invalidRequest("expected a path that begins with /")
        }
        let url = node.publicListener.isURLGiven ? node.publicListener.url : nil
        guard let base = url ?? request.host.map({ node.publicURL(host: $0.host) }) else {
            throw .invalidRequest("expected a Host that names one")
        }
        let isRead = request.method == .get || request.method == .head
        var response = Response(status: isRead ? .movedPermanently : .permanentRedirect)
        response.headers[.location] = base + path
        return response
    }

    /// A file of the folder of challenges (RFC 8555 §8.3).
    func answerChallenge(_ name: String) throws(Problem) -> Response {
        guard let folder = node.front.plain?.challenges, Challenge.isName(name),
            let file = ContainedFile.path(of: name, in: folder),
            // What is no regular file has no size; reading a pipe would wait.
            let size = FileVersion.of(file).version?.size, 1...Int64(Challenge.longest) ~= size,
            case .text(let text) = TextFile.read(file, atMost: Challenge.longest)
        else { throw .notFound }
        return .text(text, type: "application/octet-stream")
    }
}

private enum Challenge {
    /// A token, a point and a thumbprint.
    static let longest = 4 << 10

    /// A token is base64url (RFC 8555 §8.1); no point, and so no other folder.
    static func isName(_ name: String) -> Bool {
        1...128 ~= name.utf8.count
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
