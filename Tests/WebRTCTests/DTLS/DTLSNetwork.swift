// Two DTLS transports and the network between them, in virtual time: every test of the handshake runs on this.

@testable import WebRTC

/// What the network does with one datagram; decided per datagram by the test.
struct Fate {
    /// Delays of the copies that arrive, none: lost.
    var copies: [Interval]

    static let delivered = Fate(copies: [.milliseconds(10)])
    static let lost = Fate(copies: [])
}

final class DTLSNetwork {
    let client: DTLSTransport
    let server: DTLSTransport
    private(set) var now = Instant.zero
    /// All that was sent, before the network touched it.
    private(set) var sent: [(fromClient: Bool, at: Instant, bytes: [UInt8])] = []
    private var inFlight: [(arrival: Instant, order: Int, toClient: Bool, bytes: [UInt8])] = []
    private let fate: Decision

    typealias Decision = (_ number: Int, _ fromClient: Bool, _ bytes: [UInt8]) -> Fate

    init(
        client: DTLSTransport, server: DTLSTransport, fate: @escaping Decision = { _, _, _ in .delivered }
    ) {
        (self.client, self.server, self.fate) = (client, server, fate)
    }

    /// Runs until nothing is under way and nothing is due, or `limit` is reached.
    func run(until limit: Instant = .zero + .milliseconds(60_000)) {
        client.start(now: now)
        collect()
        while true {
            let next = inFlight.indices.min {
                (inFlight[$0].arrival, inFlight[$0].order) < (inFlight[$1].arrival, inFlight[$1].order)
            }
            let arrival = next.map { inFlight[$0].arrival } ?? .distantFuture
            let due = min(arrival, client.nextDeadline, server.nextDeadline)
            guard due <= limit else { return }
            now = max(now, due)
            if let next, arrival == due {
                let datagram = inFlight.remove(at: next)
                (datagram.toClient ? client : server).receive(datagram.bytes, now: now)
            } else {
                client.advance(now: now)
                server.advance(now: now)
            }
            collect()
        }
    }

    /// Puts what both sides have to send on its way.
    func collect() {
        for (transport, isClient) in [(client, true), (server, false)] {
            for bytes in transport.takeDatagrams() {
                let number = sent.count
                sent.append((isClient, now, bytes))
                for (copy, delay) in fate(number, isClient, bytes).copies.enumerated() {
                    inFlight.append((now + delay, number * 10 + copy, !isClient, bytes))
                }
            }
        }
    }
}

extension DTLSTransport {
    var material: SRTPKeyingMaterial? { if case .connected(let material) = state { material } else { nil } }
    var failure: CloseReason? { if case .failed(let reason) = state { reason } else { nil } }
    @discardableResult
    func receive(_ bytes: [UInt8], now: Instant) -> Bool { unsafe receive(bytes.span.bytes, now: now) }

    var isClosed: Bool { if case .closed = state { true } else { false } }
}

/// Both sides' contexts; made once per test, since keys cost time.
struct DTLSPair {
    let clientIdentity: DTLSIdentity
    let serverIdentity: DTLSIdentity
    let clientContext: DTLSContext
    let serverContext: DTLSContext

    init(
        client: DTLSIdentity.KeyKind = .p256, server: DTLSIdentity.KeyKind = .p256,
        clientProfiles: [SRTPProfile] = SRTPProfile.allCases, serverProfiles: [SRTPProfile] = SRTPProfile.allCases
    ) throws {
        clientIdentity = try DTLSIdentity.generate(client)
        serverIdentity = try DTLSIdentity.generate(server)
        clientContext = try DTLSContext(identity: clientIdentity, profiles: clientProfiles)
        serverContext = try DTLSContext(identity: serverIdentity, profiles: serverProfiles)
    }

    func makeClient(expecting fingerprints: [Fingerprint]? = nil, mtu: Int = 1_200) -> DTLSTransport {
        DTLSTransport(
            context: clientContext, isClient: true, remoteFingerprints: fingerprints ?? [serverIdentity.fingerprint],
            isProven: true, mtu: mtu)
    }

    func makeServer(expecting fingerprints: [Fingerprint]? = nil, mtu: Int = 1_200) -> DTLSTransport {
        DTLSTransport(
            context: serverContext, isClient: false, remoteFingerprints: fingerprints ?? [clientIdentity.fingerprint],
            mtu: mtu)
    }
}

/// Record headers of a datagram: content type and epoch, sequence number.
struct RecordHeader: Hashable {
    var type: UInt8
    var epoch: UInt16
    var sequence: UInt64

    static func all(in datagram: [UInt8]) -> [RecordHeader] {
        var headers: [RecordHeader] = []
        var at = 0
        while at + 13 <= datagram.count {
            headers.append(
                RecordHeader(
                    type: datagram[at], epoch: UInt16(datagram[at + 3]) << 8 | UInt16(datagram[at + 4]),
                    sequence: datagram[at + 5..<at + 11].reduce(0) { $0 << 8 | UInt64($1) }))
            at += 13 + Int(datagram[at + 11]) << 8 + Int(datagram[at + 12])
        }
        return headers
    }
}
