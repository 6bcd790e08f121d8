import ControlPlane

/// For systemd: a template for each role, whose instances are the nodes, and the user that they run as.
struct SystemdUnits {
    var topology: Topology

    init(_ topology: Topology) { self.topology = topology }

    /// Where `make install` and packages put things.
    private static let configuration = "/etc/cascade"

    var files: [RenderedFile] {
        Topology.Role.allCases.filter { role in topology.nodes.contains { $0.role == role } }.map { role in
            RenderedFile(path: "cascade-\(role.rawValue)@.service", text: unit(of: role))
        } + [.init(path: "cascade.sysusers.conf", text: "u cascade - \"Cascade\"\n")]
    }

    private func unit(of role: Topology.Role) -> String {
        let nodes = topology.nodes.filter { $0.role == role }
        // Ports below 1024 are root's without it; where nobody has such a port nobody is given it.
        let capability = nodes.contains(where: \.hasPrivilegedPort) ? "CAP_NET_BIND_SERVICE" : ""
        return """
            # systemctl enable --now \(nodes.map { "cascade-\(role.rawValue)@\($0.name)" }.joined(separator: " "))
            [Unit]
            Description=Cascade \(role.rawValue) %i
            Wants=network-online.target
            After=network-online.target
            StartLimitIntervalSec=0

            [Service]
            User=cascade
            Group=cascade
            WorkingDirectory=\(Self.configuration)
            # Variables that `auth` of the topology names.
            EnvironmentFile=-\(Self.configuration)/environment
            ExecStart=/usr/local/bin/cascade-\(role.rawValue) --topology \(Self.configuration)/topology.yaml --node %i
            Restart=on-failure
            RestartSec=1
            # The drain has \(topology.drainDeadline.components.seconds) s (drain_deadline); what is left then has its own end.
            TimeoutStopSec=\(topology.stopSeconds)
            KillMode=mixed
            LimitNOFILE=1048576
            # Media threads ask for it, so that a crowd that joins does not hold packets up.
            LimitNICE=-10

            AmbientCapabilities=\(capability)
            CapabilityBoundingSet=\(capability)
            NoNewPrivileges=yes
            ProtectSystem=strict
            ProtectHome=yes
            PrivateTmp=yes
            PrivateDevices=yes
            ProtectClock=yes
            ProtectControlGroups=yes
            ProtectHostname=yes
            ProtectKernelLogs=yes
            ProtectKernelModules=yes
            ProtectKernelTunables=yes
            ProtectProc=invisible
            LockPersonality=yes
            MemoryDenyWriteExecute=yes
            RemoveIPC=yes
            RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
            RestrictNamespaces=yes
            RestrictRealtime=yes
            RestrictSUIDSGID=yes
            SystemCallArchitectures=native
            SystemCallFilter=@system-service
            SystemCallErrorNumber=EPERM
            UMask=0077

            [Install]
            WantedBy=multi-user.target

            """
    }
}

extension Topology {
    /// How long a supervisor waits before it kills: the drain, the last requests, and the good-byes.
    var stopSeconds: Int64 { drainDeadline.components.seconds + 10 }
}

extension Topology.Node {
    /// Only root may listen there, and who has CAP_NET_BIND_SERVICE.
    var hasPrivilegedPort: Bool {
        [publicListener.port, internalListener.port, front.plain?.port ?? 65_535].contains { $0 < 1_024 }
    }
}
