import ArgumentParser
import ControlPlane

/// Text of one file, with its path in the folder of its target.
struct RenderedFile: Equatable {
    var path: String
    var text: String
}

/// What runs around the nodes and is configured from the topology.
enum RenderTarget: String, CaseIterable, ExpressibleByArgument {
    case gdnsd, route53
    case azureTrafficManager = "azure-tm"
    case coredns, prometheus, systemd, compose

    /// - Parameter file: of the topology, for messages.
    func files(of topology: Topology, file: String) throws(ConfigurationError) -> [RenderedFile] {
        let files =
            switch self {
            case .gdnsd: try GdnsdConfiguration(names(topology, file)).files
            case .route53: try Route53Configuration(names(topology, file)).files
            case .azureTrafficManager: try TrafficManagerConfiguration(names(topology, file)).files
            case .coredns: try CoreDNSConfiguration(names(topology, file)).files
            case .prometheus: PrometheusConfiguration(topology).files
            case .systemd: SystemdUnits(topology).files
            case .compose: ComposeFile(topology).files
            }
        return files.map { RenderedFile(path: $0.path, text: mark(for: $0.path) + "\n" + $0.text) }
    }

    private func names(_ topology: Topology, _ file: String) throws(ConfigurationError) -> NamePlan {
        try NamePlan(topology, file: file, for: self)
    }

    /// The first line of each file: who wrote it, and so who may replace it.
    func mark(for path: String) -> String {
        (path.hasSuffix(".zone") || path.hasPrefix("zones/") ? ";" : "#")
            + " Rendered by `probe topology render --target \(rawValue)`: change the topology, not this file."
    }
}
