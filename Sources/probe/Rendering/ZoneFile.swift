import ControlPlane
import WebRTC

/// A zone in the format of RFC 1035 §5, which gdnsd and CoreDNS read.
struct ZoneFile {
    var dns: Topology.DNS
    private var records: [String] = []

    init(_ dns: Topology.DNS) { self.dns = dns }

    /// A day and less: what changes here is changed by hand, and then the old answer should not be around for long.
    private static let slowTTL = 3_600

    mutating func add(_ name: String, ttl: String? = nil, _ data: String) {
        records.append("\(name). \(ttl ?? "\(Self.slowTTL)") \(data)")
    }

    mutating func add(_ name: String, ttl: String? = nil, _ addresses: [TransportAddress]) {
        for address in addresses { add(name, ttl: ttl, "\(address.isIPv4 ? "A" : "AAAA") \(address.host)") }
    }

    /// The serial number is made of the content: no time of day, so that the same topology gives the same bytes, and another
    /// one for each change.
    var text: String {
        let servers = dns.nameServers.map { "\(dns.zone). \(Self.slowTTL) NS \($0.name)." }
        let own = dns.nameServers.filter { dns.contains($0.name) }.flatMap { server in
            server.addresses.map { "\(server.name). \(Self.slowTTL) \($0.isIPv4 ? "A" : "AAAA") \($0.host)" }
        }
        let lines = servers + own + records
        let primary = dns.nameServers.first?.name ?? "ns.\(dns.zone)"
        // That there is no such name is known for as long as a node's address (RFC 2308 §5).
        let ttl = dns.ttl.components.seconds
        let soa =
            "\(dns.zone). \(ttl) SOA \(primary). hostmaster.\(dns.zone). \(Self.serial(lines)) 7200 1800 1209600 \(ttl)"
        return ([soa] + lines).joined(separator: "\n") + "\n"
    }

    /// FNV-1a of the lines, 31 bits.
    private static func serial(_ lines: [String]) -> UInt32 {
        let hash = lines.joined(separator: "\n").utf8.reduce(2_166_136_261 as UInt32) {
            ($0 ^ UInt32($1)) &* 16_777_619
        }
        return max(1, hash & 0x7FFF_FFFF)
    }
}
