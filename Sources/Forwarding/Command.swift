package import WebRTC

/// A session within one media plane. The public id in a session's URL belongs to the control plane.
package struct SessionID: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A broadcast within one media plane.
package struct BroadcastID: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Matches a request with its answer among the events.
package struct RequestID: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A session as negotiated: its transport and which way media flows.
package struct SessionParameters: Sendable {
    package enum Direction: Hashable, Sendable {
        /// Media comes from the peer: a publisher, or a relay from the node above.
        case source
        /// Media goes to the peer: a viewer, or a relay to the node below.
        case sink
    }

    package var id: SessionID
    package var transport: TransportParameters
    package var broadcast: BroadcastID
    package var direction: Direction
    package var tracks: [NegotiatedTrack]
    /// In place of `Limits.consentTimeout`.
    package var consentTimeout: Interval?
    /// The peer is a node: it hears of the end before people do, since it may have many of them.
    package var isRelay = false
    /// Video to the peer begins at once, with the newest group of pictures (`Burst`); otherwise with the next keyframe.
    package var startsInBurst = false
    /// The worker's socket for this session alone (`TransportAddress.socket`); the worker fills it in for clients.
    package var socket: UInt16 = 0

    package init(
        id: SessionID, transport: TransportParameters, broadcast: BroadcastID, direction: Direction,
        tracks: [NegotiatedTrack]
    ) {
        (self.id, self.transport, self.broadcast) = (id, transport, broadcast)
        (self.direction, self.tracks) = (direction, tracks)
    }
}

/// From the control plane to one worker, by value.
package enum Command: Sendable {
    /// Creates the broadcast's lines (sequence, time, history), one per track. Must come before its sessions.
    case openBroadcast(BroadcastID, tracks: [TrackFormat])
    /// What a broadcast without a source will consist of. A source says so itself once it feeds it; this is for those
    /// who come before it. Viewers who did not agree to a track's new codec are closed with `.incompatible`.
    case changeFormats(BroadcastID, [TrackFormat])
    /// Closes the broadcast and, with `reason`, every session on it.
    case closeBroadcast(BroadcastID, reason: CloseReason)
    /// A source's tracks match the broadcast's by kind. A second source takes over from the first, whose session is
    /// closed with `.replaced`, with its first keyframe, or with its first packet once the first source has stalled;
    /// viewers see one continuous stream. One that brings nothing at all in five seconds is closed with `.setupTimeout`.
    case open(SessionParameters)
    case close(SessionID, reason: CloseReason)
    /// New credentials on both sides (RFC 9725 §4.3.2); the old pair keeps answering until the new one is validated.
    case restartICE(SessionID, local: ICECredentials, remote: ICECredentials, remoteCandidates: [TransportAddress])
    case addRemoteCandidates(SessionID, [TransportAddress])
    /// The control plane has reason to doubt that a client session's peer still lives: check it now.
    /// `Event.unreachable` follows if it does not answer.
    case verify(SessionID)
    /// The viewer wants the encoding of that name (a RID, or a number: `TrackFormat.rids`), as long as it comes; nil: whichever
    /// is best.
    case select(SessionID, MediaKind, rid: String?)
    /// Drops that share (0...1) of the session's outgoing datagrams at random.
    case setImpairment(SessionID, loss: Double)
    /// RTP packets of a local source (`probe publish`), header and payload, each with the payload type of its track's
    /// position in the broadcast (0, 1, …), all of one encoding. Sequence numbers and timestamps are the source's own.
    case ingest(BroadcastID, packets: [[UInt8]], encoding: Int = 0)
    /// Answered by `Event.statistics`.
    /// `ofSessions`: each session's too, which takes time in proportion to their number.
    case collectStatistics(RequestID, ofSessions: Bool = false)
    /// Answered by `Event.report`.
    case collectReport(SessionID, RequestID)
}

/// The first of the packets that are thrown away for one reason.
package struct DiscardedPacket: Hashable, Sendable {
    package var ssrc: SSRC
    package var payloadType: PayloadType
    /// Bytes of RTP payload.
    package var payloadLength: Int
}

/// From one worker to the control plane, by value.
package enum Event: Sendable {
    /// The peer of a server session has shown for the first time that it knows the ICE password; `connected` may come
    /// without it.
    case checked(SessionID)
    /// ICE and DTLS are up, keys are installed.
    case connected(SessionID, remote: TransportAddress, profile: SRTPProfile)
    /// The source session is the one whose media counts from now on: when it is connected or, while another brings media,
    /// with its first keyframe. The other is closed with `.replaced`.
    case feeds(SessionID, BroadcastID)
    /// Media of a source session is accepted: its first packet, or the first one after a silence.
    case flowing(SessionID, BroadcastID)
    /// A source that feeds its broadcast has sent no media for `Limits.sourceSilence`; `flowing` follows when it goes on,
    /// or begins.
    case silent(SessionID, BroadcastID)
    /// Which encodings a source session brings at present; said with the first packet and whenever it changes.
    case receiving(SessionID, BroadcastID, [ReceivedEncoding])
    /// How much the encodings of the broadcast's video take at present, if there are several; said at most once a second,
    /// when they are others than before.
    case rates(BroadcastID, [EncodingRate])
    /// Packets of a source session are thrown away for a reason that its owner has to know of; said once per session and
    /// reason.
    case discarding(SessionID, BroadcastID, DropReason, DiscardedPacket)
    /// A session's peer sends more RTCP, or asks for more packets or keyframes, than one may; the rest is ignored. Said once
    /// per session and reason.
    case exceeding(SessionID, BroadcastID, DropReason)
    /// A client session (relay) whose peer has sent nothing for `Limits.relaySilence` and does not answer checks either:
    /// its path or its process is gone. Said once; the session goes on, and `reachable` follows if the peer comes back.
    case unreachable(SessionID, BroadcastID)
    case reachable(SessionID, BroadcastID)
    /// A broadcast's source brings other tracks or codecs than before: what new viewers are to be offered. Those who could
    /// not go on are closed with `.incompatible`.
    case formatsChanged(BroadcastID, [TrackFormat])
    /// The session is gone; its id will not be seen again.
    case closed(SessionID, reason: CloseReason, SessionStatistics)
    case statistics(RequestID, UnitStatistics)
    /// nil: no such session.
    case report(RequestID, SessionReport?)
}
