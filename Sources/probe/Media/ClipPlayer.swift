package import WebRTC

/// Plays the tracks of a clip as RTP, once or in a loop, with timestamps, sequence and picture numbers that never jump.
/// Knows no clock: it says what is due when.
package struct ClipPlayer: Sendable {
    /// What leaves together.
    package struct Batch: Sendable {
        /// Since the start of playing.
        package var time: Interval
        /// RTP, the payload type is the track's position.
        package var packets: [[UInt8]]
    }

    private struct Track {
        var clip: ClipTrack
        var next = 0
        var round: Int64 = 0
        var sequence: SequenceNumber
        var ssrc: SSRC
        var firstTimestamp: UInt32
        var pictures = VP8Packetizer()
    }

    private var tracks: [Track]
    private let loops: Bool
    /// Length of a round, the same for all tracks so that they stay together: whole milliseconds, which are whole units
    /// of every RTP clock we know.
    private let roundMilliseconds: Int64

    package init(_ clips: [ClipTrack], loops: Bool, using generator: inout some RandomNumberGenerator) {
        precondition(!clips.isEmpty && clips.allSatisfy { !$0.frames.isEmpty }, "a clip has something to play")
        self.loops = loops
        roundMilliseconds =
            clips.map { clip in
                let rate = Int64(clip.codec.clockRate)
                return (clip.duration * 1_000 + rate - 1) / rate
            }.max() ?? 1
        tracks = clips.map { clip in
            Track(
                clip: clip, sequence: SequenceNumber(UInt16.random(in: 0..<0x8000, using: &generator)),
                ssrc: SSRC(UInt32.random(in: 1...UInt32.max, using: &generator)),
                firstTimestamp: UInt32.random(in: 0..<0x8000_0000, using: &generator))
        }
    }

    package var formats: [TrackFormat] { tracks.map { TrackFormat(codec: $0.clip.codec) } }

    /// The next frame of whichever track is due first; nil: everything was played.
    package mutating func next() -> Batch? {
        let due = tracks.indices.compactMap { i in time(of: tracks[i]).map { (time: $0, track: i) } }
        guard let first = due.min(by: { ($0.time, $0.track) < ($1.time, $1.track) }) else { return nil }
        return Batch(time: first.time, packets: packets(of: first.track))
    }

    private func time(of track: Track) -> Interval? {
        guard track.next < track.clip.frames.count else { return nil }
        let rate = Double(track.clip.codec.clockRate)
        let inRound = Interval.seconds(Double(track.clip.frames[track.next].timestamp) / rate)
        return .milliseconds(roundMilliseconds * track.round) + inRound
    }

    private mutating func packets(of index: Int) -> [[UInt8]] {
        let frame = tracks[index].clip.frames[tracks[index].next]
        let codec = tracks[index].clip.codec
        let payloads: [[UInt8]] =
            switch codec.name {
            case .vp8: tracks[index].pictures.packetize(frame: frame.bytes)
            case .h264: H264Payload.packetize(accessUnit: frame.bytes)
            default: [frame.bytes]
            }
        let elapsed = roundMilliseconds * tracks[index].round * Int64(codec.clockRate) / 1_000 + frame.timestamp
        let timestamp = tracks[index].firstTimestamp &+ UInt32(truncatingIfNeeded: elapsed)
        let packets = payloads.enumerated().map { i, payload in
            defer { tracks[index].sequence.rawValue &+= 1 }
            return RTPHeader.packet(
                marker: codec.name.kind == .video && i == payloads.count - 1, payloadType: PayloadType(UInt8(index)),
                sequence: tracks[index].sequence, timestamp: timestamp, ssrc: tracks[index].ssrc, payload: payload)
        }
        tracks[index].next += 1
        if loops, tracks[index].next == tracks[index].clip.frames.count {
            tracks[index].next = 0
            tracks[index].round += 1
        }
        return packets
    }
}
