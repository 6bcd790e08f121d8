// Order and shape of offers as a dimension: from each seed a publisher's and a viewer's offer, answered by the real
// negotiation; what the answers agree to has to happen between a scripted publisher, a real forwarding unit and a scripted
// viewer. What cannot happen must not be agreed to, and what is refused has a reason that the offer knows of.
import Foundation
import Testing
import WebRTC

@testable import Forwarding

@Suite struct OfferPromiseTests {
    /// `CASCADE_SEEDS` is how many.
    private static var seeds: UInt64 {
        ProcessInfo.processInfo.environment["CASCADE_SEEDS"].flatMap { UInt64($0) } ?? 2_000
    }

    @Test func whatIsAgreedToHappens() throws {
        let stage = try Stage()
        var (accepted, watched, broken) = (0, 0, 0)
        var refusals: [String: Int] = [:]
        for seed in 1...max(1, Self.seeds) {
            let outcome = try stage.play(seed: seed)
            accepted += outcome.isPublished ? 1 : 0
            watched += outcome.isWatched ? 1 : 0
            for refusal in outcome.refusals { refusals[refusal, default: 0] += 1 }
            if !outcome.broken.isEmpty {
                broken += 1
                if broken <= 12 {
                    Issue.record("seed \(seed): \(outcome.broken.joined(separator: "; "))\n\(outcome.offers)")
                }
            }
        }
        let reasons = refusals.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        print(
            "offer generator: \(Self.seeds) publishers, \(accepted) accepted, \(watched) viewers of them accepted; "
                + "refused: \(reasons); \(broken) broken promises")
        #expect(broken == 0)
        #expect(accepted * 10 > Int(Self.seeds) * 7 && watched * 10 > accepted * 7, "refusals alone prove nothing")
    }
}

/// Where one publisher, one forwarding unit and one viewer play: 1 ms from each to the unit, in virtual time.
private struct Stage {
    struct Outcome {
        var isPublished = false
        var isWatched = false
        var refusals: [String] = []
        var broken: [Broken] = []
        var offers = ""
    }

    private let server: DTLSIdentity
    private let contexts: [DTLSContext]
    private let fingerprints: [String]

    init() throws {
        server = try .generate()
        let peers = [try DTLSIdentity.generate(), try DTLSIdentity.generate()]
        contexts = try peers.map { try DTLSContext(identity: $0) }
        fingerprints = peers.map { identity in
            "sha-256 "
                + identity.fingerprint.bytes.map { byte in
                    (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
                }.joined(separator: ":")
        }
    }

    func play(seed: UInt64) throws -> Outcome {
        var outcome = Outcome()
        var random = SeededGenerator(seed: seed ^ 0x0FFE_12)
        let offer = GeneratedOffer(seed: random.next(), publisher: true, fingerprint: fingerprints[0])
        outcome.offers = offer.text
        let scene = try Scene(server, seed: random.next())
        var local = scene.transport(using: &random)
        let agreement: Agreement
        let answer: SessionDescription
        do {
            (answer, agreement) = try Negotiation.answerPublisher(
                SessionDescription.parse(offer.text), local: local, using: &random)
        } catch {
            let reason = offer.refusal(broadcast: [])
            outcome.refusals.append("publisher: " + (reason ?? "for nothing"))
            if reason == nil { outcome.broken.append("a publisher is refused for nothing: \(error)") }
            return outcome
        }
        outcome.isPublished = true
        let formats = Negotiation.formats(of: agreement)
        scene.unit.apply(.openBroadcast(Scene.broadcast, tracks: formats), now: scene.now)
        scene.open(1, .source, agreement, local)
        let publisher = ScriptedPublisher(
            offer, answer: answer.description, context: contexts[0], address: scene.address(2), now: scene.now,
            seed: random.next())
        scene.add(publisher)
        scene.run(for: 400) { _ in publisher.sendFrames(now: scene.now) }

        let names = formats.map(\.codec.name)
        let wanted = GeneratedOffer(
            seed: random.next(), publisher: false, fingerprint: fingerprints[1], broadcast: names)
        outcome.offers += wanted.text
        local = scene.transport(using: &random)
        var viewer: ScriptedViewer?
        var asks = false
        do {
            let (answer, agreement) = try Negotiation.answerViewer(
                SessionDescription.parse(wanted.text), broadcast: formats, streamName: "x", local: local, using: &random
            )
            outcome.isWatched = true
            scene.open(2, .sink, agreement, local)
            viewer = ScriptedViewer(
                wanted, answer: answer.description, context: contexts[1], address: scene.address(3), now: scene.now,
                seed: random.next())
            scene.add(viewer!)
        } catch {
            let reason = wanted.refusal(broadcast: names)
            outcome.refusals.append("viewer: " + (reason ?? "for nothing"))
            if reason == nil { outcome.broken.append("a viewer is refused for nothing: \(error)") }
        }
        scene.run(for: 2_400) { turn in
            publisher.sendFrames(now: scene.now)
            viewer?.askForRepairs()
            if turn == 30 { asks = viewer?.askForKeyframe() ?? false }
        }
        // What is on its way arrives, nothing new is lost.
        scene.run(for: 200) { _ in viewer?.askForRepairs() }
        publisher.checkPromises(viewerAsked: asks)
        viewer?.checkPromises(published: Set(publisher.tracks.map(\.kind)))
        outcome.broken += publisher.broken.map { "publisher: " + $0 } + (viewer?.broken ?? []).map { "viewer: " + $0 }
        outcome.broken += scene.complaints(simulcast: publisher.tracks.contains { $0.streams.count > 1 })
        return outcome
    }
}

private final class Scene {
    static let broadcast = BroadcastID(rawValue: 1)
    let unit: ForwardingUnit
    private let identity: DTLSIdentity
    private(set) var now = Instant.zero
    private var peers: [ScriptedPeer] = []
    private var flights: [(arrival: Instant, from: TransportAddress, to: TransportAddress, bytes: [UInt8])] = []
    private var landed = 0

