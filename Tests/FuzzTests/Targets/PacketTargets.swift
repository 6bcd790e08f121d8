@testable import WebRTC

extension FuzzTarget {
    static var packets: [FuzzTarget] { [rtp, rtcp, transportFeedback] }

    private static let rtp = FuzzTarget(
        name: "rtp", maximumLength: 300,
        seeds: {
            let oneByte: [(id: UInt8, data: [UInt8])] = [(1, [9]), (3, [0, 7]), (4, Array("0".utf8))]
            let twoByte: [(id: UInt8, data: [UInt8])] = [(20, Array("mid".utf8)), (3, [])]
            return [[], oneByte, twoByte].flatMap { extensions in
                [0, 4].map { padding in
                    RTPHeader.packet(
                        payloadType: PayloadType(96), sequence: SequenceNumber(7), timestamp: 9, ssrc: SSRC(1),
                        csrcs: padding == 0 ? [] : [SSRC(2)], extensions: extensions, payload: [1, 2, 3, 4],
                        padding: padding)
                }
            }
        }
    ) {
        { bytes in
            let span = unsafe bytes.span.bytes
            guard let packet = RTPPacket.parse(span) else { return }
            _ = span.extracting(packet.payload)
            for id: UInt8 in [0, 1, 3, 4, 14, 15, 16, 20, 255] {
                _ = packet.extensionUInt16(id: id, in: span)
                _ = packet.extensionText(id: id, in: span)
            }
            if packet.originalSequenceNumber(in: span) != nil { _ = span.extracting(packet.payload).extracting(2...) }
        }
    }

    private static let rtcp = FuzzTarget(
        name: "rtcp",
        seeds: {
            let block = ReportBlock(ssrc: SSRC(5), cumulativeLost: -3, lastSenderReport: 9)
            let report = SenderReport(
                sender: SSRC(1), time: NTPTime(rawValue: 1 << 63), timestamp: 3, packets: 1, octets: 9, blocks: [block])
            let feedback = TransportFeedback(
                sender: SSRC(1), media: SSRC(2), baseSequence: 65_530, feedbackCount: 1,
                arrivals: [1, nil, 3, 2_000, nil, nil, 4])
            let packets: [[RTCPPacket]] = [
                [.senderReport(report), .sourceDescription([.init(ssrc: SSRC(1), cname: "name")]), .bye([SSRC(1)])],
                [.receiverReport(sender: SSRC(1), blocks: [block, block])],
                [.nack(sender: SSRC(1), media: SSRC(2), lost: [1, 2, 5, 40].map { SequenceNumber($0) })],
                [
                    .pli(sender: SSRC(1), media: SSRC(2)),
                    .fir(sender: SSRC(1), requests: [.init(media: SSRC(2), sequence: 3)]),
                ],
                [.transportFeedback(feedback)],
                [.remb(sender: SSRC(1), bitrate: .max, media: [SSRC(2)])],
                [
                    .encodings(
                        sender: SSRC(1),
                        [
                            .init(
                                ssrc: SSRC(2), name: "hi", bytesPerSecond: 9, isSent: true, isPreferred: true,
                                presence: .comes),
                            .init(
                                ssrc: SSRC(3), name: "", bytesPerSecond: 0, isSent: false, isPreferred: false,
                                presence: .gone),
                        ]), .wanted(sender: SSRC(1), [SSRC(2), SSRC(3)]),
                ],
            ]
            return packets.flatMap(RTCPCompound.write)
        }
    ) {
        { bytes in
            guard let packets = unsafe RTCPCompound.parse(bytes.span.bytes) else { return }
            for case .receiverReport(_, let blocks) in packets {
                for block in blocks { _ = block.roundTrip(arrival: NTPTime(rawValue: 0xE800_0000 << 32)) }
            }
            for case .transportFeedback(let feedback) in packets {
                for (a, b) in zip(feedback.arrivals, feedback.arrivals.dropFirst()) {
                    if let a, let b { _ = TransportFeedback.interval(from: a, to: b) }
                }
            }
        }
    }

    /// Which transport-wide numbers a publisher uses, and when they come: what is reported of them can be read again. Most
    /// steps are small, as a report costs as much as its numbers lie apart.
    private static let transportFeedback = FuzzTarget(
        name: "transport-feedback", maximumLength: 80, mutations: 3_000,
        seeds: {
            [
                hexBytes("01 10 02 20 01 01 FF8000 FF 01 FF"),
                hexBytes("FFFFFE 00 01 00 FF0000 FE 3F 00 40 FF 41 10 C1 FF"),
            ]
        }
    ) {
        { bytes in
            var input = FuzzInput(bytes)
            var recorder = TransportFeedbackRecorder()
            var now = Instant.zero + .seconds(Int64(1_000))
            var number: UInt16 = 0
            while !input.isAtEnd {
                let step = input.byte()
                // 128 forward to 64 back, far forward, or anywhere.
                switch step {
                case 0xFF: number = input.number()
                case 0xFE: number &+= UInt16(input.byte()) << 4
                default: number &+= UInt16(step) &- (step < 0x80 ? 64 : 127)
                }
                let pause = Int64(input.byte())
                now = now + (pause < 0xF0 ? .microseconds(pause * 100) : .seconds((pause - 0xF0) * 60))
                recorder.record(number, arrival: now)
                if recorder.nextDeadline <= now { report(&recorder, now: now) }
            }
            report(&recorder, now: now + .seconds(Int64(1)))
        }
    }

    private static func report(_ recorder: inout TransportFeedbackRecorder, now: Instant) {
        let reports = recorder.due(now: now, sender: SSRC(1), media: SSRC(2))
        for datagram in RTCPCompound.write(reports.map { .transportFeedback($0) }) {
            precondition(unsafe RTCPCompound.parse(datagram.span.bytes) != nil, "our own reports can be read")
        }
        precondition(recorder.nextDeadline > now, "nothing is due any more")
    }
}
