// The product's fan-out against the least that C needs for the same packets, interleaved in one process: only their
// ratio means something, since the machine's speed changes from minute to minute.
//
//     make bench
import BenchmarkFloor
import Forwarding
import MediaPlane
import WebRTC

@main
struct FanOut {
    static let viewers = 100
    static let payload = 1_130
    static let rounds = 15

    static func main() throws {
        var ports = [UInt16](repeating: 0, count: viewers)
        guard unsafe floor_sinks(Int32(viewers), &ports) == 0 else { fatalError("no loopback sockets to send to") }
        print(
            "CPU per forwarded packet of \(payload) bytes to \(viewers) viewers on loopback, median of \(rounds) rounds"
        )
        print("packets in a row    C floor    Cascade    ratio")
        for batch in [1, 4, 8] {
            let (floor, product) = try measure(batch: batch, ports: ports)
            let columns = [
                "\(batch)".padded(16), "\(Int(floor)) ns".padded(11), "\(Int(product)) ns".padded(11),
                "\((product / floor * 100).rounded() / 100)".padded(9),
            ]
            print(columns.joined())
        }
    }

    /// Nanoseconds per packet: the C floor's and the product's.
    private static func measure(batch: Int, ports: [UInt16]) throws -> (Double, Double) {
        let descriptor = try UDPSocket.open(TransportAddress(ipv4: 0x7F00_0001, port: 0))
        let floor = unsafe floor_new(descriptor, Int32(viewers), ports, Int32(batch), Int32(payload))
        defer { unsafe floor_free(floor) }
        var product = try Product(ports: ports)
        let repeats = 40 / batch
        var (ofFloor, ofProduct): ([Double], [Double]) = ([], [])
        for round in 0..<rounds + 2 {
            var begin = floor_thread_ns()
            for _ in 0..<repeats { unsafe floor_send(floor) }
            let inC = floor_thread_ns() - begin
            begin = floor_thread_ns()
            for _ in 0..<repeats { product.send(batch) }
            let inSwift = floor_thread_ns() - begin
            // The first two rounds warm caches and histories.
            guard round >= 2 else { continue }
            let packets = Double(repeats * batch * viewers)
            ofFloor.append(Double(inC) / packets)
            ofProduct.append(Double(inSwift) / packets)
        }
        return (ofFloor.sorted()[rounds / 2], ofProduct.sorted()[rounds / 2])
    }
}

/// A forwarding unit with connected viewers whose datagrams go through the product's own socket code.
private struct Product: ~Copyable {
    private let unit: ForwardingUnit
    private var sockets: UDPSockets
    private let now: Instant
    private var sequence: UInt16 = 0
    private let broadcast: BroadcastID

    init(ports: [UInt16]) throws {
        let identity = try DTLSIdentity.generate()
        let unit = try ForwardingUnit(.init(identity: identity, seed: 1, ntpOrigin: 0))
        let peers = try ForwardingUnit(.init(identity: identity, seed: 2, ntpOrigin: 0))
        let broadcast = BroadcastID(rawValue: 1)
        let format = TrackFormat(codec: CodecFormat(name: .opus, clockRate: 48_000, channels: 2))
        var now = Instant.zero
        unit.apply(.openBroadcast(broadcast, tracks: [format]), now: now)
        // One for each viewer: a broadcast has one source, and each of them is the source of its own.
        for index in ports.indices {
            peers.apply(.openBroadcast(BroadcastID(rawValue: UInt64(index)), tracks: [format]), now: now)
        }
        Self.connect(unit, peers, ports: ports, identity: identity, broadcast: broadcast, now: &now)
        let descriptor = try UDPSocket.open(TransportAddress(ipv4: 0x7F00_0001, port: 0))
        (self.unit, self.broadcast, self.now) = (unit, broadcast, now)
        sockets = UDPSockets(descriptor: descriptor)
        for _ in 0..<64 { send(1) }
    }

