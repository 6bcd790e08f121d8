package import Forwarding

/// What `--json` prints of a session: one object a second, with the values of that second, and a last one (`final`) with
/// those of the whole session. Absent means unknown.
package struct StreamReport: Encodable, Sendable {
    package struct Track: Encodable, Sendable {
        package var codec: String
        /// Bits per second of RTP payload.
        package var bitrate: Int
        package var packets: UInt64
        /// Watching: never arrived, neither as sent nor by repair. Publishing: as the server reports. Of a second: how many
        /// more than at any time before, never negative; so a repair that comes a second later makes up for a later loss,
        /// and the seconds may add up to more than the total.
        package var lost: Int64
        package var repaired: UInt64
        package var nacks: UInt64
        package var keyframeRequests: UInt64?
        package var jitterMs: Double
        package var frames: UInt64?
        package var fps: Double?
        package var keyframes: UInt64?
        /// Watching: milliseconds that 50, 99 and all per cent of the packets were later than the quickest of the last
        /// seconds, rounded up. A sender that spreads a frame over time makes its packets late.
        package var late: Late?
    }

    package struct Late: Encodable, Sendable {
        package var p50: Int
        package var p99: Int
        package var max: Int

        /// nil: no packets.
        package init?(_ lateness: Lateness) {
            guard let p50 = lateness.percentile(50), let p99 = lateness.percentile(99),
                let max = lateness.percentile(100)
            else { return nil }
            (self.p50, self.p99, self.max) = (p50, p99, max)
        }
    }

    package var final: Bool
    /// Seconds since the offer was sent.
    package var time: Double
    package var session: String
    package var video: Track?
    package var audio: Track?
    package var roundTripMs: Double?
    /// Milliseconds from the offer to the answer, to the end of the DTLS handshake, to the first packet and key frame.
    package var answeredMs: Double?
    package var connectedMs: Double?
    package var firstPacketMs: Double?
    package var firstKeyframeMs: Double?
    package var freezes: Int?
    package var frozenMs: Double?
    package var longestGapMs: Double?
    /// Why the session ended, in the last report.
    package var reason: String?
    /// What arrived, or was to be sent, and the probe itself discarded, by reason.
    package var dropped: [String: UInt64] = [:]

    package var text: String {
        var parts = [final ? "total" : "\(Int(time.rounded())) s"]
        for (name, track) in [("video", video), ("audio", audio)] {
            guard let track else { continue }
            var words = ["\(name) \(track.codec) \(track.bitrate / 1_000) kbit/s, \(track.packets) packets"]
            if let fps = track.fps { words.append("\(fps) fps") }
            if let keyframes = track.keyframes { words.append("\(keyframes) key frames") }
            words.append("lost \(track.lost), repaired \(track.repaired), jitter \(track.jitterMs) ms")
            if let late = track.late { words.append("late p99 \(late.p99) max \(late.max) ms") }
            parts.append(words.joined(separator: ", "))
        }
        if let roundTripMs { parts.append("rtt \(roundTripMs) ms") }
        if let freezes { parts.append("freezes \(freezes)") }
        if let dropped = DropMeter.text(dropped) { parts.append(dropped) }
        if final {
            if let connectedMs { parts.append("connected after \(connectedMs) ms") }
            if let firstPacketMs { parts.append("first packet after \(firstPacketMs) ms") }
            if let firstKeyframeMs { parts.append("first key frame after \(firstKeyframeMs) ms") }
            if let reason { parts.append("ended: \(reason)") }
        } else if video == nil, audio == nil {
            parts.append("nothing yet")
        }
        return parts.joined(separator: " | ")
    }
}

extension Double {
    /// Three decimals are enough of everything that the probe measures.
    var rounded3: Double { (self * 1_000).rounded() / 1_000 }
}
