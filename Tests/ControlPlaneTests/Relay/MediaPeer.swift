import Forwarding
import Logging
import MediaPlane
import Testing
import WebRTC

@testable import ControlPlane

/// A WebRTC client in this process, with real ICE, DTLS and SRTP: publishes made-up video or watches and counts.
final class MediaPeer: Sendable {
    private let plane: MediaPlane
    private let local: LocalTransport
    private let broadcast = BroadcastID(rawValue: 1)
    static let format = TrackFormat(codec: CodecFormat(name: .vp8, clockRate: 90_000))
    static let audio = TrackFormat(codec: CodecFormat(name: .opus, clockRate: 48_000, channels: 2))

    init() throws {
        let identity = try DTLSIdentity.generate()
        var logger = Logger(label: "peer")
        logger.logLevel = .error
        plane = try MediaPlane(
            .init(listen: TransportAddress("127.0.0.1", port: 0)!, identity: identity, seed: 1), logger: logger)
        var generator = SystemRandomNumberGenerator()
        local = LocalTransport(
            ice: .generate(using: &generator), fingerprint: identity.fingerprint,
            candidates: plane.candidates(worker: 0))
    }

    /// Offers one track, VP8 if nothing else is said; returns what the server said, with the transport on its way up.
    func publish(
        to url: String, token: String? = nil, format: TrackFormat = format
    ) async throws -> WHIPClient.Answer {
        var generator = SystemRandomNumberGenerator()
        let offer = Negotiation.offer(sending: [format], streamName: "peer", local: local, using: &generator)
        return try await begin(offer, url, token, .sink)
    }

    func watch(_ url: String, token: String? = nil) async throws -> WHIPClient.Answer {
        var generator = SystemRandomNumberGenerator()
        let offer = Negotiation.offer(receiving: [.video, .audio], local: local, using: &generator)
        return try await begin(offer, url, token, .source)
    }

    private func begin(
        _ offer: SessionDescription, _ url: String, _ token: String?, _ direction: SessionParameters.Direction
    ) async throws -> WHIPClient.Answer {
        let answer = try await whip.post(offer: offer.description, url: url, token: token)
        guard answer.status == 201 else { return answer }
        let agreement = try Negotiation.accept(answer: try SessionDescription.parse(answer.sdp), to: offer)
        let worker = plane.workers[0]
        worker.send(.openBroadcast(broadcast, tracks: Negotiation.formats(of: agreement)))
        worker.send(
            .open(
                SessionParameters(
                    id: SessionID(rawValue: 1),
                    transport: TransportParameters(
                        role: .client, localICE: local.ice, remoteICE: agreement.remote.ice,
                        remoteFingerprints: agreement.remote.fingerprints,
                        remoteCandidates: agreement.remote.candidates,
                        dtlsActive: agreement.remote.dtlsActive),
                    broadcast: broadcast, direction: direction, tracks: agreement.tracks)))
        return answer
    }

    /// Sends frames of one packet each at 50 a second, every tenth a keyframe, or the first alone, until cancelled.
    func sendVideo(onlyFirstIsKeyframe: Bool = false) async {
        var sequence: UInt16 = 0
        while !Task.isCancelled {
            sendFrame(sequence, isKeyframe: sequence % (onlyFirstIsKeyframe ? .max : 10) == 0)
            sequence &+= 1
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// One packet.
    func sendFrame(_ sequence: UInt16, isKeyframe: Bool = true) {
        let timestamp = UInt32(sequence) &* 1_800
        let header: [UInt8] = [
            0x80, 0x80, UInt8(sequence >> 8), UInt8(sequence & 0xFF), UInt8(timestamp >> 24),
            UInt8(timestamp >> 16 & 0xFF), UInt8(timestamp >> 8 & 0xFF), UInt8(timestamp & 0xFF), 0, 0, 0, 7,
        ]
        // RFC 7741: start of partition 0; then the frame header, whose lowest bit is 0 in a keyframe.
        let payload: [UInt8] =
            [0x10, isKeyframe ? 0x10 : 0x11, 0, 0] + (isKeyframe ? [0x9D, 0x01, 0x2A, 64, 0, 64, 0] : [])
            + [UInt8](repeating: 0xAB, count: 200)
        plane.workers[0].send(.ingest(broadcast, packets: [header + payload]))
    }

    /// RTP packets that arrived, were decrypted and accepted.
    var received: UInt64 { get async { await plane.statistics()[0].packetsIn } }

    /// Counters of the video that is watched.
    var video: TrackStatistics? {
        get async {
            let all = await plane.statistics(ofSessions: true)
            return all[0].sessions[SessionID(rawValue: 1)]?.tracks.first {
                $0.kind == .video
            }
        }
    }

    /// Waits until more than `count` packets have arrived; false after a minute.
    func receives(moreThan count: UInt64) async -> Bool {
        await eventually { await self.received > count }
    }

    func stop() async { await plane.stop() }
}

/// Whether `condition` comes true within the time.
func eventually(
    within limit: Duration = patience, _ condition: @Sendable () async throws -> Bool
) async rethrows -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(20))
    }
    return try await condition()
}

/// Runs `body` while somebody publishes `live` at `origin`.
func whilePublishing(
    to origin: RunningNode, _ body: @escaping @Sendable () async throws -> Void
) async throws {
    let publisher = try MediaPeer()
    #expect(try await publisher.publish(to: origin.url + "/whip/live").status == 201)
    #expect(await eventually { await origin.sessions.isWatchable("live") })
    try await whileSending(publisher, body)
    await publisher.stop()
}

/// Runs `body` while `publisher` sends.
func whileSending(
    _ publisher: MediaPeer, onlyFirstIsKeyframe: Bool = false, _ body: @escaping @Sendable () async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await publisher.sendVideo(onlyFirstIsKeyframe: onlyFirstIsKeyframe) }
        defer { group.cancelAll() }
        try await body()
    }
}
