/// A body of `application/trickle-ice-sdpfrag` (RFC 8840 §9): candidates for a session, or its restart (RFC 9725 §4.3).
package struct ICEFragment: Hashable, Sendable {
    package var ice: ICECredentials
    /// The m-section that it names, which has to be the offerer-tagged one; nil when it names none.
    package var mid: String?
    /// What is usable of its candidates, best first; an unresolvable or TCP one is skipped.
    package var candidates: [TransportAddress]
    package var endOfCandidates: Bool

    package init(ice: ICECredentials, mid: String?, candidates: [TransportAddress], endOfCandidates: Bool) {
        (self.ice, self.mid) = (ice, mid)
        (self.candidates, self.endOfCandidates) = (candidates, endOfCandidates)
    }
}

extension Negotiation {
    /// Parses a fragment. Credentials may stand at either level.
    package static func parseFragment(_ bytes: [UInt8]) throws(NegotiationError) -> ICEFragment {
        let lines: SessionDescription
        do { lines = try SessionDescription.parseFragment(bytes) } catch { throw .malformed(error.description) }
        // Sections beside the tagged one are superfluous; their candidates belong to the same transport.
        let all = TransportAttributes(lines.attributes + lines.media.flatMap(\.attributes))
        let mid = lines.mids.first.flatMap { $0.isEmpty ? nil : $0 }
        if let mid, !mid.isToken { throw .malformed("a=mid is not a token") }
        return ICEFragment(
            ice: try ICECredentials(ufrag: all.ufrag, password: all.password), mid: mid, candidates: all.addresses,
            endOfCandidates: all.endOfCandidates)
    }

    package static func parseFragment(_ text: String) throws(NegotiationError) -> ICEFragment {
        try parseFragment(Array(text.utf8))
    }

    /// The server's side of an ICE restart: new credentials, the whole candidate list, and the same ice-lite and
    /// ice-options as in the answer (RFC 9725 §4.3.2).
    package static func fragment(local: LocalTransport, agreement: Agreement) -> String {
        typealias Attribute = SessionDescription.Attribute
        let tag = agreement.bundle.first
        guard let track = agreement.tracks.first(where: { $0.mid == tag }) ?? agreement.tracks.first else {
            preconditionFailure("an agreement has a track")
        }
        var section = SessionDescription.Media(
            kind: track.kind.rawValue, port: 9, transportProtocol: "UDP/TLS/RTP/SAVPF",
            formats: [String(track.payloadType.rawValue)])
        if !track.mid.isEmpty { section.attributes.append(Attribute("mid", track.mid)) }
        section.attributes += [
            Attribute("ice-ufrag", local.ice.ufrag), Attribute("ice-pwd", local.ice.password),
        ]
        section.attributes += SectionWriter.candidates(local.candidates)
        var lines = [Attribute("ice-lite").line, SectionWriter.iceOptions.line]
        if tag != nil { lines.append(Attribute("group", (["BUNDLE"] + agreement.bundle).joined(separator: " ")).line) }
        lines += section.lines.filter { !$0.hasPrefix("c=") }
        return lines.map { $0 + "\r\n" }.joined()
    }
}
