// Sessions that end, or report, all at once are more than the outbox has room for: each hears of it all the same, nodes
// before people.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct ManyEndTests {
    private static let audio = TrackFormat(codec: CodecFormat(name: .opus, clockRate: 48_000, channels: 2))
    private static let video = TrackFormat(codec: Cascade.vp8)

    /// Broadcasts of a server with many viewers. All viewers live in one unit, each on a broadcast of its own there.
    private final class Crowd {
        let network: VirtualNetwork
        let (server, viewers): (Host, Host)
        private(set) var relays: Set<SessionID> = []
        private var count: UInt64 = 0
        private var random: SeededGenerator

        init(seed: UInt64) throws {
            network = VirtualNetwork(seed: seed)
            random = SeededGenerator(seed: seed)
            var limits = Limits()
            (limits.videoHistoryBytes, limits.audioHistoryBytes) = (8_192, 4_096)
            limits.broadcasts = 4_000
            server = try network.addHost("server")
            viewers = try network.addHost("viewers", limits: limits)
        }

        func join(_ number: Int, _ broadcast: BroadcastID, _ format: TrackFormat, areRelays: Bool = false) {
            for _ in 0..<number {
                count += 1
                let id = SessionID(rawValue: count)
                if areRelays { relays.insert(id) }
                let (ours, theirs) = (
                    ICECredentials.generate(using: &random), ICECredentials.generate(using: &random)
                )
                var track = NegotiatedTrack(
                    mid: "0", codec: format.codec, payloadType: PayloadType(96), rtxPayloadType: nil, feedback: [])
                track.local = .init(ssrc: SSRC(UInt32(count)), rtxSSRC: nil, cname: "crowd")
                var onServer = SessionParameters(
                    id: id,
                    transport: TransportParameters(
                        role: .server, localICE: ours, remoteICE: theirs,
                        remoteFingerprints: [network.identities["viewers"]!.fingerprint]),
                    broadcast: broadcast, direction: .sink, tracks: [track])
                onServer.isRelay = areRelays
                network.apply(.open(onServer), to: server)
                track.encodings = [.init(ssrc: track.local!.ssrc)]
                track.local = nil
                var onClient = SessionParameters(
                    id: id,
                    transport: TransportParameters(
                        role: .client, localICE: theirs, remoteICE: ours,
                        remoteFingerprints: [network.identities["server"]!.fingerprint],
                        remoteCandidates: [server.address]),
                    broadcast: BroadcastID(rawValue: count), direction: .source, tracks: [track])
                onClient.socket = UInt16(count)
                network.apply(
                    [.openBroadcast(onClient.broadcast, tracks: [format]), .open(onClient)], to: viewers)
            }
        }

        /// As many datagrams for others.
        func fillOutbox(_ count: Int) {
            for port in 1...count {
                server.unit.outbox.append([1], to: TransportAddress(ipv4: 0xC000_0201, port: UInt16(port)))
            }
        }

        /// Sessions of viewers that the server has ended, in the order in which they heard of it.
        var ended: [SessionID] {
            viewers.events.compactMap { if case .closed(let id, reason: .peerClosed, _) = $0 { id } else { nil } }
        }
    }

    /// Broadcasts that end in the same turn (a shutdown), and one whose viewers cannot follow to another codec. The outbox
    /// has room for a few datagrams, as after those of a thousand other viewers.
    @Test func everybodyHearsGoodByeAndNodesHearItFirst() throws {
        let crowd = try Crowd(seed: 71)
        let broadcasts = (1...4).map { BroadcastID(rawValue: UInt64($0)) }
        for broadcast in broadcasts {
            let format = broadcast == broadcasts[3] ? Self.video : Self.audio
            crowd.network.apply(.openBroadcast(broadcast, tracks: [format]), to: crowd.server)
            crowd.join(10, broadcast, format)
            crowd.join(2, broadcast, format, areRelays: true)
        }
        crowd.network.run(until: .zero + .seconds(Int64(2)))
        #expect(crowd.server.unit.peers.values.count { $0.phase == .connected } == 48)

        let before = crowd.viewers.unit.statistics.datagramsIn
        crowd.fillOutbox(1_000)
        let toH264: Command = .changeFormats(broadcasts[3], [TrackFormat(codec: Cascade.h264)])
        crowd.network.apply(
            [toH264] + broadcasts[..<3].map { .closeBroadcast($0, reason: .shutdown) }, to: crowd.server)
        crowd.network.run(until: crowd.network.now + .milliseconds(2))
        #expect(crowd.server.unit.peers.isEmpty && crowd.viewers.unit.peers.isEmpty)
        #expect(Set(crowd.ended).count == 48)
        #expect(Set(crowd.ended.prefix(crowd.relays.count)) == crowd.relays, "nodes first, of whatever broadcast")
        #expect(crowd.viewers.unit.statistics.datagramsIn - before == 2 * 48, "BYE and close_notify each")
        #expect(crowd.server.unit.outbox.refused == 0)
    }

    /// As many as a node has: the outbox holds a third of them, or less.
    @Test func threeThousandViewersHearGoodBye() throws {
        let crowd = try Crowd(seed: 74)
        let broadcast = BroadcastID(rawValue: 1)
        crowd.network.apply(.openBroadcast(broadcast, tracks: [Self.audio]), to: crowd.server)
        crowd.join(2_980, broadcast, Self.audio)
        crowd.join(20, broadcast, Self.audio, areRelays: true)
        crowd.network.run(until: .zero + .seconds(Int64(2)))
        #expect(crowd.server.unit.peers.values.count { $0.phase == .connected } == 3_000)
        let before = crowd.viewers.unit.statistics.datagramsIn
        crowd.network.apply(.closeBroadcast(broadcast, reason: .shutdown), to: crowd.server)
        crowd.network.run(until: crowd.network.now + .milliseconds(2))
        #expect(crowd.server.unit.peers.isEmpty && crowd.viewers.unit.peers.isEmpty)
        #expect(Set(crowd.ended).count == 3_000)
        #expect(Set(crowd.ended.prefix(20)) == crowd.relays, "nodes first")
        #expect(crowd.viewers.unit.statistics.datagramsIn - before == 2 * 3_000, "BYE and close_notify each")
        #expect(crowd.server.unit.outbox.refused == 0)
    }

    /// Viewers who came together have their reports together.
    @Test func everybodyGetsReports() throws {
        let crowd = try Crowd(seed: 73)
        let broadcast = BroadcastID(rawValue: 1)
        crowd.network.apply(.openBroadcast(broadcast, tracks: [Self.audio]), to: crowd.server)
        crowd.join(40, broadcast, Self.audio)
        crowd.network.run(until: .zero + .seconds(Int64(1)))
        let packet = RTPHeader.packet(
            payloadType: PayloadType(0), sequence: SequenceNumber(1), timestamp: 1, ssrc: SSRC(1), payload: [1])
        crowd.network.apply(.ingest(broadcast, packets: [packet]), to: crowd.server)
        let before = crowd.viewers.unit.statistics.datagramsIn
        let end = crowd.network.now + .seconds(Int64(3))
        while crowd.network.now < end {
            crowd.fillOutbox(1_000)
            crowd.network.run(until: min(end, max(crowd.network.now, crowd.server.unit.nextDeadline)))
        }
        #expect(crowd.server.unit.outbox.refused == 0)
        #expect(crowd.viewers.unit.statistics.datagramsIn - before >= 3 * 40)
    }

    /// What a viewer begins with has to fit as a whole: its reports, too.
    @Test(arguments: 1_020...1_024)
    func aViewerBeginsOnlyWhereItsReportsFit(used: Int) throws {
        let cascade = Cascade(seed: 72)
        let edge = try cascade.host("edge")
        _ = try cascade.viewer("viewer", of: edge)
        cascade.network.run(until: .zero + .milliseconds(500))
        cascade.network.apply(.ingest(Cascade.broadcast, packets: [cascade.audioPacket()]), to: edge)
        cascade.packetsPerFrame = 1
        edge.unit.apply(.ingest(Cascade.broadcast, packets: cascade.nextVideoFrame()), now: cascade.network.now)
        for i in 1...used {
            edge.unit.outbox.append([1], to: TransportAddress(ipv4: 0xC000_0201, port: UInt16(i)))
        }
        var sent = 0
        while edge.unit.flush(now: cascade.network.now) {
            sent += edge.unit.outbox.datagrams
            edge.unit.outbox.removeAll()
        }
        sent += edge.unit.outbox.datagrams
        #expect(sent == used + 3, "two reports and a keyframe")
        #expect(edge.unit.outbox.refused == 0)
    }
}
