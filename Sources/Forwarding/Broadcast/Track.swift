import WebRTC

/// One track of a broadcast on one worker: its encodings, and the streams that read them.
final class Track {
    private(set) var format: TrackFormat
    /// In the order of the source. One that its source does not bring is silent; none ever goes.
    private(set) var encodings: [Encoding]
    /// Index of the encoding for those who have no wish of their own.
    var preferredIndex = 0
    /// Appended and removed by the functions below, which know who reads what.
    var streams: ContiguousArray<Stream> = []
    /// Its encodings as steps of quality, the lowest first, and when that was looked at.
    var rungs: (all: [Rung], at: Instant) = ([], .zero)
    /// Viewers whose link decides which of them they get.
    var watched = 0
    private let limits: Limits

    init(format: TrackFormat, limits: Limits) {
        (self.format, self.limits) = (format, limits)
        encodings = []
        provide(max(1, format.rids.count))
    }

    var isVideo: Bool { format.kind == .video }
    var preferred: Encoding { encodings[preferredIndex] }

    /// Makes room for `count` encodings; one that never comes takes no memory for packets.
    func provide(_ count: Int) {
        while encodings.count < count { encodings.append(Encoding(format: format, limits: limits)) }
    }

    /// Starts a source's stretch of an encoding's line with its first packet. Streams of video then wait for its keyframe.
    func beginLine(of encoding: Int, sequence: Int64, timestamp: UInt32, now: Instant) -> SourceLine {
        if isVideo, !encodings[encoding].isEmpty {
            for i in streams.indices where streams[i].encoding == encoding { streams[i].waitForKeyframe() }
            if encodings[encoding].readers > 0 { encodings[encoding].keyframes.want(now: now) }
        }
        return encodings[encoding].beginLine(sequence: sequence, timestamp: timestamp, now: now)
    }

    /// The next packets are of this format. `anew`: it is another codec, and streams wait for its first keyframe.
    func change(to format: TrackFormat, anew: Bool) {
        self.format = format
        if anew {
            for encoding in encodings { encoding.change(to: format.codec) }
            if isVideo { for i in streams.indices { streams[i].waitForKeyframe() } }
        }
        provide(format.rids.count)
    }

    // MARK: Streams

    func append(_ stream: Stream) {
        streams.append(stream)
        if stream.position != .paused { encodings[stream.encoding].readers += 1 }
    }

    /// The last one takes its place.
    func removeStream(at index: Int) {
        leave(index)
        streams.swapAt(index, streams.count - 1)
        streams.removeLast()
    }

    /// Nothing is sent on the stream until it is turned to its encoding again.
    func pause(stream index: Int) {
        leave(index)
        streams[index].pause()
    }

    /// The stream reads `encoding` from now on.
    func turn(stream index: Int, to encoding: Int) { direct(index, reading: encoding, destination: encoding) }

    /// The stream goes over to `encoding` with that one's next keyframe.
    func head(stream index: Int, for encoding: Int) {
        direct(index, reading: streams[index].encoding, destination: encoding)
    }

    private func direct(_ index: Int, reading encoding: Int, destination: Int) {
        // First: what it goes on to read has a reader all the time.
        encodings[encoding].readers += 1
        if destination != encoding { encodings[destination].readers += 1 }
        leave(index)
        streams[index].direct(reading: encoding, destination: destination)
    }

    /// Nobody is left to wait for a keyframe of what nobody reads.
    private func leave(_ index: Int) {
        let stream = streams[index]
        guard stream.position != .paused else { return }
        forgetReader(of: stream.encoding)
        if stream.destination != stream.encoding { forgetReader(of: stream.destination) }
    }

    private func forgetReader(of encoding: Int) {
        encodings[encoding].readers -= 1
        if encodings[encoding].readers == 0 { encodings[encoding].keyframes.cancel() }
    }
}
