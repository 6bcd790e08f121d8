/// When a flight is repeated (RFC 6347 §4.2.4), how often towards an address that may be forged, and when the peer is
/// given up.
struct DTLSRetransmission {
    enum Step: Equatable {
        case wait
        case send([[UInt8]])
        case giveUp
    }

    private let isClient: Bool
    private var flight: DTLSFlight?
    /// An alert before the keys is not authenticated: it is believed when the peer has said nothing more until then.
    private var refusalCounts: Instant?
    /// Repeats that may still go to an address that may be forged; nil: it is the peer's. Others are left out.
    private var allowance: Int?
    private var isHeld = false
    /// Of a flight that has not been repeated: then its answer is to this one (Karn).
    private var sentAt: Instant?
    /// From a flight to what the peer said next, its computing included; nil: not known.
    private(set) var roundTrip: Interval?

    static let refusalPatience = Interval.seconds(Int64(1))
    /// A server's flight is about 640 bytes, the ClientHello 200.
    static let firstAllowance = (client: 5, server: 2)

    /// - Parameter isProven: the peer has answered from the address to which we send.
    init(isClient: Bool, isProven: Bool) {
        self.isClient = isClient
        allowance = isProven ? nil : isClient ? Self.firstAllowance.client : Self.firstAllowance.server
    }

    /// When `advance` has something to do.
    var nextDeadline: Instant { min(flight?.deadline ?? .distantFuture, refusalCounts ?? .distantFuture) }

    /// A datagram came with something that the handshake waits for. It is worth a repeat, at once if one was left out for
    /// want of it.
    mutating func heard(now: Instant) {
        refusalCounts = nil
        if let sentAt { roundTrip = now - sentAt }
        sentAt = nil
        if flight != nil { allowance? += 1 }
        if isHeld { flight?.hasten(now: now) }
        isHeld = false
    }

    /// An alert came that nobody has signed.
    mutating func refused(now: Instant) { refusalCounts = refusalCounts ?? now + Self.refusalPatience }

    /// A flight has left, to be repeated as long as the peer is not heard.
    mutating func sent(repeats: [[[UInt8]]], now: Instant) {
        // A client's second flight: the server has signed our first one, so it has got it.
        if isClient, flight != nil { allowance = nil }
        flight = DTLSFlight(repeats: repeats, sentAt: now)
        sentAt = now
    }

    mutating func advance(now: Instant) -> Step {
        if let refusalCounts, refusalCounts <= now { return .giveUp }
        guard let deadline = flight?.deadline, deadline <= now else { return .wait }
        guard let datagrams = flight?.next(now: now) else { return .giveUp }
        isHeld = allowance == 0
        if isHeld { return .wait }
        allowance? -= 1
        sentAt = nil
        return .send(datagrams)
    }

    /// There is nothing to wait for any more.
    mutating func end() { (flight, refusalCounts) = (nil, nil) }
}
