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

    func pictureNumbers(of packet: LinePacket) -> PictureNumbers? {
        let payload = unsafe UnsafeRawBufferPointer(start: packet.payload, count: packet.length)
        return unsafe PictureNumbers.parse(payload.bytes, of: format.codec.name)
    }

    /// What a stretch of `stream` that begins at `first` adds, so that its pictures are numbered on from what has left: one
    /// that is sent again, or another source's, may have numbers that the viewer has seen.
    func offsets(of stream: Stream, from first: Int64, adding offsets: OutgoingLine.Offsets) -> OutgoingLine.Offsets {
        var result = offsets
        guard let last = lastSent(of: stream), let lastNumbers = pictureNumbers(of: last.packet),
            let packet = LinePacket(first, of: forwarded, index: forwardedIndex),
            let numbers = pictureNumbers(of: packet)
        else { return result }
        if let id = numbers.pictureID, let lastID = lastNumbers.pictureID {
            result.pictureID = (last.offsets.pictureID &+ lastID &+ 1 &- id) & 0x7FFF
        }
        if let index = numbers.tl0PictureIndex, let lastIndex = lastNumbers.tl0PictureIndex {
            result.tl0PictureIndex = last.offsets.tl0PictureIndex &+ lastIndex &+ 1 &- index
        }
        return result
    }

    /// nil: nothing has, or the history has it no more.
    private func lastSent(of stream: Stream) -> (packet: LinePacket, offsets: OutgoingLine.Offsets)? {
        for number in (stream.line.next - Self.fewNumbers..<stream.line.next).reversed() {
            guard let origin = stream.line.origin(of: number), encodings.indices.contains(origin.encoding),
                origin.sequence >= encodings[origin.encoding].formatStart,
                let packet = LinePacket(origin.sequence, of: encodings[origin.encoding], index: origin.encoding)
            else { continue }
            return (packet, origin.offsets)
        }
        return nil
    }

    /// Numbers that may belong to packets that are missing.
    private static let fewNumbers: Int64 = 16

    private func waitForKeyframe() {
        for i in streams.indices { streams[i].waitForKeyframe() }
    }
}
