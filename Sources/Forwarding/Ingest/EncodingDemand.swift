import WebRTC

/// Which encodings of a track this node wants of the node above: those that somebody here reads, for a while those that
/// somebody has read, and the lowest for those whose links may get worse. Told again until the other's report shows it.
struct EncodingDemand {
    /// Somebody who comes back within this finds it running.
    static let linger = Interval.seconds(Int64(2))
    private static let pause = Interval.milliseconds(100)
    private static let longestPause = Interval.seconds(Int64(2))

    private var wantedUntil: [Instant]
    private var told: [Int]?
    private var lastTold = Instant.zero
    /// How often the present wish has been told.
    private var times: Int64 = 0
    /// When it may have to be told anew without anything else happening.
    private(set) var nextDeadline = Instant.distantFuture

    init(count: Int) { wantedUntil = Array(repeating: .zero, count: count) }

    /// - Parameters:
    ///   - isRead: of each encoding that the other has told of; those that it has not are not to be had.
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
        let isNew = wanted != told && (told != nil || wanted != sent)
        if wanted != told { (told, times) = (wanted, 0) }
        let mustTell = isNew || wanted != sent && now >= lastTold + patience(roundTrip)
        if mustTell { (lastTold, times) = (now, times + 1) }
        nextDeadline = wanted == sent ? .distantFuture : max(lastTold + patience(roundTrip), now + .milliseconds(1))
        // Of those that nobody reads any more.
        for e in wanted where !(e < isRead.count && isRead[e]) && wantedUntil[e] > now {
            nextDeadline = min(nextDeadline, wantedUntil[e])
        }
        return (wanted, new, mustTell)
    }

    /// Twice as long each time: it may be that the other cannot.
    private func patience(_ roundTrip: Interval) -> Interval {
        min(Self.longestPause, Self.pause * (1 << min(times, 5))) + roundTrip * 2
    }
}

extension Source.Track {
    /// What is wanted of its encodings (`EncodingDemand.update`).
    /// - Parameter kept: also wanted when nobody reads it.
    mutating func demand(
        of target: Track, keeping kept: Int?, roundTrip: Interval, now: Instant
    ) -> (wanted: [Int], new: [Int], mustTell: Bool) {
        var isRead = zip(target.encodings, reports).map { $0.readers > 0 && $1 != nil }
        if let kept, isRead.indices.contains(kept), reports[kept] != nil { isRead[kept] = true }
        return demand.update(
            isRead: isRead, fallback: preferred, sent: reports.indices.filter { reports[$0]?.isSent == true },
            roundTrip: roundTrip, now: now)
    }
}
