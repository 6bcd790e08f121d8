/// Names of header fields between nodes.
package enum CascadeField {
    /// Of a relay request and its answer: names of nodes, in the order of the request's or the media's way, separated by
    /// commas.
    package static let path = "Cascade-Path"
    /// Of requests to other nodes: `NodeFacts.instance` of the asking one.
    package static let instance = "Cascade-Instance"
    /// Of a relay request: counts those of one process, so that a late one is known for that.
    package static let attempt = "Cascade-Attempt"
    /// Of a relay request: where the media is to begin. Without it, at the next keyframe: the asking node's viewers are
    /// watching another relay of the broadcast, and an older picture would take them back in time.
    package static let start = "Cascade-Start"
    /// At the newest group of pictures there is, at once.
    package static let newestGroup = "newest-group"
    /// Of requests between nodes, and of all answers: the `HTTPRequestID`.
    package static let requestID = "Cascade-Request-Id"
}
