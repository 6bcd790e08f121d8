package import WebRTC

/// Which packets of one encoding are missing, and when to ask for each of them (RFC 4585 §6.2.1).
///
///     gap seen ──reordering allowance──► 1st request ──round trip──► 2nd ──round trip──► 3rd … given up
///     |◄──────────────────────────────── usefulness ─────────────────────────────────────────────►|
///
/// A missing packet is requested when a few later ones have arrived or a few milliseconds have passed, again every
/// round trip (with growing intervals after the third request), and given up when it can no longer be useful. Gaps
/// that are too large to repair, or too many of them, empty the detector: then only a keyframe helps.
package struct LossDetector: Sendable {
    package struct Configuration: Sendable {
        /// Missing packets remembered.
        package var capacity = 1_024
        /// Largest gap that is repaired.
        package var maximumGap = 500
        /// A packet is lost, not late, when one with a number this much higher arrived …
        package var reorderPackets: Int64 = 3
        /// … or this long after the gap was seen.
        package var reorderDelay = Interval.milliseconds(10)
        /// Requests for one packet are at least this far apart.
        package var minimumRepeat = Interval.milliseconds(20)
        /// A packet that is missing for longer is given up.
        package var usefulness = Interval.seconds(Int64(1))
        /// Taken for the round trip before anything is known.
        package var initialRoundTrip = Interval.milliseconds(100)

        package init() {}
    }

    package enum Arrival: Hashable, Sendable {
        /// The next number, or the first.
        case expected
        /// Above the next number: `missing` packets are newly missed.
        case gap(missing: Int)
        /// It was missed; it was asked for `requests` times.
        case recovered(requests: Int)
        /// Older than the newest and not missed: a duplicate, given up, or from before the first.
        case late
        /// More is missing than can be repaired. Everything is given up and the line continues here; only a keyframe
        /// helps.
        case overrun
    }

    private struct Missing: Sendable {
        var sequence: Int64
        var noticed: Instant
        var firstRequest: Instant
        var lastRequest: Instant
        /// When to ask (again).
        var due: Instant
        var requests: Int
    }

    private let configuration: Configuration
    /// Ascending by number.
    private var missing: [Missing] = []
    private var highest: Int64?
    /// At or below the lowest number never requested yet; nil: every missing one was. May name a packet that has come.
    private var unrequested: Int64?
    private var answersWithoutSample = 0
    /// Smoothed time from a request to the packet; nil: neither measured nor set yet.
    package private(set) var roundTrip: Interval?
    /// Missing packets given up since the beginning.
    package private(set) var abandoned: UInt64 = 0
    /// When to call `due` next; `.distantFuture` while nothing is missing. Never late; may be early.
    package private(set) var nextDeadline = Instant.distantFuture

    package init(_ configuration: Configuration = Configuration()) {
        precondition(
            configuration.capacity > 0 && configuration.maximumGap > 0
                && configuration.maximumGap <= configuration.capacity, "the largest repairable gap can be remembered")
        self.configuration = configuration
    }

    /// Packets missing now.
    package var missingCount: Int { missing.count }

    /// Whether the packet is missed and still hoped for.
    package func isMissing(_ sequence: Int64) -> Bool { position(of: sequence) != nil }

    /// A round trip known from elsewhere (RTCP, ICE). Requests that are answered at once refine it.
    package mutating func setRoundTrip(_ interval: Interval) { roundTrip = clamped(interval) }

    /// Forgets every missing packet and the line: whatever arrives next is the first.
    package mutating func reset() {
        abandonAll()
        highest = nil
    }

    /// A packet arrived, by whatever way. O(1), O(missing) for a late one.
    /// - Parameter mayAnswer: whether the packet can be the answer to a request: true for RTX, and for every packet of
    ///   a stream without RTX. A late packet that is not only came out of order and is no sample of the round trip.
    package mutating func received(_ sequence: Int64, mayAnswer: Bool = true, now: Instant) -> Arrival {
        guard let highest else {
            self.highest = sequence
            return .expected
        }
        guard sequence > highest else { return late(sequence, mayAnswer: mayAnswer, now: now) }
        self.highest = sequence
        let (gap, overflow) = sequence.subtractingReportingOverflow(highest &+ 1)
        if overflow || gap > Int64(configuration.maximumGap) || missing.count + Int(gap) > configuration.capacity {
            abandonAll()
            abandoned &+= UInt64(clamping: gap)
            return .overrun
        }
        if gap > 0 { miss(highest + 1..<sequence, now: now) }
        if let unrequested, unrequested <= sequence &- configuration.reorderPackets {
            nextDeadline = min(nextDeadline, now)
        }
        return gap > 0 ? .gap(missing: Int(gap)) : .expected
    }

    /// The numbers to request now, ascending; they are then taken as requested. Empty when called early.
    package mutating func due(now: Instant) -> [Int64] {
        guard nextDeadline <= now, let highest else { return [] }
        var requests: [Int64] = []
        var kept = 0
        unrequested = nil
        nextDeadline = .distantFuture
        for i in missing.indices {
            var packet = missing[i]
            let end = packet.noticed + configuration.usefulness
            guard now < end else {
                abandoned &+= 1
                continue
            }
            let overtaken = packet.requests == 0 && packet.sequence <= highest &- configuration.reorderPackets
            if overtaken || packet.due <= now {
                requests.append(packet.sequence)
                if packet.requests == 0 { packet.firstRequest = now }
                packet.requests += 1
                packet.lastRequest = now
                packet.due = now + repeatInterval(after: packet.requests)
            } else if packet.requests == 0, unrequested == nil {
                unrequested = packet.sequence
            }
            nextDeadline = min(nextDeadline, packet.due, end)
            missing[kept] = packet
            kept += 1
        }
        missing.removeLast(missing.count - kept)
        return requests
    }

    private mutating func miss(_ gap: Range<Int64>, now: Instant) {
        if missing.capacity == 0 { missing.reserveCapacity(configuration.capacity) }
        let due = now + configuration.reorderDelay
        for sequence in gap {
            missing.append(
                Missing(
                    sequence: sequence, noticed: now, firstRequest: now, lastRequest: now, due: due, requests: 0))
        }
        if unrequested == nil { unrequested = gap.lowerBound }
        nextDeadline = min(nextDeadline, due)
    }

    private mutating func late(_ sequence: Int64, mayAnswer: Bool, now: Instant) -> Arrival {
        guard let position = position(of: sequence) else { return .late }
        let packet = missing.remove(at: position)
        if missing.isEmpty { (unrequested, nextDeadline) = (nil, .distantFuture) }
        if packet.requests > 0, mayAnswer { learn(from: packet, now: now) }
        return .recovered(requests: packet.requests)
    }

    private mutating func abandonAll() {
        abandoned &+= UInt64(missing.count)
        missing.removeAll(keepingCapacity: true)
        (unrequested, nextDeadline) = (nil, .distantFuture)
    }

    /// Binary search.
    private func position(of sequence: Int64) -> Int? {
        var (low, high) = (0, missing.count)
        while low < high {
            let middle = (low + high) / 2
            if missing[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        return low < missing.count && missing[low].sequence == sequence ? low : nil
    }

    /// A tenth above the round trip, so that the answer is not overtaken by the next request; the fourth and later
    /// requests wait longer each, so a path that is dead for a while is not flooded.
    private func repeatInterval(after requests: Int) -> Interval {
        let estimate = roundTrip ?? configuration.initialRoundTrip
        let once = max(configuration.minimumRepeat, estimate + estimate / 10 + .milliseconds(2))
        return once * Int64(max(1, requests - 2))
    }

    /// Only a packet that was requested once tells the round trip (Karn). But when requests are repeated sooner than
    /// answers can come, there never is such a packet; so answers that must belong to an earlier request, or a row of
    /// ambiguous ones, stretch the estimate until there is.
    private mutating func learn(from packet: Missing, now: Instant) {
        let sinceFirst = now - packet.firstRequest
        let estimate = roundTrip ?? configuration.initialRoundTrip
        guard packet.requests > 1 else {
            answersWithoutSample = 0
            roundTrip = clamped(roundTrip.map { $0 + (sinceFirst - $0) / 8 } ?? sinceFirst)
            return
        }
        answersWithoutSample += 1
        let tooSoon = now - packet.lastRequest < estimate * 3 / 4
        guard tooSoon || answersWithoutSample >= 3 else { return }
        roundTrip = clamped(min(estimate + estimate / 2, max(estimate, sinceFirst)))
    }

    private func clamped(_ interval: Interval) -> Interval {
        max(.milliseconds(1), min(configuration.usefulness, interval))
    }
}
