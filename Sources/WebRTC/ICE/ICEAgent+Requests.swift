// The answering half of ICE (RFC 8445 §7.3), for both roles.
extension ICEAgent {
    mutating func receiveRequest(
        _ message: STUNMessage, in bytes: borrowing RawSpan, from source: TransportAddress, now: Instant,
        outbox: Outbox
    ) -> Received {
        let id = message.transactionID
        guard message.username != nil, message.hasIntegrity else {
            refuse(id, 400, "Bad Request", key: nil, to: source, outbox: outbox)
            return .dropped(.malformedSTUN)
        }
        let key = message.localUfragKey(in: bytes)
        let isCurrent = key == current.localKey
        guard let generation = isCurrent ? current : previous, key == generation.localKey else {
            refuse(id, 401, "Unauthorized", key: nil, to: source, outbox: outbox)
            return .dropped(.unknownUfrag)
        }
        guard message.verifyIntegrity(key: generation.localPassword, in: bytes) else {
            refuse(id, 401, "Unauthorized", key: nil, to: source, outbox: outbox)
            return .dropped(.stunIntegrity)
        }
        if message.hasUnknownAttributes {
            refuse(
                id, 420, "Unknown Attribute", unknown: message.unknownAttributes(in: bytes),
                key: generation.localPassword, to: source, outbox: outbox)
            return .handled
        }
        guard resolveRole(against: message) else {
            refuse(id, 487, "Role Conflict", key: generation.localPassword, to: source, outbox: outbox)
            return .handled
        }
        var answer = STUNWriter(.success, transactionID: id)
        answer.addMappedAddress(source)
        let sent = outbox.append(answer.finish(key: generation.localPassword), to: source)
        if role == .server {
            adopt(source, nominated: message.useCandidate, generation: generation, now: now)
        } else if isCurrent {
            trigger(source, nominated: message.useCandidate, now: now)
        }
        return sent ? .handled : .dropped(.outboxFull)
    }

    /// Client: a triggered check (RFC 8445 §7.3.1.4) towards where the peer really sends from, maybe a peer-reflexive
    /// address. Once we have selected a pair, only a controlling peer that nominates another one can make us check it.
    private mutating func trigger(_ source: TransportAddress, nominated: Bool, now: Instant) {
        if !needsPair {
            guard nominated, !isControlling, source != remote else { return }
            setupDeadline = now + setupTimeout
        }
        if let index = checks.firstIndex(where: { $0.address == source }) {
            if checks[index].lastSent.map({ now - $0 >= Self.pace }) ?? true { checks[index].due = now }
        } else if checks.count < Self.maximumCandidates {
            checks.insert(CandidateCheck(address: source, generation: current, due: now), at: 0)
        }
    }

    /// RFC 8445 §7.3.1.1: both sides claim the same role. False: the peer has to switch. A lite agent never controls.
    private mutating func resolveRole(against message: STUNMessage) -> Bool {
        guard let theirs = isControlling ? message.controlling : message.controlled else { return true }
        if role == .server { return false }
        // The greater tie-breaker controls.
        let weControl = tieBreaker >= theirs
        if weControl == isControlling { return false }
        isControlling = weControl
        return true
    }

    /// An error answer (RFC 8489 §6.3.1). With `key` nil it is not protected: the other side's password is in doubt.
    private func refuse(
        _ id: STUNMessage.TransactionID, _ code: Int, _ reason: StaticString, unknown: [UInt16] = [], key: [UInt8]?,
        to source: TransportAddress, outbox: Outbox
    ) {
        var answer = STUNWriter(.error, transactionID: id)
        answer.addError(code, reason: reason)
        if !unknown.isEmpty { answer.addUnknownAttributes(unknown) }
        outbox.append(answer.finish(key: key), to: source)
    }
}
