@testable import Forwarding
@testable import WebRTC

/// A stream that the publisher may send, with payloads that are what they say.
struct FuzzedStream {
    var ssrc: UInt32
    var payloadType: UInt8
    var rid: String?
    var isRepair = false
    var keyframe: [UInt8]
    var delta: [UInt8]

    private static let vp8 = (key: hexBytes("1000009D012A80026801"), delta: hexBytes("1001000102"))
    private static let h264 = (key: hexBytes("7800076742E01F8D6805000468CE3C800003658884"), delta: hexBytes("419A0102"))
    private static let h264Picture = hexBytes("65888400")
    private static let vp9 = (key: hexBytes("8B0249834200"), delta: hexBytes("0B0286"))
    private static let av1 = (key: hexBytes("180A0B00000002AFF79B5F2008320010"), delta: hexBytes("103001"))

    static let all: [FuzzedStream] = [
        FuzzedStream(ssrc: 0x1000, payloadType: 111, keyframe: [0x78, 1], delta: [0x78, 2]),
        FuzzedStream(ssrc: 0x2000, payloadType: 96, rid: "q", keyframe: vp8.key, delta: vp8.delta),
        FuzzedStream(ssrc: 0x2001, payloadType: 96, rid: "h", keyframe: vp8.key, delta: vp8.delta),
        FuzzedStream(ssrc: 0x3000, payloadType: 97, rid: "q", isRepair: true, keyframe: vp8.key, delta: vp8.delta),
        FuzzedStream(ssrc: 0x3001, payloadType: 97, rid: "h", isRepair: true, keyframe: vp8.key, delta: vp8.delta),
        FuzzedStream(ssrc: 0x2000, payloadType: 102, rid: "q", keyframe: h264.key, delta: h264.delta),
        FuzzedStream(ssrc: 0x2000, payloadType: 102, rid: "q", keyframe: h264Picture, delta: h264.delta),
        FuzzedStream(ssrc: 0x2001, payloadType: 102, rid: "h", keyframe: h264Picture, delta: h264.key),
        FuzzedStream(ssrc: 0x3000, payloadType: 103, rid: "q", isRepair: true, keyframe: h264.key, delta: h264.delta),
        FuzzedStream(ssrc: 0x2000, payloadType: 98, rid: "q", keyframe: vp9.key, delta: vp9.delta),
        FuzzedStream(ssrc: 0x2000, payloadType: 45, rid: "q", keyframe: av1.key, delta: av1.delta),
        FuzzedStream(ssrc: 0x2002, payloadType: 96, keyframe: vp8.key, delta: vp8.delta),
        // As `Command.ingest` numbers its tracks.
        FuzzedStream(ssrc: 0x4000, payloadType: 0, keyframe: [1], delta: [2]),
        FuzzedStream(ssrc: 0x4001, payloadType: 1, keyframe: vp8.key, delta: vp8.delta),
    ]
}

/// The other end of a session, as far as the unit can tell.
struct FuzzedPeer {
    var id: SessionID
    var address: TransportAddress
    var local: ICECredentials
    var remote: ICECredentials
    /// What the unit sends it.
    var streams: [SSRC]
}

/// A unit in virtual time whose sessions have keys that nobody had to agree on: of it only the handshake and the opening
/// of packets are left out.
final class FuzzedUnit {
    static let broadcast = BroadcastID(rawValue: 1)
    static let ntpOrigin: UInt64 = 0xE800_0000 << 32

    static let opus = CodecFormat(name: .opus, clockRate: 48_000, channels: 2)
    static let vp8 = CodecFormat(name: .vp8, clockRate: 90_000)
    static let h264 = CodecFormat(
        name: .h264, clockRate: 90_000, fmtp: "packetization-mode=1;profile-level-id=42e01f")
    static let vp9 = CodecFormat(name: .vp9, clockRate: 90_000)
    static let av1 = CodecFormat(name: .av1, clockRate: 90_000)
    static let codecs = [opus, vp8, h264, vp9, av1]
    static let formats = [TrackFormat(codec: opus), TrackFormat(codec: vp8)]

    let unit: ForwardingUnit
    private(set) var now = Instant.zero + .seconds(Int64(5))
    private(set) var peers: [FuzzedPeer] = []
    /// Where each of the publisher's streams is.
    var positions: [UInt32: (sequence: UInt16, timestamp: UInt32)] = [:]
    var transportSequence: UInt16 = 65_530
    /// The newest number that the unit has sent of each of its streams.
    private(set) var last: [SSRC: UInt16] = [:]
    /// The unit's own checks that nobody has answered.
    private var checks: [(to: TransportAddress, id: STUNMessage.TransactionID)] = []
    private let shared: Shared
    private let profile: SRTPProfile

