import WebRTC

/// What a stretch of a stream's line adds to its packets' own numbers and times, so that the viewer sees one line whatever
/// encodings and sources it is made of.
extension Track {
    /// For a stretch of `viewer`'s stream that begins with the packet `first` of `encoding`.
    ///
    /// - Parameters:
    ///   - record: of the stream.
    ///   - timestamp: under which the first picture leaves, on the encoding's line.
    func offsets(
        of record: StreamRecord, viewer: Viewer, from first: Int64, of encoding: Int, leavingAt timestamp: UInt32,
        now: Instant
    ) -> OutgoingLine.Offsets {
        let stream = streams[record.index]
        var result = record.offsets
        guard let former = stream.line.encoding else { return result }
        result.timestamp = stream.line.offsets.timestamp
        let last = lastSent(of: stream)
        if former != encoding {
            result.timestamp &+= encodings[former].time(at: now) &- encodings[encoding].time(at: now)
            // Their clocks are known to some milliseconds only: time does not go back for that.
            if let last, let time = viewer.time(ofSent: last.packet, at: last.place, record: Int(stream.record)) {
                let ahead = Int32(bitPattern: result.moved(timestamp: timestamp) &- time)
                if ahead <= 0 { result.timestamp &+= UInt32(bitPattern: 1 &- ahead) }
            }
        }
        guard let last, let lastNumbers = pictureNumbers(of: last.packet),
            let packet = LinePacket(first, of: encodings[encoding], index: encoding),
            let numbers = pictureNumbers(of: packet)
        else { return result }
        // Pictures that are sent again, or another source's, may have numbers that the viewer has seen.
        if let id = numbers.pictureID, let lastID = lastNumbers.pictureID {
            result.pictureID = (last.place.offsets.pictureID &+ lastID &+ 1 &- id) & 0x7FFF
        }
        if let index = numbers.tl0PictureIndex, let lastIndex = lastNumbers.tl0PictureIndex {
            result.tl0PictureIndex = last.place.offsets.tl0PictureIndex &+ lastIndex &+ 1 &- index
        }
        return result
    }

    func pictureNumbers(of packet: LinePacket) -> PictureNumbers? {
        let payload = unsafe UnsafeRawBufferPointer(start: packet.payload, count: packet.length)
        return unsafe PictureNumbers.parse(payload.bytes, of: format.codec.name)
    }

    /// nil: nothing has, or the history has it no more.
    private func lastSent(of stream: Stream) -> (packet: LinePacket, place: OutgoingLine.Place)? {
        for number in (stream.line.next - Self.fewNumbers..<stream.line.next).reversed() {
            guard let origin = stream.line.origin(of: number), encodings.indices.contains(origin.encoding),
                origin.sequence >= encodings[origin.encoding].formatStart,
                let packet = LinePacket(origin.sequence, of: encodings[origin.encoding], index: origin.encoding)
            else { continue }
            return (packet, .init(number: number, offsets: origin.offsets))
        }
        return nil
    }

    /// Numbers that may belong to packets that are missing.
    private static let fewNumbers: Int64 = 16
}
