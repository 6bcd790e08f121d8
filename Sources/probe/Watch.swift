import ArgumentParser
import Forwarding
import MediaPlane
import WebRTC

struct Watch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Watches one broadcast at a WHEP endpoint and prints what arrives.")

    /// How often the counters are read; freezes and first frames are known as exactly.
    private static let sampling = Duration.milliseconds(20)

    @OptionGroup var common: CommonOptions

    @Option(help: ArgumentHelp("Stop after so many seconds (default: when the broadcast ends).", valueName: "number"))
    var seconds: Double?

    @Option(help: ArgumentHelp("How long to wait for a broadcast that is not live.", valueName: "seconds"))
    var wait = 30.0

    func validate() throws {
        try requirePositive(seconds, "--seconds")
        guard wait >= 0, wait <= 1e6 else { throw ValidationError("--wait is a number of seconds") }
    }

    func run() async throws {
        let client = try ProbeClient(limits: .watching(viewers: 1), redirects: common.redirects, logger: common.logger)
        async let events: Void = client.run()
        let outcome = await Interruption.catching { interruption in
            let result: Result<Void, any Error>
            do {
                try await watch(client, interruption)
                result = .success(())
            } catch {
                result = .failure(error)
            }
            return result
        }
        await client.stop()
        await events
        try outcome.get()
    }

    private func watch(_ client: ProbeClient, _ interruption: Interruption) async throws {
        let token = common.token(orFrom: "CASCADE_WATCH_TOKEN")
        let session: ProbeSession
        do {
            session = try await client.watch(
                common.url, token: token, patience: .seconds(wait), interruption: interruption, at: client.makePlace())
        } catch is CancellationError {
            throw ProbeError("interrupted before the broadcast was live")
        }
        var meter = StreamMeter(started: session.started, direction: .source)
        meter.answered = session.answered
        let ending = await follow(session, client, interruption, &meter)
        await client.close(session)
        let report = meter.final(at: MonotonicClock.now(), reason: ending.reason)
        Console.print(report, text: report.text, asJSON: common.json)
        if ending.isFailure { throw ProbeError("the session ended: \(ending.reason)") }
        if meter.packets == 0, !interruption.isRequested { throw ProbeError("no media arrived") }
    }

    private func follow(
        _ session: ProbeSession, _ client: ProbeClient, _ interruption: Interruption, _ meter: inout StreamMeter
    ) async -> (reason: String, isFailure: Bool) {
        let end = seconds.map { session.answered + .seconds($0) } ?? .distantFuture
        var nextReport = session.answered + .seconds(Int64(1))
        while true {
            let statistics = await client.statistics()
            meter.sample(drops: statistics.drops)
            let (now, progress) = (MonotonicClock.now(), client.progress(of: session.id))
            meter.connected = progress.connected
            if let closed = progress.closed {
                meter.sample(closed.statistics, at: closed.at)
                // The broadcast's end is what a viewer without a time limit waits for.
                let isEnd = closed.reason == .peerClosed && seconds == nil && meter.packets > 0
                return (closed.reason.rawValue, !isEnd)
            }
            if let own = statistics.sessions[session.id] { meter.sample(own, at: now) }
            if let flowing = progress.flowing { meter.flowing(since: flowing) }
            if now >= nextReport {
                let report = meter.second(at: now)
                Console.print(report, text: report.text, asJSON: common.json)
                nextReport = nextReport + .seconds(Int64(1))
            }
            if now >= end { return ("time", false) }
            do {
                try await interruption.sleep(Self.sampling)
            } catch {
                return ("interrupted", false)
            }
        }
    }
}
