/// For tests: whether a packet is sealed under an SSRC and index that another packet was sealed under. That would give the
/// key away (RFC 7714 §8.1). It remembers about a thousand packets, by their tags, and allocates nothing for one.
final class SealingWatch {
    private struct Sealed {
        var index = UInt64.max
        var ssrc: UInt32 = 0
        var tag: UInt64 = 0
    }

    private static let slots = 1_024
    private var sealed = [Sealed](repeating: Sealed(), count: slots)

    /// false: another packet had this index.
    /// - Parameter tag: the last eight bytes of the sealed packet, which depend on all the others.
    func accepts(ssrc: UInt32, index: UInt64, tag: UInt64) -> Bool {
        let slot = Int((index ^ UInt64(ssrc)) % UInt64(Self.slots))
        let known = sealed[slot]
        sealed[slot] = Sealed(index: index, ssrc: ssrc, tag: tag)
        return known.index != index || known.ssrc != ssrc || known.tag == tag
    }
}
