import Forwarding
import MediaPlane
import Synchronization

@testable import ControlPlane
@testable import WebRTC

/// An encoder as OBS 32 is one (libdatachannel 0.21), on loopback with real ICE, DTLS and SRTP: sound first in the offer and
/// extensions for video only, several encodings without SSRCs, the largest first, MID and RID on every packet, no RTX. It
/// is deaf to PLI, and answers NACK for the largest encoding only.
///
/// Of each encoding one packet in 40 does not leave when it is due.
final class OBSPeer: Sendable {
    struct Seen {
        var isConnected = false
        /// Sequence numbers that were asked for, by encoding; those of no encoding under -1.
        var nacked: [Int: Int] = [:]
    }

    private static let framesPerSecond = 60
    private static let packetsPerFrame = 2
    private static let lostEvery: Int64 = 40

    let encodings: Int
    private let identity: DTLSIdentity
    private let ice: ICECredentials
    private let state = Mutex(Seen())

    init(encodings: Int) throws {
        var generator = SystemRandomNumberGenerator()
        (self.encodings, identity, ice) = (encodings, try .generate(), .generate(using: &generator))
    }

    var seen: Seen { state.withLock { $0 } }

    /// RTP payload of every packet of an encoding, parameter sets apart.
    static func payloadBytes(_ encoding: Int) -> Int { 1_000 >> encoding }

    /// Offers to `url`, then sends until cancelled. `answered` hears of the status.
    func publish(to url: String, answered: @Sendable (Int) async -> Void) async throws {
        let answer = try await whip.post(offer: offer, url: url)
        await answered(answer.status)
        guard answer.status == 201 else { return }
        let description = try SessionDescription.parse(answer.sdp)
        let theirs = TransportAttributes(description.attributes + description.media[0].attributes)
        let parameters = TransportParameters(
            role: .client, localICE: ice,
            remoteICE: try ICECredentials(ufrag: theirs.ufrag, password: theirs.password),
            remoteFingerprints: theirs.preferredFingerprints, remoteCandidates: theirs.addresses)
        let peer = PeerConnection(
            parameters: parameters, context: try DTLSContext(identity: identity),
            setupTimeout: .seconds(Int64(60)), consentTimeout: .seconds(Int64(60)), now: MonotonicClock.now(), seed: 1)
        try await run(peer)
    }

    /// One socket, one peer, and a look at the clock every 2 ms.
    private func run(_ peer: PeerConnection) async throws {
        var sockets = UDPSockets(descriptor: try UDPSocket.open(TransportAddress("127.0.0.1", port: 0)!))
        let outbox = Outbox()
        var streams = (0..<encodings).map { Stream(encoding: $0) }
        var start: Instant?
        var frame = 0
        while !Task.isCancelled, !peer.isClosed {
            let now = MonotonicClock.now()
            for i in 0..<sockets.receive() {
                guard let source = sockets.source(i) else { continue }
                var datagram = unsafe sockets.datagram(i).mutableBytes
                guard case .rtcp(let length) = peer.receive(&datagram, from: source, now: now, outbox: outbox),
                    let packets = RTCPCompound.parse(datagram.bytes.extracting(0..<length))
                else { continue }
                for case .nack(_, let media, let lost) in packets { repair(lost, of: media, streams, peer, outbox) }
            }
            if peer.nextDeadline <= now { peer.advance(now: now, outbox: outbox) }
            if peer.srtp != nil {
                let began = start ?? now
                start = began
                state.withLock { $0.isConnected = true }
                while began + .milliseconds(Int64(frame * 1_000 / Self.framesPerSecond)) <= now {
                    for i in streams.indices { streams[i].send(frame: frame, peer, outbox) }
                    frame += 1
                }
            }
            sockets.send(outbox, now: now)
            outbox.removeAll()
            try? await Task.sleep(for: .milliseconds(2))
        }
        let remote = peer.remote
        for datagram in peer.close(.requested, saying: nil, now: MonotonicClock.now()) {
            if let remote { outbox.append(datagram, to: remote) }
        }
        sockets.send(outbox, now: MonotonicClock.now())
    }

    private func repair(
        _ lost: [SequenceNumber], of media: SSRC, _ streams: [Stream], _ peer: PeerConnection, _ outbox: Outbox
    ) {
        let encoding = streams.firstIndex { $0.ssrc == media }
        state.withLock { $0.nacked[encoding ?? -1, default: 0] += lost.count }
        guard encoding == 0 else { return }
        for number in lost { streams[0].sendAgain(number, peer, outbox) }
    }

