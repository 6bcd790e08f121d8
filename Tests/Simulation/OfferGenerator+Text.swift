// The text of a generated offer, and what it can expect.
import WebRTC

extension GeneratedOffer {
    private func iceLines(_ ice: ICECredentials) -> [String] {
        ["a=ice-ufrag:\(ice.ufrag)", "a=ice-pwd:\(ice.password)"]
    }

    private var dtlsLines: [String] {
        fingerprints.map { "a=fingerprint:\($0)" } + (setup.map { ["a=setup:\($0)"] } ?? [])
    }

    private func transportLines(of index: Int) -> [String] {
        let shared = iceLines(ice) + dtlsLines
        let alive = sections.indices.filter { !sections[$0].isRejected }
        return switch level {
        case .session: []
        case .sections: shared
        case .first: index == alive.first ? shared : []
        case .last: index == alive.last ? shared : []
        case .apart: iceLines(sections[index].ice ?? ice) + dtlsLines
        }
    }

    private func line(_ map: OfferedSection.Extension) -> String {
        "a=extmap:\(map.id)\(map.direction.isEmpty ? "" : "/" + map.direction) \(map.uri)"
    }

    var text: String {
        var lines = ["v=0", "o=- 4611 2 IN IP4 127.0.0.1", "s=-", "t=0 0"]
        if let bundle { lines.append("a=group:BUNDLE " + bundle.joined(separator: " ")) }
        if allowsMixed { lines.append("a=extmap-allow-mixed") }
        if level == .session { lines += iceLines(ice) + dtlsLines }
        if directionAtSession { lines.append("a=\(direction)") }
        lines += sessionExtensions.map(line)
        for (index, section) in sections.enumerated() { lines += text(of: section, at: index) }
        return lines.map { $0 + "\r\n" }.joined()
    }

    private func text(of section: OfferedSection, at index: Int) -> [String] {
        let port = section.isRejected || section.isBundleOnly ? 0 : 9
        var lines =
            section.kind == .application
            ? ["m=application \(port) UDP/DTLS/SCTP webrtc-datachannel"]
            : [
                "m=\(section.kind.rawValue) \(port) UDP/TLS/RTP/SAVPF "
                    + section.formats.map { String($0.type) }.joined(separator: " ")
            ]
        lines.append("c=IN IP4 0.0.0.0")
        if section.isBundleOnly, !section.isRejected { lines.append("a=bundle-only") }
        lines += transportLines(of: index)
        if !section.mid.isEmpty { lines.append("a=mid:\(section.mid)") }
        guard section.kind != .application else { return lines + ["a=sctp-port:5000"] }
        if !directionAtSession { lines.append("a=\(direction)") }
        if section.hasMux { lines.append("a=rtcp-mux") }
        if reducedSize { lines.append("a=rtcp-rsize") }
        lines += section.extensions.map(line)
        for format in section.formats {
            lines.append("a=rtpmap:\(format.type) \(format.rtpmap)")
            lines += format.feedback.map { "a=rtcp-fb:\(format.type) \($0)" }
            if !format.fmtp.isEmpty { lines.append("a=fmtp:\(format.type) \(format.fmtp)") }
        }
        return lines + streamLines(of: section)
    }

    private func streamLines(of section: OfferedSection) -> [String] {
        var lines: [String] = []
        if section.simulcast == .rids {
            let names = section.streams.compactMap(\.rid)
            lines += names.map { "a=rid:\($0) send" } + ["a=simulcast:send " + names.joined(separator: ";")]
        }
        guard section.declaresSSRCs else { return lines }
        if section.simulcast == .ssrcs {
            lines.append("a=ssrc-group:SIM " + section.streams.map { String($0.ssrc) }.joined(separator: " "))
        }
        let hasRTX = section.formats.contains { $0.apt != nil }
        for stream in section.streams {
            if section.declaresPairs, hasRTX { lines.append("a=ssrc-group:FID \(stream.ssrc) \(stream.rtxSSRC)") }
            lines.append("a=ssrc:\(stream.ssrc) cname:peer")
            if section.declaresPairs, hasRTX { lines.append("a=ssrc:\(stream.rtxSSRC) cname:peer") }
        }
        return lines
    }

    // MARK: What it can expect

    /// The extension map of a section: its own, or the one above all sections (RFC 8285 §5).
    func map(of section: OfferedSection) -> [OfferedSection.Extension] {
        section.extensions.isEmpty ? sessionExtensions : section.extensions
    }

    /// The credentials and candidates of this section's transport.
    func credentials(of section: OfferedSection) -> ICECredentials { section.ice ?? ice }

    /// Why the server may refuse it; nil: it has to accept.
    func refusal(broadcast: [CodecName]) -> String? {
        let alive = sections.filter { !$0.isRejected }
        if alive.isEmpty { return "no live section" }
        if isPublisher, alive.contains(where: { $0.kind == .application }) { return "data channel" }
        let media = alive.filter { $0.kind != .application }
        if media.isEmpty { return "no live section" }
        let taken =
            isPublisher
            ? media : media.filter { section in broadcast.contains { $0.kind.rawValue == section.kind.rawValue } }
        if taken.isEmpty { return "kind not in the broadcast" }
        if taken.contains(where: { !$0.hasMux }) { return "no rtcp-mux" }
        if taken.count > 1, !taken.allSatisfy({ bundle?.contains($0.mid) == true }) { return "outside the bundle" }
        for section in taken {
            let wanted = broadcast.first { $0.kind.rawValue == section.kind.rawValue }?.rawValue.lowercased()
            let fits = section.formats.contains { $0.isMedia && (isPublisher || $0.name == wanted) }
            if !fits { return "no codec" }
        }
        if isPublisher, taken.count == 2, cannotBeToldApart(taken) { return "streams not told apart" }
        return nil
    }

    private func cannotBeToldApart(_ sections: [OfferedSection]) -> Bool {
        let types = sections.map { section -> [UInt8] in
            let first = section.formats.first(where: \.isMedia)!
            return [first.type] + (section.rtx(of: first.type).map { [$0] } ?? [])
        }
        guard !Set(types[0]).isDisjoint(with: types[1]) else { return false }
        return !sections.allSatisfy { section in
            map(of: section).contains {
                $0.uri == ExtensionName.mid && $0.id < 15 && !["recvonly", "inactive"].contains($0.direction)
            }
        }
    }
}
