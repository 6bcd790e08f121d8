/// What a link loses: of the packets of the last three seconds, in fifths of a second by the time at which they left.
struct LossWindow {
    private static let bin: Int64 = 200_000
    private static let mostBins = 16
    /// A verdict needs so many packets.
    private static let leastPackets = 100
    /// What is lost above what the idle link loses: so much is a queue that is full, and more than that is too much
    /// wherever it gets lost.
    private static let mostWhenQueueing = 0.04

    private struct Bin {
        var index = Int64.min
        var known: Int64 = 0
        var lost: Int64 = 0
        var isCalm = true
    }

    private var bins = [Bin](repeating: Bin(), count: mostBins)
    private var newest = Int64.min
    private var judgedFrom = Int64.min
    private var isQueueing = false

    /// A packet's fate is known; `wasLost`: it was taken for lost before.
    /// - Parameter sent: when it left, in µs.
    mutating func count(at sent: Int64, isLost: Bool, wasLost: Bool) {
        let index = sent / Self.bin
        let slot = Int(index & Int64(Self.mostBins - 1))
        if bins[slot].index != index {
            guard index > bins[slot].index else { return }
            bins[slot] = Bin(index: index)
        }
        newest = max(newest, index)
        if !wasLost { bins[slot].known += 1 }
        bins[slot].lost += (isLost ? 1 : 0) - (wasLost ? 1 : 0)
    }

    /// The queue at present; it is that of the packets that have just been counted.
    mutating func note(isQueueing: Bool) {
        self.isQueueing = isQueueing
        guard newest > .min, isQueueing else { return }
        for index in [newest, newest - 1] as [Int64] where bins[Int(index & Int64(Self.mostBins - 1))].index == index {
            bins[Int(index & Int64(Self.mostBins - 1))].isCalm = false
        }
    }

    mutating func judgeAnew(from sent: Int64) { judgedFrom = sent }

    /// Share of what is lost without a queue, 0...1.
    var inherent: Double {
        var known: Int64 = 0
        var lost: Int64 = 0
        for bin in bins where bin.isCalm && bin.index > .min && bin.index < newest &- 2 {
            known += bin.known
            lost += bin.lost
        }
        return known < Int64(Self.leastPackets) ? 0 : Double(lost) / Double(known)
    }

    /// More is lost than the idle link would lose.
    var isExcessive: Bool {
        var (known, lost): (Int64, Int64) = (0, 0)
        var bins = 0
        // The newest is not whole.
        while bins < Self.mostBins - 4, known < Int64(Self.leastPackets) || bins < 3 {
            let index = newest &- Int64(bins)
            let bin = self.bins[Int(index & Int64(Self.mostBins - 1))]
            guard bin.index == index, index >= judgedFrom / Self.bin else { break }
            (known, lost, bins) = (known + bin.known, lost + bin.lost, bins + 1)
        }
        guard bins >= 2, known >= 20 else { return false }
        let excess = Double(lost) / Double(known) - inherent
        if isQueueing, excess > Self.mostWhenQueueing, lost >= 4 { return true }
        guard bins >= 3, known >= Int64(Self.leastPackets) else { return false }
        return excess > Self.mostAnywhere(packetsPerSecond: known * 5 / Int64(bins))
    }

    /// Of few packets a larger share may be lost by chance: 0.25 / log10(rate).
    private static func mostAnywhere(packetsPerSecond rate: Int64) -> Double {
        let digits = Double(Int64.bitWidth - max(2, rate).leadingZeroBitCount - 1) * 0.301
        return 0.25 / digits
    }
}
