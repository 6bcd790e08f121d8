// A whole forwarding unit behind the decryption: a publisher and viewers are connected, and the input says what they
// send as plain RTP and RTCP, what the control plane commands and how time goes.

@testable import Forwarding
@testable import WebRTC

extension FuzzTarget {
    static let unit = FuzzTarget(name: "unit", maximumLength: 120, mutations: 3_000, seeds: UnitScripts.all) {
        let shared = try FuzzedUnit.Shared()
        return { bytes in
            var input = FuzzInput(bytes)
            FuzzedUnit(shared, input: &input).play(&input)
        }
    }
}

/// One step of an input: this byte, then what the step reads.
enum UnitStep: UInt8, CaseIterable {
    case rtp, packet, burst, rtcp, feedback, time, drain, flush, datagram, check, answer, command
}

extension FuzzedUnit {
    private static let mostSteps = 30

    func play(_ input: inout FuzzInput) {
        var steps = 0
        while !input.isAtEnd, steps < Self.mostSteps {
            steps += 1
            step(input.choose(UnitStep.allCases), &input)
        }
        drain()
        checkTables()
        run(for: .milliseconds(1_500))
        checkTables()
        unit.apply(.collectStatistics(RequestID(rawValue: 1)), now: now)
        unit.apply(.closeBroadcast(Self.broadcast, reason: .sourceGone), now: now)
        drain()
        precondition(unit.peers.isEmpty && unit.demultiplexer.isEmpty, "nothing stays behind")
    }

    private func step(_ step: UnitStep, _ input: inout FuzzInput) {
        switch step {
        case .rtp:
            let peer = input.choose(peers)
            deliver(input.take(Int(input.byte())), isRTCP: false, from: peer)
        case .packet:
            let peer = input.choose(peers)
            deliver(nextPacket(&input), isRTCP: false, from: peer)
        case .burst:
            let (peer, count, gap) = (input.choose(peers), input.byte() & 63, input.byte())
            let shape = input.take(8)
            for i in 0..<count where gap == 0 || i % gap != gap - 1 {
                var piece = FuzzInput(shape)
                deliver(nextPacket(&piece), isRTCP: false, from: peer)
            }
        case .rtcp:
            let peer = input.choose(peers)
            deliver(input.take(Int(input.byte())), isRTCP: true, from: peer)
        case .feedback:
            let peer = input.choose(peers)
            let packets = feedback(&input)
            for datagram in RTCPCompound.write(packets) { deliver(datagram, isRTCP: true, from: peer) }
        case .time:
            let byte = input.byte()
            let unit: [Int64] = [1, 16, 250, 2_000]
            run(for: .milliseconds(unit[Int(byte & 3)] * Int64(byte >> 2)))
        case .drain:
            drain()
        case .flush:
            _ = unit.flush(now: now)
        case .datagram:
            let address = address(of: input.byte())
            receive(input.take(Int(input.byte())), from: address)
        case .check:
            check(&input)
        case .answer:
            answerCheck(input.byte())
        case .command:
            command(&input)
        }
    }

    // MARK: Media

    /// A packet of one of the publisher's streams that goes on from the former one.
    private func nextPacket(_ input: inout FuzzInput) -> [UInt8] {
        let (which, flags) = (input.byte(), input.byte())
        let stream = FuzzedStream.all[Int(which & 15) % FuzzedStream.all.count]
        var position = positions[stream.ssrc] ?? (sequence: 65_500, timestamp: 0xFFFF_0000)
        position.sequence &+= which >> 4 == 15 ? input.number(UInt16.self) : UInt16(which >> 4) &+ 1
        if flags & 1 != 0 { position.timestamp &+= 3_000 }
        if flags & 2 != 0 { position.timestamp &+= input.number(UInt32.self) }
        positions[stream.ssrc] = position
        var extensions: [(id: UInt8, data: [UInt8])] = []
        if flags & 4 != 0, let rid = stream.rid { extensions.append((stream.isRepair ? 11 : 10, Array(rid.utf8))) }
        if flags & 8 != 0 { extensions.append((4, [stream.payloadType == 111 ? 0x30 : 0x31])) }
        transportSequence &+= 1
        if flags & 16 != 0 {
            extensions.append((3, [UInt8(transportSequence >> 8), UInt8(truncatingIfNeeded: transportSequence)]))
        }
        var payload = flags & 32 != 0 ? stream.keyframe : stream.delta
        if flags & 64 != 0 { payload = input.take(Int(input.byte())) }
        if stream.isRepair {
            let original = position.sequence &- UInt16(input.byte())
            payload = [UInt8(original >> 8), UInt8(truncatingIfNeeded: original)] + payload
        }
        return RTPHeader.packet(
            marker: flags & 128 != 0, payloadType: PayloadType(stream.payloadType),
            sequence: SequenceNumber(position.sequence), timestamp: position.timestamp, ssrc: SSRC(stream.ssrc),
            extensions: extensions, payload: payload)
    }