    /// Opens a session per port on both units and carries their datagrams over until all are connected.
    private static func connect(
        _ unit: ForwardingUnit, _ peers: ForwardingUnit, ports: [UInt16], identity: DTLSIdentity,
        broadcast: BroadcastID, now: inout Instant
    ) {
        let server = TransportAddress(ipv4: 0x7F00_0001, port: 1)
        var random = SeededGenerator(seed: 3)
        for (index, _) in ports.enumerated() {
            let ours = ICECredentials.generate(using: &random)
            let theirs = ICECredentials.generate(using: &random)
            let ssrc = SSRC(UInt32(index + 1))
            var track = NegotiatedTrack(
                mid: "0", codec: CodecFormat(name: .opus, clockRate: 48_000, channels: 2),
                payloadType: PayloadType(96), rtxPayloadType: PayloadType(97), feedback: [.nack])
            track.local = .init(ssrc: ssrc, rtxSSRC: SSRC(UInt32(index + 100_001)), cname: "bench")
            unit.apply(
                .open(
                    SessionParameters(
                        id: SessionID(rawValue: UInt64(index)),
                        transport: TransportParameters(
                            role: .server, localICE: ours, remoteICE: theirs,
                            remoteFingerprints: [identity.fingerprint]),
                        broadcast: broadcast, direction: .sink, tracks: [track])), now: now)
            track.local = nil
            track.encodings = [.init(ssrc: ssrc)]
            var parameters = SessionParameters(
                id: SessionID(rawValue: UInt64(index)),
                transport: TransportParameters(
                    role: .client, localICE: theirs, remoteICE: ours, remoteFingerprints: [identity.fingerprint],
                    remoteCandidates: [server]),
                broadcast: BroadcastID(rawValue: UInt64(index)), direction: .source, tracks: [track])
            parameters.socket = UInt16(index + 1)
            peers.apply(.open(parameters), now: now)
        }
        for _ in 0..<400 {
            for unit in [unit, peers] { _ = unit.advance(now: now) }
            carry(peers, to: unit) { destination in
                TransportAddress(ipv4: 0x7F00_0001, port: ports[Int(destination.socket) - 1])
            } now: {
                now
            }
            carry(unit, to: peers) { destination in
                var source = server
                source.socket = UInt16(ports.firstIndex(of: destination.port)! + 1)
                return source
            } now: {
                now
            }
            now = now + .milliseconds(5)
        }
        let events = unit.takeEvents()
        let (connected, closed) = events.reduce(into: (0, 0)) { counts, event in
            if case .connected = event { counts.0 += 1 }
            if case .closed = event { counts.1 += 1 }
        }
        precondition(
            connected == ports.count && closed == 0, "all viewers connect over a perfect network, and stay")
    }

    private static func carry(
        _ sender: ForwardingUnit, to receiver: ForwardingUnit, source: (TransportAddress) -> TransportAddress,
        now: () -> Instant
    ) {
        while sender.flush(now: now()) {}
        for (destination, bytes) in sender.outbox.datagramsForTesting() {
            var bytes = bytes
            var span = bytes.mutableSpan
            var raw = unsafe span.mutableBytes
            receiver.receive(&raw, from: source(destination), now: now())
        }
        sender.outbox.removeAll()
    }

    /// What a worker does with `batch` packets of one source that arrived together.
    mutating func send(_ batch: Int) {
        var packets: [[UInt8]] = []
        for _ in 0..<batch {
            packets.append(
                RTPHeader.packet(
                    payloadType: PayloadType(0), sequence: SequenceNumber(sequence),
                    timestamp: UInt32(sequence) &* 960, ssrc: SSRC(1),
                    payload: [UInt8](repeating: 7, count: FanOut.payload)))
            sequence &+= 1
        }
        unit.apply(.ingest(broadcast, packets: packets), now: now)
        var isMore = true
        while isMore {
            isMore = unit.flush(now: now)
            sockets.send(unit.outbox)
            unit.outbox.removeAll()
        }
    }
}

extension String {
    func padded(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
