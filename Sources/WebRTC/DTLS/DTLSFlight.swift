/// The messages we sent last, and when to send them again (RFC 6347 §4.2.4).
///
///     sent ─50 ms─► repeat ─100 ms─► repeat ─200 ms─► … 1.6 s … ─► given up
///
/// A repeat should be new records with new sequence numbers. The same datagram again would be thrown away as a replay
/// wherever a first copy arrived, and OpenSSL peers then never see a ChangeCipherSpec that overtook the message before
/// it. So each repeat has a version of its own, all made when the flight is.
struct DTLSFlight {
    static let repeats = 10
    private static let firstInterval = Interval.milliseconds(50)
    private static let longestInterval = Interval.milliseconds(1_600)

    /// One list of datagrams for each repeat, the next one last.
    private var versions: [[[UInt8]]]
    private var interval = firstInterval
    private(set) var deadline: Instant

    init(repeats versions: [[[UInt8]]], sentAt now: Instant) {
        self.versions = versions.reversed()
        deadline = now + Self.firstInterval
    }

    /// Something came in that a repeat waited for.
    mutating func hasten(now: Instant) { deadline = now }

    /// The datagrams of the next repeat, nil when there is none left and the peer is to be given up.
    mutating func next(now: Instant) -> [[UInt8]]? {
        guard let version = versions.popLast() else { return nil }
        interval = min(interval * 2, Self.longestInterval)
        deadline = now + interval
        return version
    }
}
