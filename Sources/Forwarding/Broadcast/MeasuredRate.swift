import WebRTC

/// What an encoding takes, smoothed over about a second of quarter seconds.
struct MeasuredRate {
    private static let bin = Interval.milliseconds(250)

    /// Bytes of RTP payload per second as of the last whole quarter of a second; nil before there is one.
    private(set) var bytesPerSecond: Int64?
    private var began: Instant?
    private var bytes: Int64 = 0

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
            bytesPerSecond = bytesPerSecond.map { $0 + (sample - $0) / 4 } ?? sample
        }
        (began, bytes) = (began.map { $0 + Self.bin * bins }, 0)
    }
}
