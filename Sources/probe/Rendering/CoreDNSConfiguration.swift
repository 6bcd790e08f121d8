import ControlPlane
import WebRTC

/// For CoreDNS: a view of the zone for the networks of each region. It asks nobody for health: every node of the region is in
/// the answer, ready or not.
struct CoreDNSConfiguration {
    var plan: NamePlan

    init(_ plan: NamePlan) throws(ConfigurationError) {
        self.plan = plan
        try plan.requireNameServers(.coredns)
    }

    /// Regions that networks are sent to, and in the end everybody else's, which has no view and so comes last.
    private var views: [Topology.Region] { plan.regions.filter { !$0.clients.networks.isEmpty } }

    var files: [RenderedFile] {
        [.init(path: "Corefile", text: Terraform.text(views.map(block) + [block(nil)]))]
            + views.map { .init(path: "\($0.name).zone", text: zone(for: $0)) }
            + [.init(path: "default.zone", text: zone(for: nil))]
    }

    private func block(_ region: Topology.Region?) -> Outline {
        let view = region.map { region in
            let networks = region.clients.networks.map { "incidr(client_ip(), '\($0)')" }
            return [Outline.block("view \(region.name) {", [.line("expr \(networks.joined(separator: " || "))")])]
        }
        return .block(
            "\(plan.dns.zone):53 {",
            (view ?? []) + [
                .block("file \(region?.name ?? "default").zone {", [.line("reload 5s")]), .line("errors"),
            ])
    }

    private func zone(for region: Topology.Region?) -> String {
        var zone = ZoneFile(plan.dns)
        let ttl = "\(plan.ttl)"
        let add = { (zone: inout ZoneFile, name: String, site: NamePlan.Site?) in
            for family in NamePlan.Site.families {
                zone.add(name, ttl: ttl, (site?.addresses(isIPv4: family.isIPv4) ?? []).map(\.address))
            }
        }
        for service in plan.services {
            add(&zone, service.name, region.map { service.sites(from: $0) }?.first ?? service.sites.first)
        }
        for site in plan.viewers.sites {
            for name in plan.dns.names(of: site.region) { add(&zone, name, site) }
        }
        for node in plan.nodes { zone.add(node.name, node.addresses) }
        return zone.text
    }
}
