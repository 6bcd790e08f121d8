/// The RTCP packets of one datagram (RFC 3550 §6.1). Reduced-size compounds (RFC 5506) are read like full ones.
///
///     |V=2|P| count or FMT |  packet type  |  length in 32-bit words, less one  |
package enum RTCPCompound {
    /// A datagram with more packets is taken for an attack.
    package static let maximumPackets = 64
    /// Sequence numbers taken from one NACK packet; the rest is ignored, the peer will ask again.
    package static let maximumLost = 1_024

    /// nil: malformed, nothing of it may be used.
    package static func parse(_ bytes: borrowing RawSpan) -> [RTCPPacket]? {
        guard bytes.byteCount > 0 else { return nil }
        var packets: [RTCPPacket] = []
        var offset = 0
        while offset < bytes.byteCount {
            guard packets.count < maximumPackets, bytes.byteCount - offset >= 4 else { return nil }
            let first = bytes.octet(at: offset)
            let end = offset + 4 + Int(bytes.octets2(at: offset + 2)) * 4
            guard first >> 6 == 2, end <= bytes.byteCount else { return nil }
            var bodyEnd = end
            if first & 0x20 != 0 {
                // Only the last packet should be padded (§6.4.1); peers that pad others do no harm.
                let padding = Int(bytes.octet(at: end - 1))
                guard padding > 0, padding <= end - offset - 4 else { return nil }
                bodyEnd -= padding
            }
            let body = bytes.extracting(offset + 4..<bodyEnd)
            guard let packet = packet(type: bytes.octet(at: offset + 1), format: first & 0x1F, body) else { return nil }
            packets.append(packet)
            offset = end
        }
        return packets
    }

    /// `body` is what follows the 4-byte header, without padding.
    private static func packet(type: UInt8, format: UInt8, _ body: borrowing RawSpan) -> RTCPPacket? {
        switch (type, format) {
        case (RTCPType.senderReport, _): senderReport(count: Int(format), body)
        case (RTCPType.receiverReport, _): receiverReport(count: Int(format), body)
        case (RTCPType.sourceDescription, _): sourceDescription(chunks: Int(format), body)
        case (RTCPType.bye, _): bye(count: Int(format), body)
        case (RTCPType.transportLayerFeedback, RTCPType.nackFormat): nack(body)
        case (RTCPType.transportLayerFeedback, RTCPType.transportWideFormat):
            TransportFeedback.parse(body).map { .transportFeedback($0) }
        case (RTCPType.payloadSpecificFeedback, RTCPType.pliFormat): pli(body)
        case (RTCPType.payloadSpecificFeedback, RTCPType.firFormat): fir(body)
        case (RTCPType.payloadSpecificFeedback, RTCPType.applicationFormat): applicationFeedback(body)
        default: .other(packetType: type, format: format)
        }
    }

    private static func senderReport(count: Int, _ body: borrowing RawSpan) -> RTCPPacket? {
        guard body.byteCount >= 24, let blocks = reportBlocks(count, at: 24, body) else { return nil }
        let time = UInt64(body.octets4(at: 4)) << 32 | UInt64(body.octets4(at: 8))
        return .senderReport(
            SenderReport(
                sender: SSRC(body.octets4(at: 0)), time: NTPTime(rawValue: time), timestamp: body.octets4(at: 12),
                packets: body.octets4(at: 16), octets: body.octets4(at: 20), blocks: blocks))
    }

    private static func receiverReport(count: Int, _ body: borrowing RawSpan) -> RTCPPacket? {
        guard body.byteCount >= 4, let blocks = reportBlocks(count, at: 4, body) else { return nil }
        return .receiverReport(sender: SSRC(body.octets4(at: 0)), blocks: blocks)
    }

    /// What follows the blocks is a profile-specific extension, which is skipped.
    private static func reportBlocks(_ count: Int, at start: Int, _ body: borrowing RawSpan) -> [ReportBlock]? {
        guard start + count * ReportBlock.length <= body.byteCount else { return nil }
        var blocks: [ReportBlock] = []
        for i in 0..<count {
            let at = start + i * ReportBlock.length
            blocks.append(
                ReportBlock(
                    ssrc: SSRC(body.octets4(at: at)), fractionLost: body.octet(at: at + 4),
                    // 24 bits, signed
                    cumulativeLost: Int32(bitPattern: body.octets3(at: at + 5) << 8) >> 8,
                    highestSequence: body.octets4(at: at + 8), jitter: body.octets4(at: at + 12),
                    lastSenderReport: body.octets4(at: at + 16), delaySinceLastSenderReport: body.octets4(at: at + 20)))
        }
        return blocks
    }

    /// Chunks are aligned to 32 bits, items end with a zero. Some senders omit that zero where the last item ends on
    /// the boundary, so the end of the packet ends the items too.
    private static func sourceDescription(chunks: Int, _ body: borrowing RawSpan) -> RTCPPacket? {
        var names: [RTCPPacket.CanonicalName] = []
        var offset = 0
        for _ in 0..<chunks {
            guard offset + 4 <= body.byteCount else { return nil }
            let ssrc = SSRC(body.octets4(at: offset))
            offset += 4
            while offset < body.byteCount, body.octet(at: offset) != 0 {
                guard offset + 2 <= body.byteCount else { return nil }
                let text = offset + 2..<offset + 2 + Int(body.octet(at: offset + 1))
                guard text.upperBound <= body.byteCount else { return nil }
                if body.octet(at: offset) == 1 {
                    let cname = String(decoding: text.map { body.octet(at: $0) }, as: UTF8.self)
                    names.append(RTCPPacket.CanonicalName(ssrc: ssrc, cname: cname))
                }
                offset = text.upperBound
            }
            // The zero, and more of them up to the boundary.
            offset = (offset / 4 + 1) * 4
        }
        return .sourceDescription(names)
    }

    /// A reason for leaving may follow the sources; nobody reads it.
    private static func bye(count: Int, _ body: borrowing RawSpan) -> RTCPPacket? {
        guard count * 4 <= body.byteCount else { return nil }
        return .bye(sources(count, at: 0, body))
    }

    private static func sources(_ count: Int, at start: Int, _ body: borrowing RawSpan) -> [SSRC] {
        (0..<count).map { SSRC(body.octets4(at: start + 4 * $0)) }
    }
}

