import WebRTC

/// What an encoding takes, smoothed over about a second of quarter seconds.
struct MeasuredRate {
    private static let bin = Interval.milliseconds(250)

    /// Bytes of RTP payload per second as of the last whole quarter of a second; nil before there is one.
    private(set) var bytesPerSecond: Int64?
    /// The same after each quarter of a second, the newest last.
    private var recent: [Int64] = []
    private static let mostRecent = 40
    private var began: Instant?
    private var bytes: Int64 = 0

    /// What a link has to have room for: what it takes, but for the highest tenth of the last ten seconds. A pause of the
    /// picture makes it no less.
    var need: Int64? {
        bytesPerSecond.map { max($0, recent.sorted()[(recent.count - 1) * 9 / 10]) }
    }

    mutating func count(_ length: Int, now: Instant) {
        guard let began else {
            (self.began, bytes) = (now, Int64(length))
            return
        }
        let bins = (now - began).nanoseconds / Self.bin.nanoseconds
        if bins > 0 { close(bins) }
        bytes += Int64(length)
    }

    /// A quarter of the difference per bin; those without a packet count as well.
    private mutating func close(_ bins: Int64) {
        for i in 0..<min(bins, 32) {
            let sample = i == 0 ? bytes * 4 : 0
            let smoothed = bytesPerSecond.map { $0 + (sample - $0) / 4 } ?? sample
            bytesPerSecond = smoothed
            if recent.count == Self.mostRecent { recent.removeFirst() }
            recent.append(smoothed)
        }
        (began, bytes) = (began.map { $0 + Self.bin * bins }, 0)
    }
}
