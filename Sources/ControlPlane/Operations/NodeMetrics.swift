package import Forwarding
import Routing
import WebRTC

/// Everything that `GET /metrics` shows, collected at one moment. Labels never hold a broadcast, a session or an address:
/// the number of series is bounded by workers, reasons and routes.
package struct NodeMetrics: Sendable {
    /// One kind of answered request. `route` is the pattern (`/whep/{broadcast}`), never the path.
    package struct Request: Hashable, Sendable {
        package var listener: String
        package var method: String
        package var route: String
        package var status: Int

        package init(listener: String, method: String, route: String, status: Int) {
            (self.listener, self.method) = (listener, method)
            (self.route, self.status) = (route, status)
        }
    }

    package var node: String
    package var role: Topology.Role
    package var region: String
    package var uptime: Duration = .zero
    package var readiness = Readiness()
    package var sessions = SessionSnapshot()
    /// Nobody read them in time.
    package var logLinesDropped: UInt64 = 0
    package var requests: [Request: UInt64] = [:]
    /// Open ones.
    /// Those of a plain listener are among the public ones.
    package var connections: [ListenerKind: Int] = [:]
    package var connectionFaults: [ListenerKind: [ConnectionCounters.Event: UInt64]] = [:]
    /// By `FairShares`.
    package var refused: [FairShares.Resource: [FairShares.Refusal: UInt64]] = [:]
    /// Pairs of processes with one node name that this node has noticed.
    package var nameConflicts: UInt64 = 0
    /// nil on a node without upstreams.
    package var directory: NodeDirectory.Counters?
    /// Of this process' network namespace.
    package var fragmented: FragmentedDatagrams?
    /// In order of their index.
    package var workers: [UnitStatistics] = []

    package init(node: String, role: Topology.Role, region: String) {
        (self.node, self.role, self.region) = (node, role, region)
    }

    package func render() -> String {
        var out = PrometheusText()
        renderNode(into: &out)
        renderSessions(into: &out)
        renderDirectory(into: &out)
        renderWorkers(into: &out)
        renderFragments(into: &out)
        renderDrops(into: &out)
        return out.text
    }
}

extension NodeMetrics {
    private func renderNode(into out: inout PrometheusText) {
        out.family("sfu_build_info", .gauge, "Version, node, role and region; always 1.")
        let labels = [
            ("version", CascadeVersion.current), ("node", node), ("role", role.rawValue), ("region", region),
        ]
        out.sample("sfu_build_info", 1, labels)
        out.family("sfu_uptime_seconds", .gauge, "Time since the process started.", uptime / .seconds(1))
        out.family("sfu_ready", .gauge, "1 while the node should get traffic.", readiness.state == .ready ? 1 : 0)
        out.family("sfu_draining", .gauge, "1 while the node drains.", readiness.isDraining ? 1 : 0)
        out.family("sfu_drain_seconds", .gauge, "Time since the drain began; 0 without one.", sessions.drainSeconds)
        out.family(
            "sfu_drain_viewers_told_total", .counter, "Viewers who were told to watch at another node.",
            sessions.counters.viewersSentAway)
        out.family("sfu_viewer_event_streams", .gauge, "Event streams of viewers' sessions.", sessions.eventStreams)
        out.family(
            "sfu_node_name_conflicts_total", .counter, "Pairs of processes with one node name that were noticed.",
            nameConflicts)
        out.family(
            "sfu_log_lines_dropped_total", .counter, "Log lines that nobody took in time.", logLinesDropped)
        out.family("sfu_live_broadcasts", .gauge, "Broadcasts that have a source now.", sessions.liveBroadcasts)
        out.family("sfu_http_requests_total", .counter, "Answered HTTP requests by route pattern.")
        let sorted = requests.sorted { a, b in
            (a.key.listener, a.key.route, a.key.method, a.key.status)
                < (b.key.listener, b.key.route, b.key.method, b.key.status)
        }
        for (request, count) in sorted {
            let labels = [
                ("listener", request.listener), ("method", request.method), ("route", request.route),
                ("status", "\(request.status)"),
            ]
            out.sample("sfu_http_requests_total", count, labels)
        }
        renderConnections(into: &out)
    }