    private func feedback(_ input: inout FuzzInput) -> [RTCPPacket] {
        let kind = input.byte()
        let peer = input.choose(peers)
        let media = peer.streams[Int(kind >> 4) % peer.streams.count]
        switch kind % 10 {
        case 0:
            let (first, mask) = (last[media] ?? 0, input.number(UInt16.self))
            let start = first &- UInt16(input.byte())
            let lost = (0..<16).filter { mask >> $0 & 1 == 1 }.map { SequenceNumber(start &+ UInt16($0)) }
            return [.nack(sender: SSRC(1), media: media, lost: lost)]
        case 1:
            return [.pli(sender: SSRC(1), media: media)]
        case 2:
            return [.fir(sender: SSRC(1), requests: [.init(media: media, sequence: input.byte())])]
        case 3:
            let stream = input.choose(FuzzedStream.all)
            let report = SenderReport(
                sender: SSRC(stream.ssrc), time: NTPTime(rawValue: time(&input)),
                timestamp: (positions[stream.ssrc]?.timestamp ?? 0) &+ UInt32(input.byte()) << 24, packets: 1, octets: 1
            )
            return [.senderReport(report)]
        case 4:
            let now = NTPTime(origin: NTPTime(rawValue: Self.ntpOrigin), at: now).middle
            let block = ReportBlock(
                ssrc: media, fractionLost: input.byte(), cumulativeLost: Int32(truncatingIfNeeded: time(&input)),
                highestSequence: input.number(), jitter: input.number(),
                lastSenderReport: now &- UInt32(input.byte()) << 8,
                delaySinceLastSenderReport: UInt32(input.byte()) << 6)
            return [.receiverReport(sender: SSRC(1), blocks: [block])]
        case 5:
            return [.bye([media]), .bye([SSRC(FuzzedStream.all[0].ssrc)])]
        case 6:
            let byte = input.byte()
            guard byte & 1 == 1 else {
                return [.remb(sender: SSRC(1), bitrate: UInt64(byte) << 40, media: [media])]
            }
            return arrivals(&input, media).map { .transportFeedback($0) }
        case 7:
            let wanted = input.byte()
            let streams = unit.peers.values.compactMap { $0 as? Viewer }.flatMap(\.ssrcs).sorted {
                $0.rawValue < $1.rawValue
            }
            return [
                .wanted(
                    sender: media, streams.enumerated().filter { wanted >> ($0.offset & 7) & 1 == 1 }.map(\.element))
            ]
        case 8:
            let reports = (0..<3 as Range<UInt32>).compactMap { e -> EncodingReport? in
                let flags = input.byte()
                guard flags & 4 == 0 else { return nil }
                return EncodingReport(
                    ssrc: SSRC(0x2000 + e), name: String(decoding: input.take(Int(flags >> 6)), as: UTF8.self),
                    bytesPerSecond: UInt32(flags) << 8, isSent: flags & 1 == 0, isPreferred: flags & 2 != 0,
                    presence: flags & 8 == 0 ? .comes : flags & 16 == 0 ? .gone : .awaited)
            }
            return [.encodings(sender: media, reports)]
        default:
            let names = [RTCPPacket.CanonicalName(ssrc: media, cname: String(decoding: input.take(9), as: UTF8.self))]
            return [.receiverReport(sender: SSRC(1), blocks: []), .sourceDescription(names)]
        }
    }

    /// Transport-wide feedback on packets of before, or on what nobody sent.
    private func arrivals(_ input: inout FuzzInput, _ media: SSRC) -> [TransportFeedback] {
        let base = input.number(UInt16.self) & 0x1FF
        var time = TransportFeedback.ticks(now) &+ Int64(input.byte()) << 20
        let arrivals = input.take(Int(input.byte())).map { byte -> Int64? in
            time += Int64(byte & 0x3F)
            return byte & 0xC0 == 0xC0 ? nil : time
        }
        return TransportFeedback.packets(
            sender: SSRC(1), media: media, baseSequence: base, feedbackCount: 0, arrivals: arrivals)
    }

    /// The clock's time, more or less, or anything.
    private func time(_ input: inout FuzzInput) -> UInt64 {
        let own = NTPTime(origin: NTPTime(rawValue: Self.ntpOrigin), at: now).rawValue
        let byte = input.byte()
        switch byte & 3 {
        case 0: return own
        case 1: return own &+ UInt64(byte) << 28
        case 2: return own ^ 1 << 63
        default: return input.number()
        }
    }

    // MARK: Commands

    private func command(_ input: inout FuzzInput) {
        let kind = input.byte()
        let peer = input.choose(peers)
        let addresses = [address(of: kind >> 4), TransportAddress(ipv4: 0x0A00_0000 + UInt32(kind), port: 9)]
        switch kind % 13 {
        case 0: open(.source, variant: input.byte(), connects: true)
        case 1: open(.sink, variant: input.byte(), connects: true)
        case 2: open(kind & 16 == 0 ? .source : .sink, variant: input.byte(), connects: false)
        case 3: unit.apply(.close(peer.id, reason: input.choose(CloseReason.allCases)), now: now)
        case 4: restart(peer, candidates: addresses)
        case 5: unit.apply(.addRemoteCandidates(peer.id, addresses), now: now)
        case 6: unit.apply(.verify(peer.id), now: now)
        case 7: unit.apply(.setImpairment(peer.id, loss: Double(input.byte()) / 250), now: now)
        case 8:
            let formats = (0..<input.byte() & 3).map { _ in TrackFormat(codec: input.choose(Self.codecs)) }
            let kinds = Set(formats.map(\.kind))
            guard kinds.count == formats.count else { return }
            unit.apply(.changeFormats(Self.broadcast, formats), now: now)
        case 9:
            let packets = (0..<input.byte() & 7).map { _ in nextPacket(&input) }
            unit.apply(
                .ingest(
                    Self.broadcast, packets: packets + [input.take(Int(input.byte()))], encoding: Int(kind >> 6)),
                now: now)
        case 11:
            unit.apply(
                .select(peer.id, .video, rid: [nil, "q", "h", "1", "2"][Int(input.byte()) % 5]), now: now)
        case 10:
            unit.apply(.collectStatistics(RequestID(rawValue: 1)), now: now)
            unit.apply(.collectReport(peer.id, RequestID(rawValue: 2)), now: now)
        default:
            unit.apply(.closeBroadcast(Self.broadcast, reason: .sourceGone), now: now)
            unit.apply(.openBroadcast(Self.broadcast, tracks: Self.formats), now: now)
        }
    }
}