    private static let mostPeers = 8

    /// What is costly to make and the same for all executions. An SRTP session that only seals has no past.
    final class Shared {
        let identity: DTLSIdentity
        let context: DTLSContext
        let outbox = Outbox()
        let sessions: [SRTPProfile: [SRTPSession]]

        init() throws {
            identity = try DTLSIdentity.generate()
            context = try DTLSContext(identity: identity)
            var sessions: [SRTPProfile: [SRTPSession]] = [:]
            for profile in SRTPProfile.allCases {
                sessions[profile] = (0..<mostPeers).compactMap { _ in SRTPSession(FuzzedUnit.keys(profile)) }
            }
            self.sessions = sessions
        }
    }

    /// One publisher and two viewers, of the kinds that the input's first bytes say.
    init(_ shared: Shared, input: inout FuzzInput) {
        self.shared = shared
        shared.outbox.removeAll()
        var limits = Limits()
        (limits.videoHistoryBytes, limits.audioHistoryBytes) = (16 << 10, 4 << 10)
        (limits.videoHistoryPackets, limits.audioHistoryPackets) = (64, 32)
        limits.missingPackets = 64
        profile = input.choose(SRTPProfile.allCases)
        var configuration = ForwardingUnit.Configuration(
            identity: shared.identity, limits: limits, seed: 1, ntpOrigin: Self.ntpOrigin)
        configuration.watchesSealing = true
        unit = ForwardingUnit(configuration, context: shared.context, outbox: shared.outbox)
        unit.apply(.openBroadcast(Self.broadcast, tracks: Self.formats), now: now)
        open(.source, variant: input.byte(), connects: true)
        open(.sink, variant: 0, connects: true)
        open(.sink, variant: input.byte(), connects: true)
    }

    // MARK: Sessions

    func open(_ direction: SessionParameters.Direction, variant: UInt8, connects: Bool) {
        guard peers.count < Self.mostPeers else { return }
        let number = UInt32(peers.count)
        let peer = FuzzedPeer(
            id: SessionID(rawValue: UInt64(number)),
            address: TransportAddress(ipv4: 0x0A00_0100 + number, port: 6_000),
            local: ICECredentials(ufrag: "AAAAAAA\(number)", password: "unit-password-unit-passw\(number)"),
            remote: ICECredentials(ufrag: "peer\(number)", password: "peer-password-peer-passw\(number)"),
            streams: (0..<3).map { SSRC(0x5000 + 16 * number + $0) })
        peers.append(peer)
        let isClient = direction == .source && variant & 0x40 != 0
        var parameters = SessionParameters(
            id: peer.id,
            transport: TransportParameters(
                role: isClient ? .client : .server, localICE: peer.local, remoteICE: peer.remote,
                remoteFingerprints: [shared.identity.fingerprint], remoteCandidates: isClient ? [peer.address] : [],
                dtlsActive: false),
            broadcast: Self.broadcast, direction: direction,
            tracks: direction == .source ? sourceTracks(variant) : sinkTracks(variant, peer))
        parameters.isRelay = variant & 0x80 != 0
        parameters.startsInBurst = direction == .sink && variant & 0x40 != 0
        unit.apply(.open(parameters), now: now)
        drain()
        if connects { connect(peer, isClient: isClient) }
    }

    private func connect(_ peer: FuzzedPeer, isClient: Bool) {
        if isClient { answerCheck(0) } else { sendCheck(of: peer, from: peer.address, flags: 1) }
        guard let session = unit.peers[peer.id], session.transport.remote != nil else { return }
        session.transport.use(shared.sessions[profile]![Int(peer.id.rawValue)], profile: profile, now: now)
        unit.follow(session, now: now)
        unit.schedule(session)
    }

    private static func keys(_ profile: SRTPProfile) -> SRTPKeyingMaterial {
        let key = [UInt8](repeating: 7, count: profile.keyLength)
        let salt = [UInt8](repeating: 9, count: profile.saltLength)
        return SRTPKeyingMaterial(profile: profile, localKey: key, localSalt: salt, remoteKey: key, remoteSalt: salt)
    }

    func restart(_ peer: FuzzedPeer, candidates: [TransportAddress]) {
        guard let index = peers.firstIndex(where: { $0.id == peer.id }) else { return }
        let generation = peers[index].local.ufrag.first == "A" ? "B" : "A"
        peers[index].local.ufrag = generation + peer.local.ufrag.dropFirst()
        unit.apply(
            .restartICE(peer.id, local: peers[index].local, remote: peer.remote, remoteCandidates: candidates), now: now
        )
    }

