package import WebRTC

/// Which RTP packets of another program (ffmpeg, GStreamer) are which track, from the session description it wrote.
package struct RTPInput: Sendable {
    /// Why an SDP file does not describe what we can forward.
    package struct Unusable: Error, CustomStringConvertible {
        package var description: String
    }

    package struct Track: Hashable, Sendable {
        package var codec: CodecFormat
        /// What the sender uses.
        package var payloadType: PayloadType
    }

    /// At most one of each kind.
    package private(set) var tracks: [Track] = []

    package init(sdp: String) throws {
        let description: SessionDescription
        do throws(SDPError) {
            // ffmpeg prints "SDP:" before the description when it writes to standard output.
            description = try SessionDescription.parse(String(sdp.trimmingPrefix("SDP:\n")))
        } catch {
            throw Unusable(description: error.description)
        }
        for media in description.media {
            guard let kind = MediaKind(rawValue: media.kind), !tracks.contains(where: { $0.codec.name.kind == kind })
            else { continue }
            guard let track = media.formats.lazy.compactMap({ Self.track(media, format: $0) }).first else {
                throw Unusable(description: "m=\(media.kind) has none of Opus, VP8, VP9, H264, AV1")
            }
            tracks.append(track)
        }
        guard !tracks.isEmpty else { throw Unusable(description: "neither m=video nor m=audio") }
    }

    /// Leaves out kinds for which no port was given.
    package mutating func keep(_ kinds: Set<MediaKind>) { tracks.removeAll { !kinds.contains($0.codec.name.kind) } }

    package var formats: [TrackFormat] { tracks.map { TrackFormat(codec: $0.codec) } }

    /// The packet with its track's position for payload type; nil: no packet of a track (RTCP among them).
    package func translate(_ datagram: [UInt8]) -> [UInt8]? {
        guard let packet = unsafe RTPPacket.parse(datagram.span.bytes),
            let index = tracks.firstIndex(where: { $0.payloadType == packet.payloadType })
        else { return nil }
        var datagram = datagram
        datagram[1] = datagram[1] & 0x80 | UInt8(index)
        return datagram
    }

    /// Bytes of payload of a packet that was translated.
    package static func payloadLength(of packet: [UInt8]) -> Int {
        unsafe RTPPacket.parse(packet.span.bytes)?.payload.count ?? 0
    }

    private static func track(_ media: SessionDescription.Media, format: String) -> Track? {
        func value(_ name: String) -> Substring? {
            media.attributes.lazy.filter { $0.name == name }.compactMap { attribute -> Substring? in
                let parts = attribute.value.split(separator: " ", maxSplits: 1)
                return parts.count == 2 && parts[0] == format ? parts[1] : nil
            }.first
        }
        guard let type = UInt8(format), type < 128, let mapping = value("rtpmap")?.split(separator: "/"),
            mapping.count >= 2, let clockRate = UInt32(mapping[1]),
            let name = CodecName.allCases.first(where: { $0.rawValue.lowercased() == mapping[0].lowercased() }),
            name.kind.rawValue == media.kind
        else { return nil }
        // Parameter sets come in band; repeated in the SDP they would only bind the viewers to the first ones.
        let parameters = (value("fmtp") ?? "").split(separator: ";").map { $0.drop { $0 == " " } }
            .filter { !$0.isEmpty && !$0.lowercased().hasPrefix("sprop-parameter-sets") }
        let channels = mapping.count > 2 ? Int(mapping[2]) ?? 1 : 1
        return Track(
            codec: CodecFormat(
                name: name, clockRate: clockRate, channels: channels, fmtp: parameters.joined(separator: ";")),
            payloadType: PayloadType(type))
    }
}
