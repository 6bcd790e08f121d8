// The product's fan-out against the least that C needs for the same packets, interleaved in one process: only their
// ratio means something, since the machine's speed changes from minute to minute.
//
//     make bench
import BenchmarkFloor
import Forwarding
import Glibc
import MediaPlane
import WebRTC

@main
struct FanOut {
    static let payload = 1_130
    static let rounds = 15

    static func main() throws {
        raiseDescriptorLimit()
        print("CPU per forwarded packet of \(payload) bytes on loopback, median of \(rounds) rounds; heap per viewer")
        print("viewers         packets in a row    C floor    Cascade    ratio       heap")
        for viewers in [100, 1_000, 5_000] {
            var ports = [UInt16](repeating: 0, count: viewers)
            guard unsafe floor_sinks(Int32(viewers), &ports) == 0 else { fatalError("no loopback sockets to send to") }
            let before = floor_heap_in_use()
            var product = try Product(ports: ports)
            let heap = (Int(floor_heap_in_use()) - Int(before)) / viewers
            for batch in [1, 4, 8] {
                let (floor, cascade) = try measure(&product, batch: batch, ports: ports)
                let columns = [
                    "\(viewers)".padded(16), "\(batch)".padded(20), "\(Int(floor)) ns".padded(11),
                    "\(Int(cascade)) ns".padded(11), "\((cascade / floor * 100).rounded() / 100)".padded(9),
                    "\(heap >> 10) KiB".padded(11),
                ]
                print(columns.joined())
                // Into a file as well: the last lines take minutes.
                fflush(nil)
            }
        }
    }

    /// Nanoseconds per packet: the C floor's and the product's.
    private static func measure(_ product: inout Product, batch: Int, ports: [UInt16]) throws -> (Double, Double) {
        let descriptor = try UDPSocket.open(TransportAddress(ipv4: 0x7F00_0001, port: 0))
        let floor = unsafe floor_new(descriptor, Int32(ports.count), ports, Int32(batch), Int32(payload))
        defer { unsafe floor_free(floor) }
        let repeats = max(1, 4_000 / (batch * ports.count))
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
            let packets = Double(repeats * batch * ports.count)
            ofFloor.append(Double(inC) / packets)
            ofProduct.append(Double(inSwift) / packets)
        }
        return (ofFloor.sorted()[rounds / 2], ofProduct.sorted()[rounds / 2])
    }

    /// Each viewer's datagrams go to a socket of its own.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
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
        var limits = Limits()
        limits.broadcasts = ports.count
        let peers = try ForwardingUnit(.init(identity: identity, limits: limits, seed: 2, ntpOrigin: 0))
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
        let places = Dictionary(uniqueKeysWithValues: ports.enumerated().map { ($1, $0) })
        var (connected, closed, turns) = (0, 0, 0)
        // Some at a time: what a storm of joins costs is not the matter here.
        for first in stride(from: 0, to: ports.count, by: 50) {
            let last = min(first + 50, ports.count)
            for index in first..<last {
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
            while connected < last {
                turns += 1
                precondition(turns < 100_000, "viewers connect over a perfect network")
                carry(peers, to: unit, now: now) { destination in
                    TransportAddress(ipv4: 0x7F00_0001, port: ports[Int(destination.socket) - 1])
                }
                carry(unit, to: peers, now: now) { destination in
                    var source = server
                    source.socket = UInt16(places[destination.port]! + 1)
                    return source
                }
                for event in unit.takeEvents() {
                    if case .connected = event { connected += 1 }
                    if case .closed = event { closed += 1 }
                }
                _ = peers.takeEvents()
                now = now + .milliseconds(5)
            }
        }
        precondition(closed == 0, "viewers stay")
    }

    /// All that `sender` has to send at present.
    private static func carry(
        _ sender: ForwardingUnit, to receiver: ForwardingUnit, now: Instant,
        source: (TransportAddress) -> TransportAddress
    ) {
        var isMore = true
        while isMore {
            isMore = sender.advance(now: now)
            isMore = sender.flush(now: now) || isMore
            for (destination, bytes) in sender.outbox.datagramsForTesting() {
                var bytes = bytes
                var span = bytes.mutableSpan
                var raw = unsafe span.mutableBytes
                receiver.receive(&raw, from: source(destination), now: now)
            }
            sender.outbox.removeAll()
        }
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
            sockets.send(unit.outbox, now: now)
            unit.outbox.removeAll()
        }
    }
}

extension String {
    func padded(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
