/// Which of several edges fetches a broadcast for all of them, without anybody naming or electing it: every node
/// computes the same rank for the same names (rendezvous hashing, Thaler and Ravishankar 1998). When an edge goes or
/// comes, only the broadcasts that it is first for move.
struct RendezvousRank: Comparable {
    private var weight: UInt64
    private var node: String

    init(of node: String, for broadcast: String) {
        self.node = node
        // FNV-1a over both names, then the finaliser of splitmix64, since FNV alone spreads short names badly.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in broadcast.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ 0xFF) &* 0x100_0000_01B3
        for byte in node.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
        weight = hash ^ (hash >> 31)
    }

    /// The greater rank goes first.
    static func < (a: RendezvousRank, b: RendezvousRank) -> Bool { (a.weight, a.node) < (b.weight, b.node) }
}
