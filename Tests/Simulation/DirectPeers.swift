// One forwarding unit with scripted peers around it: each packet they send is the test's, each one they get is kept.
// Datagrams arrive at once, unless the test loses them; time is virtual.
import Forwarding
import WebRTC

/// The other end of one session: real ICE, DTLS and SRTP, and what a test writes as RTP.
final class DirectPeer {
    struct Packet {
        var at: Instant
        var header: RTPPacket
        var bytes: [UInt8]
        var payload: [UInt8] { Array(bytes[header.payload]) }
    }

    let session: SessionID
    let address: TransportAddress
    let connection: PeerConnection
    fileprivate let outbox = Outbox()
    private(set) var rtp: [Packet] = []
    private(set) var rtcp: [(at: Instant, packet: RTCPPacket)] = []

    init(session: SessionID, address: TransportAddress, connection: PeerConnection) {
        (self.session, self.address, self.connection) = (session, address, connection)
    }

    /// Queues one RTP packet, as `RTPHeader.packet` makes it. `index`: 48 bits, its low half the sequence number.
    func send(_ packet: [UInt8], index: UInt64) {
        guard let srtp = connection.srtp, let remote = connection.remote,
            let target = unsafe outbox.reserve(Outbox.maximumDatagram),
            let header = unsafe RTPPacket.parse(packet.span.bytes)
        else { preconditionFailure("a peer sends when it is connected") }
        let start = header.payload.lowerBound
        let length = unsafe packet.withUnsafeBytes { bytes in
            unsafe target.copyMemory(from: bytes.baseAddress!, byteCount: start)
            return unsafe srtp.sealRTP(
                at: target, headerLength: start, payload: bytes.baseAddress! + start,
                payloadLength: packet.count - start, padding: 0, index: index)
        }
        outbox.commit(length, to: remote)
    }

    func send(_ packets: [RTCPPacket]) {
        for datagram in RTCPCompound.write(packets) { connection.sendRTCP(datagram, outbox: outbox) }
    }

    fileprivate func receive(_ bytes: [UInt8], from source: TransportAddress, now: Instant) {
        var bytes = bytes
        var span = bytes.mutableSpan
        var raw = unsafe span.mutableBytes
        switch connection.receive(&raw, from: source, now: now, outbox: outbox) {
        case .rtp(let length):
            let packet = Array(bytes[..<length])
            if let header = unsafe RTPPacket.parse(packet.span.bytes) {
                rtp.append(Packet(at: now, header: header, bytes: packet))
            }
        case .rtcp(let length):
            let plain = Array(bytes[..<length])
            let packets = unsafe RTCPCompound.parse(plain.span.bytes)
            rtcp += (packets ?? []).map { (now, $0) }
        case .control, .dropped: break
        }
    }

    var nacks: [(media: SSRC, lost: [SequenceNumber])] {
        rtcp.compactMap { if case .nack(_, let media, let lost) = $0.packet { (media, lost) } else { nil } }
    }

    var keyframeRequests: [(at: Instant, media: SSRC)] {
        rtcp.compactMap { if case .pli(_, let media) = $0.packet { ($0.at, media) } else { nil } }
    }
}

final class DirectPeers {
    static let broadcast = BroadcastID(rawValue: 1)

    let unit: ForwardingUnit
    private let address = TransportAddress(ipv4: 0x0A00_0001, port: 5_000)
    private let identity: DTLSIdentity
    private let context: DTLSContext
    private var peers: [DirectPeer] = []
    private var random: SeededGenerator
    private(set) var now = Instant.zero
    private(set) var events: [Event] = []
    /// Whether a datagram to or from a peer is lost.
    var loses: (DirectPeer, _ toUnit: Bool) -> Bool = { _, _ in false }

    init(seed: UInt64, tracks: [TrackFormat]) throws {
        random = SeededGenerator(seed: seed)
        identity = try DTLSIdentity.generate()
        context = try DTLSContext(identity: identity)
        unit = try ForwardingUnit(.init(identity: identity, seed: random.next(), ntpOrigin: 0xE800_0000 << 32))
        unit.apply(.openBroadcast(Self.broadcast, tracks: tracks), now: now)
    }

