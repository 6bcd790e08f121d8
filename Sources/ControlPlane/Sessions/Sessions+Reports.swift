import Forwarding
import FoundationEssentials
import MediaPlane
package import Routing
package import WebRTC

/// Events of sessions since the process began, for `/metrics`.
package struct SessionCounters: Sendable {
    package var opened: [SessionPurpose: UInt64] = [:]
    package var closed: [CloseReason: UInt64] = [:]
    /// Searches for a broadcast that found nobody to relay it, although it may be live.
    package var relayFailures: UInt64 = 0
    /// Viewers who were told to watch at another node.
    package var viewersSentAway: UInt64 = 0
}

/// The table at one moment, for `/metrics`.
package struct SessionSnapshot: Sendable {
    package var counters = SessionCounters()
    /// Open sessions.
    package var present: [SessionPurpose: Int] = [:]
    /// Those whose transport is not up yet.
    package var opening: [SessionPurpose: Int] = [:]
    /// Broadcasts that have a source now.
    package var liveBroadcasts = 0
    /// Since the drain began; 0 without one.
    package var drainSeconds = 0.0
    /// Of viewers' sessions.
    package var eventStreams = 0
}

/// One entry of `/api/broadcasts`.
package struct BroadcastSummary: Codable, Sendable {
    package var name: String
    package var title: String
    /// Name of the node that the publisher is at, as far as this node knows.
    package var origin: String
    /// RFC 3339, UTC.
    package var since: String
    package var tracks: [Announcement.Track]
    package var encodings: [Announcement.Encoding]
    /// At this node.
    package var viewers: Int
    /// Of the publisher at this node.
    package var warnings: [SourceWarning] = []
}

/// What `/debug/sessions/{id}` shows.
package struct SessionDebug: Codable, Sendable {
    package struct Step: Codable, Sendable {
        package var millisecondsAgo: Int64
        package var event: String
    }

    package var session: String
    package var purpose: String
    package var broadcast: String
    package var worker: Int
    package var state: String
    package var remote: String?
    package var profile: String?
    package var roundTripMilliseconds: Double?
    package var datagramsIn: UInt64
    package var datagramsOut: UInt64
    package var dropped: UInt64
    package var tracks: [Track]
    package var events: [Step]

    package struct Track: Codable, Hashable, Sendable {
        package var kind: String
        package var codec: String
        package var packets: UInt64
        package var bytes: UInt64
        package var lost: Int64
        package var repaired: UInt64
        package var nacks: UInt64
        package var keyframeRequests: UInt64
        package var keyframes: UInt64
        package var jitterMilliseconds: Double
    }
}

extension Sessions {
    package func snapshot() -> SessionSnapshot {
        SessionSnapshot(
            counters: counters, present: tally.byPurpose, opening: tally.opening,
            liveBroadcasts: broadcasts.values.count { $0.liveSource != nil }, drainSeconds: drainSeconds(now: .now),
            eventStreams: viewerEvents.count)
    }

    /// Media comes, as far as this node can see: what it lists, and what it tells viewers and other nodes. It is not asked
    /// before somebody may watch, or be refused the name: see `isWatchable` and `isTaken`.
    func isFlowing(_ broadcast: BroadcastRecord) -> Bool {
        guard let source = broadcast.liveSource, sessions[source]?.isSilent == false else { return false }
        // The node above says that its publisher has left before the silence does.
        return !pullsBroadcasts || router.canServe(broadcast.name, now: clock)
    }

    /// What is live here, by name.
    package func liveBroadcasts() -> [BroadcastSummary] {
        broadcasts.values.filter { isFlowing($0) }.sorted { $0.name < $1.name }.map { summary(of: $0) }
    }

    func summary(of broadcast: BroadcastRecord) -> BroadcastSummary {
        let source = broadcast.liveSource.flatMap { sessions[$0] }
        return BroadcastSummary(
            name: broadcast.name, title: broadcast.name, origin: router.path(of: broadcast.name).first ?? node.name,
            since: (broadcast.liveSince ?? .now).formatted(.iso8601),
            tracks: broadcast.formats.map {
                .init(
                    kind: $0.kind.rawValue, codec: $0.codec.name.rawValue, clockRate: $0.codec.clockRate,
                    channels: $0.codec.channels, fmtp: $0.codec.fmtp)
            },
            encodings: source?.received.map { .init(kind: $0.kind.rawValue, rid: $0.rid) } ?? [],
            viewers: broadcast.viewers.count,
            warnings: source?.warnings ?? [])
    }

    /// `id`: a resource's name, or the start of it that log lines show. nil: no such session.
    package func debugReport(_ id: String) async -> SessionDebug? {
        let name = resources.keys.first { $0.description == id || $0.short == id }
        guard let session = name.flatMap({ resources[$0] }), let record = sessions[session] else { return nil }
        guard let report = await media.workers[record.worker].report(session) else { return nil }
        let statistics = report.statistics
        var debug = SessionDebug(
            session: record.resource.short, purpose: record.purpose.rawValue, broadcast: record.name,
            worker: record.worker, state: "opening", roundTripMilliseconds: statistics.roundTrip,
            datagramsIn: statistics.datagramsIn, datagramsOut: statistics.datagramsOut, dropped: statistics.dropped,
            tracks: statistics.tracks.map {
                .init(
                    kind: $0.kind.rawValue, codec: $0.codec.rawValue, packets: $0.packets, bytes: $0.bytes,
                    lost: $0.lost, repaired: $0.repaired, nacks: $0.nacks, keyframeRequests: $0.keyframeRequests,
                    keyframes: $0.keyframes, jitterMilliseconds: $0.jitter)
            },
            events: report.events.map { .init(millisecondsAgo: $0.age.milliseconds, event: $0.text) })
        debug.remote = report.remote.map { "\($0)" }
        if case .connected(_, let profile) = record.state {
            (debug.state, debug.profile) = ("connected", "\(profile)")
        }
        return debug
    }
}
