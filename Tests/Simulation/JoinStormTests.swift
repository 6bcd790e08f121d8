// Many who join at once: their handshakes wait while those who are there already get their packets.
import Testing
import WebRTC

@testable import Forwarding

@Suite struct JoinStormTests {
    /// A record is not worked on when it comes, but in the time that media leaves.
    @Test func aTurnTakesOneStepOfAHandshake() throws {
        let cascade = Cascade(seed: 96)
        let (publisher, edge) = (try cascade.host("publisher"), try cascade.host("edge"))
        cascade.publish(from: publisher, to: edge)
        cascade.play(from: publisher, until: .zero + .seconds(Int64(1)))
        var most = 0
        edge.observe = { unit, _ in most = max(most, unit.handshakes.count) }
        var viewers: [Host] = []
        for n in 0..<60 {
            viewers.append(try cascade.watcher("viewer-\(n)"))
            cascade.network.link(viewers[n], edge, Link(delay: .milliseconds(5)))
            cascade.connect(source: viewers[n], to: edge)
        }
        cascade.play(from: publisher, until: cascade.network.now + .seconds(Int64(3)))
        #expect(most >= 50, "they come together: \(most)")
        #expect(edge.unit.handshakes.isEmpty)
        #expect(edge.unit.peers.values.count { $0.phase == .connected } == 61)
        #expect(edge.unit.statistics.drops[Int(DropReason.handshakesBusy.rawValue)] == 0)
    }

    /// A step is a peer's, however many records it has sent: a flight is up to seven.
    @Test(arguments: [4, 60]) func aStepTakesAPeerNotARecord(peers: Int) throws {
        let cascade = Cascade(seed: 99)
        let edge = try cascade.host("edge")
        for n in 0..<peers { cascade.connect(source: try cascade.watcher("viewer-\(n)"), to: edge) }
        let record: [UInt8] = [22, 254, 253] + [UInt8](repeating: 0, count: 97)
        let source = TransportAddress(ipv4: 1, port: 1)
        for session in edge.unit.peers.values {
            for _ in 0..<7 { #expect(unsafe edge.unit.handshakes.append(record.span.bytes, from: source, of: session)) }
        }
        #expect(edge.unit.handshakes.count == peers && edge.unit.handshakes.records == 7 * peers)
        var count = 0
        while !edge.unit.handshakes.isEmpty, count < 100 {
            #expect(edge.unit.advanceHandshake(now: cascade.network.now))
            count += 1
        }
        #expect(count == peers)
    }

    /// Each turn takes a few, and one peer's records do not take all the room.
    @Test func onePeerDoesNotFillTheQueue() throws {
        let cascade = Cascade(seed: 97)
        let edge = try cascade.host("edge")
        cascade.publish(from: try cascade.host("publisher"), to: edge)
        cascade.network.run(until: .zero + .milliseconds(1))
        let session = try #require(edge.unit.peers.values.first)
        var queue = HandshakeQueue()
        let record = [UInt8](repeating: 22, count: 100)
        let source = TransportAddress(ipv4: 1, port: 1)
        var accepted = 0
        for _ in 0..<20 where unsafe queue.append(record.span.bytes, from: source, of: session) { accepted += 1 }
        #expect(accepted == HandshakeQueue.mostOfOne && queue.records == accepted && queue.count == 1)
        let all = queue.next()
        #expect(all?.records.map(\.bytes) == Array(repeating: record, count: accepted))
        #expect(session.waitingRecords.isEmpty && queue.isEmpty && queue.records == 0)
        for _ in 0..<1_000 {
            let isTaken = unsafe queue.append(record.span.bytes, from: source, of: session)
            let next = queue.next()
            #expect(isTaken && next != nil)
        }
    }
}
