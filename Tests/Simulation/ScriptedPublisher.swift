// The publisher of a generated offer: sends each accepted stream as its own section and the answer say, loses one packet of
// each that may be asked for again, and notes what it is asked.
import WebRTC

final class ScriptedPublisher: ScriptedPeer {
    struct Track {
        var kind: UInt8
        var codec: String
        var type: UInt8
        var rtx: UInt8?
        var feedback: [String]
        var extensions: [String: Int]
        var mid: String
        var streams: [Stream]
        var clock: UInt32
    }

    struct Stream {
        var rid: String?
        var ssrc: UInt32
        var rtxSSRC: UInt32
        var sequence: UInt16
        var rtxSequence: UInt16 = 20
        var frame: UInt32 = 0
        /// Payloads by sequence number, for repairs.
        var sent: [UInt16: [UInt8]] = [:]
        var lost: UInt16?
        var wantsKeyframe = true
        /// Feedback by its name in SDP.
        var heard: Set<String> = []
        var nacked: Set<UInt16> = []
    }

    private(set) var tracks: [Track] = []
    private var transportSequence: UInt16 = 0
    private(set) var numbered: Set<UInt16> = []
    private(set) var reported: Set<UInt16> = []
    private(set) var ticks: UInt32 = 0

    override init(
        _ offer: GeneratedOffer, answer: String, context: DTLSContext, address: TransportAddress, now: Instant,
        seed: UInt64
    ) {
        super.init(offer, answer: answer, context: context, address: address, now: now, seed: seed)
        for (mine, theirs) in zip(offer.sections, self.answer.sections) where theirs.isAccepted {
            addTrack(mine, theirs)
        }
        if tracks.isEmpty { fails("nothing was accepted") }
    }

    private func addTrack(_ mine: OfferedSection, _ theirs: AnswerText.Section) {
        guard let type = theirs.formats.first, let format = mine.format(type), format.isMedia else {
            return fails("the first payload type of the answer is no media")
        }
        if !theirs.has("recvonly") { fails("a publisher's m-line is to be recvonly") }
        let extensions = theirs.extensions
        var streams = mine.streams
        // RFC 8853 §5.3: what the answer does not name is not sent; without a word of it there is one stream.
        if !theirs.simulcast.isEmpty {
            streams = theirs.simulcast.compactMap { name in mine.streams.first { $0.rid == name } }
            if streams.count != theirs.simulcast.count { fails("streams in the answer that were not offered") }
            if extensions[ExtensionName.rid] == nil { fails("streams are named and their names are not carried") }
        } else if mine.simulcast != .ssrcs {
            streams = [streams[0]]
            streams[0].rid = nil
        }
        let rtx = theirs.rtx(of: type)
        if rtx != nil, mine.rtx(of: type) != rtx { fails("RTX that was not offered") }
        tracks.append(
            Track(
                kind: mine.kind == .audio ? 0 : 1, codec: format.name, type: type, rtx: rtx,
                feedback: theirs.feedback(type), extensions: extensions, mid: mine.mid,
                streams: streams.map { Stream(rid: $0.rid, ssrc: $0.ssrc, rtxSSRC: $0.rtxSSRC, sequence: 100) },
                clock: mine.kind == .audio ? 48_000 : 90_000))
    }

    // MARK: Sending

    /// A picture or a piece of sound of each stream.
    func sendFrames(now: Instant) {
        guard isConnected else { return }
        ticks &+= 1
        for t in tracks.indices {
            for s in tracks[t].streams.indices { sendFrame(t, s) }
        }
    }

    private func sendFrame(_ t: Int, _ s: Int) {
        let asked = tracks[t].feedback.contains("nack pli") || tracks[t].feedback.contains("ccm fir")
        let frame = tracks[t].streams[s].frame
        let isKey = tracks[t].streams[s].wantsKeyframe || (!asked && frame % 8 == 0)
        tracks[t].streams[s].wantsKeyframe = false
        let mark = Mark(kind: tracks[t].kind, encoding: UInt8(s), frame: frame)
        let payload = head(tracks[t].codec, isKey: isKey) + [UInt8](repeating: 0x33, count: 20 + s) + mark.bytes
        let sequence = tracks[t].streams[s].sequence
        tracks[t].streams[s].sequence &+= 1
        tracks[t].streams[s].frame += 1
        tracks[t].streams[s].sent[sequence] = payload
        // One that can be asked for again is lost, well after the beginning; of streams that are not forwarded none.
        if s == 0, frame == 14, tracks[t].feedback.contains("nack"), !isKey {
            tracks[t].streams[s].lost = sequence
            // The number that it had of the transport's is lost with it.
            if tracks[t].extensions[ExtensionName.transport] != nil { transportSequence &+= 1 }
            return
        }
        transmit(t, s, sequence: sequence, payload: payload)
    }

