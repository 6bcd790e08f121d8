// A viewer's link and what decides by it, alone: no units, no keys, so that hours of it can be run. Pictures of three
// encodings, a bottleneck, a receiver that gives transport-wide feedback, and a way back for that.
import WebRTC

@testable import Forwarding

struct RungModel {
    static let needs: [Int64] = [30_000, 110_000, 315_000]
    private static let packet = 1_100
    private static let frame = Interval.microseconds(33_333)

    /// So many of the encodings come, the lowest first.
    var coming = needs.count
    var forth: LinkState
    var back: LinkState
    private(set) var link = ViewerLink()
    /// Index among `needs`, and the one that it goes over to with the next keyframe.
    private(set) var rung: Int
    private var next: Int?
    private(set) var now = Instant.zero
    private(set) var steps: [(at: Instant, to: Int)] = []
    private(set) var (mediaBytes, probeBytes) = (0, 0)
    /// How long each rung was sent.
    private(set) var time = [Interval](repeating: .zero, count: needs.count)
    private var recorder = TransportFeedbackRecorder(interval: .milliseconds(80))
    private var nextFrame = Instant.zero
    private var frames: Int64 = 0
    private var flights: [(at: Instant, number: UInt16)] = []
    private var words: [(at: Instant, feedback: TransportFeedback)] = []
    private var random: SeededGenerator

    init(seed: UInt64, _ forth: Link, back: Link = Link(delay: .milliseconds(20)), rung: Int = 2) {
        (self.forth, self.back, self.rung) = (LinkState(forth), LinkState(back), rung)
        random = SeededGenerator(seed: seed)
    }

    var queueDelay: Interval { link.estimate.queueDelay }
    var steppedDown: Int { zip([2] + steps.map(\.to), steps.map(\.to)).count { $1 < $0 } }

    mutating func run(for length: Interval) {
        let end = now + length
        var (last, turns) = (now, 0)
        while true {
            // What is due is done when its time has come, and is not due again at once.
            (last, turns) = (now, now == last ? turns + 1 : 0)
            precondition(turns < 10_000, "time stands still")
            let next = min(
                nextFrame, flights.first?.at ?? .distantFuture, words.first?.at ?? .distantFuture,
                recorder.nextDeadline, link.nextDeadline)
            guard next < end else { break }
            now = max(now, next)
            if let flight = flights.first, flight.at <= now {
                recorder.record(flight.number, arrival: flights.removeFirst().at)
            } else if recorder.nextDeadline <= now {
                tell()
            } else if let word = words.first, word.at <= now {
                words.removeFirst()
                let arrivals = word.feedback.arrivals.map { $0 ?? TransportFeedback.missing }
                link.take(
                    arrivals, from: word.feedback.baseSequence, roundTrip: forth.link.delay + back.link.delay, now: now)
                judge()
            } else if link.nextDeadline <= now {
                let due = link.dueProbe(now: now)
                probeBytes += send(due)
                judge()
            } else {
                sendFrame()
            }
        }
        now = end
    }

    private mutating func sendFrame() {
        let isKey = frames % 60 == 0
        if isKey, let next { (rung, self.next) = (next, nil) }
        // A keyframe is four pictures large, the others make up for it.
        let bytes = Int(Self.needs[rung]) / 30 * (isKey ? 76 : 18) / 19
        mediaBytes += send(bytes)
        time[rung] = time[rung] + Self.frame
        (frames, nextFrame) = (frames + 1, nextFrame + Self.frame)
    }

    private mutating func send(_ bytes: Int) -> Int {
        var left = bytes
        while left > 0 {
            let size = min(left, Self.packet)
            let number = link.sent(size, now: now)
            if let arrival = forth.arrival(bytes: size + 48, now: now, using: &random) {
                let index = flights.lastIndex { $0.at <= arrival }.map { $0 + 1 } ?? 0
                flights.insert((arrival, number), at: index)
            }
            left -= size
        }
        return bytes
    }

    private mutating func tell() {
        for feedback in recorder.due(now: now, sender: SSRC(1), media: SSRC(2)) {
            guard let arrival = back.arrival(bytes: 60, now: now, using: &random) else { continue }
            words.append((arrival, feedback))
            words.sort { $0.at < $1.at }
        }
    }

    private mutating func judge() {
        let rungs = Self.needs.prefix(coming).enumerated().map { Rung(encoding: $0, need: $1) }
        switch link.judge(rungs, current: next ?? rung, isSteady: true, isThere: next == nil, beside: 0, now: now) {
        case .stays, .slower: break
        case .down(let to, _):
            (rung, next) = (to, nil)
            steps.append((now, to))
        case .up(let to):
            next = to
            steps.append((now, to))
        }
    }
}
