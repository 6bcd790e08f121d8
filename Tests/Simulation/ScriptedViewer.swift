// The viewer of a generated offer: checks that each packet is what the answer said, loses one of each track and asks for it,
// and asks for a keyframe where that was agreed.
import WebRTC

final class ScriptedViewer: ScriptedPeer {
    struct Track {
        var kind: UInt8
        var type: UInt8
        var rtx: UInt8?
        var feedback: [String]
        var midID: Int?
        var transportID: Int?
        var mid: String
        var ssrc: UInt32
        var rtxSSRC: UInt32?
        var packets = 0
        var marks: Set<Mark> = []
        /// The number of the packet that never reached us, and whether it came all the same.
        var lost: UInt16?
        var isRepaired = false
        var sequences: Set<UInt16> = []
    }

    private(set) var tracks: [Track] = []
    private var transportNumbers: Set<[UInt8]> = []

    override init(
        _ offer: GeneratedOffer, answer: String, context: DTLSContext, address: TransportAddress, now: Instant,
        seed: UInt64
    ) {
        super.init(offer, answer: answer, context: context, address: address, now: now, seed: seed)
        for (mine, theirs) in zip(offer.sections, self.answer.sections) where theirs.isAccepted {
            guard let type = theirs.formats.first, let format = mine.format(type), format.isMedia,
                let ssrcs = theirs.ssrcs
            else { fails("the answer names no codec or no SSRC"); continue }
            if !theirs.has("sendonly") { fails("a viewer's m-line is to be sendonly") }
            let rtx = theirs.rtx(of: type)
            if rtx != nil, mine.rtx(of: type) != rtx { fails("RTX that was not offered") }
            if (rtx == nil) != (ssrcs.rtx == nil) { fails("RTX has a payload type or an SSRC, and not both") }
            tracks.append(
                Track(
                    kind: mine.kind == .audio ? 0 : 1, type: type, rtx: rtx, feedback: theirs.feedback(type),
                    midID: theirs.extensions[ExtensionName.mid],
                    transportID: theirs.extensions[ExtensionName.transport],
                    mid: mine.mid, ssrc: ssrcs.media, rtxSSRC: ssrcs.rtx))
            if theirs.feedback(type).contains("transport-cc") != (theirs.extensions[ExtensionName.transport] != nil) {
                fails("transport-wide feedback without its extension, or the extension alone")
            }
        }
    }

    /// Whether the path loses this datagram: the tenth number of each stream that can be asked for again, the first time.
    func loses(_ datagram: [UInt8]) -> Bool {
        guard datagram.count > 12, datagram[0] >> 6 == 2, datagram[1] & 0x7F < 64 || datagram[1] & 0x7F > 95 else {
            return false
        }
        let ssrc = datagram[8..<12].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard let t = tracks.firstIndex(where: { $0.ssrc == ssrc }), tracks[t].feedback.contains("nack"),
            tracks[t].lost == nil, tracks[t].packets >= 10
        else { return false }
        tracks[t].lost = UInt16(datagram[2]) << 8 | UInt16(datagram[3])
        return true
    }

    override func receiveRTP(_ bytes: [UInt8], now: Instant) {
        guard let packet = PlainPacket(bytes) else { return fails("RTP that cannot be read") }
        guard let t = tracks.firstIndex(where: { $0.ssrc == packet.ssrc || $0.rtxSSRC == packet.ssrc }) else {
            return fails("SSRC \(packet.ssrc), which the answer does not name")
        }
        let isRepair = packet.ssrc == tracks[t].rtxSSRC
        if packet.payloadType != (isRepair ? tracks[t].rtx : tracks[t].type) {
            fails("payload type \(packet.payloadType), not the answer's")
        }
        // Until we have reported on the stream (RFC 8843 §15); we never do.
        if let id = tracks[t].midID, packet.extensions[id] != Array(tracks[t].mid.utf8) {
            fails("a packet without its MID")
        }
        if packet.extensions.keys.contains(where: { $0 != tracks[t].midID && $0 != tracks[t].transportID }) {
            fails("an extension that was not agreed to")
        }
        if let number = tracks[t].transportID.flatMap({ packet.extensions[$0] }),
            !transportNumbers.insert(number).inserted
        {
            fails("a transport-wide number twice")
        }
        let original = isRepair ? packet.payload.prefix(2).reduce(UInt16(0)) { $0 << 8 | UInt16($1) } : packet.sequence
        guard let mark = Mark(isRepair ? packet.payload.dropFirst(2) : packet.payload) else {
            return fails("a payload of nobody")
        }
        if mark.kind != tracks[t].kind { fails("media of another kind") }
        if mark.encoding != 0 { fails("an encoding that is not the first") }
        tracks[t].packets += 1
        tracks[t].marks.insert(mark)
        tracks[t].sequences.insert(original)
        if original == tracks[t].lost {
            if isRepair != (tracks[t].rtx != nil) { fails("a repair that is not as agreed") }
            tracks[t].isRepaired = true
        }
    }

    /// Asks for what was lost.
    func askForRepairs() {
        for track in tracks {
            guard let lost = track.lost, !track.isRepaired, track.sequences.contains(lost &+ 1) else { continue }
            sendFeedback([.nack(sender: SSRC(7), media: SSRC(track.ssrc), lost: [SequenceNumber(lost)])])
        }
    }

    /// Asks for a keyframe as agreed; false: that was not agreed on.
    func askForKeyframe() -> Bool {
        guard let track = tracks.first(where: { $0.kind == 1 }) else { return false }
        if track.feedback.contains("nack pli") {
            sendFeedback([.pli(sender: SSRC(7), media: SSRC(track.ssrc))])
        } else if track.feedback.contains("ccm fir") {
            sendFeedback([.fir(sender: SSRC(7), requests: [.init(media: SSRC(track.ssrc), sequence: 1)])])
        } else {
            return false
        }
        return true
    }

    /// - Parameter kinds: of what is published: 0 audio, 1 video.
    func checkPromises(published kinds: Set<UInt8>) {
        if !isConnected { fails("not connected") }
        for track in tracks where kinds.contains(track.kind) {
            let name = track.kind == 0 ? "audio" : "video"
            if track.packets < 20 { fails("\(track.packets) packets of \(name)") }
            if track.lost != nil, !track.isRepaired { fails("a NACK for \(name) was not answered") }
            // From its first frame on it got all, what was lost before the server too.
            let frames = track.marks.map(\.frame)
            if let first = frames.min(), let last = frames.max(), frames.count != Int(last - first) + 1 {
                fails("\(Int(last - first) + 1 - frames.count) frames of \(name) are missing")
            }
        }
    }
}
