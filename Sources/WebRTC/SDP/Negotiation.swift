/// Offer/answer (RFC 3264, RFC 9429) as far as WHIP and WHEP need it, for both sides. Pure functions of their arguments.
///
/// Assumptions: one BUNDLE group on one component, rtcp-mux, at most one audio and one video track a session.
/// Not done: renegotiation, simulcast towards viewers, RED, FEC, data channels, WHEP's counter-offer.
package enum Negotiation {}

/// Our end of a session, as its SDP has to tell it.
package struct LocalTransport: Sendable {
    package var ice: ICECredentials
    package var fingerprint: Fingerprint
    /// Every address that the session's UDP port can be reached at. Written IPv4 first and loopback last, otherwise in
    /// this order, as FFmpeg's muxer takes the first candidate and looks at no other.
    package var candidates: [TransportAddress]

    package init(ice: ICECredentials, fingerprint: Fingerprint, candidates: [TransportAddress]) {
        (self.ice, self.fingerprint, self.candidates) = (ice, fingerprint, candidates)
    }
}

/// The peer's end of a session, as its SDP told it.
package struct RemoteTransport: Hashable, Sendable {
    /// `a=setup` (RFC 8842 §5.1).
    package enum Setup: String, Hashable, Sendable { case active, passive, actpass }

    package var ice: ICECredentials
    /// One of them is the certificate's (RFC 8122 §5.1); all of one hash.
    package var fingerprints: [Fingerprint]
    package var setup: Setup
    /// **We** send the DTLS ClientHello. Independent of the ICE role: an ICE-lite server has to do so towards a peer that
    /// offered `setup:passive`, as FFmpeg's WHIP muxer does unless told otherwise.
    package var dtlsActive: Bool
    /// UDP host, reflexive and relayed candidates with literal addresses, best first. Often empty.
    package var candidates: [TransportAddress]
    package var iceLite: Bool
    package var iceOptions: [String]

    package init(
        ice: ICECredentials, fingerprints: [Fingerprint], setup: Setup, dtlsActive: Bool,
        candidates: [TransportAddress] = [], iceLite: Bool = false, iceOptions: [String] = []
    ) {
        (self.ice, self.fingerprints, self.setup, self.dtlsActive) = (ice, fingerprints, setup, dtlsActive)
        (self.candidates, self.iceLite, self.iceOptions) = (candidates, iceLite, iceOptions)
    }
}

/// What an offer and its answer come to.
package struct Agreement: Sendable {
    package var remote: RemoteTransport
    /// Accepted tracks in the order of the m-lines; at least one.
    package var tracks: [NegotiatedTrack]
    /// mids of the agreed BUNDLE group, the tagged m-section first: the one that trickled candidates name
    /// (RFC 8840 §4.2). Empty only for a single m-line without a group.
    package var bundle: [String]

    package init(remote: RemoteTransport, tracks: [NegotiatedTrack], bundle: [String]) {
        (self.remote, self.tracks, self.bundle) = (remote, tracks, bundle)
    }
}

/// Why there is no agreement, with a sentence for the person at the other end.
package enum NegotiationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Required lines are missing or make no sense (400).
    case malformed(String)
    /// The viewer plays none of the broadcast's codecs (406).
    case notAcceptable(String)
    /// Media would flow the wrong way for WHIP or WHEP (422).
    case wrongDirection(String)
    /// More than one audio and one video track (422).
    case tooManyTracks(String)
    /// Valid, but not to be had here: codec, transport, DTLS role (422).
    case unsupported(String)

    /// The HTTP status that says so (RFC 9725 §4.2).
    package var status: Int {
        switch self {
        case .malformed: 400
        case .notAcceptable: 406
        case .wrongDirection, .tooManyTracks, .unsupported: 422
        }
    }

    package var reason: String {
        switch self {
        case .malformed(let text), .notAcceptable(let text), .wrongDirection(let text), .tooManyTracks(let text),
            .unsupported(let text):
            text
        }
    }

    package var description: String { reason }
}

extension Negotiation {
    /// What a broadcast consists of once its publisher or relay is negotiated.
    package static func formats(of agreement: Agreement) -> [TrackFormat] {
        agreement.tracks.map { TrackFormat(codec: $0.codec, rids: $0.rids) }
    }
}

/// An offer or answer whose m-sections were read. Its transport depends on which of them live on.
struct PeerDescription {
    var session: SessionDescription
    var sections: [MediaSection]
    /// mids of the BUNDLE group, the suggested tag first (RFC 9143 §7.2).
    var bundle: [String]

    /// Sections that are alive and carry audio or video.
    var tracks: [MediaSection] { sections.filter { !$0.isRejected && $0.kind != nil } }
    var allowsMixedExtensions: Bool { session.attributes.contains { $0.name == "extmap-allow-mixed" } }

