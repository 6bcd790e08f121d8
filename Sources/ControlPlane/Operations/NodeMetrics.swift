package import Forwarding
package import WebRTC

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
    /// Broadcasts that have a source now.
    package var liveBroadcasts = 0
    /// Open sessions by what they are for: `publisher`, `viewer`, `relay` (to a node below), `upstream` (from one above).
    package var sessions: [String: Int] = [:]
    /// Sessions whose transport is not up yet.
    package var halfOpenSessions = 0
    /// Since the start of the process, likewise.
    package var sessionsOpened: [String: UInt64] = [:]
    package var sessionsClosed: [CloseReason: UInt64] = [:]
    package var requests: [Request: UInt64] = [:]
    package var drain = DrainFigures()
    /// Pairs of processes with one node name that this node has noticed.
    package var nameConflicts: UInt64 = 0
    /// nil on a node without upstreams.
    package var directory: NodeDirectory.Counters?
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
        out.family("sfu_uptime_seconds", .gauge, "Time since the process started.")
        out.sample("sfu_uptime_seconds", Double(uptime / .milliseconds(1)) / 1_000)
        out.family("sfu_ready", .gauge, "1 while the node should get traffic.")
        out.sample("sfu_ready", readiness.state == .ready ? 1 : 0)
        out.family("sfu_draining", .gauge, "1 while the node drains.")
        out.sample("sfu_draining", readiness.isDraining ? 1 : 0)
        out.family("sfu_drain_seconds", .gauge, "Time since the drain began; 0 without one.")
        out.sample("sfu_drain_seconds", drain.seconds)
        out.family("sfu_drain_viewers_told_total", .counter, "Viewers who were told to watch at another node.")
        out.sample("sfu_drain_viewers_told_total", drain.viewersSentAway)
        out.family("sfu_viewer_event_streams", .gauge, "Event streams of viewers' sessions.")
        out.sample("sfu_viewer_event_streams", drain.eventStreams)
        out.family(
            "sfu_node_name_conflicts_total", .counter, "Pairs of processes with one node name that were noticed.")
        out.sample("sfu_node_name_conflicts_total", nameConflicts)
        out.family("sfu_live_broadcasts", .gauge, "Broadcasts that have a source now.")
        out.sample("sfu_live_broadcasts", liveBroadcasts)
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
    }

    private func renderSessions(into out: inout PrometheusText) {
        out.family("sfu_sessions", .gauge, "Open sessions; relay: to a node below, upstream: from a node above.")
        for (kind, count) in sessions.sorted(by: { $0.key < $1.key }) {
            out.sample("sfu_sessions", count, [("kind", kind)])
        }
        out.family("sfu_sessions_half_open", .gauge, "Sessions whose transport is not up yet.")
        out.sample("sfu_sessions_half_open", halfOpenSessions)
        out.family("sfu_sessions_opened_total", .counter, "Sessions that were negotiated.")
        for (kind, count) in sessionsOpened.sorted(by: { $0.key < $1.key }) {
            out.sample("sfu_sessions_opened_total", count, [("kind", kind)])
        }
        out.family("sfu_sessions_closed_total", .counter, "Sessions that ended, by reason.")
        for reason in CloseReason.allCases {
            let labels = [("reason", Self.snakeCase(reason.rawValue))]
            out.sample("sfu_sessions_closed_total", sessionsClosed[reason] ?? 0, labels)
        }
    }

    private func renderDirectory(into out: inout PrometheusText) {
        guard let directory else { return }
        out.family("sfu_upstreams", .gauge, "Nodes above, by what this node's probes say of them.")
        for state in UpstreamHealth.State.allCases {
            out.sample("sfu_upstreams", directory.states[state] ?? 0, [("state", state.rawValue)])
        }
        out.family("sfu_upstream_probes_failed_total", .counter, "Probes of nodes above that had no answer.")
        out.sample("sfu_upstream_probes_failed_total", directory.failedProbes)
        out.family("sfu_discovery_entries", .gauge, "Addresses that a source of upstreams names now.")
        for source in NodeDirectory.Source.allCases {
            out.sample("sfu_discovery_entries", directory.entries[source] ?? 0, [("source", source.rawValue)])
        }
        out.family("sfu_discovery_failures_total", .counter, "Files not usable and look-ups without an answer.")
        for source in NodeDirectory.Source.allCases {
            out.sample("sfu_discovery_failures_total", directory.failures[source] ?? 0, [("source", source.rawValue)])
        }
        out.family("sfu_discovery_unusable_addresses_total", .counter, "Listed addresses that no node can have.")
        out.sample("sfu_discovery_unusable_addresses_total", directory.unusableAddresses)
        out.family("sfu_directory_streams", .gauge, "Directories of other nodes that are followed now.")
        for kind in [NodeDirectory.Kind.above, .peer] {
            out.sample("sfu_directory_streams", directory.streams[kind] ?? 0, [("kind", kind.rawValue)])
        }
        out.family("sfu_directory_streams_lost_total", .counter, "Directories that broke or fell silent.")
        out.sample("sfu_directory_streams_lost_total", directory.lostStreams)
        out.family("sfu_directory_announcements", .gauge, "Broadcasts in followed directories, once for each.")
        out.sample("sfu_directory_announcements", directory.announcements)
        out.family("sfu_directory_announcements_ignored_total", .counter, "Announcements beyond the bound.")
        out.sample("sfu_directory_announcements_ignored_total", directory.ignoredAnnouncements)
        out.family("sfu_directory_malformed_events_total", .counter, "Events and entries that make no sense.")
        out.sample("sfu_directory_malformed_events_total", directory.malformedEvents)
    }

    private func renderWorkers(into out: inout PrometheusText) {
        let gauges: [(String, String, (UnitStatistics) -> Int)] = [
            ("sfu_worker_broadcasts", "Broadcasts placed on the worker.", \.broadcasts),
            ("sfu_worker_sources", "Sessions that bring media.", \.sources),
            ("sfu_worker_sinks", "Sessions that take media.", \.sinks),
        ]
        for (name, help, value) in gauges {
            out.family(name, .gauge, help)
            for (index, worker) in workers.enumerated() { out.sample(name, value(worker), [("worker", "\(index)")]) }
        }
        let counters: [(String, String, (UnitStatistics) -> UInt64)] = [
            ("sfu_datagrams_received_total", "UDP datagrams received.", \.datagramsIn),
            ("sfu_datagrams_sent_total", "UDP datagrams sent.", \.datagramsOut),
            ("sfu_bytes_received_total", "UDP payload bytes received.", \.bytesIn),
            ("sfu_bytes_sent_total", "UDP payload bytes sent.", \.bytesOut),
            ("sfu_rtp_packets_received_total", "RTP packets accepted from sources.", \.packetsIn),
            ("sfu_rtp_packets_sent_total", "RTP packets sent to sinks, repairs included.", \.packetsOut),
            ("sfu_rtp_repairs_sent_total", "RTP packets sent again.", \.repairsSent),
            ("sfu_nacks_sent_total", "Sequence numbers asked for from sources.", \.nacksSent),
            ("sfu_nacks_received_total", "Sequence numbers that sinks asked for.", \.nacksReceived),
            ("sfu_keyframe_requests_sent_total", "PLI and FIR sent to sources.", \.keyframeRequestsSent),
            ("sfu_keyframe_requests_received_total", "PLI and FIR from sinks.", \.keyframeRequestsReceived),
        ]
        for (name, help, value) in counters {
            out.family(name, .counter, help)
            for (index, worker) in workers.enumerated() { out.sample(name, value(worker), [("worker", "\(index)")]) }
        }
    }

    private func renderDrops(into out: inout PrometheusText) {
        out.family("sfu_drops_total", .counter, "Discarded datagrams and packets, by reason.")
        for (index, worker) in workers.enumerated() {
            for reason in DropReason.allCases {
                let position = Int(reason.rawValue)
                let count = position < worker.drops.count ? worker.drops[position] : 0
                let labels = [("worker", "\(index)"), ("reason", Self.snakeCase("\(reason)"))]
                out.sample("sfu_drops_total", count, labels)
            }
        }
    }

    /// `malformedSTUN` → `malformed_stun`.
    static func snakeCase(_ name: String) -> String {
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
