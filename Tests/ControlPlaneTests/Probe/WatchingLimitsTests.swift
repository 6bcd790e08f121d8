// However many viewers a swarm was asked for, all get in, or it says before the first of them which limit forbids it; and
// what a server sends is not too much for the tool that looks at it.

import Forwarding
import MediaPlane
import Testing
import WebRTC

@testable import probe

@Suite struct WatchingLimitsTests {
    private let codec = CodecFormat(name: .vp8, clockRate: 90_000)

    private func unit(viewers: Int) throws -> ForwardingUnit {
        try ForwardingUnit(
            .init(identity: try DTLSIdentity.generate(), limits: .watching(viewers: viewers), seed: 1, ntpOrigin: 0))
    }

    private func statistics(_ unit: ForwardingUnit) -> UnitStatistics {
        unit.apply(.collectStatistics(RequestID(rawValue: 1)), now: .zero)
        for case .statistics(_, let statistics) in unit.takeEvents() { return statistics }
        return UnitStatistics()
    }

    /// One more than that is refused: the limit is the number asked for and no accident.
    @Test(arguments: [1, 1_500]) func everyViewerOfASwarmGetsIn(viewers: Int) throws {
        let unit = try unit(viewers: viewers)
        let tracks = [NegotiatedTrack(mid: "0", codec: codec, payloadType: PayloadType(96))]
        var random = SeededGenerator(seed: 1)
        let transport = TransportParameters(
            role: .client, localICE: .generate(using: &random), remoteICE: .generate(using: &random),
            remoteFingerprints: [try DTLSIdentity.generate().fingerprint])
        for number in 1...UInt64(viewers + 1) {
            let (session, broadcast) = (SessionID(rawValue: number), BroadcastID(rawValue: number))
            unit.apply(.openBroadcast(broadcast, tracks: [TrackFormat(codec: codec)]), now: .zero)
            let parameters = SessionParameters(
                id: session, transport: transport, broadcast: broadcast, direction: .source, tracks: tracks)
            unit.apply(.open(parameters), now: .zero)
        }
        let refused = unit.takeEvents().compactMap { event -> SessionID? in
            if case .closed(let id, _, _) = event { id } else { nil }
        }
        #expect(refused == [SessionID(rawValue: UInt64(viewers + 1))])
        #expect(statistics(unit).sources == viewers)
    }

    private func ingest(_ sequence: UInt16, bytes: Int, into unit: ForwardingUnit) {
        let packet = RTPHeader.packet(
            payloadType: PayloadType(0), sequence: SequenceNumber(sequence), timestamp: 0, ssrc: SSRC(1),
            payload: [UInt8](repeating: 0x11, count: bytes))
        unit.apply(.ingest(BroadcastID(rawValue: 1), packets: [packet]), now: .zero)
    }

    @Test func whatFitsADatagramIsTaken() throws {
        let unit = try unit(viewers: 1)
        unit.apply(.openBroadcast(BroadcastID(rawValue: 1), tracks: [TrackFormat(codec: codec)]), now: .zero)
        for (i, bytes) in [0, 1, 1_350, 1_460, UDPSockets.maximumDatagram - 12].enumerated() {
            ingest(UInt16(i), bytes: bytes, into: unit)
        }
        #expect(statistics(unit).packetsIn == 5)
    }

    /// The history is small, but a repair after a second of a fast stream is none too late, and nothing counts twice.
    @Test func lateIsNotTwice() throws {
        let unit = try unit(viewers: 1)
        unit.apply(.openBroadcast(BroadcastID(rawValue: 1), tracks: [TrackFormat(codec: codec)]), now: .zero)
        for number in 0..<1_000 as Range<UInt16> where number != 3 { ingest(number, bytes: 1_200, into: unit) }
        #expect(statistics(unit).packetsIn == 999)
        for number in [3, 3, 500, 999] as [UInt16] { ingest(number, bytes: 1_200, into: unit) }
        #expect(statistics(unit).packetsIn == 1_000)
    }

    @Test func aHistoryOfAViewerIsSmall() {
        let limits = Limits.watching(viewers: 1_500)
        #expect(limits.videoHistoryBytes + limits.audioHistoryBytes <= 100 << 10)
    }
}

@Suite struct SwarmNeedsTests {
    @Test(
        arguments: [
            (1_500, 1, 20_000, 28_232, nil), (1_500, 1, 1_024, 28_232, "file descriptors"),
            (1_500, 1, 1_500, 28_232, "file descriptors"), (20_000, 4, 1_048_576, 28_232, nil),
            (20_000, 4, 1_048_576, 10_000, "ip_local_port_range"), (20_000, 4, 20_000, nil, "may have 20000:"),
            (20_000, 4, .max, nil, nil), (1, 1, 1_024, nil, nil),
        ] as [(Int, Int, Int, Int?, String?)])
    func aShortageNamesTheLimit(viewers: Int, workers: Int, descriptors: Int, ports: Int?, names: String?) {
        let shortage = SwarmNeeds(viewers: viewers, workers: workers).shortage(descriptors: descriptors, ports: ports)
        if let names {
            #expect(shortage?.contains(names) == true && shortage?.hasPrefix("\(viewers) ") == true)
        } else {
            #expect(shortage == nil)
        }
    }

    @Test func portsOfTheKernel() {
        #expect(SwarmNeeds.ports("32768\t60999\n") == 28_232)
        for text in ["", "1", "5 4", "a b", "1 2 3", "-1 5", "1 70000"] { #expect(SwarmNeeds.ports(text) == nil) }
    }
}
