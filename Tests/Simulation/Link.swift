// How a path between two hosts behaves. Everything is a function of what is sent, of time, and of the network's seed.
import WebRTC

/// One direction between two hosts. As written here it only delays.
struct Link {
    var delay = Interval.milliseconds(1)
    /// 0...1, each datagram on its own.
    var loss = 0.0
    /// Each datagram is late by up to this much more; later ones can overtake it.
    var jitter = Interval.zero
    /// Losses that come together, beside `loss`.
    var bursts: GilbertElliott?
    /// Bits a second that pass, headers of IPv4 and UDP included; nil: any number.
    var rate: Int?
    /// Bytes that wait where `rate` is too little; what finds no room is lost (drop-tail).
    var queue = 64_000
    /// Share of datagrams, 0...1, that are late by `reorderedBy`, so that those behind overtake them.
    var reordered = 0.0
    var reorderedBy = Interval.milliseconds(20)
}

/// Two states with a loss of their own each, which change from one datagram to the next (Gilbert 1960, Elliott 1963).
struct GilbertElliott {
    /// Chance of each datagram to end the good state.
    var worsens: Double
    /// Chance of each datagram to end the bad state: bursts have 1 / `recovers` datagrams on average.
    var recovers: Double
    var lossWhenGood = 0.0
    var lossWhenBad = 1.0

    /// Of all datagrams, in the long run.
    var loss: Double { (recovers * lossWhenGood + worsens * lossWhenBad) / (recovers + worsens) }
}

/// A link in use.
struct LinkState {
    /// IPv4 and UDP.
    static let headerBytes = 28

    var link: Link
    private var isBad = false
    /// When all that waits has left.
    private var idleAt = Instant.zero

    init(_ link: Link) { self.link = link }

    /// When a datagram arrives that is sent now; nil: never.
    mutating func arrival(bytes: Int, now: Instant, using random: inout SeededGenerator) -> Instant? {
        if chance(link.loss, &random) { return nil }
        if let bursts = link.bursts {
            if chance(isBad ? bursts.recovers : bursts.worsens, &random) { isBad.toggle() }
            if chance(isBad ? bursts.lossWhenBad : bursts.lossWhenGood, &random) { return nil }
        }
        guard let left = leaves(bytes: bytes + Self.headerBytes, now: now) else { return nil }
        var arrival = left + link.delay
        if link.jitter > .zero {
            arrival = arrival + Interval(nanoseconds: Int64.random(in: 0...link.jitter.nanoseconds, using: &random))
        }
        return chance(link.reordered, &random) ? arrival + link.reorderedBy : arrival
    }

    /// Nothing leaves for so long.
    mutating func stall(for time: Interval, now: Instant) { idleAt = max(idleAt, now) + time }

    private mutating func leaves(bytes: Int, now: Instant) -> Instant? {
        guard let rate = link.rate else { return now }
        let begin = max(now, idleAt)
        let waiting = Int((begin - now).nanoseconds) / 8 * rate / 1_000_000_000
        guard waiting + bytes <= link.queue else { return nil }
        idleAt = begin + Interval(nanoseconds: Int64(bytes) * 8 * 1_000_000_000 / Int64(rate))
        return idleAt
    }

    /// Takes no number from the generator where there is no chance: what is not used changes nothing else.
    private func chance(_ probability: Double, _ random: inout SeededGenerator) -> Bool {
        probability > 0 && Double.random(in: 0..<1, using: &random) < probability
    }
}

/// A host's own clock.
struct HostClock {
    /// How much faster than the network's time, in millionths; quartz is within 50 or so.
    var partsPerMillion = 0.0
    var offset = Interval.zero

    func reading(at time: Instant) -> Instant {
        time + offset + Interval(nanoseconds: Int64(Double(time.nanoseconds) * partsPerMillion / 1e6))
    }

    /// The first moment at which it reads `reading` or more.
    func time(of reading: Instant) -> Instant {
        guard reading < .distantFuture, partsPerMillion != 0 || offset != .zero else { return reading }
        let elapsed = Double((reading - offset).nanoseconds)
        var time = Instant(nanoseconds: Int64(elapsed / (1 + partsPerMillion / 1e6)))
        while self.reading(at: time) < reading { time = time + Interval(nanoseconds: 1) }
        return time
    }
}