    /// One encoding's RTP stream, and the packets that may be asked for again.
    private struct Stream {
        static let remembered: Int64 = 500
        /// H.264 constrained baseline, 640×360, as x264 writes them.
        static let parameters: [UInt8] =
            [24, 0, 9, 0x67, 0x42, 0xC0, 0x1E, 0xD9, 0x00, 0xA0, 0x2F, 0xF9, 0, 4, 0x68, 0xCB, 0x83, 0xCB]

        let encoding: Int
        let ssrc: SSRC
        var next: Int64 = 1
        var packets: [Int64: (header: [UInt8], payload: [UInt8])] = [:]

        init(encoding: Int) { (self.encoding, ssrc) = (encoding, SSRC(0xB5_0000 + UInt32(encoding))) }

        mutating func send(frame: Int, _ peer: PeerConnection, _ outbox: Outbox) {
            let isKeyframe = frame % OBSPeer.framesPerSecond == 0
            var payloads: [[UInt8]] = isKeyframe ? [Self.parameters] : []
            for part in 0..<OBSPeer.packetsPerFrame {
                // A slice of its own per packet; `first_mb_in_slice` is 0 in the first alone.
                payloads.append(
                    [isKeyframe ? 0x65 : 0x41, part == 0 ? 0x88 : 0x48]
                        + [UInt8](repeating: UInt8(encoding + 1), count: OBSPeer.payloadBytes(encoding) - 2))
            }
            for (i, payload) in payloads.enumerated() {
                let header = RTPHeader.packet(
                    marker: i == payloads.count - 1, payloadType: PayloadType(96),
                    sequence: SequenceNumber(UInt16(truncatingIfNeeded: next)), timestamp: UInt32(frame * 1_500),
                    ssrc: ssrc,
                    extensions: [(1, Array("1".utf8)), (2, Array("\(encoding)".utf8))], payload: [])
                packets[next] = (header, payload)
                packets[next - Self.remembered] = nil
                if next % OBSPeer.lostEvery != 0 { transmit(next, peer, outbox) }
                next += 1
            }
        }

        func sendAgain(_ number: SequenceNumber, _ peer: PeerConnection, _ outbox: Outbox) {
            transmit(number.extended(near: next), peer, outbox)
        }

        private func transmit(_ index: Int64, _ peer: PeerConnection, _ outbox: Outbox) {
            guard let (header, payload) = packets[index], let srtp = peer.srtp, let remote = peer.remote,
                let target = unsafe outbox.reserve(Outbox.maximumDatagram)
            else { return }
            let length = unsafe payload.withUnsafeBytes { bytes in
                unsafe target.copyMemory(from: header, byteCount: header.count)
                return unsafe srtp.sealRTP(
                    at: target, headerLength: header.count, payload: bytes.baseAddress!, payloadLength: bytes.count,
                    padding: 0, index: UInt64(index))
            }
            outbox.commit(length, to: remote)
        }
    }

    /// What OBS 32.2.2 sends, with our keys.
    private var offer: String {
        let rids = (0..<encodings).map(String.init)
        let lines = """
            v=0
            o=rtc 1204457234 0 IN IP4 127.0.0.1
            s=-
            t=0 0
            a=group:BUNDLE 0 1
            a=group:LS 0 1
            a=msid-semantic:WMS *
            a=setup:actpass
            a=ice-ufrag:\(ice.ufrag)
            a=ice-pwd:\(ice.password)
            a=ice-options:ice2,trickle
            a=fingerprint:\(identity.fingerprint.attribute)
            m=audio 9 UDP/TLS/RTP/SAVPF 111
            c=IN IP4 0.0.0.0
            a=mid:0
            a=sendonly
            a=ssrc:2234707800 cname:afEHxzBslb3KCBsk
            a=ssrc:2234707800 msid:F2BItqcgjxgwK6XK F2BItqcgjxgwK6XK-audio
            a=msid:F2BItqcgjxgwK6XK F2BItqcgjxgwK6XK-audio
            a=rtcp-mux
            a=rtpmap:111 opus/48000/2
            a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
            m=video 9 UDP/TLS/RTP/SAVPF 96
            c=IN IP4 0.0.0.0
            a=mid:1
            a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
            a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
            a=sendonly
            a=msid:F2BItqcgjxgwK6XK F2BItqcgjxgwK6XK-video
            \(rids.map { "a=rid:\($0) send" }.joined(separator: "\n"))
            a=simulcast:send \(rids.joined(separator: ";"))
            a=rtcp-mux
            a=rtpmap:96 H264/90000
            a=rtcp-fb:96 nack
            a=rtcp-fb:96 nack pli
            a=rtcp-fb:96 goog-remb
            a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
            """
        return lines.split(separator: "\n").map { $0 + "\r\n" }.joined()
    }
}
