// When the source of a broadcast changes, its viewers see one stream: the same SSRC, sequence numbers without a gap or a
// repetition, timestamps that go forward, and a picture that begins with a keyframe.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct SourceChangeTests {
    /// What a viewer's history holds, in the order of its line.
    private func line(of viewer: Host, track: Int) -> [PacketHistory.Entry] {
        guard let history = viewer.unit.broadcasts[Cascade.broadcast]?.tracks[track].preferred,
            let newest = history.history.newest
        else { return [] }
        return (0...newest).compactMap { history.history.entry($0) }
    }

    @Test func anotherPublisherTakesOver() throws {
        let cascade = Cascade(seed: 21)
        let (first, second, origin) = (
            try cascade.host("first"), try cascade.host("second"), try cascade.host("origin")
        )
        cascade.keyframeEvery = 30
        cascade.publish(from: first, to: origin)
        let viewer = try cascade.viewer("viewer", of: origin)
        cascade.play(from: first, until: .zero + .seconds(Int64(3)))
        // The second publisher's encoder is in the middle of a group: its first packets are of no use to anybody.
        let (_, onOrigin) = cascade.publish(from: second, to: origin)
        cascade.play(from: second, until: .zero + .seconds(Int64(6)))

        #expect(
            origin.events.contains {
                if case .closed(_, reason: .replaced, _) = $0 { true } else { false }
            })
        #expect(origin.unit.peers[onOrigin]?.phase == .connected)
        let session = viewer.unit.peers.values.first { $0 is Publisher }
        let encoding = try #require((session as? Publisher)?.source.tracks[0].encodings[0])
        #expect(encoding.reception.lost == 0)
        #expect(encoding.line?.first == 0, "one stretch of the viewer's line: the stream never restarted for it")

        let entries = line(of: viewer, track: 0)
        #expect(entries.count > 600)
        for (a, b) in zip(entries, entries.dropFirst()) {
            #expect(b.sequence == a.sequence + 1)
            #expect(Int32(bitPattern: b.timestamp &- a.timestamp) >= 0)
        }
        // After the change the first packet is a keyframe's: the sink waited for it.
        let pauses = zip(entries, entries.dropFirst()).filter { $1.arrival - $0.arrival > .milliseconds(100) }
        #expect(pauses.count == 1)
        #expect(pauses.first?.1.keyframe == true)
    }

    @Test func aPublisherThatComesBackContinuesTheStream() throws {
        let cascade = Cascade(seed: 22)
        let (publisher, again, origin) = (
            try cascade.host("publisher"), try cascade.host("again"), try cascade.host("origin")
        )
        let (ofPublisher, _) = cascade.publish(from: publisher, to: origin)
        let viewer = try cascade.viewer("viewer", of: origin)
        cascade.play(from: publisher, until: .zero + .seconds(Int64(3)))
        cascade.network.apply(.close(ofPublisher, reason: .requested), to: publisher)
        cascade.network.run(until: .zero + .seconds(Int64(5)))
        #expect(origin.unit.broadcasts[Cascade.broadcast]?.succession.source == nil)
        #expect(viewer.unit.peers.count == 1, "the viewer is held")
        let before = cascade.arrivals["viewer"]?.count ?? 0
        cascade.publish(from: again, to: origin)
        cascade.play(from: again, until: .zero + .seconds(Int64(8)))
        let after = cascade.arrivals["viewer"]?.count ?? 0
        #expect(after > before + 300)
        let entries = line(of: viewer, track: 0)
        let gap = zip(entries, entries.dropFirst()).map { Int32(bitPattern: $1.timestamp &- $0.timestamp) }.max() ?? 0
        // About two seconds of silence are two seconds on the media clock too.
        #expect((150_000...330_000).contains(Int(gap)))
    }

    @Test func aSourceThatNeverSendsIsReportedSilentOnce() throws {
        let cascade = Cascade(seed: 24)
        let (publisher, origin) = (try cascade.host("publisher"), try cascade.host("origin"))
        cascade.publish(from: publisher, to: origin)
        func silences() -> Int { origin.events.count { if case .silent = $0 { true } else { false } } }
        cascade.network.run(until: .zero + .milliseconds(1_900))
        #expect(silences() == 0)
        cascade.network.run(until: .zero + .seconds(Int64(8)))
        #expect(silences() == 1)
    }

    @Test func aSourceThatCrashedIsReportedSilentOnce() throws {
        let cascade = Cascade(seed: 23)
        let (publisher, origin) = (try cascade.host("publisher"), try cascade.host("origin"))
        cascade.publish(from: publisher, to: origin)
        cascade.play(from: publisher, until: .zero + .seconds(Int64(3)))
        func reports() -> (flowing: Int, silent: Int) {
            (
                origin.events.count { if case .flowing = $0 { true } else { false } },
                origin.events.count { if case .silent = $0 { true } else { false } }
            )
        }
        #expect(reports() == (1, 0))
        cascade.network.run(until: .zero + .milliseconds(4_900))
        #expect(reports() == (1, 0))
        cascade.network.run(until: .zero + .seconds(Int64(9)))
        #expect(reports() == (1, 1))
        cascade.play(from: publisher, until: .zero + .seconds(Int64(10)))
        #expect(reports() == (2, 1))
    }
}
