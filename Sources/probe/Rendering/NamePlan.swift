import ControlPlane
import WebRTC

/// Which names lead to which nodes, whatever server answers for them.
struct NamePlan {
    /// The nodes of one role in a region; at least one.
    struct Site {
        var region: Topology.Region
        var nodes: [Topology.Node]

        /// What clients get, with the node that is there: once each, since nodes behind a balancer share its address.
        func addresses(isIPv4: Bool) -> [(label: String, address: TransportAddress)] {
            var taken: Set<String> = []
            return nodes.flatMap { node in
                let own = node.publicAddresses.filter { $0.isIPv4 == isIPv4 && taken.insert($0.host).inserted }
                return own.enumerated().map { i, address in
                    (i == 0 ? node.name : "\(node.name)-\(i + 1)", address)
                }
            }
        }

        static let families = [(isIPv4: true, type: "A"), (isIPv4: false, type: "AAAA")]
    }

    /// A name that leads each client to the nearest of several sites.
    struct Service {
        /// Without the zone's dots: fits an identifier of all targets.
        var label: String
        var name: String
        /// In the order of the file's regions.
        var sites: [Site]
        /// All nodes are asked for their health like this, as clients would: by `name`.
        var port: Int
        var isTLS: Bool

        /// From the nearest on; without locations in the order of the file, `region` itself first.
        func sites(from region: Topology.Region) -> [Site] {
            let far = Double.infinity
            return sites.enumerated().map { index, site in
                let distance =
                    site.region.name == region.name
                    ? -1 : region.location.flatMap { site.region.location?.distance(to: $0) } ?? far
                return (distance, index, site)
            }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
        }
    }

    var dns: Topology.DNS
    var regions: [Topology.Region]
    /// Of the topology, for messages.
    var file: String
    var viewers: Service
    /// nil: the topology has no name for publishers.
    var publishers: Service?
    /// Names of single nodes, from their URLs.
    var nodes: [(name: String, addresses: [TransportAddress])]

    var services: [Service] { [viewers] + (publishers.map { [$0] } ?? []) }
    var ttl: Int64 { dns.ttl.components.seconds }

    static let healthPath = "/health"

    init(_ topology: Topology, file: String, for target: RenderTarget) throws(ConfigurationError) {
        var builder = Builder(topology: topology, file: file)
        guard let dns = topology.dns else {
            throw ConfigurationError(problems: [
                .init(file: file, path: "dns", message: "is missing; --target \(target.rawValue) needs it")
            ])
        }
        self.dns = dns
        regions = topology.regions
        self.file = file
        viewers = builder.service("viewers", dns.name, "dns.name") { $0.role == .edge && $0.viewers }
        publishers = dns.publish.map { builder.service("publishers", $0, "dns.publish") { $0.role == .origin } }
        let taken = Set([dns.name, dns.publish] + topology.regions.flatMap { dns.names(of: $0) })
        nodes = builder.names(in: dns, except: taken)
        guard builder.problems.isEmpty else { throw ConfigurationError(problems: builder.problems) }
    }

    /// Collects every problem of the plan.
    private struct Builder {
        var topology: Topology
        var file: String
        var problems: [ConfigurationError.Problem] = []

        mutating func report(_ path: String, _ message: String) {
            problems.append(.init(file: file, path: path, message: message))
        }

        mutating func service(
            _ label: String, _ name: String, _ path: String, _ isWanted: (Topology.Node) -> Bool
        ) -> Service {
            let wanted = topology.nodes.enumerated().filter { isWanted($0.element) }
            let first = wanted.first?.element.publicListener.reached
            if wanted.isEmpty { report(path, "no node is there that it could lead to") }
            for (i, node) in wanted {
                let reached = node.publicListener.reached
                if let first, (reached.isTLS, reached.port) != (first.isTLS, first.port) {
                    report(
                        "nodes[\(i)].public.url",
                        "\(node.publicListener.url) has another scheme or port than \(wanted[0].element.name); clients of "
                            + "\(name) use one for all")
                }
                requireAddress(of: node, i, for: name)
            }
            let sites = topology.regions.compactMap { region in
                let nodes = wanted.map(\.element).filter { $0.region == region.name }
                return nodes.isEmpty ? nil : Site(region: region, nodes: nodes)
            }
            return Service(
                label: label, name: name, sites: sites, port: first?.port ?? 443, isTLS: first?.isTLS ?? true)
        }

        /// Each once, though it may lead to several nodes: behind a balancer they have one URL.
        mutating func names(
            in dns: Topology.DNS, except others: Set<String?>
        ) -> [(name: String, addresses: [TransportAddress])] {
            var taken = others
            var names: [(name: String, addresses: [TransportAddress])] = []
            for (i, node) in topology.nodes.enumerated() {
                let host = node.publicListener.reached.host.lowercased()
                guard dns.contains(host), taken.insert(host).inserted else { continue }
                requireAddress(of: node, i, for: host)
                names.append((host, node.publicAddresses))
            }
            return names
        }

        /// Said once for each node.
        private mutating func requireAddress(of node: Topology.Node, _ i: Int, for name: String) {
            let path = "nodes[\(i)].public.addresses"
            guard node.publicAddresses.isEmpty, !problems.contains(where: { $0.path == path }) else { return }
            report(path, "is missing: what does \(name) resolve to at \(node.name)?")
        }
    }
}
