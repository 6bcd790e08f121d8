package import WebRTC

/// Between many viewers that ask for a keyframe and the one source that makes them: at most one request per interval
/// goes up, and it is repeated until a keyframe really arrives.
///
///     want ──► wanted ──due: send, again every interval──► keyframeArrived ──► satisfied
///
/// Times between two requests are kept also across keyframes, so viewers in turn cannot ask more often than one.
package struct KeyframeRequests: Sendable {
    private let interval: Interval
    /// When the request still open was first made; nil: nobody waits.
    private var wantedSince: Instant?
    private var lastSent: Instant?
    private var lastKeyframe: Instant?
    /// One is on its way without having been asked for.
    private var expectedUntil = Instant.zero

    package init(interval: Interval = .seconds(Int64(1))) {
        precondition(interval > .zero, "keyframe requests are limited in rate")
        self.interval = interval
    }

    /// Whether somebody waits for a keyframe.
    package var isPending: Bool { wantedSince != nil }

    /// A viewer or a switch needs a keyframe.
    /// - Parameter age: how long ago the need arose, for a viewer its round-trip time: a keyframe that arrived since
    ///   then is already on its way to it and satisfies the request.
    package mutating func want(now: Instant, age: Interval = .zero) {
        if isWorthAsking(now: now, age: age) { wantedSince = now }
    }

    /// Whether a wish would change anything: nobody else waits, and no keyframe has come since the need arose.
    package func isWorthAsking(now: Instant, age: Interval = .zero) -> Bool {
        guard wantedSince == nil else { return false }
        return lastKeyframe.map { now - age > $0 } ?? true
    }

    /// Another source is there to be asked: what the former one was asked, or sent, counts no more.
    package mutating func sourceChanged(now: Instant) {
        (wantedSince, lastSent, lastKeyframe) = (now, nil, nil)
    }

    /// The source begins with a keyframe, which takes until then to get here: nobody asks before.
    package mutating func expect(until instant: Instant) { expectedUntil = instant }

    /// The first packet of a keyframe arrived: every request made up to now is satisfied.
    package mutating func keyframeArrived(now: Instant) {
        lastKeyframe = now
        wantedSince = nil
    }

    /// Nobody needs a keyframe any more (the last viewer left).
    package mutating func cancel() { wantedSince = nil }

    /// Whether to send one request now; it is then taken as sent.
    package mutating func due(now: Instant) -> Bool {
        guard nextDeadline <= now else { return false }
        lastSent = now
        return true
    }

    /// When `due` will next be true; `.distantFuture` while nobody waits.
    package var nextDeadline: Instant {
        guard let wantedSince else { return .distantFuture }
        let earliest = max(wantedSince, expectedUntil)
        return lastSent.map { max(earliest, $0 + interval) } ?? earliest
    }
}
