import WebRTC

/// How long handshakes may keep media waiting in one turn of a worker.
enum HandshakeShare {
    /// On a node with few viewers: some packets are so much later, and a storm of joins has nearly the whole core.
    static let least = Interval.milliseconds(2)

    /// A third of the time where media takes long: a storm that lasts must come to its end, too.
    static func time(afterMedia media: Interval) -> Interval { max(least, media / 2) }
}
