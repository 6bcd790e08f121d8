/// Ends the program with exit code 1 and this text.
struct ProbeError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// An HTTP answer other than 201, in words that say what to do about it.
struct Refusal: Error, CustomStringConvertible {
    enum Verb { case publish, watch }

    var status: Int
    var description: String
    /// Trying again later may help.
    var isTemporary: Bool

    /// - Parameter problem: what the server itself said.
    init(status: Int, problem: String?, url: String, verb: Verb) {
        self.status = status
        let variable = verb == .publish ? "CASCADE_PUBLISH_TOKEN" : "CASCADE_WATCH_TOKEN"
        let meaning: String
        switch (status, verb) {
        case (401, _): meaning = "it wants a token: --token or the environment variable \(variable)"
        case (403, _): meaning = "the token is not good for this"
        case (404, _): meaning = "there is no such endpoint"
        case (406, _): meaning = "none of the broadcast's codecs is known to the probe"
        case (409, .watch): meaning = "the broadcast is not live"
        case (409, .publish): meaning = "somebody else publishes this broadcast"
        case (429, _): meaning = "too many requests"
        case (503, _): meaning = "it takes nothing new at the moment"
        default: meaning = "it did not accept the offer"
        }
        isTemporary = status == 503 || status == 429 || status == 409 && verb == .watch
        description = "\(url) answered \(status): \(meaning)" + (problem.map { " (\($0))" } ?? "")
    }
}