    init(_ session: SessionDescription) throws(NegotiationError) {
        self.session = session
        sections = []
        let inherited = MediaSection.inherited(session.attributes)
        for media in session.media { sections.append(try MediaSection(media, session: inherited)) }
        guard !sections.isEmpty else { throw .malformed("there is no m-line") }
        guard !sections.allSatisfy(\.isRejected) else { throw .malformed("every m-line has port 0") }
        let mids = sections.map(\.mid).filter { !$0.isEmpty }
        let known = Set(mids)
        guard known.count == mids.count else { throw .malformed("two m-lines have the same a=mid") }
        let groups = session.attributes.lazy.filter { $0.name == "group" }.map { $0.value.words.map(String.init) }
        let group = groups.first { $0.first?.uppercased() == "BUNDLE" } ?? []
        bundle = []
        for mid in group.dropFirst() where known.contains(mid) && !bundle.contains(mid) { bundle.append(mid) }
    }

    /// Throws unless there is at least one track, and at most one of each kind.
    func requireOneTrackPerKind() throws(NegotiationError) {
        guard !tracks.isEmpty else { throw .malformed("there is no audio or video m-line") }
        for kind in [MediaKind.audio, .video] where tracks.count(where: { $0.kind == kind }) > 1 {
            throw .tooManyTracks("more than one \(kind.rawValue) m-line; one audio and one video track are supported")
        }
    }

    /// The one transport of `accepted` sections, all others being declined.
    func transport(of accepted: [MediaSection]) throws(NegotiationError) -> PeerTransport {
        for track in accepted {
            let name = track.media.transportProtocol.uppercased()
            guard name.hasSuffix("RTP/SAVPF") || name.hasSuffix("RTP/SAVP") else {
                throw .unsupported("m=\(track.media.kind) uses \(name.prefix(32)), only DTLS-SRTP is supported")
            }
            guard track.rtcpMux else {
                throw .unsupported(
                    "m=\(track.media.kind) has no a=rtcp-mux; RTCP on a port of its own is not supported")
            }
        }
        guard accepted.count <= 1 || accepted.allSatisfy({ !$0.mid.isEmpty && bundle.contains($0.mid) }) else {
            throw .unsupported("all m-lines must be in one BUNDLE group")
        }
        // Transport lines may stand in any section or above all of them; those of the tagged section count, which is the
        // group's first that is not declined (RFC 9143 §7.3.1). Others help out where it says nothing.
        let tag = bundle.first { mid in accepted.contains { $0.mid == mid } }
        let tagged = accepted.first { $0.mid == tag } ?? accepted.first
        let others = accepted + sections.filter { !$0.isRejected }
        return try PeerTransport(
            [tagged?.transport, TransportAttributes(session.attributes)].compactMap { $0 } + others.map(\.transport))
    }
}

/// The peer's ICE and DTLS lines, found usable.
struct PeerTransport {
    var ice: ICECredentials
    var fingerprints: [Fingerprint]
    /// nil when the peer says nothing.
    var setup: RemoteTransport.Setup?
    var candidates: [TransportAddress]
    var iceLite: Bool
    var iceOptions: [String]

    /// - Parameter sources: where the lines may stand, the place that counts first.
    init(_ sources: [TransportAttributes]) throws(NegotiationError) {
        let pair = sources.first { $0.ufrag != nil && $0.password != nil }
        ice = try ICECredentials(
            ufrag: pair?.ufrag ?? sources.lazy.compactMap(\.ufrag).first,
            password: pair?.password ?? sources.lazy.compactMap(\.password).first)
        guard let fingerprints = sources.first(where: { !$0.fingerprints.isEmpty })?.preferredFingerprints else {
            guard sources.contains(where: \.hasUnknownFingerprint) else { throw .malformed("a=fingerprint is missing") }
            throw .unsupported("a=fingerprint is not a well-formed sha-256, sha-384 or sha-512 hash")
        }
        self.fingerprints = fingerprints
        if let text = sources.lazy.compactMap(\.setup).first {
            guard let setup = RemoteTransport.Setup(rawValue: text) else {
                throw .unsupported("a=setup:\(text.prefix(16)) is not supported, only actpass, active and passive")
            }
            self.setup = setup
        }
        candidates = sources.first { !$0.candidates.isEmpty }?.addresses ?? []
        iceLite = sources.contains(where: \.iceLite)
        iceOptions = sources.first { !$0.iceOptions.isEmpty }?.iceOptions ?? []
    }

    func remote(dtlsActive: Bool) -> RemoteTransport {
        RemoteTransport(
            ice: ice, fingerprints: fingerprints, setup: setup ?? (dtlsActive ? .passive : .active),
            dtlsActive: dtlsActive, candidates: candidates, iceLite: iceLite, iceOptions: iceOptions)
    }
}
