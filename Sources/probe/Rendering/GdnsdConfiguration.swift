import ControlPlane
import WebRTC

/// For gdnsd 3: the nearest region by plugin_geoip, within it whoever is ready by plugin_multifo.
struct GdnsdConfiguration {
    var plan: NamePlan

    /// - Throws: what gdnsd needs beside the plan.
    init(_ plan: NamePlan) throws(ConfigurationError) {
        self.plan = plan
        try plan.requireNameServers(.gdnsd)
    }

    var files: [RenderedFile] {
        [.init(path: "config", text: configuration), .init(path: "zones/\(plan.dns.zone)", text: zone)]
    }

    // MARK: - config

    private var configuration: String {
        let plugin = Outline.block(
            "geoip => {",
            [
                .block("maps => {", plan.services.map(map)), .block("resources => {", plan.services.map(resource)),
            ])
        return Outline.text([
            // Its own lower bound is 5 s.
            .block("options => {", [.line("listen => any"), .line("min_ttl => \(min(5, plan.ttl))")]),
            .block("service_types => {", plan.services.map(health)),
            .block("plugins => {", [plugin]),
        ])
    }

    /// A node is down after two failures, which gdnsd counts within a second: with a `ttl` of 3 s on top clients ask elsewhere
    /// within 10 s; where TLS takes further round trips, within 13 s.
    private func health(_ service: NamePlan.Service) -> Outline {
        let (interval, timeout) = service.isTLS ? (3, 2) : (2, 1)
        let times = "interval => \(interval), timeout => \(timeout), up_thresh => 2, ok_thresh => 2, down_thresh => 2"
        let check: [Outline]
        if service.isTLS {
            // gdnsd speaks no TLS. The name is the one that clients use, so that its certificate is checked, too.
            let authority = "\(service.name):\(service.port)"
            let command = [
                "/usr/bin/curl", "--fail", "--silent", "--noproxy", "*", "--max-time", "\(timeout)", "--output",
                "/dev/null", "--resolve", "\(authority):%%ITEM%%", "https://\(authority)\(NamePlan.healthPath)",
            ]
            check = [
                .line("plugin => extmon"),
                .line("cmd => [ \(command.map { quoted($0) }.joined(separator: ", ")) ]"),
            ]
        } else {
            check = [
                .line("plugin => http_status"),
                .line("port => \(service.port), url_path => \(NamePlan.healthPath), vhost => \(service.name)"),
            ]
        }
        return .block("\(service.label) => {", check + [.line(times)])
    }

    private func map(_ service: NamePlan.Service) -> Outline {
        var lines: [Outline] = [.line("datacenters => \(list(service.sites))")]
        let coordinates = service.sites.compactMap { site in
            site.region.location.map {
                Outline.line("\(site.region.name) => [ \($0.latitude), \($0.longitude) ]")
            }
        }
        if let database = plan.dns.geoip2 {
            lines.append(.line("geoip2_db => \(quoted(database))"))
            let places = PlaceTree(plan.regions)
            // A database of countries has no coordinates to measure distances with; whoever names places has one, or likes it so.
            if places.isEmpty {
                if !coordinates.isEmpty { lines.append(.block("auto_dc_coords => {", coordinates)) }
            } else {
                lines.append(.block("map => {", places.outline { list(service.sites(from: $0)) }))
            }
        }
        let networks = plan.regions.flatMap { region in
            region.clients.networks.map { Outline.line("\($0) => \(list(service.sites(from: region)))") }
        }
        if !networks.isEmpty { lines.append(.block("nets => {", networks)) }
        return .block("\(service.label) => {", lines)
    }

    private func list(_ sites: [NamePlan.Site]) -> String {
        "[ \(sites.map(\.region.name).joined(separator: ", ")) ]"
    }

    /// A region counts as long as one of its nodes is ready.
    private func resource(_ service: NamePlan.Service) -> Outline {
        let sites = service.sites.map { site in
            Outline.block(
                "\(site.region.name) => {",
                NamePlan.Site.families.compactMap { family in
                    let addresses = site.addresses(isIPv4: family.isIPv4)
                    guard !addresses.isEmpty else { return nil }
                    return .block(
                        "addrs_\(family.isIPv4 ? "v4" : "v6") => {",
                        addresses.map { .line("\($0.label) => \($0.address.host)") })
                })
        }
        return .block(
            "\(service.label) => {",
            [
                .line("map => \(service.label), service_types => \(service.label), up_thresh => 0.001"),
                .block("dcmap => {", sites),
            ])
    }

    // MARK: - The zone

    private var zone: String {
        var zone = ZoneFile(plan.dns)
        // The second number keeps gdnsd from halving it.
        let ttl = "\(plan.ttl)/\(plan.ttl)"
        for service in plan.services { zone.add(service.name, ttl: ttl, "DYNA geoip!\(service.label)") }
        for site in plan.viewers.sites {
            for name in plan.dns.names(of: site.region) {
                zone.add(name, ttl: ttl, "DYNA geoip!\(plan.viewers.label)/\(site.region.name)")
            }
        }
        for node in plan.nodes { zone.add(node.name, node.addresses) }
        return zone.text
    }
}

extension NamePlan {
    /// Servers that answer for the zone themselves are named in it.
    func requireNameServers(_ target: RenderTarget) throws(ConfigurationError) {
        guard dns.nameServers.isEmpty else { return }
        throw ConfigurationError(problems: [
            .init(file: file, path: "dns.name_servers", message: "is missing; --target \(target.rawValue) needs it")
        ])
    }
}
