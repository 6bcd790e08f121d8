import Forwarding
import WebRTC

/// The viewers of a swarm and what they measured.
actor Crowd {
    /// Different error texts that are kept apart.
    private static let maximumErrors = 16

    private struct Member {
        var session: ProbeSession
        var meter: StreamMeter
        var isEnded = false
    }

    private let requested: Int
    private let started: Instant
    private var members: [Member] = []
    private var drops = DropMeter()
    private var reportedLateness = Lateness()
    private var failed = 0
    private var errors: [String: Int] = [:]
    private var refusals: [String: Int] = [:]

    init(requested: Int, started: Instant) { (self.requested, self.started) = (requested, started) }

    var sessions: [ProbeSession] { members.map(\.session) }

    /// Everybody came, and nobody is left.
    var isOver: Bool { members.count + failed == requested && members.allSatisfy(\.isEnded) }

    func add(_ session: ProbeSession) {
        var meter = StreamMeter(started: session.started, direction: .source)
        meter.answered = session.answered
        members.append(Member(session: session, meter: meter))
    }

    func fail(_ error: String) {
        failed += 1
        Self.note(error, in: &errors)
    }

    /// A viewer will try again.
    func refused(_ reason: String) { Self.note(reason, in: &refusals) }

    func sample(_ statistics: UnitStatistics, _ client: ProbeClient, at now: Instant) {
        drops.sample(statistics.drops)
        for i in members.indices where !members[i].isEnded {
            let id = members[i].session.id
            let progress = client.progress(of: id)
            members[i].meter.connected = progress.connected
            if let closed = progress.closed {
                members[i].meter.sample(closed.statistics, at: closed.at)
                members[i].isEnded = true
                Self.note("session ended: \(closed.reason.rawValue)", in: &errors)
            } else if let own = statistics.sessions[id] {
                members[i].meter.sample(own, at: now)
            }
            if let flowing = progress.flowing { members[i].meter.flowing(since: flowing) }
        }
    }

    /// - Parameter reason: why it is the last report; nil: it is not.
    func report(at now: Instant, reason: String?) -> SwarmReport {
        var report = SwarmReport(
            final: reason != nil, time: (now - started).seconds.rounded3, requested: requested)
        (report.joined, report.failed, report.reason) = (members.count, failed, reason)
        report.ended = members.count(where: \.isEnded)
        (report.errors, report.refusals) = (errors, refusals)
        report.dropped = reason == nil ? drops.second() : drops.total
        var viewers: [StreamReport] = []
        for i in members.indices {
            let viewer =
                reason.map { members[i].meter.final(at: now, reason: $0) } ?? members[i].meter.second(at: now)
            viewers.append(viewer)
            report.add(viewer)
        }
        let lateness = members.reduce(into: Lateness()) { $0.add($1.meter.lateness) }
        report.late = .init(reason == nil ? lateness.since(reportedLateness) : lateness)
        reportedLateness = lateness
        report.connectedMs = .init(viewers.compactMap(\.connectedMs))
        report.firstPacketMs = .init(viewers.compactMap(\.firstPacketMs))
        report.firstKeyframeMs = .init(viewers.compactMap(\.firstKeyframeMs))
        return report
    }

    private static func note(_ text: String, in counts: inout [String: Int]) {
        let isKept = counts[text] != nil || counts.count < maximumErrors
        counts[isKept ? text : "others", default: 0] += 1
    }
}
