/// Whether an encoding of a publisher's comes. One that has not come yet may still do so, as long as others have not come
/// alone for a while.
package enum EncodingPresence: Hashable, Sendable { case awaited, comes, gone }

/// What two nodes say to each other about the encodings of a track whose streams a relay may carry: APP packets
/// (RFC 3550 §6.7) named "CASC". Each tells the whole state, so that one lost, repeated or late is made good by the next.
///
/// Subtype 0, from the node above, once a second and whenever it changes: the encodings of the publisher.
///
///     | SSRC of the stream | bytes per second (32) | width (16) | height (16) | flags (8) | n (8) | name (n) | zeros to a word |
///
/// Flag 1: it is sent at present. Flag 2: it is the one for viewers without a wish of their own. Flag 4: it comes; flag 8: it has
/// gone; neither: it may still come.
/// Subtype 1, from the node below, whenever it changes, until the report shows it: the streams that it wants. An SSRC each.
package struct EncodingReport: Hashable, Sendable {
    package static let longestName = 64

    package var ssrc: SSRC
    /// The publisher's RID, or a number.
    package var name: String
    /// 0: not known, as are `width` and `height`.
    package var bytesPerSecond: UInt32
    package var width: UInt16 = 0
    package var height: UInt16 = 0
    package var isSent: Bool
    package var isPreferred: Bool
    package var presence: EncodingPresence

    package init(
        ssrc: SSRC, name: String, bytesPerSecond: UInt32, isSent: Bool, isPreferred: Bool, presence: EncodingPresence
    ) {
        (self.ssrc, self.name, self.bytesPerSecond) = (ssrc, name, bytesPerSecond)
        (self.isSent, self.isPreferred, self.presence) = (isSent, isPreferred, presence)
    }

    fileprivate init(ssrc: SSRC, name: String, bytesPerSecond: UInt32, flags: UInt8) {
        self.init(
            ssrc: ssrc, name: name, bytesPerSecond: bytesPerSecond, isSent: flags & 1 != 0, isPreferred: flags & 2 != 0,
            presence: flags & 4 != 0 ? .comes : flags & 8 != 0 ? .gone : .awaited)
    }

    fileprivate var flags: UInt8 {
        let presence: UInt8 =
            switch self.presence {
            case .comes: 4
            case .gone: 8
            case .awaited: 0
            }
        return presence | (isSent ? 1 : 0) | (isPreferred ? 2 : 0)
    }

    fileprivate static let fixedLength = 14
}

extension RTCPType {
    static let application: UInt8 = 204
    static let reportSubtype: UInt8 = 0
    static let wishSubtype: UInt8 = 1
    /// "CASC"
    static let applicationName: UInt32 = 0x4341_5343
}

extension RTCPPart {
    /// Entries of a packet of this kind; those that make no sense, and all behind one that is cut off, are left out.
    package func encodingReports(in bytes: borrowing RawSpan) -> [EncodingReport] {
        var reports: [EncodingReport] = []
        var at = body.lowerBound + 8
        while at + EncodingReport.fixedLength <= body.upperBound, reports.count < MediaSection.maximumEncodings {
            let name = at + EncodingReport.fixedLength..<at + EncodingReport.fixedLength + Int(bytes.octet(at: at + 13))
            guard name.upperBound <= body.upperBound, name.count <= EncodingReport.longestName else { break }
            var report = EncodingReport(
                ssrc: SSRC(bytes.octets4(at: at)),
                name: String(decoding: name.map { bytes.octet(at: $0) }, as: UTF8.self),
                bytesPerSecond: bytes.octets4(at: at + 4), flags: bytes.octet(at: at + 12))
            (report.width, report.height) = (bytes.octets2(at: at + 8), bytes.octets2(at: at + 10))
            reports.append(report)
            at = name.upperBound + (4 - (name.upperBound - body.lowerBound) % 4) % 4
        }
        return reports
    }

    /// SSRCs that a packet of this kind names.
    package func wantedStreams(in bytes: borrowing RawSpan) -> [SSRC] {
        stride(from: body.lowerBound + 8, to: body.upperBound - 3, by: 4).prefix(4 * MediaSection.maximumEncodings)
            .map { SSRC(bytes.octets4(at: $0)) }
    }
}

extension RTCPCompound {
    static func encodingReports(_ sender: SSRC, _ reports: [EncodingReport]) -> PacketBuilder {
        var out = application(RTCPType.reportSubtype, sender)
        for report in reports.prefix(MediaSection.maximumEncodings) {
            let name = Array(report.name.utf8.prefix(EncodingReport.longestName))
            out.put(report.ssrc)
            out.put(report.bytesPerSecond)
            out.put(report.width)
            out.put(report.height)
            out.put([report.flags, UInt8(name.count)] + name)
            out.align()
        }
        return out
    }

    static func wantedStreams(_ sender: SSRC, _ streams: [SSRC]) -> PacketBuilder {
        var out = application(RTCPType.wishSubtype, sender)
        for ssrc in streams { out.put(ssrc) }
        return out
    }

    private static func application(_ subtype: UInt8, _ sender: SSRC) -> PacketBuilder {
        var out = start(RTCPType.application, subtype)
        out.put(sender)
        out.put(RTCPType.applicationName)
        return out
    }
}
