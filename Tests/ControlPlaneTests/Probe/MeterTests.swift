// What the probe prints follows from the counters that it reads.

import ArgumentParser
import Forwarding
import Testing
import WebRTC

@testable import probe

private func milliseconds(_ n: Int64) -> Instant { .zero + .milliseconds(n) }

@Suite struct MeterTests {
    @Test func aSteadyStreamHasNoFreezes() {
        var meter = FrameMeter()
        for frame in 0..<300 { meter.sample(frames: UInt64(frame + 1), at: milliseconds(Int64(frame) * 33)) }
        meter.finish(at: milliseconds(300 * 33))
        #expect(meter.freezes == 0 && meter.longestGap == .milliseconds(33))
    }

    /// 30 frames per second: the limit is 33 + 150 ms. 2 frames per second: 3 × 500 ms.
    @Test(arguments: [(33, 180, 0), (33, 190, 1), (500, 1_400, 0), (500, 1_600, 1)] as [(Int64, Int64, Int)])
    func theLimitFollowsTheAverage(interval: Int64, gap: Int64, freezes: Int) {
        var meter = FrameMeter()
        for frame in 0..<60 { meter.sample(frames: UInt64(frame + 1), at: milliseconds(Int64(frame) * interval)) }
        meter.sample(frames: 61, at: milliseconds(59 * interval + gap))
        #expect(meter.freezes == freezes)
        #expect(meter.frozen == .milliseconds(freezes == 0 ? 0 : gap))
    }

    @Test func readingSeldomIsNotAFreeze() {
        var meter = FrameMeter()
        for round in 0..<50 { meter.sample(frames: UInt64(round * 3), at: milliseconds(Int64(round) * 100)) }
        #expect(meter.freezes == 0)
    }

    @Test func aStreamThatStopsIsFrozenInTheEnd() {
        var meter = FrameMeter()
        for frame in 0..<30 { meter.sample(frames: UInt64(frame + 1), at: milliseconds(Int64(frame) * 33)) }
        meter.finish(at: milliseconds(5_000))
        #expect(meter.freezes == 1)
    }

    @Test func reportsTellTheSecondAndTheWhole() throws {
        var meter = StreamMeter(started: milliseconds(1_000), direction: .source)
        (meter.answered, meter.connected) = (milliseconds(1_010), milliseconds(1_030))
        var statistics = SessionStatistics(direction: .source)
        var video = TrackStatistics(kind: .video, codec: .vp8)
        for tick in 1...60 as ClosedRange<Int64> {
            video.packets += 4
            video.bytes += 4_000
            video.frames += 1
            video.keyframes = UInt64(tick + 29) / 30
            statistics.tracks = [video]
            meter.sample(statistics, at: milliseconds(1_030 + tick * 33))
            if tick == 30 { _ = meter.second(at: milliseconds(2_020)) }
        }
        let second = meter.second(at: milliseconds(3_020))
        #expect(second.video?.packets == 120 && second.video?.fps == 30 && second.video?.bitrate == 960_000)
        #expect(second.audio == nil && !second.final)
        let final = meter.final(at: milliseconds(3_063), reason: "time")
        #expect(final.video?.packets == 240 && final.video?.keyframes == 2)
        #expect(final.video?.fps == 30)
        #expect(final.answeredMs == 10 && final.connectedMs == 30 && final.firstPacketMs == 63)
        #expect(final.firstKeyframeMs == 63 && final.freezes == 0)
        let json = Console.json(final)
        for part in [#""final":true"#, #""first_packet_ms":63"#, #""reason":"time""#, #""codec":"VP8""#] {
            #expect(json.contains(part), "\(json)")
        }
        #expect(!json.contains("\n"))
    }

    /// Cumulative losses as the receiver counts them fall when a repair comes late.
    @Test func noSecondLosesLessThanNothing() throws {
        var meter = StreamMeter(started: milliseconds(0), direction: .source)
        func second(_ number: Int64, lost: Int64) throws -> Int64 {
            var statistics = SessionStatistics(direction: .source)
            var video = TrackStatistics(kind: .video, codec: .vp8)
            (video.packets, video.lost) = (UInt64(number) * 100, lost)
            statistics.tracks = [video]
            meter.sample(statistics, at: milliseconds(number * 1_000))
            return try #require(meter.second(at: milliseconds(number * 1_000)).video?.lost)
        }
        let cumulative: [Int64] = [5, 2, 4, 7, 7, -3, 0, 9]
        let seconds = try cumulative.enumerated().map { try second(Int64($0) + 1, lost: $1) }
        #expect(seconds == [5, 0, 0, 2, 0, 0, 0, 2])
        #expect(meter.final(at: milliseconds(9_000), reason: "time").video?.lost == 9)
        var duplicates = StreamMeter(started: milliseconds(0), direction: .sink)
        var statistics = SessionStatistics(direction: .sink)
        statistics.tracks = [TrackStatistics(kind: .audio, codec: .opus)]
        statistics.tracks[0].lost = -4
        duplicates.sample(statistics, at: milliseconds(10))
        #expect(duplicates.final(at: milliseconds(20), reason: "time").audio?.lost == 0)
    }

