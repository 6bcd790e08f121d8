// A peer that does what its own offer and the server's answer say, written after RFC 8843, 8852, 8853 and 8285: a second
// opinion on both ends of the server. Only its transport (ICE, DTLS, SRTP) is the product's.
import WebRTC

/// A check that failed, in words.
typealias Broken = String

class ScriptedPeer {
    let offer: GeneratedOffer
    let answer: AnswerText
    let connection: PeerConnection
    let outbox = Outbox()
    let address: TransportAddress
    var broken: [Broken] = []
    private var random: SeededGenerator

    init(
        _ offer: GeneratedOffer, answer: String, context: DTLSContext, address: TransportAddress, now: Instant,
        seed: UInt64
    ) {
        (self.offer, self.answer, self.address) = (offer, AnswerText(answer), address)
        random = SeededGenerator(seed: seed)
        guard let tagged = self.answer.tagged,
            let index = self.answer.sections.firstIndex(where: { $0.lines == tagged.lines })
        else { preconditionFailure("an accepted offer has a tagged section") }
        let fingerprint = tagged.value("fingerprint")?.split(separator: " ").last ?? ""
        let bytes = fingerprint.split(separator: ":").compactMap { UInt8($0, radix: 16) }
        let candidates = tagged.values("candidate").compactMap { line -> TransportAddress? in
            let parts = line.split(separator: " ")
            return TransportAddress(parts[4], port: UInt16(parts[5]) ?? 0)
        }
        connection = PeerConnection(
            parameters: TransportParameters(
                role: .client, localICE: offer.credentials(of: offer.sections[index]),
                remoteICE: ICECredentials(
                    ufrag: tagged.value("ice-ufrag") ?? "", password: tagged.value("ice-pwd") ?? ""),
                remoteFingerprints: [Fingerprint(algorithm: .sha256, bytes: bytes)], remoteCandidates: candidates,
                // RFC 8842 §5.3: who is not passive answers as passive or active; the offerer is the other.
                dtlsActive: tagged.value("setup") == "passive"),
            context: context, setupTimeout: .seconds(Int64(15)), consentTimeout: .seconds(Int64(30)), now: now,
            seed: random.next())
        checkAnswer()
    }

    var isConnected: Bool { if case .connected = connection.state { true } else { false } }
    func fails(_ words: String) { if broken.count < 8 { broken.append(words) } }

    /// Rules of RFC 3264 §6 that need no media.
    private func checkAnswer() {
        if answer.sections.count != offer.sections.count { fails("the answer has another number of m-lines") }
        for (mine, theirs) in zip(offer.sections, answer.sections) {
            if mine.mid != theirs.mid { fails("mid \(theirs.mid) answers \(mine.mid)") }
            guard theirs.isAccepted else { continue }
            if mine.isRejected { fails("a rejected m-line is accepted") }
            for type in theirs.formats where mine.format(type) == nil { fails("payload type \(type) was not offered") }
            for (uri, id) in theirs.extensions
            where !(mine.extensions + offer.sessionExtensions).contains(where: { $0.uri == uri && $0.id == id }) {
                fails("extmap \(id) \(uri) was not offered")
            }
            for type in theirs.formats {
                let offered = mine.format(type)?.feedback ?? []
                for feedback in theirs.feedback(type) where !offered.contains(feedback) {
                    fails("\(feedback) was not offered")
                }
            }
        }
    }

    func receive(_ datagram: [UInt8], from source: TransportAddress, now: Instant) {
        var bytes = datagram
        var span = bytes.mutableSpan
        var raw = unsafe span.mutableBytes
        switch connection.receive(&raw, from: source, now: now, outbox: outbox) {
        case .rtp(let length): receiveRTP(Array(bytes[..<length]), now: now)
        case .rtcp(let length): receiveRTCP(Array(bytes[..<length]), now: now)
        case .control, .dropped: break
        }
    }

