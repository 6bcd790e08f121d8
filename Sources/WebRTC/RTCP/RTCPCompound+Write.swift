extension RTCPCompound {
    /// Datagrams are filled up to this: with SRTCP's overhead they stay below every path's MTU.
    package static let maximumDatagram = 1_100
    /// NACK entries of one packet of that size.
    private static let maximumNACKEntries = (maximumDatagram - 12) / 4
    /// The 5-bit count of reports, chunks and sources.
    private static let maximumCount = 31

    /// The packets in their order, in as few datagrams of up to `maximumDatagram` bytes as that takes. NACKs and
    /// reports with more entries than one packet holds become several; a NACK, FIR, REMB, BYE or SDES of nothing is
    /// none. Full compounds (first an SR or RR, then the CNAME) are the caller's to put together; `.other` cannot be
    /// written.
    package static func write(_ packets: [RTCPPacket]) -> [[UInt8]] {
        var datagrams: [[UInt8]] = []
        var isOpen = false
        for packet in packets {
            for bytes in encode(packet) {
                if isOpen, let last = datagrams.last, last.count + bytes.count <= maximumDatagram {
                    datagrams[datagrams.count - 1] += bytes
                } else {
                    datagrams.append(bytes)
                }
                // Padding is allowed in the last packet only (RFC 3550 §6.4.1).
                isOpen = bytes[0] & 0x20 == 0
            }
        }
        return datagrams
    }

    private static func encode(_ packet: RTCPPacket) -> [[UInt8]] {
        switch packet {
        case .senderReport(let report): return senderReport(report)
        case .receiverReport(let sender, let blocks): return receiverReports(sender, blocks[...])
        case .sourceDescription(let names):
            return pieces(names[...], of: maximumCount).map { sourceDescription($0) }
        case .bye(let sources):
            return pieces(sources[...], of: maximumCount).map { part in
                var out = start(RTCPType.bye, UInt8(part.count))
                for ssrc in part { out.put(ssrc) }
                return finish(out)
            }
        case .nack(let sender, let media, let lost):
            return pieces(nackEntries(lost)[...], of: maximumNACKEntries).map { part in
                var out = feedback(RTCPType.transportLayerFeedback, RTCPType.nackFormat, sender, media)
                for entry in part { out.put(entry) }
                return finish(out)
            }
        case .pli(let sender, let media):
            return [finish(feedback(RTCPType.payloadSpecificFeedback, RTCPType.pliFormat, sender, media))]
        case .fir(let sender, let requests):
            // The media SSRC is in the entries (RFC 5104 §4.3.1.2).
            return pieces(requests[...], of: maximumCount).map { part in
                var out = feedback(RTCPType.payloadSpecificFeedback, RTCPType.firFormat, sender, SSRC(0))
                for request in part {
                    out.put(request.media)
                    out.put(UInt32(request.sequence) << 24)
                }
                return finish(out)
            }
        case .transportFeedback(let feedback): return [transportFeedback(feedback)]
        case .remb(let sender, let bitrate, let media):
            return pieces(media[...], of: maximumCount).map { remb(sender, bitrate, $0) }
        case .encodings(let sender, let reports): return [finish(encodingReports(sender, reports))]
        case .wanted(let sender, let streams): return [finish(wantedStreams(sender, streams))]
        case .other: preconditionFailure("packets that are not understood are not written")
        }
    }

    // MARK: Reports

    private static func senderReport(_ report: SenderReport) -> [[UInt8]] {
        let blocks = report.blocks.prefix(maximumCount)
        var out = start(RTCPType.senderReport, UInt8(blocks.count))
        out.put(report.sender)
        out.put(UInt32(report.time.rawValue >> 32))
        out.put(UInt32(truncatingIfNeeded: report.time.rawValue))
        out.put(report.timestamp)
        out.put(report.packets)
        out.put(report.octets)
        for block in blocks { put(block, into: &out) }
        let rest = report.blocks.dropFirst(maximumCount)
        return [finish(out)] + (rest.isEmpty ? [] : receiverReports(report.sender, rest))
    }

    /// Without blocks one empty report: it may have to lead a compound.
    private static func receiverReports(_ sender: SSRC, _ blocks: ArraySlice<ReportBlock>) -> [[UInt8]] {
        (blocks.isEmpty ? [[]] : pieces(blocks, of: maximumCount)).map { part in
            var out = start(RTCPType.receiverReport, UInt8(part.count))
            out.put(sender)
            for block in part { put(block, into: &out) }
            return finish(out)
        }
    }

    private static func put(_ block: ReportBlock, into out: inout PacketBuilder) {
        out.put(block.ssrc)
        out.put(block.fractionLost)
        // §6.4.1: the count sticks at what 24 bits hold.
        out.put24(UInt32(bitPattern: min(max(block.cumulativeLost, -0x80_0000), 0x7F_FFFF)))
        out.put(block.highestSequence)
        out.put(block.jitter)
        out.put(block.lastSenderReport)
        out.put(block.delaySinceLastSenderReport)
    }

    private static func sourceDescription(_ names: ArraySlice<RTCPPacket.CanonicalName>) -> [UInt8] {
        var out = start(RTCPType.sourceDescription, UInt8(names.count))
        for name in names {
            let text = Array(name.cname.utf8.prefix(255))
            out.put(name.ssrc)
            out.put([1, UInt8(text.count)] + text)
            // The end of the items, then the boundary.
            out.put(0 as UInt8)
            out.align()
        }
        return finish(out)
    }

    // MARK: Feedback

    /// One entry per first number and bit mask of the 16 after it (RFC 4585 §6.2.1). Numbers come in any order;
    /// ascending ones pack best.
    private static func nackEntries(_ lost: [SequenceNumber]) -> [UInt32] {
        var entries: [UInt32] = []
        var base: SequenceNumber?
        for sequence in lost {
            if let base {
                let distance = sequence.distance(from: base)
                if distance == 0 { continue }
                if 1...16 ~= distance {
                    entries[entries.count - 1] |= 1 << UInt32(distance - 1)
                    continue
                }
            }
            base = sequence
            entries.append(UInt32(sequence.rawValue) << 16)
        }
        return entries
    }

    private static func transportFeedback(_ report: TransportFeedback) -> [UInt8] {
        var out = feedback(
            RTCPType.transportLayerFeedback, RTCPType.transportWideFormat, report.sender, report.media)
        report.append(to: &out)
        let padding = (4 - out.count % 4) % 4
        if padding > 0 {
            out.put([UInt8](repeating: 0, count: padding - 1) + [UInt8(padding)])
            out.replace(at: 0, with: out.bytes[0] | 0x20)
        }
        return finish(out)
    }

    private static func remb(_ sender: SSRC, _ bitrate: UInt64, _ media: ArraySlice<SSRC>) -> [UInt8] {
        var out = feedback(RTCPType.payloadSpecificFeedback, RTCPType.applicationFormat, sender, SSRC(0))
        out.put(RTCPType.rembIdentifier)
        // Rounded down to 18 significant bits.
        let exponent = UInt32(max(0, 46 - bitrate.leadingZeroBitCount))
        out.put(UInt8(media.count))
        out.put24(exponent << 18 | UInt32(bitrate >> UInt64(exponent)))
        for ssrc in media { out.put(ssrc) }
        return finish(out)
    }

    // MARK: Common to all

    static func start(_ type: UInt8, _ countOrFormat: UInt8) -> PacketBuilder {
        var out = PacketBuilder()
        out.put(0x80 | countOrFormat)
        out.put(type)
        // The length, once it is known.
        out.put(0 as UInt16)
        return out
    }

    private static func feedback(_ type: UInt8, _ format: UInt8, _ sender: SSRC, _ media: SSRC) -> PacketBuilder {
        var out = start(type, format)
        out.put(sender)
        out.put(media)
        return out
    }

    private static func finish(_ packet: PacketBuilder) -> [UInt8] {
        precondition(packet.count % 4 == 0, "RTCP packets are whole 32-bit words")
        var packet = packet
        packet.replace(at: 2, with: UInt16(packet.count / 4 - 1))
        return packet.bytes
    }

    private static func pieces<Element>(_ all: ArraySlice<Element>, of count: Int) -> [ArraySlice<Element>] {
        stride(from: all.startIndex, to: all.endIndex, by: count).map { all[$0..<min($0 + count, all.endIndex)] }
    }
}
