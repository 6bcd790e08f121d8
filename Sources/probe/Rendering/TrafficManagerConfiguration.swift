import ControlPlane
import WebRTC

/// For Azure Traffic Manager, as Terraform: a profile of the lowest latency between regions, and below it one for each region
/// that returns whoever is healthy.
struct TrafficManagerConfiguration {
    var plan: NamePlan

    init(_ plan: NamePlan) throws(ConfigurationError) {
        self.plan = plan
        try plan.requireLocations(.azureTrafficManager)
    }

    var files: [RenderedFile] { [.init(path: "traffic-manager.tf", text: Terraform.text(blocks))] }

    private var blocks: [Outline] {
        [
            Terraform.providers("azurerm", source: "hashicorp/azurerm", version: "~> 4.0"),
            .block("variable \"resource_group_name\" {", [.line("type = string")]),
        ] + plan.services.flatMap(profiles) + [names]
    }

    private func profiles(_ service: NamePlan.Service) -> [Outline] {
        [
            profile(
                service.label, relativeName(service.name), service, [("traffic_routing_method", quoted("Performance"))])
        ]
            + service.sites.flatMap { site -> [Outline] in
                let label = "\(service.label)-\(site.region.name)"
                let addresses = NamePlan.Site.families.flatMap { site.addresses(isIPv4: $0.isIPv4) }
                let method = [
                    ("traffic_routing_method", quoted("MultiValue")), ("max_return", "\(min(addresses.count, 8))"),
                ]
                return [
                    profile(label, "\(site.region.name)-\(relativeName(service.name))", service, method),
                    nested(label, service, site),
                ] + addresses.enumerated().map { endpoint(label, $0, $1) }
            }
    }

    /// Below trafficmanager.net, where everybody's names are.
    private func relativeName(_ name: String) -> String { Terraform.identifier(name) }

    private func profile(
        _ label: String, _ relativeName: String, _ service: NamePlan.Service, _ method: [(String, String)]
    ) -> Outline {
        Terraform.resource(
            "azurerm_traffic_manager_profile", label,
            Terraform.attributes(
                [("name", quoted(relativeName)), ("resource_group_name", "var.resource_group_name")] + method)
                + [
                    .line(""),
                    .block(
                        "dns_config {",
                        Terraform.attributes([("relative_name", quoted(relativeName)), ("ttl", "\(plan.ttl)")])),
                    .line(""), .block("monitor_config {", monitor(service)),
                ])
    }

    /// The shortest times that the service has. Nothing but 200 counts: a redirect of whatever stands in front is no health.
    private func monitor(_ service: NamePlan.Service) -> [Outline] {
        Terraform.attributes([
            ("protocol", quoted(service.isTLS ? "HTTPS" : "HTTP")), ("port", "\(service.port)"),
            ("path", quoted(NamePlan.healthPath)), ("interval_in_seconds", "10"), ("timeout_in_seconds", "5"),
            ("tolerated_number_of_failures", "1"), ("expected_status_code_ranges", "[\"200-200\"]"),
        ]) + [
            .line(""),
            .block(
                "custom_header {", Terraform.attributes([("name", quoted("host")), ("value", quoted(service.name))])),
        ]
    }

    private func nested(_ label: String, _ service: NamePlan.Service, _ site: NamePlan.Site) -> Outline {
        Terraform.resource(
            "azurerm_traffic_manager_nested_endpoint", label,
            Terraform.attributes([
                ("name", quoted(site.region.name)),
                ("profile_id", "azurerm_traffic_manager_profile.\(service.label).id"),
                ("target_resource_id", "azurerm_traffic_manager_profile.\(label).id"),
                ("minimum_child_endpoints", "1"),
                ("endpoint_location", quoted(AzureLocation.nearest(to: site.region.location).name)),
            ]))
    }

    private func endpoint(
        _ label: String, _ index: Int, _ target: (label: String, address: TransportAddress)
    ) -> Outline {
        let name = target.address.isIPv4 ? target.label : "\(target.label)-ipv6"
        return Terraform.resource(
            "azurerm_traffic_manager_external_endpoint", "\(label)-\(name)",
            Terraform.attributes([
                ("name", quoted(name)), ("profile_id", "azurerm_traffic_manager_profile.\(label).id"),
                ("target", quoted(target.address.host)), ("priority", "\(index + 1)"),
            ]))
    }

    /// The zone may be anywhere, so what is to be in it is said, not made.
    private var names: Outline {
        let services = plan.services.map { (quoted($0.name), "azurerm_traffic_manager_profile.\($0.label).fqdn") }
        let regions = plan.viewers.sites.flatMap { site in
            plan.dns.names(of: site.region).map { name in
                (quoted(name), "azurerm_traffic_manager_profile.\(plan.viewers.label)-\(site.region.name).fqdn")
            }
        }
        return .block("output \"cnames\" {", [.block("value = {", Terraform.attributes(services + regions))])
    }
}