    /// Opens a session on the unit with its peer, which connects.
    func connect(
        _ direction: SessionParameters.Direction, _ tracks: [NegotiatedTrack], isRelay: Bool = false,
        _ change: (inout SessionParameters) -> Void = { _ in }
    ) -> DirectPeer {
        let (theirs, ours) = (ICECredentials.generate(using: &random), ICECredentials.generate(using: &random))
        let id = SessionID(rawValue: UInt64(peers.count + 1))
        let connection = PeerConnection(
            parameters: TransportParameters(
                role: .client, localICE: theirs, remoteICE: ours, remoteFingerprints: [identity.fingerprint],
                remoteCandidates: [address]),
            context: context, setupTimeout: .seconds(Int64(10)), consentTimeout: .seconds(Int64(30)), now: now,
            seed: random.next())
        let peer = DirectPeer(
            session: id, address: TransportAddress(ipv4: 0x0A00_0100 + UInt32(peers.count), port: 6_000),
            connection: connection)
        peers.append(peer)
        var parameters = SessionParameters(
            id: id,
            transport: TransportParameters(
                role: .server, localICE: ours, remoteICE: theirs, remoteFingerprints: [identity.fingerprint]),
            broadcast: Self.broadcast, direction: direction, tracks: tracks)
        parameters.isRelay = isRelay
        change(&parameters)
        unit.apply(.open(parameters), now: now)
        connection.advance(now: now, outbox: peer.outbox)
        run(for: .milliseconds(200))
        return peer
    }

    func run(for time: Interval) {
        let end = now + time
        while true {
            settle()
            let next = peers.reduce(unit.nextDeadline) { min($0, $1.connection.nextDeadline) }
            guard next <= end else { break }
            now = max(now, next)
            while unit.advance(now: now) { settle() }
            for peer in peers where peer.connection.nextDeadline <= now {
                peer.connection.advance(now: now, outbox: peer.outbox)
            }
        }
        now = end
    }

    /// Delivers everything that is on its way.
    private func settle() {
        var isQuiet = false
        while !isQuiet {
            isQuiet = true
            for peer in peers {
                let datagrams = peer.outbox.datagramsForTesting()
                peer.outbox.removeAll()
                for datagram in datagrams where !loses(peer, true) {
                    isQuiet = false
                    var bytes = datagram.bytes
                    var span = bytes.mutableSpan
                    var raw = unsafe span.mutableBytes
                    unit.receive(&raw, from: peer.address, now: now)
                }
            }
            var more = true
            while more {
                more = unit.flush(now: now)
                let datagrams = unit.outbox.datagramsForTesting()
                unit.outbox.removeAll()
                for (destination, bytes) in datagrams {
                    guard let peer = peers.first(where: { $0.address == destination }), !loses(peer, false)
                    else { continue }
                    isQuiet = false
                    peer.receive(bytes, from: address, now: now)
                }
            }
            events += unit.takeEvents()
        }
    }
}

/// Writes one RTP stream, numbers and all.
struct ScriptedStream {
    var ssrc: SSRC
    var payloadType: PayloadType
    var clockRate: Int64 = 90_000
    /// In every packet.
    var extensions: [(id: UInt8, data: [UInt8])] = []
    var index: UInt64
    var timestampOffset: UInt32 = 0

    init(ssrc: UInt32, payloadType: UInt8, extensions: [(id: UInt8, data: [UInt8])] = [], index: UInt64 = 1_000) {
        (self.ssrc, self.payloadType) = (SSRC(ssrc), PayloadType(payloadType))
        (self.extensions, self.index) = (extensions, index)
    }

    /// The packets of one picture, captured now, the last one with the marker.
    mutating func picture(_ payloads: [[UInt8]], at now: Instant) -> [(bytes: [UInt8], index: UInt64)] {
        let timestamp = timestampOffset &+ UInt32(truncatingIfNeeded: now.nanoseconds / 1_000 * clockRate / 1_000_000)
        return payloads.enumerated().map { i, payload in
            defer { index += 1 }
            let bytes = RTPHeader.packet(
                marker: i == payloads.count - 1, payloadType: payloadType,
                sequence: SequenceNumber(UInt16(truncatingIfNeeded: index)), timestamp: timestamp, ssrc: ssrc,
                extensions: extensions, payload: payload)
            return (bytes, index)
        }
    }
}

extension DirectPeer {
    func send(_ picture: [(bytes: [UInt8], index: UInt64)]) {
        for packet in picture { send(packet.bytes, index: packet.index) }
    }
}