    private func renderConnections(into out: inout PrometheusText) {
        out.family(
            "sfu_http_connections", .gauge, "Open HTTP connections.", by: "listener",
            ListenerKind.allCases.compactMap { kind in connections[kind].map { (kind.rawValue, $0) } })
        out.family("sfu_http_connection_faults_total", .counter, "Connections that ended early or had to wait.")
        for listener in ListenerKind.allCases {
            for reason in ConnectionCounters.Event.allCases {
                out.sample(
                    "sfu_http_connection_faults_total", connectionFaults[listener]?[reason] ?? 0,
                    [("listener", listener.rawValue), ("reason", reason.rawValue)])
            }
        }
        out.family("sfu_refused_total", .counter, "Not given: all of it, or the client's share, is taken.")
        for resource in FairShares.Resource.allCases {
            for reason in FairShares.Refusal.allCases {
                out.sample(
                    "sfu_refused_total", refused[resource]?[reason] ?? 0,
                    [("resource", resource.rawValue), ("reason", reason.rawValue)])
            }
        }
    }

    private func renderSessions(into out: inout PrometheusText) {
        out.family(
            "sfu_sessions", .gauge, "Open sessions; relay: to a node below, upstream: from a node above.", by: "kind",
            SessionPurpose.allCases.map { ($0.rawValue, sessions.present[$0] ?? 0) })
        out.family(
            "sfu_sessions_half_open", .gauge, "Sessions whose transport is not up yet.",
            sessions.opening.values.reduce(0, +))
        out.family(
            "sfu_sessions_opened_total", .counter, "Sessions that were negotiated.", by: "kind",
            SessionPurpose.allCases.map { ($0.rawValue, sessions.counters.opened[$0] ?? 0) })
        out.family(
            "sfu_sessions_closed_total", .counter, "Sessions that ended, by reason.", by: "reason",
            CloseReason.allCases.map { (Self.snakeCase($0.rawValue), sessions.counters.closed[$0] ?? 0) })
    }

    private func renderDirectory(into out: inout PrometheusText) {
        guard let directory else { return }
        out.family(
            "sfu_upstreams", .gauge, "Nodes above, by what this node's probes say of them.", by: "state",
            UpstreamHealth.State.allCases.map { ($0.rawValue, directory.states[$0] ?? 0) })
        out.family(
            "sfu_relay_failures_total", .counter, "Searches that found no source although the broadcast may be live.",
            sessions.counters.relayFailures)
        out.family(
            "sfu_upstream_probes_failed_total", .counter, "Probes of nodes above that had no answer.",
            directory.failedProbes)
        out.family(
            "sfu_discovery_entries", .gauge, "Addresses that a source of upstreams names now.", by: "source",
            NodeDirectory.Source.allCases.map { ($0.rawValue, directory.entries[$0] ?? 0) })
        out.family(
            "sfu_discovery_failures_total", .counter, "Files not usable and look-ups without an answer.", by: "source",
            NodeDirectory.Source.allCases.map { ($0.rawValue, directory.failures[$0] ?? 0) })
        out.family(
            "sfu_discovery_unusable_addresses_total", .counter, "Listed addresses that no node can have.",
            directory.unusableAddresses)
        out.family(
            "sfu_directory_streams", .gauge, "Directories of other nodes that are followed now.", by: "kind",
            [NodeDirectory.Kind.above, .peer].map { ($0.rawValue, directory.streams[$0] ?? 0) })
        out.family(
            "sfu_directory_streams_lost_total", .counter, "Directories that broke or fell silent.",
            directory.lostStreams)
        out.family(
            "sfu_directory_announcements", .gauge, "Broadcasts in followed directories, once for each.",
            directory.announcements)
        out.family(
            "sfu_directory_announcements_ignored_total", .counter, "Announcements beyond the bound.",
            directory.ignoredAnnouncements)
        out.family(
            "sfu_directory_malformed_events_total", .counter, "Events and entries that make no sense.",
            directory.malformedEvents)
    }

