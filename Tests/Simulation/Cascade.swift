// Publisher → origin → edges → viewers, wired as the control plane would wire them, on the virtual network.
import WebRTC

@testable import Forwarding

/// What a packet of the synthetic publisher says of itself, so that a viewer can tell when it was sent.
struct Stamp: Hashable {
    var frame: UInt32
    var index: UInt16
    var sent: Instant

    static let length = 14
    /// Bytes of VP8 descriptor and frame header before it.
    static let offset = 11

    init(frame: UInt32, index: UInt16, sent: Instant) { (self.frame, self.index, self.sent) = (frame, index, sent) }

    init(_ bytes: [UInt8]) {
        func number(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        frame = UInt32(number(0..<4))
        index = UInt16(number(4..<6))
        sent = Instant(nanoseconds: Int64(number(6..<14)))
    }

    var bytes: [UInt8] {
        let time = UInt64(bitPattern: sent.nanoseconds)
        return (0..<4).map { UInt8(truncatingIfNeeded: frame >> (24 - 8 * UInt32($0))) }
            + [UInt8(index >> 8), UInt8(truncatingIfNeeded: index)]
            + (0..<8).map { UInt8(truncatingIfNeeded: time >> (56 - 8 * UInt64($0))) }
    }
}

final class Cascade {
    static let formats = [
        TrackFormat(codec: CodecFormat(name: .vp8, clockRate: 90_000)),
        TrackFormat(codec: CodecFormat(name: .opus, clockRate: 48_000, channels: 2)),
    ]
    static let broadcast = BroadcastID(rawValue: 1)

    let network: VirtualNetwork
    private var random: SeededGenerator
    private var nextSession: UInt64 = 1
    private var nextSocket: UInt16 = 1

    /// Video and audio packets per viewer host: when each stamp arrived first.
    private(set) var arrivals: [String: [Stamp: Instant]] = [:]
    private(set) var audioPackets: [String: Int] = [:]
    /// Stamps of all video packets published, in order.
    private(set) var published: [Stamp] = []
    var keyframeEvery: UInt32 = 60
    var packetsPerFrame: UInt16 = 6
    private var frame: UInt32 = 0
    private var videoSequence: UInt16 = 65_400
    private var audioSequence: UInt16 = 9

    init(seed: UInt64) {
        network = VirtualNetwork(seed: seed)
        random = SeededGenerator(seed: seed ^ 0x5EED)
    }

    func host(_ name: String) throws -> Host {
        let host = try network.addHost(name)
        network.apply(.openBroadcast(Self.broadcast, tracks: Self.formats), to: host)
        return host
    }

    /// A viewer: a host that pulls from `upstream` and remembers what arrived.
    func viewer(_ name: String, of upstream: Host, rtx: Bool = true) throws -> Host {
        let host = try host(name)
        host.observe = { [unowned self] unit, now in observe(unit, name: name, now: now) }
        connect(source: host, to: upstream, rtx: rtx)
        return host
    }

    private func observe(_ unit: ForwardingUnit, name: String, now: Instant) {
        guard let tracks = unit.broadcasts[Self.broadcast]?.tracks else { return }
        for sequence in tracks[0].pending {
            guard let entry = tracks[0].history.entry(sequence), entry.length >= Stamp.offset + Stamp.length else {
                continue
            }
            let bytes = unsafe UnsafeRawBufferPointer(start: tracks[0].history.payload(of: entry), count: entry.length)
            let stamp = unsafe Stamp(Array(bytes[Stamp.offset..<Stamp.offset + Stamp.length]))
            if arrivals[name, default: [:]][stamp] == nil { arrivals[name, default: [:]][stamp] = now }
        }
        audioPackets[name, default: 0] += tracks[1].pending.count
    }

    /// `client` (ICE controlling, DTLS active) gets media from `server`. Returns (client's, server's) session.
    @discardableResult
    func connect(source client: Host, to server: Host, rtx: Bool = true) -> (SessionID, SessionID) {
        connect(client: client, server: server, clientReceives: true, rtx: rtx)
    }

    /// `client` publishes to `server`.
    @discardableResult
    func publish(from client: Host, to server: Host, rtx: Bool = true) -> (SessionID, SessionID) {
        connect(client: client, server: server, clientReceives: false, rtx: rtx)
    }

