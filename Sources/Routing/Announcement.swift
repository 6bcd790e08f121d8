/// One publisher's turn at a broadcast. Of two origins that have the same broadcast the newer publication counts, of those
/// that flow if any does, on every node alike; the origin's name settles a tie.
package struct Publication: Codable, Hashable, Comparable, Sendable {
    /// Milliseconds since 1970 by the origin's clock: when its publisher's transport came up.
    package var started: UInt64
    /// Name of the node that the publisher is at.
    package var origin: String

    package init(started: UInt64, origin: String) { (self.started, self.origin) = (started, origin) }

    /// The next at one origin is newer, whatever its clock has been set to in between.
    ///
    /// - Parameter now: milliseconds since 1970.
    package init(startedAt now: UInt64, after former: Publication?, origin: String) {
        self.init(started: max(now, former.map { $0.started &+ 1 } ?? now), origin: origin)
    }

    package static func < (a: Publication, b: Publication) -> Bool { (a.started, a.origin) < (b.started, b.origin) }
}

/// What a node says of a broadcast that can be had from it: an entry of `GET /relay/directory`. It can as long as its
/// publisher's session lives, whether he sends anything at present or not.
package struct Announcement: Codable, Hashable, Sendable {
    package struct Track: Codable, Hashable, Sendable {
        package var kind: String
        package var codec: String
        package var clockRate: UInt32
        package var channels: Int
        package var fmtp: String

        package init(kind: String, codec: String, clockRate: UInt32, channels: Int, fmtp: String) {
            (self.kind, self.codec, self.clockRate, self.channels) = (kind, codec, clockRate, channels)
            self.fmtp = fmtp
        }
    }

    /// One that comes at present.
    package struct Encoding: Codable, Hashable, Sendable {
        package var kind: String
        /// nil without simulcast.
        package var rid: String?

        package init(kind: String, rid: String?) { (self.kind, self.rid) = (kind, rid) }
    }

    package var name: String
    package var title: String
    package var publication: Publication
    /// Names of the nodes that the media passes: the origin first, the node that says this last. Never empty, no name
    /// twice, at most `Announcement.longestPath`.
    package var path: [String]
    /// RFC 3339, UTC: when it first went live at the origin.
    package var since: String
    package var tracks: [Track]
    package var encodings: [Encoding]
    /// true: the publisher has sent nothing for `source_silence`. It can be watched, the picture comes when it comes; but
    /// it is on no list, and another publication that flows counts instead. A node that does not know the word takes it
    /// for one that flows.
    package var silent: Bool?

    /// Hops of the deepest cascade; a longer path is not followed and a longer request is refused.
    package static let longestPath = 8
    /// Bytes of all free texts together: there may be 20,000 announcements of each neighbour.
    static let longestTexts = 4_096

    package init(
        name: String, title: String, publication: Publication, path: [String], since: String,
        tracks: [Track], encodings: [Encoding]
    ) {
        (self.name, self.title, self.publication, self.path) = (name, title, publication, path)
        (self.since, self.tracks, self.encodings) = (since, tracks, encodings)
    }

    package var flows: Bool { silent != true }

    /// Of two publications of a broadcast, whether the other one is the one to have.
    func isOutdone(by other: Announcement) -> Bool {
        guard publication != other.publication else { return false }
        return flows == other.flows ? publication < other.publication : other.flows
    }

    /// Fits what a node may say: others' input is checked with it.
    package var isValid: Bool {
        BroadcastName.isValid(name) && 1...Self.longestPath ~= path.count && Set(path).count == path.count
            && path.allSatisfy(NodeName.isValid) && path.first == publication.origin && tracks.count <= 16
            && encodings.count <= 64 && textBytes <= Self.longestTexts
    }

    private var textBytes: Int {
        var bytes = title.utf8.count + since.utf8.count
        for track in tracks { bytes += track.kind.utf8.count + track.codec.utf8.count + track.fmtp.utf8.count }
        for encoding in encodings { bytes += encoding.kind.utf8.count + (encoding.rid ?? "").utf8.count }
        return bytes
    }
}