    private func renderWorkers(into out: inout PrometheusText) {
        let gauges: [(String, String, (UnitStatistics) -> Int)] = [
            ("sfu_worker_broadcasts", "Broadcasts placed on the worker.", \.broadcasts),
            ("sfu_worker_sources", "Sessions that bring media.", \.sources),
            ("sfu_worker_sinks", "Sessions that take media.", \.sinks),
        ]
        for (name, help, value) in gauges {
            out.family(name, .gauge, help, by: "worker", workers.enumerated().map { ("\($0)", value($1)) })
        }
        let counters: [(String, String, (UnitStatistics) -> UInt64)] = [
            ("sfu_datagrams_received_total", "UDP datagrams received.", \.datagramsIn),
            ("sfu_datagrams_sent_total", "UDP datagrams sent.", \.datagramsOut),
            ("sfu_bytes_received_total", "UDP payload bytes received.", \.bytesIn),
            ("sfu_bytes_sent_total", "UDP payload bytes sent.", \.bytesOut),
            ("sfu_rtp_packets_received_total", "RTP packets accepted from sources.", \.packetsIn),
            ("sfu_rtp_packets_sent_total", "RTP packets sent to sinks, repairs included.", \.packetsOut),
            ("sfu_rtp_repairs_sent_total", "RTP packets sent again.", \.repairsSent),
            ("sfu_rungs_down_total", "Viewers taken to a lower encoding, for what their links carry.", \.stepsDown),
            ("sfu_rungs_up_total", "Viewers taken to a higher encoding.", \.stepsUp),
            ("sfu_rtp_probe_packets_total", "RTP packets that tried what a viewer's link carries.", \.probePackets),
            ("sfu_nacks_sent_total", "Sequence numbers asked for from sources.", \.nacksSent),
            ("sfu_nacks_received_total", "Sequence numbers that sinks asked for.", \.nacksReceived),
            ("sfu_keyframe_requests_sent_total", "PLI and FIR sent to sources.", \.keyframeRequestsSent),
            ("sfu_keyframe_requests_received_total", "PLI and FIR from sinks.", \.keyframeRequestsReceived),
        ]
        for (name, help, value) in counters {
            out.family(name, .counter, help, by: "worker", workers.enumerated().map { ("\($0)", value($1)) })
        }
    }

    private func renderFragments(into out: inout PrometheusText) {
        let counts = [("ipv4", fragmented?.ipv4), ("ipv6", fragmented?.ipv6)]
        out.family(
            "sfu_host_datagrams_fragmented_total", .counter,
            "Datagrams of the node's network namespace that the kernel fragmented, too long for their path.",
            by: "family", counts.compactMap { family, count in count.map { (family, $0) } })
    }

    private func renderDrops(into out: inout PrometheusText) {
        out.family("sfu_drops_total", .counter, "Discarded datagrams and packets, by reason.")
        for (index, worker) in workers.enumerated() {
            for reason in DropReason.allCases {
                let position = Int(reason.rawValue)
                let count = position < worker.drops.count ? worker.drops[position] : 0
                let labels = [("worker", "\(index)"), ("reason", reason.label)]
                out.sample("sfu_drops_total", count, labels)
            }
        }
    }

    /// `malformedSTUN` → `malformed_stun`.
    package static func snakeCase(_ name: String) -> String {
        var result = ""
        var afterLower = false
        for character in name {
            if character.isUppercase, afterLower { result += "_" }
            afterLower = character.isLowercase
            result += character.lowercased()
        }
        return result
    }
}

extension DropReason {
    /// "malformed_stun", in metrics and warnings.
    var label: String { NodeMetrics.snakeCase("\(self)") }
}
