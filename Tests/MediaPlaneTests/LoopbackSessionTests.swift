// Two planes talk over real sockets: a client publishes, two clients of the same worker watch, and all of them end.
// HTTP is left out: offers and answers are handed over in memory.

import Forwarding
import Logging
import MediaPlane
import Testing
import WebRTC

private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

@Suite(.timeLimit(.minutes(5))) struct LoopbackSessionTests {
    private struct Node {
        let plane: MediaPlane
        let identity: DTLSIdentity
        var worker: MediaWorker { plane.workers[0] }

        init(seed: UInt64) throws {
            identity = try DTLSIdentity.generate()
            plane = try MediaPlane(
                .init(listen: TransportAddress("127.0.0.1", port: 0)!, identity: identity, seed: seed), logger: quiet)
        }

        func transport(_ candidates: [TransportAddress]) -> LocalTransport {
            var system = SystemRandomNumberGenerator()
            return LocalTransport(
                ice: .generate(using: &system), fingerprint: identity.fingerprint, candidates: candidates)
        }

        func open(
            _ id: UInt64, _ role: TransportParameters.Role, _ direction: SessionParameters.Direction,
            local: LocalTransport, _ agreement: Agreement, broadcast: UInt64
        ) {
            let remote = agreement.remote
            let transport = TransportParameters(
                role: role, localICE: local.ice, remoteICE: remote.ice, remoteFingerprints: remote.fingerprints,
                remoteCandidates: remote.candidates, dtlsActive: remote.dtlsActive)
            worker.send(
                .open(
                    SessionParameters(
                        id: SessionID(rawValue: id), transport: transport, broadcast: BroadcastID(rawValue: broadcast),
                        direction: direction, tracks: agreement.tracks)))
        }
    }

    private let formats = [TrackFormat(codec: CodecFormat(name: .opus, clockRate: 48_000, channels: 2))]

    @Test func publishedPacketsReachTwoViewersOfOneWorker() async throws {
        let (server, client) = (try Node(seed: 1), try Node(seed: 2))
        let candidates = server.plane.candidates(worker: 0)
        var random = SystemRandomNumberGenerator()

        // The publisher: session 1 on both sides; broadcast 1 at the server, 11 in the client.
        let local = client.transport([])
        let offer = Negotiation.offer(sending: formats, streamName: "test", local: local, using: &random)
        let serverLocal = server.transport(candidates)
        let (answer, taken) = try Negotiation.answerPublisher(offer, local: serverLocal, using: &random)
        server.worker.send(.openBroadcast(BroadcastID(rawValue: 1), tracks: Negotiation.formats(of: taken)))
        server.open(1, .server, .source, local: serverLocal, taken, broadcast: 1)
        client.worker.send(.openBroadcast(BroadcastID(rawValue: 11), tracks: formats))
        client.open(
            1, .client, .sink, local: local, try Negotiation.accept(answer: answer, to: offer), broadcast: 11)

        // Two viewers, sessions 2 and 3: their checks come from sockets of their own.
        for id in [2, 3] as [UInt64] {
            let local = client.transport([])
            let offer = Negotiation.offer(receiving: [.audio, .video], local: local, using: &random)
            let serverLocal = server.transport(candidates)
            let (answer, sent) = try Negotiation.answerViewer(
                offer, broadcast: formats, streamName: "test", local: serverLocal, using: &random)
            server.open(id, .server, .sink, local: serverLocal, sent, broadcast: 1)
            let agreement = try Negotiation.accept(answer: answer, to: offer)
            let broadcast = BroadcastID(rawValue: 10 + id)
            client.worker.send(.openBroadcast(broadcast, tracks: Negotiation.formats(of: agreement)))
            client.open(id, .client, .source, local: local, agreement, broadcast: 10 + id)
        }

        var events = client.plane.events.makeAsyncIterator()
        var connected: [UInt64] = []
        while connected.count < 3, let event = await events.next() {
            guard case .connected(let id, let remote, _) = event else { continue }
            #expect(remote.port == candidates[0].port)
            connected.append(id.rawValue)
        }
        #expect(connected.sorted() == [1, 2, 3])

        try await send(200, into: client, at: BroadcastID(rawValue: 11))
        try await expect(200, packetsAt: [2, 3], of: client)
        let serverSide = await server.worker.statistics()
        #expect(serverSide.packetsIn == 200 && serverSide.packetsOut == 400)

        for broadcast in [11, 12, 13] as [UInt64] {
            client.worker.send(.closeBroadcast(BroadcastID(rawValue: broadcast), reason: .requested))
        }
        var closed: [UInt64] = []
        var ended = server.plane.events.makeAsyncIterator()
        while closed.count < 3, let event = await ended.next() {
            guard case .closed(let id, let reason, _) = event else { continue }
            #expect(reason == .peerClosed, "the client's last datagrams arrive before its sockets are closed")
            closed.append(id.rawValue)
        }
        #expect(closed.sorted() == [1, 2, 3])
        await client.plane.stop()
        await server.plane.stop()
    }

    /// In portions, with a look at the other end between them, so that no socket buffer overflows.
    private func send(_ count: Int, into client: Node, at broadcast: BroadcastID) async throws {
        for i in 0..<count {
            let packet = RTPHeader.packet(
                payloadType: PayloadType(0), sequence: SequenceNumber(UInt16(60_000 + i & 0xFFFF)),
                timestamp: UInt32(i) * 960, ssrc: SSRC(1), payload: [UInt8](repeating: UInt8(i), count: 100))
            client.worker.send(.ingest(broadcast, packets: [packet]))
            if i % 20 == 19 { _ = await client.worker.statistics() }
        }
    }

    private func expect(_ packets: UInt64, packetsAt sessions: [UInt64], of client: Node) async throws {
        try await until {
            let statistics = await client.worker.statistics(ofSessions: true)
            let counts = sessions.map { id in
                statistics.sessions[SessionID(rawValue: id)]?.tracks.reduce(0) { $0 + $1.packets } ?? 0
            }
            #expect(!counts.contains { $0 > packets })
            return counts.allSatisfy { $0 == packets }
        }
    }
}
