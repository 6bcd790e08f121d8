import WebRTC

/// Which encoding of a simulcast track viewers get who have no wish of their own: the one that takes most of those that keep
/// coming. As long as they are not measured the publisher's order counts (RFC 8853 §5.2), which says nothing of quality:
/// OBS puts its largest first, browsers their smallest.
///
///     current falls silent while another comes ──► that is current
///     a preferred one has come for a while     ──► that is current
///
/// Silence is relative: an encoding is stalled when others bring packets and it does not. A publisher that pauses as a
/// whole (slides, a still screen) stalls none of them.
struct EncodingChoice {
    /// So long others may come alone.
    static let patience = Interval.milliseconds(600)
    /// So long a preferred one must have come again: one that comes and goes does not make the picture jump.
    static let probation = Interval.seconds(Int64(2))

    private struct State {
        /// Since when it has come without a stall; nil: it never has.
        var comesSince: Instant?
        /// When another brought the first packet after its last one.
        var overtaken: Instant?

        func isStalled(_ now: Instant) -> Bool { overtaken.map { $0 + EncodingChoice.patience <= now } ?? false }
        func presence(_ now: Instant) -> EncodingPresence {
            isStalled(now) ? .gone : comesSince == nil ? .awaited : .comes
        }
        func comes(_ now: Instant) -> Bool { presence(now) == .comes }
    }

    private var states: [State]
    /// Their indices, the best first.
    private var order: [Int]
    /// Its index.
    private(set) var current = 0

    init(count: Int) {
        states = Array(repeating: State(), count: max(1, count))
        order = Array(states.indices)
        presences = states.map { _ in .awaited }
    }

    /// A packet that could be forwarded came. true: which encodings come is not as it was.
    mutating func received(_ encoding: Int, now: Instant) -> Bool {
        if !states[encoding].comes(now) { states[encoding].comesSince = now }
        states[encoding].overtaken = nil
        if states.count > 1 {
            for other in states.indices where other != encoding && states[other].overtaken == nil {
                states[other].overtaken = now
            }
            current = wanted(now: now) ?? current
        }
        // In place, packet by packet.
        var isNews = false
        for i in states.indices where presences[i] != states[i].presence(now) {
            presences[i] = states[i].presence(now)
            isNews = true
        }
        return isNews
    }

    /// What each takes, 0 where that is not known. One has to be larger by a quarter to be better.
    mutating func rank(_ known: [Int64]) {
        // A track may have room for more encodings than its source has.
        let needs = order.indices.map { $0 < known.count ? known[$0] : 0 }
        guard let largest = needs.max(), largest / 5 * 4 > needs[order[0]] else { return }
        order = order.indices.sorted { needs[$0] > needs[$1] }
    }

    /// Of each encoding, as of the last packet.
    private(set) var presences: [EncodingPresence]

    private func wanted(now: Instant) -> Int? {
        let better = order.prefix { $0 != current }.first { e in
            states[e].comes(now) && states[e].comesSince.map { $0 + Self.probation <= now } == true
        }
        if let better { return better }
        guard states[current].isStalled(now) else { return nil }
        return order.first { $0 != current && states[$0].comes(now) }
    }
}
