import WebRTC

/// Which encodings of a track this node wants of the node above: those that somebody here reads, and for a while those that
/// somebody has read. Told again until the other's report shows it.
struct EncodingDemand {
    /// Somebody who comes back within this finds it running.
    static let linger = Interval.seconds(Int64(2))
    private static let pause = Interval.milliseconds(100)

    private var wantedUntil: [Instant]
    private var told: [Int]?
    private var lastTold = Instant.zero
    /// When it may have to be told anew without anything else happening.
    private(set) var nextDeadline = Instant.distantFuture

    init(count: Int) { wantedUntil = Array(repeating: .zero, count: count) }

    /// - Parameters:
    ///   - isRead: of each encoding.
    ///   - fallback: an encoding that is wanted when no other is.
    ///   - sent: what the other sends at present, by its report.
    /// - Returns: what is wanted, what of it was not before, and whether that is to be told now.
    mutating func update(
        isRead: [Bool], fallback: Int, sent: [Int], roundTrip: Interval, now: Instant
    ) -> (wanted: [Int], new: [Int], mustTell: Bool) {
        for e in wantedUntil.indices where e < isRead.count && isRead[e] { wantedUntil[e] = now + Self.linger }
        var wanted = wantedUntil.indices.filter { wantedUntil[$0] > now }
        if wanted.isEmpty { wanted = [fallback] }
        let new = wanted.filter { told?.contains($0) == false }
        let patience = Self.pause + roundTrip * 2
        let mustTell = wanted != told ? told != nil || wanted != sent : wanted != sent && now >= lastTold + patience
        if told == nil, !mustTell { told = wanted }
        if mustTell { (told, lastTold) = (wanted, now) }
        nextDeadline = wanted == sent ? .distantFuture : lastTold + patience
        // Of those that nobody reads any more.
        for e in wanted where !(e < isRead.count && isRead[e]) && wantedUntil[e] > now {
            nextDeadline = min(nextDeadline, wantedUntil[e])
        }
        return (wanted, new, mustTell)
    }
}

extension Source.Track {
    /// What is wanted of its encodings (`EncodingDemand.update`).
    mutating func demand(
        of target: Track, roundTrip: Interval, now: Instant
    ) -> (wanted: [Int], new: [Int], mustTell: Bool) {
        demand.update(
            isRead: target.encodings.map { $0.readers > 0 }, fallback: preferred,
            sent: reports.indices.filter { reports[$0]?.isSent == true }, roundTrip: roundTrip, now: now)
    }
}
