import ControlPlane

/// For Prometheus: where the nodes are, and when somebody should be woken.
struct PrometheusConfiguration {
    var topology: Topology

    init(_ topology: Topology) { self.topology = topology }

    var files: [RenderedFile] {
        [.init(path: "cascade.rules.yml", text: rules), .init(path: "prometheus.yml", text: configuration)]
    }

    // MARK: - prometheus.yml

    private var configuration: String {
        Outline.text([
            .block("global:", [.line("scrape_interval: 15s"), .line("evaluation_interval: 15s")], end: nil),
            .block("rule_files:", [.line("- cascade.rules.yml")], end: nil),
            .block("scrape_configs:", jobs, end: nil),
        ])
    }

    /// A certificate has its node's name, and a job can expect one name only.
    private var jobs: [Outline] {
        guard let tls = topology.internalTLS else { return [job("cascade", topology.nodes, tls: [])] }
        return topology.nodes.map { node in
            job(
                "cascade-\(node.name)", [node],
                tls: [
                    .line("scheme: https"),
                    .block(
                        "tls_config:",
                        [.line("ca_file: \(quoted(tls.of(node.name).ca ?? ""))"), .line("server_name: \(node.name)")],
                        end: nil),
                ])
        }
    }

    private func job(_ name: String, _ nodes: [Topology.Node], tls: [Outline]) -> Outline {
        let targets = nodes.map { node in
            let (_, host, port) = node.internalListener.reached
            let target = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            return Outline.block(
                "- targets: [\(quoted(target))]",
                [.line("labels: { node: \(node.name), role: \(node.role.rawValue), region: \(node.region) }")], end: nil
            )
        }
        // What a node says of itself (sfu_build_info) is what the file says.
        return .block(
            "- job_name: \(name)",
            [.line("honor_labels: true")] + tls + [.block("static_configs:", targets, end: nil)], end: nil)
    }

    // MARK: - cascade.rules.yml

    struct Alert {
        var name: String
        var expression: String
        /// How long it has to hold.
        var holds: String
        var severity: String
        var summary: String
    }

    var alerts: [Alert] {
        let deadline = topology.drainDeadline.components.seconds
        return [
            .init(
                name: "CascadeRegionWithoutEdge",
                // A node that does not answer has no sfu_ready, and is not ready either.
                expression: #"max by (region) (sfu_ready{role="edge"} or up{role="edge"} * 0) == 0"#, holds: "30s",
                severity: "critical",
                summary: "No edge of {{ $labels.region }} is ready: its viewers are sent elsewhere"),
            .init(
                name: "CascadeWithoutOrigin",
                expression: #"max(sfu_ready{role="origin"} or up{role="origin"} * 0) == 0"#,
                holds: "30s", severity: "critical", summary: "No origin is ready: nobody can publish"),
            .init(
                name: "CascadeNodeDown", expression: #"up{node!="",role=~"origin|edge"} == 0"#, holds: "1m",
                severity: "warning", summary: "{{ $labels.node }} does not answer"),
            .init(
                name: "CascadeNodeNotReady", expression: "sfu_ready == 0 and sfu_draining == 0", holds: "1m",
                severity: "warning", summary: "{{ $labels.node }} is not ready and does not drain: ask its /readyz why"),
            .init(
                name: "CascadeDrainIsLong", expression: "sfu_drain_seconds > \(deadline + 60)", holds: "1m",
                severity: "warning", summary: "{{ $labels.node }} drains for longer than the deadline and a minute"),
            .init(
                name: "CascadeViewersNearLimit",
                expression: #"sfu_sessions{kind="viewer"} > \#(topology.limits.viewers * 8 / 10)"#, holds: "5m",
                severity: "warning",
                summary: "{{ $labels.node }} has {{ $value }} of at most \(topology.limits.viewers) viewers"),
            .init(
                name: "CascadeClientsRefused", expression: #"increase(sfu_refused_total{reason="full"}[5m]) > 0"#,
                holds: "1m", severity: "warning",
                summary: "{{ $labels.node }} has no {{ $labels.resource }} left and refuses clients"),
            .init(
                name: "CascadeRelaysFail", expression: "increase(sfu_relay_failures_total[5m]) > 0", holds: "5m",
                severity: "warning", summary: "{{ $labels.node }} finds no source for broadcasts that may be live"),
            .init(
                name: "CascadeNameTwice", expression: "increase(sfu_node_name_conflicts_total[10m]) > 0", holds: "0s",
                severity: "warning", summary: "{{ $labels.node }} has noticed two processes with one name"),
            .init(
                name: "CascadeLogLinesDropped", expression: "increase(sfu_log_lines_dropped_total[10m]) > 0",
                holds: "0s",
                severity: "info", summary: "Nobody takes the log of {{ $labels.node }} in time"),
        ]
    }

    private var rules: String {
        let rules = alerts.map { alert in
            Outline.block(
                "- alert: \(alert.name)",
                [
                    .line("expr: '\(alert.expression)'"), .line("for: \(alert.holds)"),
                    .line("labels: { severity: \(alert.severity) }"),
                    .line("annotations: { summary: \(quoted(alert.summary)) }"),
                ], end: nil)
        }
        return Outline.text([
            .block("groups:", [.block("- name: cascade", [.block("rules:", rules, end: nil)], end: nil)], end: nil)
        ])
    }
}
