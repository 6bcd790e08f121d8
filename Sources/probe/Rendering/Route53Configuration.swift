import ControlPlane
import WebRTC

/// For Amazon Route 53, as Terraform: geoproximity between regions, weights within one, each with health checks.
struct Route53Configuration {
    var plan: NamePlan

    init(_ plan: NamePlan) throws(ConfigurationError) {
        self.plan = plan
        try plan.requireLocations(.route53)
    }

    var files: [RenderedFile] { [.init(path: "route53.tf", text: Terraform.text(blocks))] }

    private var blocks: [Outline] {
        [
            Terraform.providers("aws", source: "hashicorp/aws", version: "~> 6.0"),
            .block(
                "data \"aws_route53_zone\" \"zone\" {", Terraform.attributes([("name", quoted(plan.dns.zone + "."))])),
        ] + plan.services.flatMap { records($0) } + plan.nodes.flatMap { records(of: $0) }
    }

    private func records(_ service: NamePlan.Service) -> [Outline] {
        service.sites.flatMap { site in
            NamePlan.Site.families.flatMap { family -> [Outline] in
                let addresses = site.addresses(isIPv4: family.isIPv4)
                guard !addresses.isEmpty else { return [] }
                let targets = addresses.map { Target(service: service, site: site, type: family.type, $0) }
                return targets.map(healthCheck)
                    + names(of: site, service).flatMap { name in targets.map { weighted($0, name) } }
                    + [nearest(service, site, family.type)]
            }
        }
    }

    private struct Target {
        var service: NamePlan.Service
        var identifier: String
        var label: String
        var type: String
        var address: TransportAddress

        init(
            service: NamePlan.Service, site: NamePlan.Site, type: String,
            _ address: (label: String, address: TransportAddress)
        ) {
            (self.service, self.type) = (service, type)
            (label, self.address) = address
            identifier = "\(service.label)-\(address.label)-\(type.lowercased())"
        }
    }

    /// That lead to one site. Publishers have no names of regions, but an alias needs something to point at.
    private func names(of site: NamePlan.Site, _ service: NamePlan.Service) -> [String] {
        service.label == plan.viewers.label
            ? plan.dns.names(of: site.region) : ["\(site.region.name).\(service.name)"]
    }

    private func healthCheck(_ target: Target) -> Outline {
        Terraform.resource(
            "aws_route53_health_check", target.identifier,
            Terraform.attributes([
                ("type", quoted(target.service.isTLS ? "HTTPS" : "HTTP")),
                // With an address, this is the Host field and the name in the handshake.
                ("fqdn", quoted(target.service.name)), ("ip_address", quoted(target.address.host)),
                ("port", "\(target.service.port)"), ("resource_path", quoted(NamePlan.healthPath)),
                ("request_interval", "10"), ("failure_threshold", "2"),
            ]))
    }

    private static func record(_ identifier: String, name: String, type: String, _ body: [Outline]) -> Outline {
        Terraform.resource(
            "aws_route53_record", identifier,
            Terraform.attributes([
                ("zone_id", "data.aws_route53_zone.zone.zone_id"), ("name", quoted(name)), ("type", quoted(type)),
            ]) + body)
    }

    private func weighted(_ target: Target, _ name: String) -> Outline {
        Self.record(
            "\(target.identifier)-\(Terraform.identifier(name))", name: name, type: target.type,
            [.line("")]
                + Terraform.attributes([
                    ("ttl", "\(plan.ttl)"), ("records", "[\(quoted(target.address.host))]"),
                    ("set_identifier", quoted(target.label)),
                    ("health_check_id", "aws_route53_health_check.\(target.identifier).id"),
                ]) + [.line(""), .block("weighted_routing_policy {", [.line("weight = 1")])])
    }

    /// An alias, so that a region without a healthy node is left out.
    private func nearest(_ service: NamePlan.Service, _ site: NamePlan.Site, _ type: String) -> Outline {
        let location = site.region.location ?? .init(latitude: 0, longitude: 0)
        return Self.record(
            "\(service.label)-\(site.region.name)-\(type.lowercased())", name: service.name, type: type,
            [
                .line(""), .line("set_identifier = \(quoted(site.region.name))"), .line(""),
                .block(
                    "geoproximity_routing_policy {",
                    [
                        .block(
                            "coordinates {",
                            Terraform.attributes([
                                ("latitude", quoted(Self.hundredths(location.latitude))),
                                ("longitude", quoted(Self.hundredths(location.longitude))),
                            ]))
                    ]),
                .line(""),
                .block(
                    "alias {",
                    Terraform.attributes([
                        ("name", quoted(names(of: site, service)[0])),
                        ("zone_id", "data.aws_route53_zone.zone.zone_id"),
                        ("evaluate_target_health", "true"),
                    ])),
            ])
    }

    /// Two digits behind the point are the most that the service takes.
    private static func hundredths(_ degrees: Double) -> String { "\((degrees * 100).rounded() / 100)" }

    private func records(of node: (name: String, addresses: [TransportAddress])) -> [Outline] {
        NamePlan.Site.families.compactMap { family in
            let addresses = node.addresses.filter { $0.isIPv4 == family.isIPv4 }.map { quoted($0.host) }
            guard !addresses.isEmpty else { return nil }
            return Self.record(
                "node-\(Terraform.identifier(node.name))-\(family.type.lowercased())", name: node.name,
                type: family.type,
                [.line("")]
                    + Terraform.attributes([("ttl", "3600"), ("records", "[\(addresses.joined(separator: ", "))]")]))
        }
    }
}
