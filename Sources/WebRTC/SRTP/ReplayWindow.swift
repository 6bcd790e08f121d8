/// Which of one sender's latest 64 packets or records have come (RFC 3711 §3.3.2, RFC 6347 §4.1.2.6).
struct ReplayWindow {
    static let length: UInt64 = 64

    private var highest: UInt64 = 0
    /// Bit n: `highest - n` has come.
    private var seen: UInt64 = 0

    /// Whether a packet with this index may be taken: it has not come, and is not older than the window.
    func isNew(_ index: UInt64) -> Bool {
        if seen == 0 || index > highest { return true }
        let age = highest - index
        return age < Self.length && seen & (1 << age) == 0
    }

    /// A packet that `isNew` and genuine came.
    mutating func take(_ index: UInt64) {
        guard seen != 0, index <= highest else {
            let step = index &- highest
            seen = (seen == 0 || step >= Self.length ? 0 : seen << step) | 1
            highest = index
            return
        }
        seen |= 1 << (highest - index)
    }
}
