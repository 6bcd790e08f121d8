enum MediaType {
    static let sdp = "application/sdp"
    static let fragment = "application/trickle-ice-sdpfrag"
    static let json = "application/json"
    static let eventStream = "text/event-stream"

    /// Whether a `Content-Type` field, parameters aside, is `expected`.
    static func matches(_ field: String?, _ expected: String) -> Bool {
        guard let field else { return false }
        return field.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased() == expected
    }
}
