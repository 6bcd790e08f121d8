import ArgumentParser
import ControlPlane
import Forwarding
import MediaPlane
import WebRTC

struct Swarm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Many viewers of one broadcast from one process, for load.",
        discussion: "Each viewer is a full WHEP session with its own handshake, keys and UDP port.")

    private static let sampling = Duration.milliseconds(100)

    @OptionGroup var common: CommonOptions

    @Option(help: ArgumentHelp("How many viewers, 1 to 20000.", valueName: "number"))
    var viewers: Int

    @Option(help: ArgumentHelp("Stop so many seconds after the start (default: at a signal).", valueName: "number"))
    var seconds: Double?

    @Option(help: ArgumentHelp("Viewers that join per second.", valueName: "number"))
    var rate = 20.0

    @Option(help: ArgumentHelp("How long to wait for a broadcast that is not live.", valueName: "seconds"))
    var wait = 30.0

    @Option(help: ArgumentHelp("Media threads.", valueName: "number"))
    var workers = 1

    func validate() throws {
        guard 1...20_000 ~= viewers else { throw ValidationError("--viewers is 1 to 20000") }
        guard 1...64 ~= workers else { throw ValidationError("--workers is 1 to 64") }
        try requirePositive(seconds, "--seconds")
        try requirePositive(rate, "--rate")
        guard wait >= 0, wait <= 1e6 else { throw ValidationError("--wait is a number of seconds") }
    }

    func run() async throws {
        let needs = SwarmNeeds(viewers: viewers, workers: workers)
        if let shortage = needs.shortage(descriptors: DescriptorLimit.raise(), ports: SwarmNeeds.localPorts) {
            throw ProbeError(shortage)
        }
        let client = try ProbeClient(
            limits: .watching(viewers: viewers), workers: workers, redirects: common.redirects, logger: common.logger)
        async let events: Void = client.run()
        let crowd = Crowd(requested: viewers, started: MonotonicClock.now())
        let reason = await Interruption.catching { interruption in
            await withTaskGroup(of: String?.self) { group in
                group.addTask {
                    await join(crowd, client, interruption)
                    return nil
                }
                group.addTask {
                    let reason = await follow(crowd, client, interruption)
                    interruption.request()
                    return reason
                }
                return await group.reduce(nil) { $0 ?? $1 } ?? "interrupted"
            }
        }
        let report = await crowd.report(at: MonotonicClock.now(), reason: reason)
        await withTaskGroup(of: Void.self) { group in
            for session in await crowd.sessions { group.addTask { await client.close(session) } }
        }
        Console.print(report, text: report.text, asJSON: common.json)
        await client.stop()
        await events
        if report.receivedAny == 0 { throw ProbeError("no viewer got any media") }
    }

    /// Lets the viewers in at the chosen rate.
    private func join(_ crowd: Crowd, _ client: ProbeClient, _ interruption: Interruption) async {
        let token = common.token(orFrom: "CASCADE_WATCH_TOKEN")
        let start = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<viewers {
                let due = start + .seconds(Double(index) / rate)
                guard (try? await interruption.sleep(due - .now)) != nil else { return }
                group.addTask {
                    do {
                        let session = try await client.watch(
                            common.url, token: token, patience: .seconds(wait), interruption: interruption,
                            at: client.makePlace(), refused: { await crowd.refused("\($0)") })
                        await crowd.add(session)
                    } catch is CancellationError {
                    } catch {
                        await crowd.fail("\(error)")
                    }
                }
            }
        }
    }

    /// Reads the counters until the time is over or nobody is left; says which.
    private func follow(_ crowd: Crowd, _ client: ProbeClient, _ interruption: Interruption) async -> String {
        let start = MonotonicClock.now()
        let end = seconds.map { start + .seconds($0) } ?? .distantFuture
        var nextReport = start + .seconds(Int64(1))
        while true {
            let statistics = await client.statistics()
            let now = MonotonicClock.now()
            await crowd.sample(statistics, client, at: now)
            if now >= nextReport {
                let report = await crowd.report(at: now, reason: nil)
                Console.print(report, text: report.text, asJSON: common.json)
                nextReport = nextReport + .seconds(Int64(1))
            }
            if await crowd.isOver { return "all viewers ended" }
            if now >= end { return "time" }
            guard (try? await interruption.sleep(Self.sampling)) != nil else { return "interrupted" }
        }
    }
}
