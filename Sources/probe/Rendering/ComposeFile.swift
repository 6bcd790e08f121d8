import ControlPlane

/// For Docker Compose: a service for each node, on the host's network, for media has a UDP port for each worker and the
/// addresses that are offered are the host's.
struct ComposeFile {
    var topology: Topology

    init(_ topology: Topology) { self.topology = topology }

    var files: [RenderedFile] { [.init(path: "compose.yaml", text: text)] }

    private var text: String {
        """
        # All nodes: docker compose up; those of one machine: docker compose up \(topology.nodes.first?.name ?? "")
        # CASCADE_IMAGE names the image, CASCADE_CONFIGURATION the folder with topology.yaml and the files that it names;
        # cascade.env beside this file has the variables that `auth` names.
        name: cascade

        """
            + Outline.text([
                .block("x-node: &node", shared, end: nil), .block("services:", topology.nodes.map(service), end: nil),
            ])
    }

    private var shared: [Outline] {
        [
            .line("image: ${CASCADE_IMAGE:-cascade}"),
            .line("network_mode: host"),
            .line("restart: unless-stopped"),
            .line("env_file: [cascade.env]"),
            .line("volumes: [\"${CASCADE_CONFIGURATION:-/etc/cascade}:/etc/cascade:ro\"]"),
            .line("# The drain has \(topology.drainDeadline.components.seconds) s (drain_deadline)."),
            .line("stop_grace_period: \(topology.stopSeconds)s"),
            .line("read_only: true"),
            .line("cap_drop: [ALL]"),
            .line("security_opt: [\"no-new-privileges:true\"]"),
            .line("ulimits: { nofile: 1048576 }"),
        ]
    }

    private func service(_ node: Topology.Node) -> Outline {
        let command = [node.role.rawValue, "--topology", "/etc/cascade/topology.yaml", "--node", node.name]
        return .block(
            "\(node.name):",
            [.line("<<: *node"), .line("command: [\(command.joined(separator: ", "))]")]
                + (node.hasPrivilegedPort ? [.line("cap_add: [NET_BIND_SERVICE]")] : []), end: nil)
    }
}
