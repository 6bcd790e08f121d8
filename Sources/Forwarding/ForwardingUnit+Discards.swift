import WebRTC

extension ForwardingUnit {
    /// A viewer asks for more than is good for others: counted each time, said once per session and reason.
    func refuse(_ reason: DropReason, of session: Session, now: Instant) {
        count(reason, session: session)
        guard session.budget.told.insert(reason).inserted else { return }
        session.peer.log.append(.discarding(reason), at: now)
        events.append(.exceeding(session.id, session.broadcast.id, reason))
    }

    /// Says, once per session and reason, that packets of a source are thrown away which it means viewers to get.
    func tell(_ reason: DropReason, of bytes: borrowing RawSpan, on session: Session, now: Instant) {
        switch reason {
        case .tooLarge, .unknownStream, .unknownPayloadType: break
        default: return
        }
        guard session.source?.told.insert(reason).inserted == true, let packet = RTPPacket.parse(bytes) else { return }
        session.peer.log.append(.discarding(reason), at: now)
        events.append(
            .discarding(
                session.id, session.broadcast.id, reason,
                DiscardedPacket(
                    ssrc: packet.ssrc, payloadType: packet.payloadType, payloadLength: packet.payload.count)))
    }
}
