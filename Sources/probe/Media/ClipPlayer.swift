package import WebRTC

/// Plays clips as RTP, once or each in a loop of its own, with timestamps, sequence and picture numbers that never jump.
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
        /// RTP clock units of the rounds that were played: a short clip does not wait for a longer one.
        var played: Int64 = 0
        var sequence: SequenceNumber
        var ssrc: SSRC
        var firstTimestamp: UInt32
        var pictures = VP8Packetizer()
    }

    private var tracks: [Track]
    private let loops: Bool

    package init(_ clips: [ClipTrack], loops: Bool, using generator: inout some RandomNumberGenerator) {
        precondition(!clips.isEmpty && clips.allSatisfy { !$0.frames.isEmpty }, "a clip has something to play")
        precondition(clips.allSatisfy { $0.duration > 0 }, "a loop takes time")
        self.loops = loops
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
        let rate = Int64(track.clip.codec.clockRate)
        let (seconds, rest) = (track.played + track.clip.frames[track.next].timestamp).quotientAndRemainder(
            dividingBy: rate)
        return .seconds(seconds) + .seconds(Double(rest) / Double(rate))
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
        let timestamp =
            tracks[index].firstTimestamp &+ UInt32(truncatingIfNeeded: tracks[index].played + frame.timestamp)
        let packets = payloads.enumerated().map { i, payload in
            defer { tracks[index].sequence.rawValue &+= 1 }
            return RTPHeader.packet(
                marker: codec.name.kind == .video && i == payloads.count - 1, payloadType: PayloadType(UInt8(index)),
                sequence: tracks[index].sequence, timestamp: timestamp, ssrc: tracks[index].ssrc, payload: payload)
        }
        tracks[index].next += 1
        if loops, tracks[index].next == tracks[index].clip.frames.count {
            tracks[index].next = 0
            tracks[index].played += tracks[index].clip.duration
        }
        return packets
    }
}
