// Who moves a server's session: where its media goes once the peer has shown its password from more than one address.
// Source addresses can be forged, also by a peer that has all the keys, so nothing that arrives proves an address. Only a
// round trip does: a check of ours, whose transaction nobody can guess, answered from there (decision 14).
//
//     a check comes from          and it nominates              and it does not
//     the address in use          it stays                      it stays
//     another one                 checked at once, used         checked once the address in use is silent, used when
//                                 when it answers               that one does not answer and this one does

/// An address besides the one in use from which the peer has shown its password.
struct RivalAddress {
    /// Unanswered, it is checked for so long after it was last heard: seven times, as often as RFC 8489 §6.2.1 sends any
    /// request. So forging a source gains next to nothing.
    static let patience = Interval.seconds(Int64(5))
    /// How long an answer proves the address: a peer that nominates two in turn is followed without another check.
    static let proofLasts = Interval.seconds(Int64(5))

    var check: CandidateCheck
    var isNominated = false
    var provenUntil = Instant.zero
    var lastHeard: Instant

    mutating func heard(now: Instant) {
        if now >= lastHeard + Self.patience { check.timeout = CandidateCheck.firstTimeout }
        lastHeard = max(lastHeard, now)
    }
}

extension ICEAgent {
    static let maximumRivals = 4
    /// The address in use is doubted when nothing has come from there for so long, while the peer is heard elsewhere…
    static let rivalSilence = Interval.seconds(Int64(1))
    /// … and given up 700 ms after that, since the way to it is not known to be shorter.
    private static let assumedRoundTrip = Interval.milliseconds(200)

    /// An authenticated check came in. The first address is used at once: DTLS is the round trip that proves it.
    mutating func adopt(
        _ source: TransportAddress, nominated: Bool, generation: ICEGeneration, now: Instant
    ) {
        if state == .checking { (state, remote, setupDeadline) = (.connected, source, nil) }
        guard source == remote else { return rival(source, nominated: nominated, generation: generation, now: now) }
        lastLife = max(lastLife, now)
        if nominated { nominationReached(generation) }
    }

    private mutating func rival(
        _ source: TransportAddress, nominated: Bool, generation: ICEGeneration, now: Instant
    ) {
        let index = rivals.firstIndex { $0.check.address == source } ?? admitRival(source, generation, now: now)
        rivals[index].heard(now: now)
        if generation.localKey == current.localKey, rivals[index].check.generation.localKey != current.localKey {
            rivals[index].check = CandidateCheck(address: source, generation: generation, due: now)
        }
        if nominated, !rivals[index].isNominated, outranksNomination(generation) {
            for other in rivals.indices { rivals[other].isNominated = other == index }
            rivals[index].check.due = now
        }
        watch = watch ?? PeerWatch(silence: Self.rivalSilence)
        moveIfProven(now: now)
    }

    /// The place of a new rival; it takes that of the one that has been silent longest.
    private mutating func admitRival(
        _ source: TransportAddress, _ generation: ICEGeneration, now: Instant
    ) -> Int {
        if rivals.count == Self.maximumRivals,
            let oldest = rivals.indices.min(by: { rivals[$0].lastHeard < rivals[$1].lastHeard })
        {
            rivals.remove(at: oldest)
        }
        let check = CandidateCheck(address: source, generation: generation, due: now)
        rivals.append(RivalAddress(check: check, lastHeard: now))
        return rivals.count - 1
    }

    /// During a restart the former credentials overrule nothing that the new ones nominate.
    private func outranksNomination(_ generation: ICEGeneration) -> Bool {
        generation.localKey == current.localKey
            || !rivals.contains { $0.isNominated && $0.check.generation.localKey == current.localKey }
    }

    /// The address in use is the one that the peer wants: a restart is through, and no other is nominated any more.
    private mutating func nominationReached(_ generation: ICEGeneration) {
        if outranksNomination(generation) { for index in rivals.indices { rivals[index].isNominated = false } }
        if generation.localKey == current.localKey { previous = nil }
    }

    /// Authentic media from a rival shows that it is still worth a check.
    mutating func mediaFromElsewhere(_ source: TransportAddress, now: Instant) {
        guard let index = rivals.firstIndex(where: { $0.check.address == source }) else { return }
        rivals[index].heard(now: now)
    }

    /// Server: an answer to a check of ours. A refusal under the peer's password is an answer too.
    mutating func receiveAnswerOfPeer(
        _ message: STUNMessage, in bytes: borrowing RawSpan, from source: TransportAddress, now: Instant
    ) -> Received {
        let id = message.transactionID
        if let check = selected, source == remote, check.attempt(id) != nil {
            guard message.verifyIntegrity(key: check.generation.remotePassword, in: bytes) else {
                return .dropped(.stunIntegrity)
            }
            selected?.forget(id)
            lastLife = max(lastLife, now)
            return .handled
        }
        guard let index = rivals.firstIndex(where: { $0.check.address == source && $0.check.attempt(id) != nil })
        else { return .dropped(.unexpectedSTUN) }
        guard message.verifyIntegrity(key: rivals[index].check.generation.remotePassword, in: bytes) else {
            return .dropped(.stunIntegrity)
        }
        rivals[index].check.forget(id)
        rivals[index].provenUntil = now + RivalAddress.proofLasts
        moveIfProven(now: now)
        return .handled
    }

    /// Server: checks that are due, and what follows from their answers.
    mutating func advanceRivals(now: Instant, outbox: Outbox) {
        rivals.removeAll { now >= $0.lastHeard + consentTimeout }
        guard !rivals.isEmpty, let remote else {
            (watch, selected) = (nil, nil)
            return
        }
        if watch?.advance(lastLife: lastLife, roundTrip: Self.assumedRoundTrip, now: now) == true {
            let check = selected ?? CandidateCheck(address: remote, generation: previous ?? current, due: now)
            selected = transmit(check, nominating: false, now: now, outbox: outbox)
        }
        for index in rivals.indices {
            guard rivalCheckDue(rivals[index]) <= now else { continue }
            rivals[index].check = transmit(rivals[index].check, nominating: false, now: now, outbox: outbox)
        }
        moveIfProven(now: now)
    }

    private var isDoubted: Bool { watch.map { !$0.isCalm } ?? false }

    private func rivalCheckDue(_ rival: RivalAddress) -> Instant {
        let due = max(rival.check.due, rival.provenUntil)
        let isWanted = rival.isNominated || isDoubted
        return isWanted && due < rival.lastHeard + RivalAddress.patience ? due : .distantFuture
    }

    var rivalDeadline: Instant {
        rivals.reduce(.distantFuture) { min($0, rivalCheckDue($1), $1.lastHeard + consentTimeout) }
    }

    private mutating func moveIfProven(now: Instant) {
        let isSilent = watch?.isUnreachable == true && watch?.isOver(lastLife: lastLife) == false
        let proven = rivals.indices.filter { now < rivals[$0].provenUntil }
        guard let index = proven.first(where: { rivals[$0].isNominated }) ?? (isSilent ? proven.first : nil)
        else { return }
        let winner = rivals.remove(at: index)
        (remote, lastLife) = (winner.check.address, max(lastLife, now))
        if winner.isNominated { nominationReached(winner.check.generation) }
        (selected, watch) = (nil, rivals.isEmpty ? nil : PeerWatch(silence: Self.rivalSilence))
    }
}
