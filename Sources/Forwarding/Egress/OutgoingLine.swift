/// The sequence numbers of one viewer's track: from a packet of some encoding to the number the viewer sees, and back,
/// so that a NACK finds the packet in the encoding's history.
///
/// The viewer's numbers are one continuous line of segments. Within a segment both sides count alike; a new segment
/// begins at a switch (another encoding, another source) and after packets that are left out on purpose.
///
///     encoding   0: 100 … 119 │ 0: 122 … 140 │ 1: 7 …
///     outgoing       1 …  20  │    21 …  39  │   40 …         120, 121 were skipped
///
/// What is merely missing keeps its number, so it can still be repaired. A bounded number of segments is remembered;
/// older ones can be neither forwarded nor repaired any more. All numbers are extended to 64 bits.
package struct SequenceMap: Sendable {
    /// Segments remembered.
    package static let capacity = 16

    /// Where an outgoing number came from.
    package struct Origin: Hashable, Sendable {
        /// As given to `start`.
        package var encoding: Int
        package var sequence: Int64

        package init(encoding: Int, sequence: Int64) { (self.encoding, self.sequence) = (encoding, sequence) }
    }

    /// Ends where the next segment's outgoing numbers begin; the newest is open.
    private struct Segment: Sendable {
        var encoding = 0
        var source: Int64 = 0
        var outgoing: Int64 = 0

        func outgoing(for number: Int64) -> Int64 { outgoing &+ (number &- source) }
        func origin(of number: Int64) -> Origin { Origin(encoding: encoding, sequence: source &+ (number &- outgoing)) }
    }

    /// The newest segment, apart from the others: almost every packet is of it, and what handles it touches nothing
    /// else. nil: not started.
    private var newest: Segment?
    /// The others, oldest first, `olderCount` of them in use. Inline: a map owns no heap memory.
    private var older: InlineArray<15, Segment>
    private var olderCount = 0
    /// One above the highest outgoing number given out or reserved: where the next segment would begin.
    package private(set) var next: Int64

    /// - Parameter next: the first outgoing number.
    package init(next: Int64) {
        older = InlineArray(repeating: Segment())
        self.next = next
    }

    /// The encoding of the newest segment; nil before the first `start`.
    package var encoding: Int? { newest?.encoding }

    /// From now on packets of `encoding` from `source` on are forwarded, continuing the viewer's line without a gap.
    /// Also to be called when the source's own numbers restarted.
    package mutating func start(encoding: Int, source: Int64) {
        append(Segment(encoding: encoding, source: source, outgoing: next))
    }

    /// The number for a packet that is about to be forwarded, which takes it. nil: the packet is not to be forwarded,
    /// because it was skipped, lies before a start, or its segment is forgotten.
    package mutating func forward(encoding: Int, source: Int64) -> Int64? {
        guard let newest, newest.encoding == encoding, source >= newest.source
        else { return olderOutgoing(encoding: encoding, source: source) }
        let outgoing = newest.outgoing(for: source)
        if outgoing >= next { next = outgoing &+ 1 }
        return outgoing
    }

    /// The number that `source` has or would get, without taking it.
    package func outgoing(encoding: Int, source: Int64) -> Int64? {
        if let newest, newest.encoding == encoding, source >= newest.source { return newest.outgoing(for: source) }
        return olderOutgoing(encoding: encoding, source: source)
    }

    /// Where the packet came from that the viewer knows as `outgoing`. nil: never given out, or forgotten.
    package func origin(of outgoing: Int64) -> Origin? {
        guard let newest, outgoing < next else { return nil }
        if outgoing >= newest.outgoing { return newest.origin(of: outgoing) }
        for i in (0..<olderCount).reversed() where outgoing >= older[i].outgoing {
            return older[i].origin(of: outgoing)
        }
        return nil
    }

    /// Leaves a packet of the current encoding out without a gap in the viewer's numbers. False: later numbers were
    /// given out already, so its number stays a hole, or the packet is not of the newest segment.
    package mutating func skip(encoding: Int, source: Int64) -> Bool {
        guard let newest, newest.encoding == encoding, source >= newest.source else { return false }
        let outgoing = newest.outgoing(for: source)
        guard outgoing >= next else { return false }
        // Numbers of missing packets before this one are reserved.
        next = outgoing
        append(Segment(encoding: encoding, source: source &+ 1, outgoing: outgoing))
        return true
    }

    private func olderOutgoing(encoding: Int, source: Int64) -> Int64? {
        guard var end = newest?.outgoing else { return nil }
        for i in (0..<olderCount).reversed() {
            let segment = older[i]
            // Numbers restart or come back to an encoding: only the segment that owns the number has it.
            if segment.encoding == encoding, source >= segment.source, segment.outgoing(for: source) < end {
                return segment.outgoing(for: source)
            }
            end = segment.outgoing
        }
        return nil
    }

    private mutating func append(_ segment: Segment) {
        // A segment without numbers of its own is replaced: it covers nothing.
        if let newest, newest.outgoing != segment.outgoing {
            if olderCount == Self.capacity - 1 {
                for i in 1..<olderCount { older[i - 1] = older[i] }
                olderCount -= 1
            }
            older[olderCount] = newest
            olderCount += 1
        }
        newest = segment
    }
}
