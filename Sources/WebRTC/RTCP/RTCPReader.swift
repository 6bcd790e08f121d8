/// The RTCP packets of one datagram where they lie (RFC 3550 §6.1): reports and NACKs, which come in by the thousands a
/// second, are read without an allocation. `RTCPCompound.parse` makes values of them.
///
/// Reduced-size compounds (RFC 5506) are read like full ones.
package struct RTCPReader {
    private var offset = 0

    /// nil: malformed, nothing of it may be used. Of packets that are nothing to a forwarding unit
    /// (`RTCPPart.Kind.other`) only the header is looked at.
    package init?(_ bytes: borrowing RawSpan) {
        guard bytes.byteCount > 0 else { return nil }
        var (at, count) = (0, 0)
        while at < bytes.byteCount {
            guard count < RTCPCompound.maximumPackets, let part = RTCPPart(bytes, at: at), part.isWellFormed
            else { return nil }
            at = part.end
            count += 1
        }
    }

    /// The next packet; nil after the last one. `bytes` are those that the reader was made with.
    package mutating func next(in bytes: borrowing RawSpan) -> RTCPPart? {
        guard offset < bytes.byteCount, let part = RTCPPart(bytes, at: offset) else { return nil }
        offset = part.end
        return part
    }
}

/// One RTCP packet, as positions in its datagram.
///
///     |V=2|P| count or FMT |  packet type  |  length in 32-bit words, less one  |
package struct RTCPPart {
    package enum Kind {
        case senderReport, receiverReport, bye, nack, pli, fir
        /// Of `EncodingReport`; whose name is another, or cut off, is `other`.
        case encodings, wanted
        case transportFeedback
        case other
    }

    let type: UInt8
    /// The 5-bit count or FMT field.
    let format: UInt8
    /// What follows the 4-byte header, without padding.
    let body: Range<Int>
    let end: Int
    /// An APP packet under our name.
    private let isOurs: Bool

    /// nil: no packet of version 2 that ends within `bytes`.
    init?(_ bytes: borrowing RawSpan, at start: Int) {
        guard bytes.byteCount - start >= 4 else { return nil }
        let first = bytes.octet(at: start)
        end = start + 4 + Int(bytes.octets2(at: start + 2)) * 4
        guard first >> 6 == 2, end <= bytes.byteCount else { return nil }
        var padding = 0
        if first & 0x20 != 0 {
            // Only the last packet should be padded (§6.4.1); peers that pad others do no harm.
            padding = Int(bytes.octet(at: end - 1))
            guard padding > 0, padding <= end - start - 4 else { return nil }
        }
        (type, format) = (bytes.octet(at: start + 1), first & 0x1F)
        body = start + 4..<end - padding
        isOurs =
            type == RTCPType.application && body.count >= 8
            && bytes.octets4(at: body.lowerBound + 4) == RTCPType.applicationName
    }

    package var kind: Kind {
        switch (type, format) {
        case (RTCPType.senderReport, _): .senderReport
        case (RTCPType.receiverReport, _): .receiverReport
        case (RTCPType.bye, _): .bye
        case (RTCPType.transportLayerFeedback, RTCPType.nackFormat): .nack
        case (RTCPType.payloadSpecificFeedback, RTCPType.pliFormat): .pli
        case (RTCPType.payloadSpecificFeedback, RTCPType.firFormat): .fir
        case (RTCPType.transportLayerFeedback, RTCPType.transportWideFormat): .transportFeedback
        case (RTCPType.application, RTCPType.reportSubtype) where isOurs: .encodings
        case (RTCPType.application, RTCPType.wishSubtype) where isOurs: .wanted
        default: .other
        }
    }

    /// Whether the body is long enough for what is read of its kind. A profile-specific extension may follow report
    /// blocks, and a reason the sources of a BYE: both are skipped.
    var isWellFormed: Bool {
        switch kind {
        case .senderReport: body.count >= 24 + Int(format) * ReportBlock.length
        case .receiverReport: body.count >= 4 + Int(format) * ReportBlock.length
        case .bye: body.count >= Int(format) * 4
        case .nack: body.count >= 12 && body.count % 4 == 0
        case .pli: body.count >= 8
        case .fir: body.count >= 16 && body.count % 8 == 0
        // These are looked at when they are read.
        case .transportFeedback, .encodings, .wanted, .other: true
        }
    }
}

