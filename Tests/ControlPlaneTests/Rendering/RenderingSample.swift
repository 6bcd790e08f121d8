import ControlPlane

/// Three regions whose names somebody else's server answers.
enum RenderingSample {
    static let yaml = """
        version: 1
        auth: { publish: open, watch: open, node: open }
        drain_deadline: 20s
        dns:
          zone: example.net
          name: live.example.net
          publish: in.example.net
          name_servers:
            - { name: ns1.example.net, addresses: [192.0.2.53] }
            - { name: ns.elsewhere.example }
        regions:
          - { name: eu, location: [50.11, 8.68], clients: { networks: [10.1.0.0/16] } }
          - { name: us, location: [39.04, -77.49], hostnames: [America.example.net], clients: { networks: [10.2.0.0/16] } }
          - { name: asia, location: [1.35, 103.82], clients: { networks: ["2001:db8:3::/48"] } }
        nodes:
          - { name: origin-1, role: origin, region: eu, public: { addresses: [192.0.2.10] } }
          - name: edge-eu-1
            role: edge
            region: eu
            upstream: { static: [origin-1] }
            public: { listen: "0.0.0.0:8080", url: "http://edge-eu-1.example.net:8080", addresses: [192.0.2.11, "2001:db8::11"] }
            internal: { listen: "10.0.0.2:9080" }
          - name: edge-eu-2
            role: edge
            region: eu
            upstream: { static: [origin-1] }
            public: { listen: "0.0.0.0:8080" }
            media: { advertise: [192.0.2.12] }
            internal: { listen: "10.0.0.3:9080" }
          - name: edge-us
            role: edge
            region: us
            upstream: { static: [origin-1] }
            public: { listen: "192.0.2.13:8080", url: "http://192.0.2.13:8080" }
            internal: { listen: "10.0.0.4:9080" }
          - name: edge-asia
            role: edge
            region: asia
            upstream: { static: [origin-1] }
            public: { listen: "0.0.0.0:8080", addresses: [192.0.2.14] }
            internal: { listen: "[2001:db8::4]:9080" }

        """

    static func topology(_ changes: (old: String, new: String)...) throws -> Topology {
        var yaml = yaml
        for change in changes { yaml = yaml.replacing(change.old, with: change.new) }
        return try Topology.parse(yaml, file: "t").topology
    }
}