// MARK: Feedback: SSRC of the sender, SSRC of the media, then entries (RFC 4585 §6.1)

extension RTCPCompound {
    private static func nack(_ body: borrowing RawSpan) -> RTCPPacket? {
        guard body.byteCount >= 12, body.byteCount % 4 == 0 else { return nil }
        var lost: [SequenceNumber] = []
        for at in stride(from: 8, to: body.byteCount, by: 4) where lost.count <= maximumLost - 17 {
            let base = body.octets2(at: at)
            let following = body.octets2(at: at + 2)
            lost.append(SequenceNumber(base))
            for bit in 0..<16 as Range<UInt16> where following >> bit & 1 != 0 {
                lost.append(SequenceNumber(base &+ bit &+ 1))
            }
        }
        return .nack(sender: SSRC(body.octets4(at: 0)), media: SSRC(body.octets4(at: 4)), lost: lost)
    }

    private static func pli(_ body: borrowing RawSpan) -> RTCPPacket? {
        guard body.byteCount >= 8 else { return nil }
        return .pli(sender: SSRC(body.octets4(at: 0)), media: SSRC(body.octets4(at: 4)))
    }

    private static func fir(_ body: borrowing RawSpan) -> RTCPPacket? {
        guard body.byteCount >= 16, body.byteCount % 8 == 0 else { return nil }
        let requests = stride(from: 8, to: body.byteCount, by: 8).map {
            RTCPPacket.FullIntraRequest(media: SSRC(body.octets4(at: $0)), sequence: body.octet(at: $0 + 4))
        }
        return .fir(sender: SSRC(body.octets4(at: 0)), requests: requests)
    }

    ///     | 'R' 'E' 'M' 'B' | number of SSRCs | exponent (6 bits), mantissa (18 bits) | SSRC … |
    private static func applicationFeedback(_ body: borrowing RawSpan) -> RTCPPacket? {
        guard body.byteCount >= 8 else { return nil }
        guard body.byteCount >= 16, body.octets4(at: 8) == RTCPType.rembIdentifier else {
            return .other(packetType: RTCPType.payloadSpecificFeedback, format: RTCPType.applicationFormat)
        }
        let count = Int(body.octet(at: 12))
        guard 16 + 4 * count <= body.byteCount else { return nil }
        let (exponent, mantissa) = (body.octet(at: 13) >> 2, UInt64(body.octets3(at: 13) & 0x3FFFF))
        // 63 + 18 bits do not fit; nobody means such a rate.
        let bitrate = mantissa.leadingZeroBitCount < Int(exponent) ? UInt64.max : mantissa << UInt64(exponent)
        return .remb(sender: SSRC(body.octets4(at: 0)), bitrate: bitrate, media: sources(count, at: 16, body))
    }
}