    private func sourceTracks(_ variant: UInt8) -> [NegotiatedTrack] {
        var ids = HeaderExtensionIDs()
        (ids.mid, ids.rid, ids.repairedRID, ids.transportSequence) = (4, 10, 11, 3)
        let feedback: NegotiatedTrack.Feedback = variant & 1 == 0 ? [.nack, .pli, .fir, .transportCC] : [.fir]
        let declared = NegotiatedTrack.Encoding(ssrc: SSRC(0x2000), rtxSSRC: SSRC(0x3000))
        let encodings: [NegotiatedTrack.Encoding] =
            variant & 2 == 0 ? [.init(rid: "q"), .init(rid: "h")] : variant & 4 == 0 ? [declared] : []
        let audio = NegotiatedTrack(mid: "0", codec: Self.opus, payloadType: PayloadType(111), extensions: ids)
        var video = NegotiatedTrack(
            mid: "1", codec: Self.vp8, payloadType: PayloadType(96),
            rtxPayloadType: variant & 8 == 0 ? PayloadType(97) : nil, feedback: feedback, extensions: ids,
            encodings: encodings)
        video.alternatives = [
            .init(
                codec: Self.h264, payloadType: PayloadType(102), rtxPayloadType: PayloadType(103), feedback: feedback),
            .init(codec: Self.vp9, payloadType: PayloadType(98), feedback: feedback),
            .init(codec: Self.av1, payloadType: PayloadType(45)),
        ]
        if variant & 16 != 0 { _ = video.use(PayloadType(102)) }
        // A node's.
        if variant & 0x86 == 0x86 {
            video.encodings = [declared, .init(ssrc: SSRC(0x2001)), .init(ssrc: SSRC(0x2002))]
            video.areEncodingsReported = true
        }
        return variant & 32 == 0 ? [audio, video] : [video]
    }

    private func sinkTracks(_ variant: UInt8, _ peer: FuzzedPeer) -> [NegotiatedTrack] {
        var ids = HeaderExtensionIDs()
        ids.mid = 4
        let audio = NegotiatedTrack(
            mid: "0", codec: Self.opus, payloadType: PayloadType(111), extensions: ids,
            local: .init(ssrc: peer.streams[0], rtxSSRC: nil, cname: "cname"))
        var video = NegotiatedTrack(
            mid: "1", codec: Self.vp8, payloadType: PayloadType(96),
            rtxPayloadType: variant & 1 == 0 ? PayloadType(97) : nil, feedback: [.nack, .pli], extensions: ids,
            local: .init(ssrc: peer.streams[1], rtxSSRC: variant & 1 == 0 ? peer.streams[2] : nil, cname: "cname"))
        // Who tells when packets arrive.
        if variant & 0x40 == 0x40 {
            video.extensions.transportSequence = 5
            video.feedback.insert(.transportCC)
        }
        // Towards a node.
        if variant & 0x88 == 0x80 {
            video.locals += (0..<3).map {
                .init(ssrc: SSRC(peer.streams[0].rawValue + 4 + 2 * $0), rtxSSRC: nil, cname: "cname")
            }
        }
        if variant & 2 == 0 {
            video.alternatives = [
                .init(codec: Self.h264, payloadType: PayloadType(102), rtxPayloadType: PayloadType(103)),
                .init(codec: Self.vp9, payloadType: PayloadType(98)),
                .init(codec: Self.av1, payloadType: PayloadType(45)),
            ]
        }
        return variant & 4 == 0 ? [audio, video] : [video]
    }

    // MARK: Datagrams

    func address(of byte: UInt8) -> TransportAddress {
        TransportAddress(ipv4: 0x0A00_0100 + UInt32(byte & 15), port: 6_000)
    }

    /// Plain media, as if it had just been decrypted.
    func deliver(_ packet: [UInt8], isRTCP: Bool, from peer: FuzzedPeer) {
        guard let session = unit.peers[peer.id], session.transport.srtp != nil else { return }
        let source = session.transport.remote ?? peer.address
        let received = session.transport.media(.packet(length: packet.count), isRTCP: isRTCP, source, now)
        unsafe unit.take(received, in: packet.span.bytes, from: source, of: session, now: now)
    }

    func receive(_ datagram: [UInt8], from address: TransportAddress) {
        var datagram = datagram
        var span = datagram.mutableSpan
        var raw = unsafe span.mutableBytes
        unit.receive(&raw, from: address, now: now)
    }