    init(_ identity: DTLSIdentity, seed: UInt64) throws {
        self.identity = identity
        unit = try ForwardingUnit(
            .init(identity: identity, seed: seed, ntpOrigin: 0xE800_0000 << 32))
    }

    func address(_ number: UInt32) -> TransportAddress { TransportAddress(ipv4: 0x0A00_0000 + number, port: 5_000) }

    func transport(using random: inout SeededGenerator) -> LocalTransport {
        LocalTransport(ice: .generate(using: &random), fingerprint: identity.fingerprint, candidates: [address(1)])
    }

    /// As the control plane opens a session.
    func open(_ id: UInt64, _ direction: SessionParameters.Direction, _ agreement: Agreement, _ local: LocalTransport) {
        let remote = agreement.remote
        let transport = TransportParameters(
            role: .server, localICE: local.ice, remoteICE: remote.ice, remoteFingerprints: remote.fingerprints,
            remoteCandidates: remote.candidates, dtlsActive: remote.dtlsActive)
        unit.apply(
            .open(
                SessionParameters(
                    id: SessionID(rawValue: id), transport: transport, broadcast: Self.broadcast, direction: direction,
                    tracks: agreement.tracks)), now: now)
    }

    func add(_ peer: ScriptedPeer) { peers.append(peer) }

    /// Turns of 40 ms.
    func run(for milliseconds: Int64, _ turn: (Int) -> Void) {
        for index in 0..<Int(milliseconds / 40) {
            turn(index)
            run(until: now + .milliseconds(40))
        }
    }

    private func run(until end: Instant) {
        collect()
        while true {
            let arrival = landed < flights.count ? flights[landed].arrival : .distantFuture
            let deadlines = [unit.nextDeadline] + peers.map(\.connection.nextDeadline)
            let next = min(arrival, deadlines.min() ?? .distantFuture)
            guard next <= end else { break }
            now = max(now, next)
            if arrival <= now {
                let flight = flights[landed]
                landed += 1
                deliver(flight.bytes, from: flight.from, to: flight.to)
            } else {
                while unit.advance(now: now) { take(unit.outbox, from: address(1)) }
                for peer in peers where peer.connection.nextDeadline <= now {
                    peer.connection.advance(now: now, outbox: peer.outbox)
                }
            }
            collect()
        }
        now = end
    }

    private func deliver(_ bytes: [UInt8], from source: TransportAddress, to target: TransportAddress) {
        if let peer = peers.first(where: { $0.address == target }) {
            if let viewer = peer as? ScriptedViewer, viewer.loses(bytes) { return }
            return peer.receive(bytes, from: source, now: now)
        }
        guard target == address(1) else { return }
        var bytes = bytes
        var span = bytes.mutableSpan
        var raw = unsafe span.mutableBytes
        unit.receive(&raw, from: source, now: now)
    }

    private func collect() {
        var more = true
        while more {
            more = unit.flush(now: now)
            take(unit.outbox, from: address(1))
        }
        for peer in peers { take(peer.outbox, from: peer.address) }
    }

    private func take(_ outbox: Outbox, from source: TransportAddress) {
        for (destination, bytes) in outbox.datagramsForTesting() {
            flights.append((now + .milliseconds(1), source, destination, bytes))
        }
        outbox.removeAll()
    }

    /// What the unit dropped although everything was as agreed.
    func complaints(simulcast: Bool) -> [Broken] {
        DropReason.allCases.compactMap { reason in
            let count = unit.statistics.drops[Int(reason.rawValue)]
            guard count > 0 else { return nil }
            return "\(count) dropped as \(reason)"
        }
    }
}
