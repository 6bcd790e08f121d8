/// The RTCP packets of one datagram as values (RFC 3550 §6.1), for who keeps them. `RTCPReader` is for who only looks.
package enum RTCPCompound {
    /// A datagram with more packets is taken for an attack.
    package static let maximumPackets = 64
    /// Sequence numbers taken from one NACK packet; the rest is ignored, the peer will ask again.
    package static let maximumLost = 1_024

    /// nil: malformed, nothing of it may be used.
    package static func parse(_ bytes: borrowing RawSpan) -> [RTCPPacket]? {
        guard var reader = RTCPReader(bytes) else { return nil }
        var packets: [RTCPPacket] = []
        while let part = reader.next(in: bytes) {
            guard let packet = packet(part, bytes) else { return nil }
            packets.append(packet)
        }
        return packets
    }

    private static func packet(_ part: RTCPPart, _ bytes: borrowing RawSpan) -> RTCPPacket? {
        switch part.kind {
        case .senderReport:
            var report = part.senderInformation(in: bytes)
            report.blocks = blocks(of: part, bytes)
            return .senderReport(report)
        case .receiverReport:
            return .receiverReport(sender: part.sender(in: bytes), blocks: blocks(of: part, bytes))
        case .bye:
            return .bye(sources(Int(part.format), at: part.body.lowerBound, bytes))
        case .nack:
            var lost: [SequenceNumber] = []
            part.readLost(in: bytes, into: &lost)
            return .nack(sender: part.sender(in: bytes), media: part.media(in: bytes), lost: lost)
        case .pli:
            return .pli(sender: part.sender(in: bytes), media: part.media(in: bytes))
        case .fir:
            let requests = (0..<part.requestCount).map { part.request($0, in: bytes) }
            return .fir(sender: part.sender(in: bytes), requests: requests)
        case .encodings:
            return .encodings(sender: part.sender(in: bytes), part.encodingReports(in: bytes))
        case .wanted:
            return .wanted(sender: part.sender(in: bytes), part.wantedStreams(in: bytes))
        case .transportFeedback:
            return TransportFeedback.parse(bytes.extracting(part.body)).map { .transportFeedback($0) }
        case .other:
            return other(part, bytes.extracting(part.body))
        }
    }

    private static func other(_ part: RTCPPart, _ body: borrowing RawSpan) -> RTCPPacket? {
        switch (part.type, part.format) {
        case (RTCPType.sourceDescription, _): sourceDescription(chunks: Int(part.format), body)
        case (RTCPType.payloadSpecificFeedback, RTCPType.applicationFormat): applicationFeedback(body)
        default: .other(packetType: part.type, format: part.format)
        }
    }

    private static func blocks(of part: RTCPPart, _ bytes: borrowing RawSpan) -> [ReportBlock] {
        (0..<part.blockCount).map { part.block($0, in: bytes) }
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

    private static func sources(_ count: Int, at start: Int, _ body: borrowing RawSpan) -> [SSRC] {
        (0..<count).map { SSRC(body.octets4(at: start + 4 * $0)) }
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
