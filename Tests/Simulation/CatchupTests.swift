// Readers behind the head of a line: what they lack leaves by and by, within a budget and as the outbox has room, and
// nothing of it gets lost on the way.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct CatchupTests {
    /// What stands in the sending loop per viewer and track is small, or thousands of them do not fit in the cache.
    @Test func aStreamIsTwoCacheLines() {
        #expect(MemoryLayout<Stream>.stride <= 128)
    }

    /// Viewers behind one bad link ask for a second of video each, at once: more than the outbox has room for.
    @Test(arguments: [true, false]) func allThatViewersMissIsSentAgain(rtx: Bool) throws {
        let cascade = Cascade(seed: 101)
        let edge = try cascade.host("edge")
        for n in 0..<25 { cascade.connect(source: try cascade.host("viewer-\(n)"), to: edge, rtx: rtx) }
        cascade.play(from: edge, until: .zero + .seconds(Int64(2)))
        let (unit, now) = (edge.unit, cascade.network.now)
        let before = unit.outbox.refused
        for case let viewer as Viewer in unit.peers.values {
            let index = viewer.records[0].index
            let stream = viewer.broadcast.tracks[0].streams[index]
            let lost = (stream.line.next - 200..<stream.line.next).map {
                SequenceNumber(UInt16(truncatingIfNeeded: $0))
            }
            for nack in RTCPCompound.write([.nack(sender: SSRC(1), media: stream.ssrc, lost: lost)]) {
                unsafe unit.receiveRTCP(nack.span.bytes, of: viewer, now: now)
            }
        }
        var sent = 0
        func flush() {
            var isMore = true
            while isMore {
                isMore = unit.flush(now: now)
                sent += unit.outbox.datagrams
                unit.outbox.removeAll()
            }
        }
        flush()
        #expect(sent == Catchup.packetsPerTurn, "a turn has a budget")
        #expect(unit.nextDeadline <= now, "the next one comes at once")
        while unit.advance(now: now) { flush() }
        flush()
        #expect(sent >= 25 * 200 && unit.nextDeadline > now)
        #expect(unit.outbox.refused == before, "nothing was for want of room")
        #expect(unit.catchup.repairs == 25 * 200)
    }
}
