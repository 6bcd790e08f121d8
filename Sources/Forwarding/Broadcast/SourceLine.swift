/// Where one source's packets lie on the track's line, and the packets of our own that stand between them.
struct SourceLine {
    /// Added to a source's timestamps.
    let timestampOffset: UInt32
    /// Nothing of this source lies before it: what is there belongs to its predecessor.
    let first: Int64
    /// For the source's newest packets.
    private var offset: Int64
    /// The source's numbers in front of which packets were put in, and how many; oldest first.
    private var insertions: [(before: Int64, count: Int64)] = []
    /// Numbers below are not known any more.
    private var oldest = Int64.min

    private static let mostInsertions = 16

    init(sequenceOffset: Int64, timestampOffset: UInt32, first: Int64) {
        (offset, self.timestampOffset, self.first) = (sequenceOffset, timestampOffset, first)
    }

    /// The line's number of a source's packet; nil: it is of before the line, or too old to tell.
    func sequence(of extended: Int64) -> Int64? {
        var sequence = extended &+ offset
        for insertion in insertions.reversed() {
            guard extended < insertion.before else { break }
            sequence &-= insertion.count
        }
        return extended >= oldest && sequence >= first ? sequence : nil
    }

    /// Leaves `count` numbers free in front of the source's newest packet; the first of them. nil: there are some already.
    mutating func insert(_ count: Int, before extended: Int64) -> Int64? {
        guard insertions.last.map({ $0.before < extended }) ?? true else { return nil }
        if insertions.count == Self.mostInsertions { oldest = insertions.removeFirst().before }
        insertions.append((extended, Int64(count)))
        defer { offset &+= Int64(count) }
        return extended &+ offset
    }
}
