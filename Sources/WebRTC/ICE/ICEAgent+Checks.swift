// The asking half of ICE (RFC 8445 §7.2, §8) and consent (RFC 7675): for the client, and the check itself for both.

/// One remote candidate and the checks sent to it. Every datagram is a transaction of its own, so that its answer times
/// the path without doubt.
struct CandidateCheck {
    struct Attempt {
        var id: STUNMessage.TransactionID
        var sent: Instant
        var controlling: Bool
        var nominating: Bool
    }

    /// Answers that are waited for; older ones are forgotten.
    static let maximumAttempts = 16
    /// A lost datagram is repeated after this, doubling. RFC 8445 §14.3 would wait 500 ms; Ta bounds our rate as
    /// well, and a relay's first picture waits for this.
    static let firstTimeout = Interval.milliseconds(100)
    static let lastTimeout = Interval.milliseconds(1_600)

    let address: TransportAddress
    let generation: ICEGeneration
    /// When the next datagram goes out.
    var due: Instant
    var timeout = Self.firstTimeout
    var attempts: [Attempt] = []
    /// The selected pair is known to both sides: its checks are for consent alone.
    var confirmed = false

    init(address: TransportAddress, generation: ICEGeneration, due: Instant) {
        (self.address, self.generation, self.due) = (address, generation, due)
    }

    var lastSent: Instant? { attempts.last?.sent }

    func attempt(_ id: STUNMessage.TransactionID) -> Attempt? { attempts.first { $0.id == id } }

    mutating func forget(_ id: STUNMessage.TransactionID) { attempts.removeAll { $0.id == id } }
}

extension ICEAgent {
    /// Type preference of a peer-reflexive candidate, as §7.1.1 wants it: 110, one local address, component 1.
    private static let checkPriority: UInt32 = 110 << 24 | 0xFFFF << 8 | 255

    /// At most one check per Ta; whichever waits longest goes first.
    mutating func sendDueCheck(now: Instant, outbox: Outbox) {
        guard now >= nextSlot, let index = checks.indices.min(by: { checks[$0].due < checks[$1].due }),
            checks[index].due <= now
        else { return }
        nextSlot = now + Self.pace
        checks[index] = transmit(checks[index], nominating: false, now: now, outbox: outbox)
    }

    mutating func sendDueConsent(now: Instant, outbox: Outbox) {
        guard let check = selected, check.due <= now else { return }
        selected = transmit(check, nominating: isControlling, now: now, outbox: outbox)
    }

    /// A check because of doubt; it counts for consent as well.
    mutating func sendDueProbe(now: Instant, outbox: Outbox) {
        guard watch?.advance(lastLife: lastLife, roundTrip: roundTrip ?? .zero, now: now) == true, let check = selected
        else { return }
        selected = transmit(check, nominating: isControlling, now: now, outbox: outbox)
    }

    /// Sends a Binding request (§7.2.2) and returns the check with its next due time. Consent checks go on nominating,
    /// which heals a nomination that was answered but came to nothing.
    mutating func transmit(
        _ check: CandidateCheck, nominating: Bool, now: Instant, outbox: Outbox
    ) -> CandidateCheck {
        var check = check
        let id = STUNMessage.TransactionID.unguessable()
        var request = STUNWriter(.request, transactionID: id)
        request.addUsername(check.generation.username)
        request.addPriority(Self.checkPriority)
        if isControlling {
            request.addControlling(tieBreaker: tieBreaker)
        } else {
            request.addControlled(tieBreaker: tieBreaker)
        }
        if nominating { request.addUseCandidate() }
        // No room is like a loss: it is sent again.
        outbox.append(request.finish(key: check.generation.remotePassword), to: check.address)
        if check.attempts.count == CandidateCheck.maximumAttempts { check.attempts.removeFirst() }
        check.attempts.append(
            CandidateCheck.Attempt(id: id, sent: now, controlling: isControlling, nominating: nominating))
        if check.confirmed {
            check.due = now + consentInterval()
        } else {
            check.due = now + check.timeout
            check.timeout = min(check.timeout * 2, CandidateCheck.lastTimeout)
        }
        return check
    }

    private mutating func consentInterval() -> Interval {
        // 0.8 to 1.2 times the period.
        let fifth = Self.consentPeriod.nanoseconds / 5
        return Interval(nanoseconds: Int64.random(in: 4 * fifth...6 * fifth, using: &generator))
    }

    /// A success or error answer. It counts only from where the request went (§7.2.5.2.1).
    mutating func receiveAnswer(
        _ message: STUNMessage, in bytes: borrowing RawSpan, from source: TransportAddress, now: Instant,
        outbox: Outbox
    ) -> Received {
        let id = message.transactionID
        if var check = selected, check.address == source, let attempt = check.attempt(id) {
            let verified = message.verifyIntegrity(key: check.generation.remotePassword, in: bytes)
            check.forget(id)
            if message.messageClass == .error {
                guard yields(to: message, attempt, verified: verified) else { return .dropped(.stunIntegrity) }
                if !isControlling { confirm(&check, now: now) }
            } else {
                guard verified else { return .dropped(.stunIntegrity) }
                lastLife = max(lastLife, now)
                measure(now - attempt.sent)
                if attempt.nominating || !isControlling { confirm(&check, now: now) }
            }
            selected = check
            return .handled
        }
        guard let index = checks.firstIndex(where: { $0.address == source && $0.attempt(id) != nil }),
            let attempt = checks[index].attempt(id)
        else { return .dropped(.unexpectedSTUN) }
        let verified = message.verifyIntegrity(key: checks[index].generation.remotePassword, in: bytes)
        if message.messageClass == .error {
            guard yields(to: message, attempt, verified: verified) else { return .dropped(.stunIntegrity) }
            checks[index].forget(id)
            if message.errorCode == 487 { checks[index].due = now }
            return .handled
        }
        guard verified else { return .dropped(.stunIntegrity) }
        checks[index].forget(id)
        measure(now - attempt.sent)
        select(checks[index], now: now, outbox: outbox)
        return .handled
    }

    /// The first pair that answers is selected and used from now on; when we control, its nomination leaves at once,
    /// ahead of any data (§8.1.1, §12.1).
    private mutating func select(_ check: CandidateCheck, now: Instant, outbox: Outbox) {
        var check = check
        check.timeout = CandidateCheck.firstTimeout
        (state, remote, lastLife) = (.connected, check.address, max(lastLife, now))
        (checks, previous, setupDeadline) = ([], nil, nil)
        if isControlling {
            check = transmit(check, nominating: true, now: now, outbox: outbox)
        } else {
            confirm(&check, now: now)
        }
        selected = check
    }

    private mutating func confirm(_ check: inout CandidateCheck, now: Instant) {
        guard !check.confirmed else { return }
        check.confirmed = true
        check.due = now + consentInterval()
    }

    /// An error answer changes one thing only: 487 makes us switch roles (§7.2.5.1), with a new tie-breaker. After any
    /// other the check is repeated as if nothing had come: a node that restarts refuses for a moment. False: a 487
    /// that is not the peer's.
    private mutating func yields(
        to message: STUNMessage, _ attempt: CandidateCheck.Attempt, verified: Bool
    ) -> Bool {
        guard message.errorCode == 487 else { return true }
        guard verified else { return false }
        if attempt.controlling == isControlling {
            isControlling.toggle()
            tieBreaker = generator.next()
        }
        return true
    }

    /// RFC 6298 §2.3.
    private mutating func measure(_ sample: Interval) {
        guard let smoothed = roundTrip else { roundTrip = sample; return }
        roundTrip = smoothed + (sample - smoothed) / 8
    }
}