    private func transmit(_ t: Int, _ s: Int, sequence: UInt16, payload: [UInt8], original: UInt16? = nil) {
        let (track, stream) = (tracks[t], tracks[t].streams[s])
        var elements: [(id: UInt8, data: [UInt8])] = []
        func carry(_ name: String, _ data: [UInt8]) {
            if let id = track.extensions[name], !data.isEmpty { elements.append((UInt8(id), data)) }
        }
        carry(ExtensionName.mid, Array(track.mid.utf8))
        if let rid = stream.rid {
            carry(original == nil ? ExtensionName.rid : ExtensionName.repairedRID, Array(rid.utf8))
        }
        if track.extensions[ExtensionName.transport] != nil {
            carry(
                ExtensionName.transport, [UInt8(transportSequence >> 8), UInt8(truncatingIfNeeded: transportSequence)])
            if track.feedback.contains("transport-cc") { numbered.insert(transportSequence) }
            transportSequence &+= 1
        }
        let body = original.map { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] + payload } ?? payload
        let packet = RTPHeader.packet(
            marker: true, payloadType: PayloadType(original == nil ? track.type : track.rtx!),
            sequence: SequenceNumber(sequence), timestamp: timestamp(of: payload, clock: track.clock),
            ssrc: SSRC(original == nil ? stream.ssrc : stream.rtxSSRC), extensions: elements, payload: body)
        send(packet, payloadLength: body.count, sequence: sequence)
    }

    /// 40 ms a frame.
    private func timestamp(of payload: [UInt8], clock: UInt32) -> UInt32 { (Mark(payload)?.frame ?? 0) * (clock / 25) }

    /// The beginning of a key frame, or of another, in each payload format.
    private func head(_ codec: String, isKey: Bool) -> [UInt8] {
        switch codec {
        case "vp8":
            isKey
                ? [0x10, 0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x00, 0x05, 0xD0, 0x02]
                : [0x10, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        case "h264": isKey ? [0x65, 0x88] : [0x41, 0x9A]
        case "vp9": isKey ? [0x0C, 0x82, 0x49, 0x83, 0x42] : [0x4C, 0x86, 0x00, 0x00, 0x00]
        case "av1": isKey ? [0x28, 0x02, 0x08, 0x00, 0x30, 0x10] : [0x10, 0x30, 0x30]
        default: [0x78, 0x01]
        }
    }

    // MARK: Feedback

    private func place(of ssrc: SSRC) -> (Int, Int)? {
        for t in tracks.indices {
            for s in tracks[t].streams.indices where tracks[t].streams[s].ssrc == ssrc.rawValue { return (t, s) }
        }
        return nil
    }

    override func receiveFeedback(_ packet: RTCPPacket, now: Instant) {
        switch packet {
        case .nack(_, let media, let lost):
            guard let (t, s) = hear("nack", media) else { return }
            for number in lost { repair(number.rawValue, t, s) }
        case .pli(_, let media):
            guard let (t, s) = hear("nack pli", media) else { return }
            tracks[t].streams[s].wantsKeyframe = true
        case .fir(_, let requests):
            for request in requests {
                guard let (t, s) = hear("ccm fir", request.media) else { continue }
                tracks[t].streams[s].wantsKeyframe = true
            }
        case .transportFeedback(let feedback):
            for (offset, arrival) in feedback.arrivals.enumerated() where arrival != nil {
                reported.insert(feedback.baseSequence &+ UInt16(truncatingIfNeeded: offset))
            }
        case .remb: fails("REMB that was not agreed to")
        default: break
        }
    }

    private func hear(_ name: String, _ media: SSRC) -> (Int, Int)? {
        guard let (t, s) = place(of: media) else {
            fails("\(name) for SSRC \(media.rawValue), which nobody has")
            return nil
        }
        if !tracks[t].feedback.contains(name) { fails("\(name) that was not agreed to") }
        tracks[t].streams[s].heard.insert(name)
        return (t, s)
    }

    private func repair(_ number: UInt16, _ t: Int, _ s: Int) {
        guard let payload = tracks[t].streams[s].sent[number] else {
            return fails("NACK for \(number), which was never sent")
        }
        guard tracks[t].streams[s].lost == number, tracks[t].streams[s].nacked.insert(number).inserted else { return }
        if tracks[t].rtx != nil {
            tracks[t].streams[s].rtxSequence &+= 1
            transmit(t, s, sequence: tracks[t].streams[s].rtxSequence, payload: payload, original: number)
        } else {
            transmit(t, s, sequence: number, payload: payload)
        }
    }

    /// What the answer promised and did not come.
    func checkPromises(viewerAsked: Bool) {
        if !isConnected { fails("not connected") }
        for track in tracks {
            for (s, stream) in track.streams.enumerated() where s == 0 {
                if stream.lost != nil, !stream.heard.contains("nack") {
                    fails("no NACK for a lost packet of \(track.mid)")
                }
                guard track.kind == 1, viewerAsked else { continue }
                let requests = track.feedback.filter { ["nack pli", "ccm fir"].contains($0) }
                if !requests.isEmpty, stream.heard.isDisjoint(with: requests) {
                    fails("no request for a keyframe came")
                }
            }
        }
        if !numbered.isSubset(of: reported) {
            fails("no transport feedback on \(numbered.subtracting(reported).count) of \(numbered.count)")
        }
        if numbered.isEmpty, !reported.isEmpty { fails("transport feedback that was not agreed to") }
    }
}
