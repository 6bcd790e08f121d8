package import WebRTC

/// One track of a media file, cut into frames (video) or packets (audio), in the units of its RTP clock.
package struct ClipTrack: Sendable {
    package struct Frame: Hashable, Sendable {
        /// RTP clock units since the beginning of the clip.
        package var timestamp: Int64
        package var bytes: [UInt8]
    }

    package var codec: CodecFormat
    package var frames: [Frame]
    /// RTP clock units up to where the frame after the last would be.
    package var duration: Int64
}

/// Why a media file cannot be sent, and where in it.
package struct MediaFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Byte offset.
    package var offset: Int
    package var reason: String

    package var description: String { "at byte \(offset): \(reason)" }
}

/// Reads a file's bytes from front to back; nil at and after its end.
struct ByteCursor {
    let bytes: [UInt8]
    var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var remaining: Int { bytes.count - offset }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= remaining else { return nil }
        defer { offset += count }
        return bytes[offset..<offset + count]
    }

    /// `count` is at most 8.
    mutating func littleEndian(_ count: Int) -> UInt64? {
        take(count)?.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
