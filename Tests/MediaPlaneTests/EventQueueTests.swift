// A control plane that falls behind hears late, and of each session how it stands; it never misses that one has ended.

import Forwarding
import Logging
import Testing
import WebRTC

@testable import MediaPlane

@Suite(.timeLimit(.minutes(5))) struct EventQueueTests {
    private static let broadcast = BroadcastID(rawValue: 1)

    private static func session(_ number: Int) -> SessionID { SessionID(rawValue: UInt64(number)) }

    private static func closed(_ number: Int) -> Event {
        .closed(session(number), reason: .requested, SessionStatistics(direction: .sink))
    }

    /// All that waits, once nothing more comes.
    private static func rest(of queue: EventQueue) async -> [Event] {
        queue.finish()
        var all: [Event] = []
        for await event in queue { all.append(event) }
        return all
    }

    @Test func eventsComeInTheirOrder() async {
        let queue = EventQueue(capacity: 2)
        var iterator = queue.makeAsyncIterator()
        for number in 0..<10 {
            _ = queue.put(Self.closed(2 * number))
            _ = queue.put(Self.closed(2 * number + 1))
            if number % 3 == 0 { _ = await iterator.next() }
        }
        let rest = await Self.rest(of: queue)
        #expect(rest.map(\.subject) == (4..<20).map { .end(Self.session($0)) })
    }

    /// A source whose line is bad says so again and again while nobody listens.
    @Test func whatIsOutOfDateGoesAndNothingElse() async {
        let queue = EventQueue(capacity: 16)
        _ = queue.put(.feeds(Self.session(1), Self.broadcast))
        var told = 0
        for round in 0..<1_000 {
            let id = Self.session(round % 2)
            told += queue.put(.silent(id, Self.broadcast)) == nil ? 0 : 1
            told += queue.put(.unreachable(id, Self.broadcast)) == nil ? 0 : 1
            told += queue.put(round < 998 ? .flowing(id, Self.broadcast) : .silent(id, Self.broadcast)) == nil ? 0 : 1
            told += queue.put(.reachable(id, Self.broadcast)) == nil ? 0 : 1
        }
        for number in 0..<100 { _ = queue.put(Self.closed(number)) }
        #expect(told > 0 && told < 1_000, "it is said, and not with each event")
        let rest = await Self.rest(of: queue)
        #expect(rest.count < 150)
        guard case .feeds? = rest.first else { return #expect(Bool(false), "the oldest is first: \(rest.first!)") }
        for number in 0..<2 {
            let last = rest.last { $0.subject == .flow(Self.session(number)) }
            guard case .silent? = last else { return #expect(Bool(false), "not as it stands: \(last as Any)") }
        }
        #expect(rest.suffix(100).map(\.subject) == (0..<100).map { .end(Self.session($0)) })
    }

    /// Whose sessions all end, with room for next to none of them.
    @Test func everyEndOfARealWorkersSessionsIsHeardOf() async throws {
        let queue = EventQueue(capacity: 4)
        let worker = try MediaWorker(
            index: 0,
            configuration: .init(
                address: TransportAddress("127.0.0.1", port: 0)!,
                unit: .init(identity: try DTLSIdentity.generate(), seed: 1, ntpOrigin: 0)),
            events: queue, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let ice = ICECredentials(ufrag: "abcdefgh", password: String(repeating: "p", count: 24))
        for number in 0..<200 {
            // Of a broadcast that is not there: each ends at once.
            worker.send(
                .open(
                    SessionParameters(
                        id: Self.session(number),
                        transport: TransportParameters(
                            role: .server, localICE: ice, remoteICE: ice, remoteFingerprints: [],
                            remoteCandidates: [], dtlsActive: false),
                        broadcast: Self.broadcast, direction: .sink, tracks: [])))
        }
        await worker.stop()
        let ends = await Self.rest(of: queue).map(\.subject)
        #expect(ends == (0..<200).map { .end(Self.session($0)) })
    }
}
