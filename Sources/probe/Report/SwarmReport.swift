/// What `probe swarm --json` prints: one object a second and a last one (`final`).
package struct SwarmReport: Encodable, Sendable {
    /// Of one value per viewer.
    package struct Spread: Encodable, Hashable, Sendable {
        package var p50: Double
        package var p95: Double
        package var max: Double

        /// nil: no values.
        package init?(_ values: [Double]) {
            let sorted = values.sorted()
            guard let last = sorted.last else { return nil }
            // Nearest rank: the smallest value that at least that share does not exceed.
            func rank(_ percent: Int) -> Double { sorted[Swift.max(0, (sorted.count * percent + 99) / 100 - 1)] }
            (p50, p95, max) = (rank(50), rank(95), last)
        }
    }

    package var final: Bool
    /// Seconds since the start.
    package var time: Double
    package var requested: Int
    /// Answered by the server, transport up, at least one packet, closed by the server or timed out, never answered.
    package var joined = 0
    package var connected = 0
    package var receivedAny = 0
    package var ended = 0
    package var failed = 0
    /// Sums over all viewers; bits per second and packets of the interval.
    package var bitrate = 0
    package var packets: UInt64 = 0
    package var lost: Int64 = 0
    package var repaired: UInt64 = 0
    package var nacks: UInt64 = 0
    /// As in `StreamReport`.
    package var dropped: [String: UInt64] = [:]
    /// Since the start.
    package var freezes = 0
    package var viewersWithFreezes = 0
    /// Of the packets of all viewers, of the interval.
    package var late: StreamReport.Late?
    package var connectedMs: Spread?
    package var firstPacketMs: Spread?
    package var firstKeyframeMs: Spread?
    /// Since the start: why viewers failed or ended, and what the server refused for the moment. A refused viewer tries again.
    package var errors: [String: Int] = [:]
    package var refusals: [String: Int] = [:]
    package var reason: String?

    package init(final: Bool, time: Double, requested: Int) {
        (self.final, self.time, self.requested) = (final, time, requested)
    }

    package mutating func add(_ viewer: StreamReport) {
        if viewer.connectedMs != nil { connected += 1 }
        if viewer.firstPacketMs != nil { receivedAny += 1 }
        for track in [viewer.video, viewer.audio].compactMap({ $0 }) {
            bitrate += track.bitrate
            packets += track.packets
            lost += track.lost
            repaired += track.repaired
            nacks += track.nacks
        }
        freezes += viewer.freezes ?? 0
        if viewer.freezes ?? 0 > 0 { viewersWithFreezes += 1 }
    }

    package var text: String {
        var parts = [
            final ? "total" : "\(Int(time.rounded())) s", "\(joined) of \(requested) joined",
            "\(connected) connected, \(receivedAny) receiving, \(ended) ended, \(failed) failed",
            "\(bitrate / 1_000) kbit/s, \(packets) packets, lost \(lost), repaired \(repaired)",
            "freezes \(freezes) at \(viewersWithFreezes)",
        ]
        if let late { parts.append("late p50 \(late.p50) p99 \(late.p99) max \(late.max) ms") }
        if let dropped = DropMeter.text(dropped) { parts.append(dropped) }
        if let firstKeyframeMs {
            parts.append("first key frame p50 \(firstKeyframeMs.p50) p95 \(firstKeyframeMs.p95) ms")
        }
        parts += errors.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
        parts += refusals.sorted { $0.key < $1.key }.map { "\($0.value) × refused for the moment: \($0.key)" }
        return parts.joined(separator: " | ")
    }
}
