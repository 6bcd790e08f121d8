import WebRTC

/// Opus in Ogg (RFC 7845), first Opus stream of the file. Checksums are not verified: the file is local.
package enum OggOpusFile {
    private static let clockRate: UInt32 = 48_000
    /// Longest packet that RFC 7845 §6 wants to see supported.
    private static let maximumPacket = 61_440

    package static func parse(_ file: [UInt8]) throws(MediaFileError) -> ClipTrack {
        var packets = OggPackets(file)
        guard let head = try packets.next(limit: maximumPacket) else {
            throw MediaFileError(offset: 0, reason: "no Opus stream")
        }
        // OpusHead: magic (8), version, channels, … (§5.1)
        guard head.count >= 19, head[8] >> 4 == 0 else {
            throw MediaFileError(offset: packets.offset, reason: "the OpusHead is malformed or of another version")
        }
        guard 1...2 ~= head[9] else {
            throw MediaFileError(
                offset: packets.offset, reason: "\(head[9]) channels; only mono and stereo can be sent")
        }
        guard let tags = try packets.next(limit: .max), tags.starts(with: "OpusTags".utf8) else {
            throw MediaFileError(offset: packets.offset, reason: "no OpusTags")
        }
        var frames: [ClipTrack.Frame] = []
        var timestamp: Int64 = 0
        while let packet = try packets.next(limit: maximumPacket) {
            guard let duration = duration(of: packet) else {
                throw MediaFileError(offset: packets.offset, reason: "not an Opus packet")
            }
            frames.append(.init(timestamp: timestamp, bytes: packet))
            timestamp += duration
        }
        guard !frames.isEmpty else { throw MediaFileError(offset: packets.offset, reason: "no audio packet") }
        let fmtp = "minptime=10;useinbandfec=1" + (head[9] == 2 ? ";stereo=1;sprop-stereo=1" : "")
        return ClipTrack(
            codec: CodecFormat(name: .opus, clockRate: clockRate, channels: 2, fmtp: fmtp), frames: frames,
            duration: timestamp)
    }

    /// Samples at 48 kHz (RFC 6716 §3.1, §3.2.5); nil: no Opus packet lasts 0 or more than 120 ms.
    static func duration(of packet: [UInt8]) -> Int64? {
        guard let toc = packet.first else { return nil }
        let configuration = Int(toc >> 3)
        let samples: [Int64] =
            switch configuration {
            case ..<12: [480, 960, 1_920, 2_880]
            case ..<16: [480, 960, 480, 960]
            default: [120, 240, 480, 960]
            }
        let count: Int64
        switch toc & 3 {
        case 0: count = 1
        case 1, 2: count = 2
        default:
            guard packet.count >= 2 else { return nil }
            count = Int64(packet[1] & 0x3F)
        }
        let duration = samples[configuration & 3] * count
        return 1...5_760 ~= duration ? duration : nil
    }
}

/// The packets of the first logical stream that begins with an OpusHead (RFC 3533 §6).
private struct OggPackets {
    private var cursor: ByteCursor
    private var serial: ArraySlice<UInt8>?
    /// Complete packets of the page just read, and the beginning of one that goes on in the next.
    private var ready: ArraySlice<[UInt8]> = []
    private var partial: [UInt8] = []

    init(_ file: [UInt8]) { cursor = ByteCursor(file) }

    var offset: Int { cursor.offset }

    /// nil: the end. A last page that is cut off is left out.
    mutating func next(limit: Int) throws(MediaFileError) -> [UInt8]? {
        while ready.isEmpty {
            guard try readPage() else { return nil }
            guard partial.count <= limit, ready.allSatisfy({ $0.count <= limit }) else {
                throw MediaFileError(offset: offset, reason: "an Opus packet longer than \(limit) bytes")
            }
        }
        return ready.removeFirst()
    }

    private mutating func readPage() throws(MediaFileError) -> Bool {
        let at = cursor.offset
        guard let magic = cursor.take(4) else { return false }
        guard Array(magic) == Array("OggS".utf8) else {
            throw MediaFileError(offset: at, reason: "an Ogg page begins with OggS")
        }
        // version, type, granule position, serial number, page number, checksum
        guard cursor.take(1) != nil, let type = cursor.take(1)?.first, cursor.take(8) != nil,
            let pageSerial = cursor.take(4), cursor.take(8) != nil, let count = cursor.take(1)?.first,
            let table = cursor.take(Int(count)), let body = cursor.take(table.reduce(0) { $0 + Int($1) })
        else { return false }
        if serial == nil, type & 2 != 0, body.starts(with: "OpusHead".utf8) { serial = pageSerial }
        guard pageSerial == serial else { return true }
        if type & 1 == 0 { partial = [] }
        var start = body.startIndex
        for length in table {
            partial += body[start..<start + Int(length)]
            start += Int(length)
            // 255 means that the packet goes on.
            if length < 255 {
                ready.append(partial)
                partial = []
            }
        }
        return true
    }
}
