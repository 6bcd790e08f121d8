/// What one viewer sees of a track as one line: from a packet of some encoding to the numbers under which the viewer gets it,
/// and back, so that a NACK finds the packet in the encoding's history.
///
/// The line is one of stretches. Within a stretch both sides count alike, in sequence numbers, timestamps and ids of the
/// codec; a new one begins at a switch (another encoding, another source) and after packets that are left out on purpose.
///
///     encoding   0: 100 … 119 │ 0: 122 … 140 │ 1: 7 …
///     outgoing       1 …  20  │    21 …  39  │   40 …         120, 121 were skipped
///
/// What is merely missing keeps its number, so it can still be repaired. A bounded number of stretches is remembered;
/// older ones can be neither forwarded nor repaired any more. All sequence numbers are extended to 64 bits.
package struct OutgoingLine: Sendable {
    /// Stretches remembered.
    package static let capacity = 16

    /// What is added to a packet's own in one stretch; each wraps as its field does.
    package struct Offsets: Hashable, Sendable {
        package var timestamp: UInt32
        /// Of VP8 (RFC 7741 §4.2): 15 bits, and 8.
        package var pictureID: UInt16
        package var tl0PictureIndex: UInt8

        package init(timestamp: UInt32 = 0, pictureID: UInt16 = 0, tl0PictureIndex: UInt8 = 0) {
            (self.timestamp, self.pictureID, self.tl0PictureIndex) = (timestamp, pictureID & 0x7FFF, tl0PictureIndex)
        }

        var movesPictures: Bool { pictureID != 0 || tl0PictureIndex != 0 }

        /// Undoes these.
        package var inverse: Offsets {
            Offsets(
                timestamp: 0 &- timestamp, pictureID: 0 &- pictureID, tl0PictureIndex: 0 &- tl0PictureIndex)
        }

        package func moved(timestamp: UInt32) -> UInt32 { timestamp &+ self.timestamp }
        package func moved(pictureID: UInt16) -> UInt16 { (pictureID &+ self.pictureID) & 0x7FFF }
        package func moved(tl0PictureIndex: UInt8) -> UInt8 { tl0PictureIndex &+ self.tl0PictureIndex }
    }

    /// Where a packet lies on the line.
    package struct Place: Hashable, Sendable {
        package var number: Int64
        package var offsets: Offsets
    }

    /// Where an outgoing number came from.
    package struct Origin: Hashable, Sendable {
        /// As given to `start`.
        package var encoding: Int
        package var sequence: Int64
        package var offsets: Offsets

        package init(encoding: Int, sequence: Int64, offsets: Offsets = Offsets()) {
            (self.encoding, self.sequence, self.offsets) = (encoding, sequence, offsets)
        }
    }

    /// Ends where the next stretch's outgoing numbers begin; the newest is open.
    private struct Stretch: Sendable {
        var source: Int64
        var outgoing: Int64
        var offsets: Offsets
        var encoding: UInt8

        func place(of sequence: Int64) -> Place {
            Place(number: outgoing &+ (sequence &- source), offsets: offsets)
        }
        func origin(of number: Int64) -> Origin {
            Origin(encoding: Int(encoding), sequence: source &+ (number &- outgoing), offsets: offsets)
        }
    }

    /// The newest stretch, apart from the others: almost every packet is of it, and what handles it touches nothing else.
    /// nil: not started.
    private var newest: Stretch?
    /// The others, oldest first; allocated only when there are some.
    private var older: [Stretch] = []
    /// One above the highest outgoing number given out or reserved: where the next stretch would begin.
    package private(set) var next: Int64

    /// - Parameter next: the first outgoing number.
    package init(next: Int64) { self.next = next }

    /// The encoding of the newest stretch; nil before the first `start`.
    package var encoding: Int? { newest.map { Int($0.encoding) } }
    /// Of the newest stretch.
    package var offsets: Offsets { newest?.offsets ?? Offsets() }

    /// From now on packets of `encoding` (0...255) from `source` on are forwarded, continuing the viewer's line without a
    /// gap. Also to be called when the source's own numbers restarted.
    package mutating func start(encoding: Int, source: Int64, offsets: Offsets = Offsets()) {
        append(Stretch(source: source, outgoing: next, offsets: offsets, encoding: UInt8(encoding)))
    }

    /// Where a packet lies that is about to be forwarded, which takes its number. nil: the packet is not to be forwarded,
    /// because it was skipped, lies before a start, or its stretch is forgotten.
    package mutating func forward(encoding: Int, source: Int64) -> Place? {
        guard let newest, newest.encoding == encoding, source >= newest.source
        else { return olderPlace(encoding: encoding, source: source) }
        let place = newest.place(of: source)
        if place.number >= next { next = place.number &+ 1 }
        return place
    }

    /// The number that `source` has or would get, without taking it.
    package func outgoing(encoding: Int, source: Int64) -> Int64? {
        if let newest, newest.encoding == encoding, source >= newest.source { return newest.place(of: source).number }
        return olderPlace(encoding: encoding, source: source)?.number
    }

    /// Where the packet came from that the viewer knows as `outgoing`. nil: never given out, or forgotten.
    package func origin(of outgoing: Int64) -> Origin? {
        guard let newest, outgoing < next else { return nil }
        if outgoing >= newest.outgoing { return newest.origin(of: outgoing) }
        return older.last { outgoing >= $0.outgoing }?.origin(of: outgoing)
    }

    /// Leaves a packet of the current encoding out without a gap in the viewer's numbers. False: later numbers were
    /// given out already, so its number stays a hole, or the packet is not of the newest stretch.
    package mutating func skip(encoding: Int, source: Int64) -> Bool {
        guard var stretch = newest, stretch.encoding == encoding, source >= stretch.source else { return false }
        let outgoing = stretch.place(of: source).number
        guard outgoing >= next else { return false }
        // Numbers of missing packets before this one are reserved.
        next = outgoing
        (stretch.source, stretch.outgoing) = (source &+ 1, outgoing)
        append(stretch)
        return true
    }

    private func olderPlace(encoding: Int, source: Int64) -> Place? {
        guard var end = newest?.outgoing else { return nil }
        for stretch in older.reversed() {
            // Numbers restart or come back to an encoding: only the stretch that owns the number has it.
            let place = stretch.place(of: source)
            if stretch.encoding == encoding, source >= stretch.source, place.number < end { return place }
            end = stretch.outgoing
        }
        return nil
    }

    private mutating func append(_ stretch: Stretch) {
        // A stretch without numbers of its own is replaced: it covers nothing.
        if let newest, newest.outgoing != stretch.outgoing {
            if older.count == Self.capacity - 1 { older.removeFirst() }
            older.append(newest)
        }
        newest = stretch
    }
}