    /// A connectivity check that a peer really sent, from whatever address.
    func check(_ input: inout FuzzInput) {
        let (peer, from, flags) = (input.choose(peers), input.byte(), input.byte())
        sendCheck(of: peer, from: from & 0x80 == 0 ? peer.address : address(of: from), flags: flags)
    }

    private func sendCheck(of peer: FuzzedPeer, from address: TransportAddress, flags: UInt8) {
        var request = STUNWriter(.request, transactionID: STUNMessage.TransactionID(high: 1, low: UInt64(flags)))
        request.addUsername(Array("\(peer.local.ufrag):\(peer.remote.ufrag)".utf8))
        request.addPriority(1)
        if flags & 1 != 0 { request.addUseCandidate() }
        if flags & 2 == 0 {
            request.addControlling(tieBreaker: UInt64(flags))
        } else {
            request.addControlled(tieBreaker: flags & 4 == 0 ? .max : 0)
        }
        if flags & 8 != 0 { request.add(UInt16(flags), [flags]) }
        receive(request.finish(key: flags & 16 != 0 ? nil : Array(peer.local.password.utf8)), from: address)
    }

    /// Answers one of the unit's checks, from where it went.
    func answerCheck(_ byte: UInt8) {
        guard !checks.isEmpty else { return }
        let check = checks.remove(at: Int(byte & 7) % checks.count)
        guard let peer = peers.first(where: { $0.address == check.to }) ?? peers.last else { return }
        var answer = STUNWriter(byte & 8 == 0 ? .success : .error, transactionID: check.id)
        if byte & 8 == 0 {
            answer.addMappedAddress(peer.address)
        } else {
            answer.addError(487, reason: "Role Conflict")
        }
        receive(answer.finish(key: Array(peer.remote.password.utf8)), from: check.to)
    }

    // MARK: Time and output

    /// Does what is due, moment by moment as long as there are few.
    func run(for time: Interval) {
        let end = now + time
        var moments = 0
        drain()
        while unit.nextDeadline <= end, moments < 6 {
            moments += 1
            now = max(now, unit.nextDeadline)
            advance()
        }
        now = end
        advance()
    }

    private func advance() {
        var rounds = 0
        repeat {
            while unit.advance(now: now) {
                rounds += 1
                precondition(rounds < 100, "what is due comes to an end")
                drain()
            }
            drain()
            rounds += 1
        } while unit.nextDeadline <= now && rounds < 100
        precondition(unit.nextDeadline > now, "nothing is due any more")
    }

    func drain() {
        var more = true
        while more {
            more = unit.flush(now: now)
            look()
            unit.outbox.removeAll()
        }
        _ = unit.takeEvents()
    }

    /// Notes what the input may refer to: numbers that were sent, and checks.
    private func look() {
        for message in unit.outbox.messages {
            precondition(message.length > 0 && message.segment > 0, "a datagram has bytes")
            let sent = unsafe Array(unit.outbox.bytes[message.offset..<message.offset + message.segment])
            let span = unsafe sent.span.bytes
            switch DatagramClass.classify(span) {
            case .stun:
                guard let request = STUNMessage.parse(span), request.messageClass == .request else { continue }
                if checks.count == 8 { checks.removeFirst() }
                checks.append((message.destination, request.transactionID))
            case .rtp:
                if let packet = RTPPacket.parse(span) { last[packet.ssrc] = packet.sequenceNumber.rawValue }
            default:
                break
            }
        }
    }

    /// The unit's tables agree with each other.
    func checkTables() {
        for broadcast in unit.broadcasts.values {
            for (t, track) in broadcast.tracks.enumerated() {
                var readers = [Int](repeating: 0, count: track.encodings.count)
                for (index, stream) in track.streams.enumerated() {
                    let record = stream.viewer.records[Int(stream.record)]
                    precondition(record.index == index && record.track == t, "a viewer knows where its stream stands")
                    precondition(unit.peers[stream.viewer.id] === stream.viewer, "a stream has a viewer")
                    if stream.position == .paused { continue }
                    for e in Set([stream.encoding, stream.destination]) { readers[e] += 1 }
                }
                precondition(track.encodings.map(\.readers) == readers, "an encoding knows how many read it")
                let watched = track.streams.count { $0.viewer.link != nil && $0.viewer.linkRecord == Int($0.record) }
                precondition(track.watched == watched, "a track knows how many links are watched")
            }
            for peer in broadcast.peers.values {
                precondition(unit.peers[peer.id] === peer, "a broadcast's peer is the unit's")
            }
            if let source = broadcast.succession.source {
                precondition(unit.peers[source.id] === source, "the source lives")
            }
        }
        precondition(unit.demultiplexer.leadsOnly(to: unit.peers), "addresses and fragments lead to living peers")
    }
}
