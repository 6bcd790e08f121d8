import WebRTC

/// IVF, as ffmpeg and libvpx write it: a 32-byte header, then frames of 12 bytes header (size, timestamp) and data.
/// VP8 only: for others there is no packetizer.
package enum IVFFile {
    private static let clockRate: UInt32 = 90_000
    /// No frame of a sane clip is longer.
    private static let maximumFrame = 16 << 20

    package static func parse(_ file: [UInt8]) throws(MediaFileError) -> ClipTrack {
        var cursor = ByteCursor(file)
        guard let magic = cursor.take(4), Array(magic) == Array("DKIF".utf8) else {
            throw MediaFileError(offset: 0, reason: "an IVF file begins with DKIF")
        }
        guard cursor.littleEndian(2) != nil, let headerLength = cursor.littleEndian(2), let fourCC = cursor.take(4),
            cursor.take(4) != nil, let rate = cursor.littleEndian(4), let scale = cursor.littleEndian(4),
            headerLength >= 32, headerLength <= UInt64(file.count)
        else { throw MediaFileError(offset: cursor.offset, reason: "the IVF header is cut off") }
        let codec = String(decoding: fourCC, as: UTF8.self)
        guard codec == "VP80" else {
            throw MediaFileError(offset: 8, reason: "only VP8 can be sent from IVF, this is \(codec.debugDescription)")
        }
        guard rate > 0, scale > 0 else { throw MediaFileError(offset: 16, reason: "the time base is zero") }
        cursor.offset = Int(headerLength)
        let ticks = Double(scale) / Double(rate) * Double(clockRate)
        return try track(&cursor, ticks: ticks)
    }

    /// - Parameter ticks: RTP clock units per unit of the file's time base.
    private static func track(_ cursor: inout ByteCursor, ticks: Double) throws(MediaFileError) -> ClipTrack {
        var frames: [ClipTrack.Frame] = []
        var first: UInt64 = 0
        // A last frame that is cut off, as of a file still being written, is left out.
        while let size = cursor.littleEndian(4), let time = cursor.littleEndian(8) {
            let at = cursor.offset
            guard size <= UInt64(maximumFrame) else {
                throw MediaFileError(offset: at, reason: "a frame of \(size) bytes")
            }
            guard let data = cursor.take(Int(size)) else { break }
            // Sending begins with a key frame (RFC 6386 §9.1: bit 0 is 0).
            guard let head = data.first, !frames.isEmpty || head & 1 == 0 else { continue }
            if frames.isEmpty { first = time }
            let timestamp = (Double(time) - Double(first)) * ticks
            guard timestamp >= Double(frames.last?.timestamp ?? 0), timestamp < 1e12 else {
                throw MediaFileError(offset: at, reason: "the timestamp runs backwards or is absurd")
            }
            frames.append(.init(timestamp: Int64(timestamp.rounded()), bytes: Array(data)))
        }
        guard let last = frames.last else {
            throw MediaFileError(offset: cursor.offset, reason: "no frame after a key frame")
        }
        // The last frame is shown as long as the average one; a single frame for a second.
        let frame = frames.count > 1 ? last.timestamp / Int64(frames.count - 1) : Int64(clockRate)
        return ClipTrack(
            codec: CodecFormat(name: .vp8, clockRate: clockRate), frames: frames,
            duration: last.timestamp + max(1, frame))
    }
}
