/// A session resource at another node, to be deleted when we are done.
package struct UpstreamSession: Sendable {
    var node: String
    var url: String
    /// Because of which it was opened.
    var request: HTTPRequestID
}