    func receiveRTP(_ bytes: [UInt8], now: Instant) {}
    func receiveFeedback(_ packet: RTCPPacket, now: Instant) {}

    private func receiveRTCP(_ bytes: [UInt8], now: Instant) {
        guard let packets = unsafe RTCPCompound.parse(bytes.span.bytes) else {
            return fails("RTCP that cannot be read")
        }
        for packet in packets { receiveFeedback(packet, now: now) }
    }

    /// Seals and queues a packet; its sequence number has not wrapped.
    func send(_ packet: [UInt8], payloadLength: Int, sequence: UInt16) {
        guard let srtp = connection.srtp, let remote = connection.remote else { return }
        var target = [UInt8](repeating: 0, count: packet.count + srtp.overhead)
        let header = packet.count - payloadLength
        target.replaceSubrange(..<header, with: packet[..<header])
        let length = unsafe target.withUnsafeMutableBytes { target in
            unsafe packet.withUnsafeBytes { packet in
                unsafe srtp.sealRTP(
                    at: target.baseAddress!, headerLength: header, payload: packet.baseAddress! + header,
                    payloadLength: payloadLength, padding: 0, index: UInt64(sequence))
            }
        }
        outbox.append(Array(target[..<length]), to: remote)
    }

    func sendFeedback(_ packets: [RTCPPacket]) {
        for datagram in RTCPCompound.write(packets) { connection.sendRTCP(datagram, outbox: outbox) }
    }
}

/// What a packet of the script carries behind the beginning of its picture: whose it is.
struct Mark: Hashable {
    var kind: UInt8
    var encoding: UInt8
    var frame: UInt32

    static let length = 8
    var bytes: [UInt8] {
        [0xCA, kind, encoding] + (0..<4).map { UInt8(truncatingIfNeeded: frame >> (24 - 8 * $0)) } + [0xDE]
    }

    /// The mark at the end of a payload.
    init?(_ payload: some Collection<UInt8>) {
        let bytes = Array(payload.suffix(Self.length))
        guard bytes.count == Self.length, bytes[0] == 0xCA, bytes[7] == 0xDE else { return nil }
        (kind, encoding) = (bytes[1], bytes[2])
        frame = bytes[3..<7].reduce(0) { $0 << 8 | UInt32($1) }
    }

    init(kind: UInt8, encoding: UInt8, frame: UInt32) {
        (self.kind, self.encoding, self.frame) = (kind, encoding, frame)
    }
}

/// An RTP packet as the RFCs lay it out.
struct PlainPacket {
    var payloadType: UInt8
    var sequence: UInt16
    var ssrc: UInt32
    var extensions: [Int: [UInt8]] = [:]
    var payload: ArraySlice<UInt8>

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 12, bytes[0] >> 6 == 2 else { return nil }
        payloadType = bytes[1] & 0x7F
        sequence = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        ssrc = bytes[8..<12].reduce(0) { $0 << 8 | UInt32($1) }
        var offset = 12 + 4 * Int(bytes[0] & 0x0F)
        if bytes[0] & 0x10 != 0 {
            guard bytes.count >= offset + 4 else { return nil }
            let end = offset + 4 + 4 * (Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3]))
            guard bytes[offset] == 0xBE, bytes[offset + 1] == 0xDE, bytes.count >= end else { return nil }
            var i = offset + 4
            while i < end {
                if bytes[i] == 0 { i += 1; continue }
                let (id, length) = (Int(bytes[i] >> 4), Int(bytes[i] & 0x0F) + 1)
                guard i + 1 + length <= end else { return nil }
                extensions[id] = Array(bytes[i + 1..<i + 1 + length])
                i += 1 + length
            }
            offset = end
        }
        let padding = bytes[0] & 0x20 != 0 ? Int(bytes[bytes.count - 1]) : 0
        guard offset + padding <= bytes.count else { return nil }
        payload = bytes[offset..<bytes.count - padding]
    }
}
