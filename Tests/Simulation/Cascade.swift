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
    static let vp8 = formats[0].codec
    static let h264 = CodecFormat(
        name: .h264, clockRate: 90_000, fmtp: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f")

    /// One packet as a viewer got it.
    struct Sample {
        var at: Instant
        var sequence: Int64
        var timestamp: UInt32
        var keyframe: Bool
        var marker: Bool
        var stamp: Stamp
        /// The packet's capture time as the viewer's sender reports place it, minus the true one.
        var skew: Interval?
        var numbers: PictureNumbers?
        /// Which encoding it is of.
        var encoding: Int
    }

    let network: VirtualNetwork
    private var random: SeededGenerator
    private var nextSession: UInt64 = 1
    private var nextSocket: UInt16 = 1
    /// By the server's session.
    private(set) var credentials: [SessionID: (client: ICECredentials, server: ICECredentials)] = [:]

    /// Video and audio packets per viewer host: when each stamp arrived first.
    private(set) var arrivals: [String: [Stamp: Instant]] = [:]
    private(set) var audioPackets: [String: Int] = [:]
    /// Per viewer host what it got, video (0) and audio (1), in the order of arrival.
    private var samples: [String: [[Sample]]] = [:]
    /// Stamps of all video packets published, in order.
    private(set) var published: [Stamp] = []
    var keyframeEvery: UInt32 = 60
    /// Whether the publisher makes a keyframe when it is asked for one.
    var answersRequests = false
    /// Whether its VP8 has picture ids and TL0PICIDX.
    var numbersPictures = false
    /// What the publisher encodes.
    var codec = vp8
    var publishesAudio = true
    var packetsPerFrame: UInt16 = 6
    /// So many times as large a keyframe is.
    var keyframeSize: UInt16 = 1
    /// Encodings that are published.
    var encodings: Set<Int> = [0]
    /// Packets a frame of each; without them each has half as many as the one before.
    var packetsOfEncodings: [Int] = []
    private var encodingSequences = [UInt16](repeating: 300, count: 8)
    /// Of these keyframes are made with the next frame.
    var forced: Set<Int> = []
    private var frame: UInt32 = 0
    private var videoSequence: UInt16 = 65_400
    private var audioSequence: UInt16 = 9

    init(seed: UInt64) {
        network = VirtualNetwork(seed: seed)
        random = SeededGenerator(seed: seed ^ 0x5EED)
    }

    func host(_ name: String, formats: [TrackFormat] = formats) throws -> Host {
        let host = try network.addHost(name)
        network.apply(.openBroadcast(Self.broadcast, tracks: formats), to: host)
        return host
    }

    /// A viewer: a host that pulls from `upstream` and remembers what arrived.
    func viewer(_ name: String, of upstream: Host, rtx: Bool = true, video: [CodecFormat] = [vp8]) throws -> Host {
        let host = try watcher(name)
        connect(source: host, to: upstream, rtx: rtx, video: video)
        return host
    }

    /// A host that remembers what arrives.
    func watcher(_ name: String) throws -> Host {
        let host = try host(name)
        host.observe = { [unowned self] unit, now in observe(unit, name: name, now: now) }
        return host
    }

    private func observe(_ unit: ForwardingUnit, name: String, now: Instant) {
        guard let tracks = unit.broadcasts[Self.broadcast]?.tracks else { return }
        for (index, track) in tracks.enumerated() {
            for sequence in track.preferred.pending { observe(sequence, of: track, index: index, name: name, now: now) }
        }
        audioPackets[name, default: 0] += tracks[1].preferred.pending.count
    }

    private func observe(_ sequence: Int64, of track: Track, index: Int, name: String, now: Instant) {
        guard let entry = track.preferred.history.entry(sequence), entry.length >= Stamp.offset + Stamp.length else {
            return
        }
        let bytes = unsafe UnsafeRawBufferPointer(
            start: track.preferred.history.payload(of: entry), count: entry.length)
        let stamp = unsafe Stamp(Array(bytes[Stamp.offset..<Stamp.offset + Stamp.length]))
        let rate = Double(track.format.codec.clockRate)
        let skew = track.preferred.clock.map { clock in
            clock.at + .seconds(Double(Int32(bitPattern: entry.timestamp &- clock.timestamp)) / rate) - stamp.sent
        }
        let sample = Sample(
            at: now, sequence: sequence, timestamp: entry.timestamp, keyframe: entry.keyframe, marker: entry.marker,
            stamp: stamp, skew: skew,
            numbers: unsafe PictureNumbers.parse(bytes.bytes, of: track.format.codec.name),
            encoding: unsafe Int(bytes[entry.length - 1]))
        samples[name, default: [[], []]][index].append(sample)
        if index == 0, arrivals[name, default: [:]][stamp] == nil { arrivals[name, default: [:]][stamp] = now }
    }

    /// What a viewer got, in the order of its line.
    func line(of viewer: String, track: Int) -> [Sample] {
        (samples[viewer]?[track] ?? []).sorted { $0.sequence < $1.sequence }
    }

    /// `client` (ICE controlling, DTLS active) gets media from `server`. Returns (client's, server's) session.
    ///
    /// - Parameters:
    ///   - bursts: it gets the newest group of pictures at once.
    ///   - isRelay: it is a node, which has others below.
    ///   - encodings: streams of video, for a node.
    ///   - tellsArrivals: it gives transport-wide feedback.
    @discardableResult
    func connect(
        source client: Host, to server: Host, rtx: Bool = true, video: [CodecFormat] = [vp8], bursts: Bool = false,
        isRelay: Bool = false, encodings: Int = 1, tellsArrivals: Bool = false
    ) -> (SessionID, SessionID) {
        let tracks = tracks(rtx: rtx, video: video, encodings: encodings, tellsArrivals: tellsArrivals)
        return connect(client: client, server: server, clientReceives: true, tracks: tracks) {
            ($0.startsInBurst, $0.isRelay) = (bursts, isRelay)
        }
    }

    /// `client` publishes to `server`.
    @discardableResult
    func publish(
        from client: Host, to server: Host, rtx: Bool = true, video: CodecFormat = vp8, audio: Bool = true
    ) -> (SessionID, SessionID) {
        connect(
            client: client, server: server, clientReceives: false,
            tracks: tracks(rtx: rtx, video: [video], audio: audio))
    }

    private func connect(
        client: Host, server: Host, clientReceives: Bool,
        tracks: (sending: [NegotiatedTrack], receiving: [NegotiatedTrack]),
        _ change: (inout SessionParameters) -> Void = { _ in }
    ) -> (SessionID, SessionID) {
        let clientICE = ICECredentials.generate(using: &random)
        let serverICE = ICECredentials.generate(using: &random)
        let ids = (SessionID(rawValue: nextSession), SessionID(rawValue: nextSession + 1))
        nextSession += 2
        credentials[ids.1] = (clientICE, serverICE)
        let (sending, receiving) = tracks
        let identities = network.identities
        var onServer = SessionParameters(
            id: ids.1,
            transport: TransportParameters(
                role: .server, localICE: serverICE, remoteICE: clientICE,
                remoteFingerprints: [identities[client.name]!.fingerprint]),
            broadcast: Self.broadcast, direction: clientReceives ? .sink : .source,
            tracks: clientReceives ? sending : receiving)
        var onClient = SessionParameters(
            id: ids.0,
            transport: TransportParameters(
                role: .client, localICE: clientICE, remoteICE: serverICE,
                remoteFingerprints: [identities[server.name]!.fingerprint], remoteCandidates: [server.address]),
            broadcast: Self.broadcast, direction: clientReceives ? .source : .sink,
            tracks: clientReceives ? receiving : sending)
        change(&onServer)
        onClient.isRelay = onServer.isRelay
        onClient.socket = nextSocket
        nextSocket += 1
        network.apply(.open(onServer), to: server)
        network.apply(.open(onClient), to: client)
        return ids
    }

    /// The same agreement from the sender's and from the receiver's side. The first of `video` is sent at first.
    private func tracks(
        rtx: Bool, video: [CodecFormat], audio: Bool = true, encodings: Int = 1, tellsArrivals: Bool = false
    ) -> (sending: [NegotiatedTrack], receiving: [NegotiatedTrack]) {
        var (sending, receiving): ([NegotiatedTrack], [NegotiatedTrack]) = ([], [])
        for (mid, codec) in ([video[0]] + (audio ? [Self.formats[1].codec] : [])).enumerated() {
            let isVideo = mid == 0
            let type = { (codec: CodecFormat) in PayloadType(codec.name == .vp8 ? 96 : codec.name == .h264 ? 100 : 98) }
            let repair = { (codec: CodecFormat) in
                isVideo && rtx ? PayloadType(type(codec).rawValue + 1) : nil
            }
            let feedback: NegotiatedTrack.Feedback = isVideo ? [.nack, .pli, .fir] : [.nack]
            let streams = (0..<(isVideo ? encodings : 1)).map { _ in
                NegotiatedTrack.LocalStream(
                    ssrc: SSRC(UInt32.random(in: 1...UInt32.max, using: &random)),
                    rtxSSRC: isVideo && rtx ? SSRC(UInt32.random(in: 1...UInt32.max, using: &random)) : nil,
                    cname: "simulation")
            }
            var extensions = HeaderExtensionIDs()
            extensions.mid = 3
            if isVideo, tellsArrivals { extensions.transportSequence = 5 }
            var track = NegotiatedTrack(
                mid: String(mid), codec: codec, payloadType: type(codec), rtxPayloadType: repair(codec),
                feedback: isVideo && tellsArrivals ? feedback.union(.transportCC) : feedback, extensions: extensions)
            track.alternatives = (isVideo ? video.dropFirst() : []).map {
                .init(codec: $0, payloadType: type($0), rtxPayloadType: repair($0), feedback: feedback)
            }
            receiving.append(track)
            receiving[mid].encodings = streams.map { .init(ssrc: $0.ssrc, rtxSSRC: $0.rtxSSRC) }
            receiving[mid].areEncodingsReported = streams.count > 1
            track.locals = streams
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
                let isAsked = host.unit.broadcasts[Self.broadcast]?.tracks[0].preferred.keyframes.isPending == true
                let frame = nextVideoFrame(key: answersRequests && isAsked)
                if encodings.contains(0) { network.apply(.ingest(Self.broadcast, packets: frame), to: host) }
                for e in encodings.sorted() where e > 0 { publish(e, of: frame, to: host) }
                nextFrame = nextFrame + frameTime
            } else {
                if publishesAudio { network.apply(.ingest(Self.broadcast, packets: [audioPacket()]), to: host) }
                nextAudio = nextAudio + audioTime
            }
        }
        network.run(until: end)
    }

    /// A smaller copy of a frame of the first encoding. Its clock is another, and it is made a moment later.
    private func publish(_ encoding: Int, of frame: [[UInt8]], to host: Host) {
        let isKey = forced.remove(encoding) != nil
        let share = packetsOfEncodings.isEmpty ? packetsOfFirst >> encoding : packetsOfEncodings[encoding]
        let count = max(1, frame.count * share / packetsOfFirst)
        let packets = frame.prefix(count).enumerated().compactMap { i, bytes -> [UInt8]? in
            guard let packet = unsafe RTPPacket.parse(bytes.span.bytes) else { return nil }
            defer { encodingSequences[encoding] &+= 1 }
            var payload = Array(bytes[packet.payload].dropLast()) + [UInt8(encoding)]
            if isKey, i == 0 { payload[1] = 0x10 }
            return RTPHeader.packet(
                marker: i == count - 1, payloadType: packet.payloadType,
                sequence: SequenceNumber(encodingSequences[encoding]),
                timestamp: packet.timestamp &+ 0x6000_0000 &* UInt32(encoding), ssrc: SSRC(UInt32(100 + encoding)),
                payload: payload)
        }
        network.apply(.ingest(Self.broadcast, packets: packets, encoding: encoding), to: host)
    }

    private var packetsOfFirst: Int { Int(packetsPerFrame) }

    func nextVideoFrame(key: Bool = false) -> [[UInt8]] {
        defer { frame += 1 }
        let isKey = key || frame % keyframeEvery == 0
        let count = packetsPerFrame * (isKey ? keyframeSize : 1)
        return (0..<count).map { index in
            defer { videoSequence &+= 1 }
            let stamp = Stamp(frame: frame, index: index, sent: network.now)
            published.append(stamp)
            // VP8 descriptor, S bit on the first packet; then a frame header, whose lowest bit is 0 in a keyframe, with
            // a keyframe's start code and size (RFC 6386 §9.1).
            var head: [UInt8] = [
                index == 0 ? 0x10 : 0x00, isKey ? 0x10 : 0x11, 0, 0, 0x9D, 0x01, 0x2A, 0x00, 0x05, 0xD0, 0x02,
            ]
            if numbersPictures {
                let (id, level) = (frame & 0x7FFF, UInt8(truncatingIfNeeded: frame))
                head =
                    [head[0] | 0x80, 0xC0, 0x80 | UInt8(id >> 8), UInt8(truncatingIfNeeded: id), level] + head[1...6]
            }
            // H.264: a slice each, of an IDR picture or not (RFC 6184 §5.6).
            if codec.name == .h264 { (head[0], head[1]) = (isKey ? 0x65 : 0x41, index == 0 ? 0x80 : 0x40) }
            let filler = [UInt8](repeating: UInt8(index), count: 899 + Int(index % 3)) + [0]
            return RTPHeader.packet(
                marker: index == count - 1, payloadType: PayloadType(0),
                sequence: SequenceNumber(videoSequence), timestamp: ticks(90_000), ssrc: SSRC(1),
                payload: head + stamp.bytes + filler)
        }
    }

    /// The media clocks are the virtual clock.
    private func ticks(_ rate: Int64) -> UInt32 {
        UInt32(truncatingIfNeeded: network.now.nanoseconds / 1_000 * rate / 1_000_000)
    }

    func audioPacket() -> [UInt8] {
        defer { audioSequence &+= 1 }
        let stamp = Stamp(frame: UInt32(audioSequence), index: 0, sent: network.now)
        let head = [UInt8](repeating: 7, count: Stamp.offset)
        return RTPHeader.packet(
            payloadType: PayloadType(1), sequence: SequenceNumber(audioSequence),
            timestamp: ticks(48_000), ssrc: SSRC(2), payload: head + stamp.bytes + head)
    }
}
