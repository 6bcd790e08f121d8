/// One side of ICE for one session, bytes and time in, datagrams and the next deadline out.
///
/// Server: ICE-lite and controlled (RFC 8445 §2.5). It answers checks and takes the peer's address from them: the first
/// authenticated one's at once, so that DTLS can start. Another one has to answer a check of ours before it is used
/// (`ICEAgent+Moves`); apart from that a server sends none. Client: controlling with one host candidate, our socket. It
/// checks the peer's candidates, uses the first pair that answers, nominates it and keeps consent on it (RFC 7675). It
/// answers checks too, so a full peer is as good as a lite one.
///
/// Both keep a session alive on authenticated media as well as on STUN, as far as it comes from the address in use: some
/// peers send no checks while they send RTCP.
package struct ICEAgent {
    package enum State: Hashable, Sendable {
        case checking
        /// `remote` is usable.
        case connected
        /// Not connected in time, or no sign of life since: the session is over.
        case failed
    }

    package enum Received: Hashable, Sendable {
        /// Authenticated, or from an address we use already: the source may be taken for this session's.
        case handled
        case dropped(DropReason)
    }

    /// Remote candidates kept, peer-reflexive ones included. More are ignored.
    package static let maximumCandidates = 32
    /// Ta, the time between two checks (RFC 8445 §14.2).
    static let pace = Interval.milliseconds(50)
    /// Mean time between consent checks; each waits 0.8 to 1.2 times as long (RFC 7675 §5.1).
    static let consentPeriod = Interval.seconds(Int64(5))

    let role: TransportParameters.Role
    let setupTimeout: Interval
    let consentTimeout: Interval
    package internal(set) var state = State.checking
    /// Where to send: the peer of the selected pair. nil only before the first `connected`.
    package internal(set) var remote: TransportAddress?
    /// A client's only candidate, that has been asked and has not answered.
    package var asked: TransportAddress? {
        state == .checking && checks.count == 1 && checks[0].lastSent != nil ? checks[0].address : nil
    }
    /// Smoothed over our own checks; nil for a server, which sends next to none.
    package internal(set) var roundTrip: Interval?

    /// The credentials that checks are made with.
    var current: ICEGeneration
    /// During a restart: the credentials of the pair still in use.
    var previous: ICEGeneration?
    /// When checking ends; nil when there is nothing to check.
    var setupDeadline: Instant?
    /// When the peer was last heard from `remote`.
    package internal(set) var lastLife: Instant
    /// Checks of the pair in use.
    var selected: CandidateCheck?
    /// Whether the peer of the pair in use still lives; nil: only consent says so.
    var watch: PeerWatch?

    // Server only.
    var rivals: [RivalAddress] = []

    // Client only, apart from the checks that a server sends rivals.
    var isControlling: Bool
    var tieBreaker: UInt64
    var generator: SeededGenerator
    /// Candidates without a valid pair yet. Empty once one is selected.
    var checks: [CandidateCheck] = []
    /// Before this no check may be sent.
    var nextSlot: Instant

    /// Server: `candidates` are not used. `local.ufrag` is of our making, eight bytes long. Not connected within
    /// `setupTimeout`, or no life for `consentTimeout`: `failed`. `seed` feeds transaction IDs and jitter.
    package init(
        role: TransportParameters.Role, local: ICECredentials, remote: ICECredentials, candidates: [TransportAddress],
        setupTimeout: Interval, consentTimeout: Interval, now: Instant, seed: UInt64
    ) {
        self.role = role
        (self.setupTimeout, self.consentTimeout) = (setupTimeout, consentTimeout)
        current = ICEGeneration(local: local, remote: remote)
        (setupDeadline, lastLife, nextSlot) = (now + setupTimeout, now, now)
        generator = SeededGenerator(seed: seed)
        tieBreaker = generator.next()
        isControlling = role == .client
        addCandidates(candidates, now: now)
    }

    /// Keys under which STUN for this session may come: one, or two during a restart. They change with `restart`, and
    /// with the `receive` that completes one.
    package var localUfragKeys: [UInt64] { [current.localKey] + (previous.map { [$0.localKey] } ?? []) }

    /// Whether two generations of credentials are answered.
    package var isRestarting: Bool { previous != nil }

    /// What `advance` waits for; `.distantFuture` after `failed`.
    package var nextDeadline: Instant {
        guard state != .failed else { return .distantFuture }
        var deadline = setupDeadline ?? .distantFuture
        if state == .connected { deadline = min(deadline, lastLife + consentTimeout) }
        for check in checks { deadline = min(deadline, max(check.due, nextSlot)) }
        if role == .server { deadline = min(deadline, rivalDeadline) }
        if role == .client, let selected { deadline = min(deadline, selected.due) }
        if let watch { deadline = min(deadline, watch.nextDeadline(lastLife: lastLife)) }
        return deadline
    }

    /// Handles one STUN datagram.
    package mutating func receive(
        _ bytes: borrowing RawSpan, from source: TransportAddress, now: Instant, outbox: Outbox
    ) -> Received {
        guard let message = STUNMessage.parse(bytes) else { return .dropped(.malformedSTUN) }
        return receive(message, in: bytes, from: source, now: now, outbox: outbox)
    }

    /// The same for a message that was parsed already, to find this session by its user fragment.
    package mutating func receive(
        _ message: STUNMessage, in bytes: borrowing RawSpan, from source: TransportAddress, now: Instant,
        outbox: Outbox
    ) -> Received {
        guard state != .failed else { return .dropped(.sessionClosed) }
        guard message.fingerprint != .invalid else { return .dropped(.stunIntegrity) }
        guard message.method == STUNMessage.binding else { return .dropped(.unexpectedSTUN) }
        switch message.messageClass {
        case .request: return receiveRequest(message, in: bytes, from: source, now: now, outbox: outbox)
        // A keepalive (RFC 8445 §11): not authenticated, so it proves nothing, least of all whose an address is.
        case .indication: return source == remote ? .handled : .dropped(.unexpectedSTUN)
        case .success, .error:
            if role == .server { return receiveAnswerOfPeer(message, in: bytes, from: source, now: now) }
            return receiveAnswer(message, in: bytes, from: source, now: now, outbox: outbox)
        }
    }

    /// An SRTP or SRTCP packet of this session verified. It is life only where we send to: whoever has the keys can send
    /// from anywhere, and a peer that is not there has to be moved or given up.
    package mutating func authenticatedMedia(from source: TransportAddress, now: Instant) {
        guard state == .connected else { return }
        if source == remote { lastLife = max(lastLife, now) } else { mediaFromElsewhere(source, now: now) }
    }

    /// Sends what is due and notices timeouts.
    package mutating func advance(now: Instant, outbox: Outbox) {
        if let setupDeadline, now >= setupDeadline {
            if state == .checking { return fail() }
            // A restart that leads nowhere: the old pair is kept as long as it lives.
            (checks, self.setupDeadline) = ([], nil)
        }
        if state == .connected, now >= lastLife + consentTimeout { return fail() }
        guard state != .failed else { return }
        if role == .server { return advanceRivals(now: now, outbox: outbox) }
        sendDueCheck(now: now, outbox: outbox)
        sendDueProbe(now: now, outbox: outbox)
        sendDueConsent(now: now, outbox: outbox)
    }

    /// Client: from now on, a peer that is silent for `silence` is checked, and `isUnreachable` if it does not answer.
    package mutating func watch(silence: Interval) {
        if role == .client { watch = PeerWatch(silence: silence) }
    }

    /// Checks a watched peer with the next `advance`, and loses patience with it sooner than silence alone would.
    package mutating func verify(now: Instant) {
        watch?.verify(lastLife: lastLife, roundTrip: roundTrip ?? .zero, now: now)
    }

    /// Nothing authenticated came from a watched peer, and no answer to our checks.
    package var isUnreachable: Bool { role == .client && watch?.isUnreachable == true }

    /// Adds remote candidates to check. Duplicates, unusable addresses and those beyond `maximumCandidates` are
    /// ignored, and so are all when a pair is already selected.
    package mutating func addCandidates(_ candidates: [TransportAddress], now: Instant) {
        guard role == .client, needsPair else { return }
        for address in candidates where address.port != 0 && !address.isUnspecified {
            guard checks.count < Self.maximumCandidates else { return }
            guard !checks.contains(where: { $0.address == address }) else { continue }
            checks.append(CandidateCheck(address: address, generation: current, due: now))
        }
    }

    /// New credentials on both sides (RFC 8445 §9). `remote` stays in use, and the credentials it was validated with
    /// stay good, until the new ones lead to a pair. Candidates replace the old ones.
    package mutating func restart(
        local: ICECredentials, remote: ICECredentials, candidates: [TransportAddress], now: Instant
    ) {
        guard state != .failed else { return }
        // A second restart before the first one is through: what counts is still the pair in use.
        previous = previous ?? current
        current = ICEGeneration(local: local, remote: remote)
        checks = []
        if state == .checking || role == .client { setupDeadline = now + setupTimeout }
        addCandidates(candidates, now: now)
    }

    /// Whether the current credentials have not led to a pair yet, and still may.
    var needsPair: Bool { setupDeadline != nil && (state == .checking || isRestarting) }

    mutating func fail() {
        state = .failed
        (checks, rivals, selected, watch, setupDeadline) = ([], [], nil, nil, nil)
    }
}

/// The credentials of both sides from one offer/answer exchange to the next restart, ready for the wire.
struct ICEGeneration {
    let localKey: UInt64
    let localPassword: [UInt8]
    let remotePassword: [UInt8]
    /// USERNAME of our checks: their fragment, then ours (RFC 8445 §7.2.2).
    let username: [UInt8]

    init(local: ICECredentials, remote: ICECredentials) {
        guard let key = local.ufragKey else { preconditionFailure("a local ufrag is eight bytes long") }
        localKey = key
        (localPassword, remotePassword) = (Array(local.password.utf8), Array(remote.password.utf8))
        username = Array("\(remote.ufrag):\(local.ufrag)".utf8)
    }
}