    private func connect(client: Host, server: Host, clientReceives: Bool, rtx: Bool) -> (SessionID, SessionID) {
        let clientICE = ICECredentials.generate(using: &random)
        let serverICE = ICECredentials.generate(using: &random)
        let ids = (SessionID(rawValue: nextSession), SessionID(rawValue: nextSession + 1))
        nextSession += 2
        let (sending, receiving) = tracks(rtx: rtx)
        let identities = network.identities
        let onServer = SessionParameters(
            id: ids.1,
            transport: TransportParameters(
                role: .server, localICE: serverICE, remoteICE: clientICE,
                remoteFingerprint: identities[client.name]!.fingerprint),
            broadcast: Self.broadcast, direction: clientReceives ? .sink : .source,
            tracks: clientReceives ? sending : receiving)
        var onClient = SessionParameters(
            id: ids.0,
            transport: TransportParameters(
                role: .client, localICE: clientICE, remoteICE: serverICE,
                remoteFingerprint: identities[server.name]!.fingerprint, remoteCandidates: [server.address]),
            broadcast: Self.broadcast, direction: clientReceives ? .source : .sink,
            tracks: clientReceives ? receiving : sending)
        onClient.socket = nextSocket
        nextSocket += 1
        network.apply(.open(onServer), to: server)
        network.apply(.open(onClient), to: client)
        return ids
    }

    /// The same agreement from the sender's and from the receiver's side.
    private func tracks(rtx: Bool) -> (sending: [NegotiatedTrack], receiving: [NegotiatedTrack]) {
        var (sending, receiving): ([NegotiatedTrack], [NegotiatedTrack]) = ([], [])
        for (mid, format) in Self.formats.enumerated() {
            let isVideo = format.kind == .video
            let ssrc = SSRC(UInt32.random(in: 1...UInt32.max, using: &random))
            let rtxSSRC = isVideo && rtx ? SSRC(UInt32.random(in: 1...UInt32.max, using: &random)) : nil
            var extensions = HeaderExtensionIDs()
            extensions.mid = 3
            var track = NegotiatedTrack(
                mid: String(mid), codec: format.codec, payloadType: PayloadType(UInt8(96 + 2 * mid)),
                rtxPayloadType: rtxSSRC == nil ? nil : PayloadType(UInt8(97 + 2 * mid)),
                feedback: isVideo ? [.nack, .pli, .fir] : [.nack], extensions: extensions)
            receiving.append(track)
            receiving[mid].encodings = [.init(ssrc: ssrc, rtxSSRC: rtxSSRC)]
            track.local = .init(ssrc: ssrc, rtxSSRC: rtxSSRC, cname: "simulation")
            sending.append(track)
        }
        return (sending, receiving)
    }

    /// Publishes 30 frames a second and 50 audio packets a second from `host` until `end`.
    func play(from host: Host, until end: Instant) {
        let frameTime = Interval(nanoseconds: 33_333_333)
        let audioTime = Interval.milliseconds(20)
        var (nextFrame, nextAudio) = (network.now, network.now)
        while min(nextFrame, nextAudio) < end {
            network.run(until: min(nextFrame, nextAudio))
            if nextFrame <= nextAudio {
                network.apply(.ingest(Self.broadcast, packets: nextVideoFrame()), to: host)
                nextFrame = nextFrame + frameTime
            } else {
                network.apply(.ingest(Self.broadcast, packets: [audioPacket()]), to: host)
                nextAudio = nextAudio + audioTime
            }
        }
        network.run(until: end)
    }

    func nextVideoFrame() -> [[UInt8]] {
        defer { frame += 1 }
        return (0..<packetsPerFrame).map { index in
            defer { videoSequence &+= 1 }
            let stamp = Stamp(frame: frame, index: index, sent: network.now)
            published.append(stamp)
            // VP8 descriptor, S bit on the first packet; then a frame header, whose lowest bit is 0 in a keyframe, with
            // a keyframe's start code and size (RFC 6386 §9.1).
            let isKey = frame % keyframeEvery == 0
            let head: [UInt8] = [
                index == 0 ? 0x10 : 0x00, isKey ? 0x10 : 0x11, 0, 0, 0x9D, 0x01, 0x2A, 0x00, 0x05, 0xD0, 0x02,
            ]
            let filler = [UInt8](repeating: UInt8(index), count: 900 + Int(index % 3))
            return RTPHeader.packet(
                marker: index == packetsPerFrame - 1, payloadType: PayloadType(0),
                sequence: SequenceNumber(videoSequence), timestamp: frame &* 3_000, ssrc: SSRC(1),
                payload: head + stamp.bytes + filler)
        }
    }

    private func audioPacket() -> [UInt8] {
        defer { audioSequence &+= 1 }
        return RTPHeader.packet(
            payloadType: PayloadType(1), sequence: SequenceNumber(audioSequence),
            timestamp: UInt32(audioSequence) &* 960, ssrc: SSRC(2), payload: [UInt8](repeating: 7, count: 120))
    }
}
