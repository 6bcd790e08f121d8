import WebRTC

extension ForwardingUnit {
    /// A viewer asks for more than is good for others: counted each time, said once per session and reason.
    func refuse(_ reason: DropReason, of peer: Peer, now: Instant) {
        count(reason, peer: peer)
        guard peer.budget.told.insert(reason).inserted else { return }
        peer.transport.log.append(.discarding(reason), at: now)
        events.append(.exceeding(peer.id, peer.broadcast.id, reason))
    }

    /// Says, once per session and reason, that packets of a source are thrown away which it means viewers to get.
    func tell(_ reason: DropReason, of bytes: borrowing RawSpan, from publisher: Publisher, now: Instant) {
        switch reason {
        case .tooLarge, .unknownStream, .unknownPayloadType: break
        default: return
        }
        guard publisher.source.told.insert(reason).inserted, let packet = RTPPacket.parse(bytes) else { return }
        publisher.transport.log.append(.discarding(reason), at: now)
        events.append(
            .discarding(
                publisher.id, publisher.broadcast.id, reason,
                DiscardedPacket(
                    ssrc: packet.ssrc, payloadType: packet.payloadType, payloadLength: packet.payload.count)))
    }
}