    @Test func whatTheProbeDropsIsShown() {
        var meter = StreamMeter(started: milliseconds(0), direction: .source)
        var drops = UnitStatistics().drops
        meter.sample(drops: drops)
        #expect(meter.second(at: milliseconds(1_000)).dropped.isEmpty)
        drops[Int(DropReason.tooLarge.rawValue)] = 3
        drops[Int(DropReason.srtpReplay.rawValue)] = 1
        meter.sample(drops: drops)
        let second = meter.second(at: milliseconds(2_000))
        #expect(second.dropped == ["too_large": 3, "srtp_replay": 1])
        #expect(second.text.contains("dropped 4 (srtp_replay 1, too_large 3)"))
        drops[Int(DropReason.tooLarge.rawValue)] = 5
        meter.sample(drops: drops, unsent: 2)
        #expect(meter.second(at: milliseconds(3_000)).dropped == ["too_large": 2, "unsent": 2])
        #expect(meter.second(at: milliseconds(4_000)).dropped.isEmpty)
        let final = meter.final(at: milliseconds(4_000), reason: "time")
        #expect(final.dropped == ["too_large": 5, "srtp_replay": 1, "unsent": 2])
        #expect(Console.json(final).contains(#""dropped":{"srtp_replay":1,"too_large":5,"unsent":2}"#))
    }

    @Test func aSwarmTellsWhatItWasRefused() async {
        let crowd = Crowd(requested: 3, started: milliseconds(0))
        await crowd.refused("u answered 429: too many requests")
        await crowd.refused("u answered 429: too many requests")
        await crowd.fail("u answered 503: it takes nothing new at the moment")
        let report = await crowd.report(at: milliseconds(1_000), reason: "time")
        #expect(report.failed == 1 && report.joined == 0)
        #expect(report.refusals == ["u answered 429: too many requests": 2])
        #expect(report.text.contains("2 × refused for the moment: u answered 429: too many requests"))
    }

    /// However many different ones there are, they add up.
    @Test func noFailureIsForgotten() async {
        let crowd = Crowd(requested: 100, started: milliseconds(0))
        for number in 0..<100 { await crowd.fail("error \(number)") }
        let report = await crowd.report(at: milliseconds(1_000), reason: "time")
        #expect(report.failed == 100 && report.errors.values.reduce(0, +) == 100)
        #expect(report.errors.count <= 20)
    }

    @Test func aTurnstileLetsSoManyInAtOnceInOrder() async {
        let turnstile = Turnstile(2)
        await turnstile.enter()
        await turnstile.enter()
        let third = Task { await turnstile.enter() }
        await turnstile.leave()
        await third.value
        await turnstile.leave()
        await turnstile.leave()
        await turnstile.enter()
        await turnstile.enter()
    }

    @Test func spreads() {
        #expect(SwarmReport.Spread([]) == nil)
        let hundred = SwarmReport.Spread((1...100).map(Double.init).shuffled())
        #expect(hundred?.p50 == 50 && hundred?.p95 == 95 && hundred?.max == 100)
        let one = SwarmReport.Spread([7])
        #expect(one?.p50 == 7 && one?.p95 == 7 && one?.max == 7)
    }
}

@Suite struct RefusalTests {
    private func refusal(_ status: Int, _ verb: Refusal.Verb) -> Refusal {
        Refusal(status: status, problem: "why", url: "u", verb: verb)
    }

    @Test func onlyWhatMayPassIsTriedAgain() {
        #expect(
            refusal(409, .watch).isTemporary && refusal(503, .watch).isTemporary && refusal(429, .watch).isTemporary)
        for status in [400, 401, 403, 404, 406, 422, 500] { #expect(!refusal(status, .watch).isTemporary) }
        #expect(!refusal(409, .publish).isTemporary)
    }

    @Test func aMissingTokenNamesTheVariable() {
        #expect(refusal(401, .watch).description.contains("CASCADE_WATCH_TOKEN"))
        #expect(refusal(401, .publish).description.contains("CASCADE_PUBLISH_TOKEN"))
        #expect(refusal(422, .publish).description.contains("(why)"))
    }
}

@Suite struct CommandLineTests {
    @Test(arguments: [
        [], ["publish"], ["publish", "--url", "http://h/w"], ["publish", "--url", "ftp://h", "--file", "a"],
        ["publish", "--url", "http://h/w", "--file", "a", "--rtp-video", "5"],
        ["publish", "--url", "http://h/w", "--rtp-video", "5"],
        ["publish", "--url", "http://h/w", "--file", "a", "--fps", "0"],
        ["publish", "--url", "http://h/w", "--file", "a", "--fps", "1e-300"],
        ["watch"], ["watch", "--url", "http://h/w", "--seconds", "-1"], ["swarm", "--url", "http://h/w"],
        ["swarm", "--url", "http://h/w", "--viewers", "0"],
        ["swarm", "--url", "http://h/w", "--viewers", "20001"],
    ])
    func badUsage(arguments: [String]) throws {
        // No command at all is a request for help.
        if arguments.isEmpty { return }
        let error = #expect(throws: (any Error).self) { _ = try Main.parseAsRoot(arguments) }
        #expect(error.map { Main.exitCode(for: $0).rawValue } == 64)
    }

    @Test(arguments: [
        ["publish", "--url", "http://h/w", "--file", "a.ivf", "--audio", "b.ogg", "--loop"],
        [
            "publish", "--url", "https://h/w", "--token", "t", "--rtp-video", "6004", "--rtp-audio", "6006", "--sdp",
            "x",
        ],
        ["watch", "--url", "http://h/w", "--seconds", "5", "--json"],
        ["swarm", "--url", "http://h/w", "--viewers", "100", "--seconds", "10", "--rate", "50", "--json"],
    ])
    func goodUsage(arguments: [String]) throws { _ = try Main.parseAsRoot(arguments) }
}
