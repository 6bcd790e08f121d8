// The virtual network: forwarding units as hosts, links between them (`Link`), and virtual time. Everything that happens
// is a function of the seed; nothing sleeps, nothing opens a socket.
import WebRTC

@testable import Forwarding

final class Host {
    let name: String
    let unit: ForwardingUnit
    let address: TransportAddress
    fileprivate(set) var timeline: [(at: Instant, event: Event)] = []
    var events: [Event] { timeline.map(\.event) }
    /// A NAT before the host: what it adds to the host's ports. Once it has changed, the former ports lead nowhere.
    var translation: UInt16 = 0
    var clock = HostClock()
    /// Called with the unit after each datagram it received, before the fan-out.
    var observe: ((ForwardingUnit, Instant) -> Void)?

    init(name: String, number: UInt32, unit: ForwardingUnit) {
        (self.name, self.unit) = (name, unit)
        address = TransportAddress(ipv4: 0x0A00_0000 + number, port: Self.port)
    }

    fileprivate var nextDeadline: Instant { clock.time(of: unit.nextDeadline) }

    static let port: UInt16 = 5_000
    /// A client session's own socket n has this port plus n.
    static let firstClientPort: UInt16 = 20_000
}

final class VirtualNetwork {
    private struct Flight {
        var arrival: Instant
        var order: UInt64
        var from: TransportAddress
        var to: TransportAddress
        var bytes: [UInt8]
    }

    private(set) var now = Instant.zero
    private(set) var hosts: [Host] = []
    private var links: [String: LinkState] = [:]
    private var flights: [Flight] = []
    private var order: UInt64 = 0
    private var random: SeededGenerator
    private(set) var delivered = 0
    private(set) var lost = 0
    /// What does not pass is lost.
    var passes: (_ bytes: [UInt8], _ from: TransportAddress, _ to: TransportAddress) -> Bool = { _, _, _ in true }
    /// Bytes sent to addresses where no host is.
    private(set) var stray: [TransportAddress: Int] = [:]

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    func addHost(_ name: String, limits: Limits = Limits()) throws -> Host {
        let identity = try DTLSIdentity.generate()
        var configuration = ForwardingUnit.Configuration(
            identity: identity, limits: limits, seed: random.next(), ntpOrigin: 0xE800_0000 << 32)
        configuration.watchesSealing = true
        let unit = try ForwardingUnit(configuration)
        let host = Host(name: name, number: UInt32(hosts.count + 1), unit: unit)
        identities[name] = identity
        hosts.append(host)
        return host
    }

    private(set) var identities: [String: DTLSIdentity] = [:]

    /// Both directions between two hosts.
    func link(_ a: Host, _ b: Host, _ link: Link) {
        links[a.name + ">" + b.name] = LinkState(link)
        links[b.name + ">" + a.name] = LinkState(link)
    }

    /// One direction between two hosts, while it is in use.
    func change(from a: Host, to b: Host, _ change: (inout Link) -> Void) {
        change(&links[a.name + ">" + b.name, default: LinkState(Link())].link)
    }

    func stall(from a: Host, to b: Host, for time: Interval) {
        links[a.name + ">" + b.name]?.stall(for: time, now: now)
    }

    func apply(_ command: Command, to host: Host) { apply([command], to: host) }

    /// Commands that a worker finds in its mailbox at once.
    func apply(_ commands: [Command], to host: Host) {
        for command in commands { host.unit.apply(command, now: host.clock.reading(at: now)) }
        settle(host)
    }

    /// Runs until `end`, calling `tick` whenever virtual time reaches one of its moments.
    func run(until end: Instant) {
        var (last, turns) = (now, 0)
        while true {
            (last, turns) = (now, now == last ? turns + 1 : 0)
            precondition(turns < 20_000, "time stands still: what is due is due again at once")
            let next = min(flights.first?.arrival ?? .distantFuture, hosts.map { $0.nextDeadline }.min() ?? end)
            guard next <= end else { break }
            now = max(now, next)
            while let flight = flights.first, flight.arrival <= now {
                popFlight()
                deliver(flight)
            }
            for host in hosts where host.nextDeadline <= now {
                while host.unit.advance(now: host.clock.reading(at: now)) { settle(host) }
                settle(host)
            }
        }
        now = end
    }

    /// A datagram of somebody else's making, under any source.
    func inject(_ bytes: [UInt8], from source: TransportAddress, to host: Host) {
        order += 1
        insert(Flight(arrival: now, order: order, from: source, to: host.address, bytes: bytes))
    }

    private func deliver(_ flight: Flight) {
        guard let host = hosts.first(where: { $0.address.low == flight.to.low }) else { return }
        let port = flight.to.port &- host.translation
        guard host.translation == 0 || port > Host.firstClientPort else { return }
        delivered += 1
        var bytes = flight.bytes
        var from = flight.from
        from.socket = port >= Host.firstClientPort ? port - Host.firstClientPort : 0
        var span = bytes.mutableSpan
        var raw = unsafe span.mutableBytes
        host.unit.receive(&raw, from: from, now: host.clock.reading(at: now))
        host.observe?(host.unit, now)
        settle(host)
    }

    /// Takes out everything the unit wants to send, and its events.
    private func settle(_ host: Host) {
        repeat {
            let more = host.unit.flush(now: host.clock.reading(at: now))
            for (destination, bytes) in host.unit.outbox.datagramsForTesting() {
                send(bytes, from: host, to: destination)
            }
            host.unit.outbox.removeAll()
            if !more { break }
        } while true
        host.timeline += host.unit.takeEvents().map { (now, $0) }
    }

    private func send(_ bytes: [UInt8], from host: Host, to destination: TransportAddress) {
        var target = destination
        target.socket = 0
        guard let peer = hosts.first(where: { $0.address.low == target.low }) else {
            stray[target, default: 0] += bytes.count
            return
        }
        var source = host.address
        if destination.socket != 0 { source.port = Host.firstClientPort + destination.socket }
        source.port &+= host.translation
        guard passes(bytes, source, target) else {
            lost += 1
            return
        }
        let path = host.name + ">" + peer.name
        guard
            let arrival = links[path, default: LinkState(Link())].arrival(
                bytes: bytes.count, now: now, using: &random)
        else {
            lost += 1
            return
        }
        order += 1
        insert(Flight(arrival: arrival, order: order, from: source, to: target, bytes: bytes))
    }

    // A binary heap on (arrival, order).
    private func insert(_ flight: Flight) {
        flights.append(flight)
        var i = flights.count - 1
        while i > 0, isBefore(i, (i - 1) / 2) {
            flights.swapAt(i, (i - 1) / 2)
            i = (i - 1) / 2
        }
    }

    private func popFlight() {
        flights.swapAt(0, flights.count - 1)
        flights.removeLast()
        var i = 0
        while true {
            var least = i
            for child in [2 * i + 1, 2 * i + 2] where child < flights.count && isBefore(child, least) { least = child }
            if least == i { return }
            flights.swapAt(i, least)
            i = least
        }
    }

    private func isBefore(_ a: Int, _ b: Int) -> Bool {
        (flights[a].arrival, flights[a].order) < (flights[b].arrival, flights[b].order)
    }
}
