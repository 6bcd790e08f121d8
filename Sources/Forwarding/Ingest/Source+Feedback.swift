import WebRTC

/// What the source is asked for and told by RTCP.
extension Source {
    /// Measured from requests to repairs.
    var roundTrip: Interval? { tracks.lazy.flatMap(\.encodings).compactMap(\.losses.roundTrip).first }

    /// A round trip known from the transport steers the repetition of requests from the first loss on.
    mutating func setRoundTrip(_ interval: Interval) {
        for t in tracks.indices {
            for e in tracks[t].encodings.indices { tracks[t].encodings[e].losses.setRoundTrip(interval) }
        }
    }

    /// NACKs and transport-wide feedback that are due.
    mutating func dueFeedback(now: Instant) -> [RTCPPacket] {
        var packets: [RTCPPacket] = []
        for t in tracks.indices {
            for e in tracks[t].encodings.indices {
                guard tracks[t].encodings[e].losses.nextDeadline <= now else { continue }
                let lost = tracks[t].encodings[e].losses.due(now: now)
                guard !lost.isEmpty, let ssrc = tracks[t].encodings[e].ssrc else { continue }
                tracks[t].encodings[e].statistics.nacks += UInt64(lost.count)
                let numbers = lost.map { SequenceNumber(UInt16(truncatingIfNeeded: $0)) }
                packets.append(.nack(sender: feedbackSSRC, media: ssrc, lost: numbers))
            }
        }
        if sendsTransportFeedback, feedback.nextDeadline <= now {
            // Which media SSRC it names means nothing: it reports the whole transport.
            let media = bindings.first?.ssrc ?? SSRC(0)
            packets += feedback.due(now: now, sender: feedbackSSRC, media: media).map { .transportFeedback($0) }
        }
        return packets
    }

    /// The request for a keyframe of an encoding of a broadcast's track, as this source understands it; nil: it understands
    /// none, or does not bring that encoding.
    mutating func keyframeRequest(target: Int, encoding: Int) -> RTCPPacket? {
        guard let t = tracks.firstIndex(where: { $0.target == target }),
            tracks[t].encodings.indices.contains(encoding), let ssrc = tracks[t].encodings[encoding].ssrc
        else { return nil }
        let feedback = tracks[t].negotiated.feedback
        guard feedback.contains(.pli) || feedback.contains(.fir) else { return nil }
        tracks[t].encodings[encoding].statistics.keyframeRequests += 1
        if feedback.contains(.pli) { return .pli(sender: feedbackSSRC, media: ssrc) }
        firSequence &+= 1
        return .fir(sender: feedbackSSRC, requests: [.init(media: ssrc, sequence: firSequence)])
    }

    mutating func reportBlocks(now: Instant) -> [ReportBlock] {
        var blocks: [ReportBlock] = []
        for t in tracks.indices {
            for e in tracks[t].encodings.indices where blocks.count < 31 {
                guard let ssrc = tracks[t].encodings[e].ssrc,
                    let block = tracks[t].encodings[e].reception.report(on: ssrc, now: now)
                else { continue }
                blocks.append(block)
            }
        }
        return blocks
    }
}
