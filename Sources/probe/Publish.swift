import ArgumentParser
import Forwarding
import MediaPlane
import WebRTC

struct Publish: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sends a file or the RTP of another program to a WHIP endpoint.",
        discussion: """
            probe publish --url URL --file clip.ivf --audio tone.ogg --loop
            probe publish --url URL --rtp-video 6004 --rtp-audio 6006 --sdp stream.sdp
                ffmpeg … -f rtp -sdp_file stream.sdp 'rtp://127.0.0.1:6004?pkt_size=1200'
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: ArgumentHelp("Video: VP8 in IVF, or H.264 in Annex B format.", valueName: "file"))
    var file: String?

    @Option(help: ArgumentHelp("Audio: Opus in Ogg.", valueName: "file"))
    var audio: String?

    @Option(help: ArgumentHelp("Frames per second of an Annex B file, which does not tell.", valueName: "number"))
    var fps = 30.0

    @Flag(help: "Play each file again and again, whatever the length of the other.")
    var loop = false

    @Option(help: ArgumentHelp("Port of 127.0.0.1 at which video RTP arrives.", valueName: "port"))
    var rtpVideo: UInt16?

    @Option(help: ArgumentHelp("Port of 127.0.0.1 at which audio RTP arrives.", valueName: "port"))
    var rtpAudio: UInt16?

    @Option(help: ArgumentHelp("Session description of that RTP, as its sender wrote it.", valueName: "file"))
    var sdp: String?

    @Option(help: ArgumentHelp("Stop after so many seconds.", valueName: "number"))
    var seconds: Double?

    func validate() throws {
        let (isFile, isRTP) = (file != nil || audio != nil, rtpVideo != nil || rtpAudio != nil)
        guard isFile != isRTP else {
            throw ValidationError("give either --file and/or --audio, or --rtp-video and/or --rtp-audio with --sdp")
        }
        guard isRTP == (sdp != nil) else { throw ValidationError("--sdp goes with --rtp-video and --rtp-audio") }
        if loop, isRTP { throw ValidationError("--loop is for files") }
        try requirePositive(seconds, "--seconds")
        guard 0.01...1_000 ~= fps else { throw ValidationError("--fps is a number from 0.01 to 1000") }
    }

    func run() async throws {
        let media = try openMedia()
        let client = try ProbeClient(limits: Limits(), redirects: common.redirects, logger: common.logger)
        async let events: Void = client.run()
        let outcome = await Interruption.catching { interruption in
            let result: Result<Void, any Error>
            do {
                try await publish(media, client, interruption)
                result = .success(())
            } catch {
                result = .failure(error)
            }
            return result
        }
        await media.stop()
        await client.stop()
        await events
        try outcome.get()
    }

    private func openMedia() throws -> PublishedMedia {
        if let sdp { return try .rtp(sdp: sdp, video: rtpVideo, audio: rtpAudio) }
        return try .files(video: file, audio: audio, loops: loop, framesPerSecond: fps)
    }

    private func publish(_ media: PublishedMedia, _ client: ProbeClient, _ interruption: Interruption) async throws {
        let place = client.makePlace()
        place.worker.send(.openBroadcast(place.broadcast, tracks: media.formats))
        let token = common.token(orFrom: "CASCADE_PUBLISH_TOKEN")
        let session = try await client.publish(media.formats, to: common.url, token: token, at: place)
        var meter = StreamMeter(started: session.started, direction: .sink)
        meter.answered = session.answered
        let result: Result<String, any Error>
        do {
            meter.connected = try await connected(session, client, interruption)
            result = .success(try await play(media, session, client, interruption, &meter))
        } catch is CancellationError {
            result = .success("interrupted")
        } catch {
            result = .failure(error)
        }
        await client.close(session)
        let reason = if case .success(let reason) = result { reason } else { "closed" }
        let report = meter.final(at: MonotonicClock.now(), reason: reason)
        Console.print(report, text: report.text, asJSON: common.json)
        _ = try result.get()
    }

    private func connected(
        _ session: ProbeSession, _ client: ProbeClient, _ interruption: Interruption
    ) async throws -> Instant {
        while true {
            let progress = client.progress(of: session.id)
            if let connected = progress.connected { return connected }
            if let closed = progress.closed { throw ProbeError("no connection: \(closed.reason.rawValue)") }
            try await interruption.sleep(.milliseconds(5))
        }
    }

    /// Sends until the end of the clip, of the time, or of the session; says which.
    private func play(
        _ media: PublishedMedia, _ session: ProbeSession, _ client: ProbeClient, _ interruption: Interruption,
        _ meter: inout StreamMeter
    ) async throws -> String {
        let player = Task { try await media.play(into: session.place) }
        defer { player.cancel() }
        let ended = EndFlag()
        let watcher = Task {
            _ = await player.result
            ended.raise()
        }
        defer { watcher.cancel() }
        let end = seconds.map { MonotonicClock.now() + .seconds($0) } ?? .distantFuture
        var nextReport = MonotonicClock.now() + .seconds(Int64(1))
        while true {
            let now = MonotonicClock.now()
            if let closed = client.progress(of: session.id).closed {
                meter.sample(closed.statistics, at: closed.at)
                throw ProbeError("the session ended: \(closed.reason.rawValue)")
            }
            let statistics = await client.statistics()
            meter.sample(drops: statistics.drops, unsent: media.unsent)
            if let own = statistics.sessions[session.id] { meter.sample(own, at: now) }
            if now >= nextReport {
                let report = meter.second(at: now)
                Console.print(report, text: report.text, asJSON: common.json)
                nextReport = nextReport + .seconds(Int64(1))
            }
            if ended.isRaised {
                try await player.value
                return "finished"
            }
            if now >= end { return "time" }
            try await interruption.sleep(.milliseconds(100))
        }
    }
}
