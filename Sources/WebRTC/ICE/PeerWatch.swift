/// Whether the peer of the pair in use still lives, noticed long before consent expires (RFC 7675): silence leads to connectivity
/// checks, checks without any answer to `unreachable`. It costs a packet nothing beyond `ICEAgent.lastLife`.
///
///     calm ──silence, or verify──► doubted ──patience──► unreachable
///      ▲                              │                       │
///      └──────────── anything authenticated ◄─────────────────┘
struct PeerWatch {
    private enum State {
        case calm
        case doubted(until: Instant)
        case unreachable
    }

    /// Time between checks while in doubt; never so short that answers on a long path come too late to be known.
    static let pace = Interval.milliseconds(100)
    /// Time between checks once the peer is taken for gone.
    static let slowPace = Interval.seconds(Int64(1))

    /// Without anything authenticated for so long the peer is in doubt.
    let silence: Interval
    private var state = State.calm
    /// The last sign of life when doubt began: a later one ends it.
    private var known = Instant.zero
    private var nextCheck = Instant.distantFuture

    init(silence: Interval) { self.silence = silence }

    var isCalm: Bool { if case .calm = state { true } else { false } }
    /// The peer has been heard since doubt began; the state says so with the next `advance`.
    func isOver(lastLife: Instant) -> Bool { lastLife > known }

    var isUnreachable: Bool { if case .unreachable = state { true } else { false } }

    /// Somebody has reason to doubt the peer: the next check leaves at once.
    mutating func verify(lastLife: Instant, roundTrip: Interval, now: Instant) {
        let end = now + max(.milliseconds(300), roundTrip * 2 + .milliseconds(100))
        switch state {
        case .calm: (state, known) = (.doubted(until: end), lastLife)
        case .doubted(let until): state = .doubted(until: min(until, end))
        case .unreachable: break
        }
        nextCheck = now
    }

    /// Brings the state up to date; true: send a check now.
    mutating func advance(lastLife: Instant, roundTrip: Interval, now: Instant) -> Bool {
        if lastLife > known { (state, known) = (.calm, lastLife) }
        switch state {
        case .calm:
            guard now >= lastLife + silence else { return false }
            state = .doubted(until: now + max(.milliseconds(500), roundTrip * 3 + .milliseconds(100)))
            nextCheck = now
        case .doubted(let until):
            if now >= until { state = .unreachable }
        case .unreachable:
            break
        }
        guard now >= nextCheck else { return false }
        nextCheck = now + (isUnreachable ? Self.slowPace : max(Self.pace, roundTrip / 8))
        return true
    }

    func nextDeadline(lastLife: Instant) -> Instant {
        // A sign of life that ends the doubt is due at once; without doubt it only moves the deadline on.
        switch state {
        case .calm: lastLife + silence
        case .doubted(let until): lastLife > known ? lastLife : min(until, nextCheck)
        case .unreachable: lastLife > known ? lastLife : nextCheck
        }
    }
}