// MARK: Reports (RFC 3550 §6.4)

extension RTCPPart {
    /// Of a sender report, without its blocks.
    package func senderInformation(in bytes: borrowing RawSpan) -> SenderReport {
        let at = body.lowerBound
        let time = UInt64(bytes.octets4(at: at + 4)) << 32 | UInt64(bytes.octets4(at: at + 8))
        return SenderReport(
            sender: SSRC(bytes.octets4(at: at)), time: NTPTime(rawValue: time), timestamp: bytes.octets4(at: at + 12),
            packets: bytes.octets4(at: at + 16), octets: bytes.octets4(at: at + 20))
    }

    /// Of either report.
    package var blockCount: Int { Int(format) }

    package func block(_ index: Int, in bytes: borrowing RawSpan) -> ReportBlock {
        let at = body.lowerBound + (kind == .senderReport ? 24 : 4) + index * ReportBlock.length
        return ReportBlock(
            ssrc: SSRC(bytes.octets4(at: at)), fractionLost: bytes.octet(at: at + 4),
            // 24 bits, signed
            cumulativeLost: Int32(bitPattern: bytes.octets3(at: at + 5) << 8) >> 8,
            highestSequence: bytes.octets4(at: at + 8), jitter: bytes.octets4(at: at + 12),
            lastSenderReport: bytes.octets4(at: at + 16), delaySinceLastSenderReport: bytes.octets4(at: at + 20))
    }
}

// MARK: Feedback: SSRC of the sender, SSRC of the media, then entries (RFC 4585 §6.1)

extension RTCPPart {
    /// Of any packet but a BYE or `other`.
    package func sender(in bytes: borrowing RawSpan) -> SSRC { SSRC(bytes.octets4(at: body.lowerBound)) }

    /// Of a NACK or PLI.
    package func media(in bytes: borrowing RawSpan) -> SSRC { SSRC(bytes.octets4(at: body.lowerBound + 4)) }

    /// Puts the numbers that a NACK asks for in place of what is in `lost`, at most `RTCPCompound.maximumLost`.
    package func readLost(in bytes: borrowing RawSpan, into lost: inout [SequenceNumber]) {
        lost.removeAll(keepingCapacity: true)
        for at in stride(from: body.lowerBound + 8, to: body.upperBound, by: 4)
        where lost.count <= RTCPCompound.maximumLost - 17 {
            let base = bytes.octets2(at: at)
            let following = bytes.octets2(at: at + 2)
            lost.append(SequenceNumber(base))
            for bit in 0..<16 as Range<UInt16> where following >> bit & 1 != 0 {
                lost.append(SequenceNumber(base &+ bit &+ 1))
            }
        }
    }

    /// Of a full intra request (RFC 5104 §4.3.1).
    package var requestCount: Int { (body.count - 8) / 8 }

    package func request(_ index: Int, in bytes: borrowing RawSpan) -> RTCPPacket.FullIntraRequest {
        let at = body.lowerBound + 8 + 8 * index
        return RTCPPacket.FullIntraRequest(media: SSRC(bytes.octets4(at: at)), sequence: bytes.octet(at: at + 4))
    }

    /// Of transport-wide feedback: how many packets it claims to tell of.
    package func arrivalCount(in bytes: borrowing RawSpan) -> Int {
        body.count >= 16 ? Int(bytes.octets2(at: body.lowerBound + 10)) : 0
    }

    /// Of transport-wide feedback: puts the arrivals of the packets from the returned number on in place of what is in
    /// `arrivals`, in ticks of 250 µs, `TransportFeedback.missing` for those that have not arrived. nil: it is malformed.
    package func readArrivals(in bytes: borrowing RawSpan, into arrivals: inout [Int64]) -> UInt16? {
        guard TransportFeedback.readArrivals(of: bytes.extracting(body), into: &arrivals) else { return nil }
        return bytes.octets2(at: body.lowerBound + 8)
    }
}
