import ControlPlane

/// A valid topology that the tables of this folder change in one place each, and what surrounds it.
enum TopologySample {
    // Line numbers below are part of what the tests expect.
    static let yaml = """
        version: 1
        auth:
          publish: { token_env: PUBLISH }
          watch: open
          node: { secret_env: NODE }
          broadcasts:
            - { name: "news-*", publish: { token_env: NEWS }, watch: open }
        on_conflict: reject
        hold: 30s
        simulation: false
        limits: { viewers: 5000 }
        regions:
          - { name: eu, location: [50.11, 8.68], hostnames: [eu.example.net] }
        nodes:
          - name: origin-1
            role: origin
            region: eu
            public: { listen: "0.0.0.0:8080", url: "http://127.0.0.1:8080" }
            internal: { listen: "127.0.0.1:9080", url: "http://127.0.0.1:9080" }
            media: { listen: "0.0.0.0", port: 5000, workers: 2 }
            viewers: true
          - name: edge-1
            role: edge
            region: eu
            media: { port: 7000 }
            upstream: { static: [origin-1] }
          - name: edge-2
            role: edge
            region: eu
            upstream: { static: [edge-1, origin-1] }

        """

    static let environment = [
        "PUBLISH": "publish-token", "NEWS": "news-token", "NODE": "0123456789abcdef0123456789abcdef",
    ]

    static func request(
        _ role: Topology.Role = .origin, name: String? = nil, environment: [String: String] = environment,
        isCheck: Bool = true
    ) -> NodeRequest {
        NodeRequest(role: role, name: name, environment: environment, isCheck: isCheck)
    }

    /// What is wrong with `yaml`, one line each; empty: nothing.
    static func problems(_ yaml: String, for request: NodeRequest = request()) -> [String] {
        do throws(ConfigurationError) {
            _ = try Topology.parse(yaml, file: "t", for: request)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }
}
