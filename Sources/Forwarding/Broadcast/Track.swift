import WebRTC

/// One track of a broadcast on one worker: its encodings, and the streams that read them.
final class Track {
    private(set) var format: TrackFormat
    /// As yet one: the publisher's encodings lie on its line in turn, as `EncodingChoice` has it.
    let encodings: [Encoding]
    /// Index of the encoding that viewers get.
    let forwardedIndex = 0
    var streams: ContiguousArray<Stream> = []

    init(format: TrackFormat, limits: Limits) {
        self.format = format
        encodings = [Encoding(format: format, limits: limits)]
    }

    var isVideo: Bool { format.kind == .video }
    var forwarded: Encoding { encodings[forwardedIndex] }

    /// Starts a source's stretch of the line with its first packet. Streams of video then wait for its keyframe.
    func beginLine(sequence: Int64, timestamp: UInt32, now: Instant) -> SourceLine {
        let isFirst = forwarded.isEmpty
        if isVideo, !isFirst {
            waitForKeyframe()
            if !streams.isEmpty { forwarded.keyframes.want(now: now) }
        }
        return forwarded.beginLine(sequence: sequence, timestamp: timestamp, now: now)
    }

    /// The next packets are of this format. `anew`: it is another codec, and streams wait for its first keyframe.
    func change(to format: TrackFormat, anew: Bool) {
        self.format = format
        guard anew else { return }
        for encoding in encodings { encoding.change(to: format.codec) }
        if isVideo { waitForKeyframe() }
    }

    private func waitForKeyframe() {
        for i in streams.indices { streams[i].waitForKeyframe() }
    }
}
