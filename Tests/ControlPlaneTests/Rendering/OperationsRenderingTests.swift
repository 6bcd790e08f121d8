import Testing

@testable import ControlPlane
@testable import probe

// What runs and watches the nodes.

@Suite struct OperationsRenderingTests {
    private func text(_ target: RenderTarget, _ path: String, of topology: Topology) throws -> String {
        try #require(try target.files(of: topology, file: "t").first { $0.path == path }).text
    }

    @Test func prometheusAsksEveryNode() throws {
        let text = try text(.prometheus, "prometheus.yml", of: RenderingSample.topology())
        #expect(
            text.contains(
                """
                  - job_name: cascade
                    honor_labels: true
                    static_configs:
                      - targets: ["127.0.0.1:9080"]
                        labels: { node: origin-1, role: origin, region: eu }
                """))
        #expect(text.contains(#"- targets: ["[2001:db8::4]:9080"]"#))
    }

    /// A node's certificate has its name.
    @Test func prometheusExpectsCertificates() throws {
        let topology = try RenderingSample.topology(
            (old: "drain_deadline", new: "internal_tls: { ca: /tls/ca.pem, certificate: c, key: k }\ndrain_deadline"))
        let text = try text(.prometheus, "prometheus.yml", of: topology)
        #expect(
            text.contains(
                """
                  - job_name: cascade-edge-us
                    honor_labels: true
                    scheme: https
                    tls_config:
                      ca_file: "/tls/ca.pem"
                      server_name: edge-us
                """))
    }

    @Test func alertsAreOnMetricsThatThereAre() throws {
        var metrics = NodeMetrics(node: "edge-1", role: .edge, region: "eu")
        metrics.directory = .init()
        let there = Set(metrics.render().matches(of: #/# TYPE (\w+)/#).map { String($0.1) })
        let alerts = PrometheusConfiguration(try RenderingSample.topology()).alerts
        let used = Set(alerts.flatMap { $0.expression.matches(of: #/sfu_\w+/#).map { String($0.0) } })
        #expect(used.count >= 8)
        #expect(used.subtracting(there) == [])
    }

    @Test func systemdWaitsForTheDrain() throws {
        let unit = try text(.systemd, "cascade-edge@.service", of: RenderingSample.topology())
        #expect(unit.contains("\nTimeoutStopSec=30\n"))
        #expect(
            unit.contains(
                "\nExecStart=/usr/local/bin/cascade-edge --topology /etc/cascade/topology.yaml --node %i\n"))
        #expect(unit.contains("\nAmbientCapabilities=\n"))
        let low = try RenderingSample.topology((old: "0.0.0.0:8080", new: "0.0.0.0:80"))
        #expect(
            try text(.systemd, "cascade-edge@.service", of: low).contains(
                "\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"))
    }

    @Test func composeRunsEveryNode() throws {
        let text = try text(.compose, "compose.yaml", of: RenderingSample.topology())
        #expect(text.contains("\n  stop_grace_period: 30s\n"))
        #expect(
            text.contains(
                """
                  edge-us:
                    <<: *node
                    command: [edge, --topology, /etc/cascade/topology.yaml, --node, edge-us]
                """))
    }
}
