import Forwarding
import MediaPlane
import Synchronization
import WebRTC

/// What `probe publish` sends, opened before anything is promised to the server.
struct PublishedMedia: Sendable {
    private enum Source: Sendable {
        case clip(ClipPlayer)
        case rtp(RTPInput, [DatagramReader])
    }

    private let source: Source
    private let refused = PacketCount()

    static func files(video: String?, audio: String?, loops: Bool, framesPerSecond: Double) throws -> PublishedMedia {
        var tracks: [ClipTrack] = []
        for (path, kind) in [(video, MediaKind.video), (audio, .audio)] {
            guard let path else { continue }
            let track = try ClipTrack.load(path, framesPerSecond: framesPerSecond)
            guard track.codec.name.kind == kind else {
                throw UnusableFile(path: path, reason: "this is \(track.codec.name.rawValue), not \(kind.rawValue)")
            }
            tracks.append(track)
        }
        var system = SystemRandomNumberGenerator()
        return PublishedMedia(source: .clip(ClipPlayer(tracks, loops: loops, using: &system)))
    }

    static func rtp(sdp: String, video: UInt16?, audio: UInt16?) throws -> PublishedMedia {
        let text = String(decoding: try readFile(sdp, limit: SessionDescription.maximumBytes), as: UTF8.self)
        var input: RTPInput
        do {
            input = try RTPInput(sdp: text)
        } catch {
            throw UnusableFile(path: sdp, reason: "\(error)")
        }
        let ports: [(MediaKind, UInt16)] = [(.video, video), (.audio, audio)].compactMap { kind, port in
            port.map { (kind, $0) }
        }
        for (kind, _) in ports where !input.tracks.contains(where: { $0.codec.name.kind == kind }) {
            throw UnusableFile(path: sdp, reason: "no m=\(kind.rawValue) for --rtp-\(kind.rawValue)")
        }
        input.keep(Set(ports.map(\.0)))
        let readers = try Set(ports.map(\.1)).sorted().map { port in
            try DatagramReader(TransportAddress("127.0.0.1", port: port)!)
        }
        return PublishedMedia(source: .rtp(input, readers))
    }

    /// Packets that came, or were due, faster than they could be sent.
    var unsent: UInt64 {
        guard case .rtp(_, let readers) = source else { return refused.value }
        return readers.reduce(refused.value) { $0 + $1.lost }
    }

    var formats: [TrackFormat] {
        switch source {
        case .clip(let player): player.formats
        case .rtp(let input, _): input.formats
        }
    }

    func stop() async {
        guard case .rtp(_, let readers) = source else { return }
        for reader in readers { await reader.stop() }
    }

    /// Sends until the media ends or the task is cancelled.
    func play(into place: Place) async throws {
        switch source {
        case .clip(let player): try await play(player, into: place)
        case .rtp(let input, let readers):
            try await withThrowingTaskGroup(of: Void.self) { group in
                for reader in readers { group.addTask { try await forward(reader, input, into: place) } }
                try await group.waitForAll()
            }
        }
    }

    private func play(_ clip: ClipPlayer, into place: Place) async throws {
        var player = clip
        var start = ContinuousClock.now
        while let batch = player.next() {
            let due = start + .nanoseconds(batch.time.nanoseconds)
            let late = ContinuousClock.now - due
            // After a stop of the machine the clip goes on; it does not catch up in one burst.
            if late > .seconds(1) { start += late }
            if late < .zero { try await Task.sleep(until: due, tolerance: .zero) }
            send(batch.packets, into: place)
        }
        // The last packets leave, and may be asked for again, before the session is closed.
        try await Task.sleep(for: .milliseconds(300))
    }

    private func forward(_ reader: DatagramReader, _ input: RTPInput, into place: Place) async throws {
        let largest = Limits().maximumPayload
        for await batch in reader.batches {
            let packets = batch.compactMap { input.translate($0) }
            if let large = packets.lazy.map(RTPInput.payloadLength).first(where: { $0 > largest }) {
                throw ProbeError(
                    "RTP payloads of \(large) bytes are too large to be forwarded, \(largest) are not; "
                        + "with ffmpeg add ?pkt_size=1200")
            }
            if !packets.isEmpty { send(packets, into: place) }
        }
    }

    private func send(_ packets: [[UInt8]], into place: Place) {
        if !place.worker.send(.ingest(place.broadcast, packets: packets)) { refused.add(packets.count) }
    }
}

private final class PacketCount: Sendable {
    private let count = Atomic<UInt64>(0)
    var value: UInt64 { count.load(ordering: .relaxed) }
    func add(_ packets: Int) { count.wrappingAdd(UInt64(packets), ordering: .relaxed) }
}

/// Tells a loop that something has ended.
final class EndFlag: Sendable {
    private let flag = Atomic(false)
    var isRaised: Bool { flag.load(ordering: .acquiring) }
    func raise() { flag.store(true, ordering: .releasing) }
}
