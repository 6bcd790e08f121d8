import WebRTC

/// What a viewer keeps of one of its streams beside the sending loop.
struct StreamRecord {
    /// The stream on which missing packets are sent again (RFC 4588).
    struct RTX {
        let ssrc: SSRC
        /// nil: the codec in use has none.
        var payloadType: PayloadType?
        /// Its next sequence number.
        var next: Int64
    }

    /// Index of its track in the broadcast.
    let track: Int
    /// Where the stream stands in its track's array.
    var index: Int
    /// The one encoding that it is for: of a node's streams each has its own. nil: it goes from one to another.
    let encoding: Int?
    let cname: String
    /// What the first stretch of its line adds.
    let offsets: OutgoingLine.Offsets
    var rtx: RTX?
    var repairs = RateBudget()
    /// How it got to the live edge; nil: it began there, or long ago.
    var burst: Burst?
    /// But for what `Stream` counts.
    private var statistics: TrackStatistics
    private var lastKeyframe: UInt32?
    private(set) var lastRepair: Instant?

    init(
        _ negotiated: NegotiatedTrack, local: NegotiatedTrack.LocalStream, track: Int, index: Int, encoding: Int?,
        offsets: OutgoingLine.Offsets, nextRTX: Int64
    ) {
        (self.track, self.index, self.encoding) = (track, index, encoding)
        (self.offsets, cname) = (offsets, local.cname)
        statistics = TrackStatistics(kind: negotiated.kind, codec: negotiated.codec.name)
        rtx = local.rtxSSRC.map { RTX(ssrc: $0, payloadType: negotiated.rtxPayloadType, next: nextRTX) }
    }

    var form: Stream.Form { rtx?.payloadType == nil ? .repeatable : .sealedOnce }

    /// The track's codec is another.
    mutating func use(_ track: NegotiatedTrack) {
        statistics.codec = track.codec.name
        rtx?.payloadType = track.rtxPayloadType
    }

    mutating func count(keyframe timestamp: UInt32) {
        if timestamp == lastKeyframe { return }
        lastKeyframe = timestamp
        statistics.keyframes += 1
    }

    mutating func reported(lost: Int64) { statistics.lost = lost }
    mutating func keyframeRequested() { statistics.keyframeRequests += 1 }
    mutating func missed(_ count: Int) { statistics.nacks += UInt64(count) }
    mutating func repaired(now: Instant) {
        statistics.repaired += 1
        lastRepair = now
    }

    func statistics(with stream: Stream) -> TrackStatistics {
        var result = statistics
        (result.packets, result.bytes, result.frames) = (stream.packets, stream.bytes, stream.frames)
        return result
    }
}
