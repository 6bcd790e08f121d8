// Who moves a server's session, as one table: the peer is heard from A, the address in use, and from B. Media goes to B only
// after B has answered a check of ours, and against the peer's nomination never while A lives.
import Testing
import WebRTC

@Suite struct WhoMovesTests {
    private typealias F = ICEFixture

    enum Life: Sendable { case media, checks, answersOnly, none }
    /// Whose credentials B's checks carry while a restart is under way.
    enum Restart: Sendable { case none, newCredentials, oldCredentials }

    struct Row: CustomTestStringConvertible, Sendable {
        var a = Life.media
        var bNominates = false
        var bAnswers = true
        /// B sends media but no check.
        var bIsMediaOnly = false
        var restart = Restart.none
        /// Milliseconds after B's first check within which B is used; nil: A stays.
        var moves: ClosedRange<Int64>?
        var restartEnds = false

        var testDescription: String {
            "A \(a), B \(bNominates ? "nominates" : "is heard"), \(bAnswers ? "answers" : "is silent"), \(restart)"
        }
    }

    /// A round trip is 40 ms here.
    static let atOnce: ClosedRange<Int64> = 40...60
    static let afterSilence: ClosedRange<Int64> = 1_600...1_800

    @Test(arguments: [
        // The peer wants B: as soon as B is proven, whatever A does.
        Row(a: .media, bNominates: true, moves: atOnce),
        Row(a: .checks, bNominates: true, moves: atOnce),
        Row(a: .none, bNominates: true, moves: atOnce),
        // A forged source, or a peer that answers no checks.
        Row(a: .media, bNominates: true, bAnswers: false),
        Row(a: .none, bNominates: true, bAnswers: false),
        // Consent checks of a peer whose address changed; or of one that keeps a second pair.
        Row(a: .none, moves: afterSilence),
        Row(a: .none, bAnswers: false),
        Row(a: .media),
        Row(a: .checks),
        Row(a: .answersOnly),
        // Media alone leads nowhere: the demultiplexer does not even bring it here.
        Row(a: .none, bIsMediaOnly: true),
        // A restart under way: the same, and the old credentials go when the new ones have nominated.
        Row(a: .media, bNominates: true, restart: .newCredentials, moves: atOnce, restartEnds: true),
        Row(a: .none, bNominates: true, restart: .newCredentials, moves: atOnce, restartEnds: true),
        Row(a: .media, bNominates: true, bAnswers: false, restart: .newCredentials),
        Row(a: .media, restart: .newCredentials),
        Row(a: .none, restart: .newCredentials, moves: afterSilence),
        Row(a: .media, bNominates: true, restart: .oldCredentials, moves: atOnce),
        Row(a: .media, restart: .oldCredentials),
    ])
    func table(row: Row) {
        var world = World(row)
        world.run(until: 8_000)
        #expect(world.server.agent.remote == (row.moves == nil ? F.a : F.b))
        if let moves = row.moves {
            #expect(moves.contains(world.movedAt - World.start), "after \(world.movedAt - World.start) ms")
        }
        if !row.bAnswers {
            #expect(world.bytesToB <= 3 * world.bytesFromB, "\(world.bytesToB) bytes for \(world.bytesFromB)")
        }
        #expect(world.server.agent.isRestarting == (row.restart != .none && !row.restartEnds))
        // What does not move ends, unless it lives where we send to.
        world.run(until: 45_000)
        let lives = row.moves != nil || row.a != .none
        #expect((world.server.agent.state == .failed) == !lives)
    }

    /// The address in use, another one, and a server between them, in steps of 10 ms.
    private struct World {
        static let start: Int64 = 2_000
        let row: Row
        var server = AgentUnderTest(.server)
        private(set) var movedAt: Int64 = -1
        private(set) var bytesToB = 0
        private(set) var bytesFromB = 0
        private var answers: [(at: Int64, from: TransportAddress, bytes: [UInt8])] = []
        private var ms: Int64 = 0

        init(_ row: Row) {
            self.row = row
            #expect(server.receive(F.check(nominating: true), from: F.a) == .handled)
            guard row.restart != .none else { return }
            server.agent.restart(local: F.newLocal, remote: F.newRemote, candidates: [], now: .zero)
        }

        mutating func run(until end: Int64) {
            while ms <= end, server.agent.state != .failed {
                for answer in answers where answer.at <= ms { receive(answer.bytes, from: answer.from) }
                answers.removeAll { $0.at <= ms }
                if ms % 500 == 0 { aSpeaks() }
                if ms % 500 == 0, ms >= Self.start { bSpeaks() }
                if server.agent.nextDeadline <= F.ms(ms) { server.agent.advance(now: F.ms(ms), outbox: server.outbox) }
                collect()
                if movedAt < 0, server.agent.remote == F.b { movedAt = ms }
                ms += 10
            }
        }

        private mutating func aSpeaks() {
            // Until B comes, A always lives.
            switch ms <= Self.start ? .media : row.a {
            case .media: server.agent.authenticatedMedia(from: F.a, now: F.ms(ms))
            case .checks: receive(F.check(), from: F.a)
            case .answersOnly, .none: break
            }
        }

        private mutating func bSpeaks() {
            if row.bIsMediaOnly { return server.agent.authenticatedMedia(from: F.b, now: F.ms(ms)) }
            let isNew = row.restart == .newCredentials
            let check = F.check(
                to: isNew ? F.newLocal : F.local, from: isNew ? F.newRemote : F.remote, nominating: row.bNominates)
            bytesFromB += check.count
            receive(check, from: F.b)
        }

        private mutating func receive(_ bytes: [UInt8], from source: TransportAddress) {
            _ = server.receive(bytes, from: source, at: ms)
        }

        private mutating func collect() {
            for sent in server.sent() {
                if sent.destination == F.b { bytesToB += sent.bytes.count }
                guard sent.message.messageClass == .request else { continue }
                let isAnswered = sent.destination == F.b ? row.bAnswers : row.a != .none
                guard isAnswered else { continue }
                #expect(sent.message.controlled != nil && !sent.message.useCandidate)
                let password = sent.isSigned(with: F.remote) ? F.remote.password : F.newRemote.password
                answers.append((ms + 40, sent.destination, F.success(sent.id, password: password)))
            }
        }
    }

    private func connected() -> AgentUnderTest {
        var server = AgentUnderTest(.server)
        #expect(server.receive(F.check(nominating: true), from: F.a) == .handled)
        _ = server.sent()
        return server
    }

    /// Only what nobody but B can know counts as B's answer.
    @Test func anAnswerIsFromThereAndToTheCheckAndSigned() throws {
        var server = connected()
        #expect(server.receive(F.check(nominating: true), from: F.b, at: 1_000) == .handled)
        let check = try #require(server.advance(to: 1_000).last)
        #expect(check.destination == F.b && check.isSigned(with: F.remote) && check.username == "peer:LOCALufr")
        #expect(server.receive(F.success(check.id, password: "guess"), from: F.b) == .dropped(.stunIntegrity))
        #expect(server.receive(F.failure(check.id, 401, password: nil), from: F.b) == .dropped(.stunIntegrity))
        #expect(server.receive(F.success(.init(high: 1, low: 1)), from: F.b) == .dropped(.unexpectedSTUN))
        #expect(server.receive(F.success(check.id), from: F.c) == .dropped(.unexpectedSTUN))
        #expect(server.receive(F.success(check.id), from: F.a) == .dropped(.unexpectedSTUN))
        #expect(server.agent.remote == F.a)
        #expect(server.receive(F.success(check.id), from: F.b) == .handled)
        #expect(server.agent.remote == F.b)
        #expect(server.receive(F.success(check.id), from: F.b) == .dropped(.unexpectedSTUN), "a duplicate")
    }

    /// A peer that thinks it has the same role says so under its password: it is there.
    @Test func aSignedRefusalIsAnAnswer() throws {
        var server = connected()
        #expect(server.receive(F.check(nominating: true), from: F.b, at: 1_000) == .handled)
        let check = try #require(server.advance(to: 1_000).last)
        #expect(server.receive(F.failure(check.id, 487), from: F.b, at: 1_010) == .handled)
        #expect(server.agent.remote == F.b)
    }

    /// Transactions that could be foreseen would let a peer answer in a stranger's name.
    @Test func transactionsAreNotFromTheSeed() throws {
        var ids: Set<STUNMessage.TransactionID> = []
        for _ in 0..<50 {
            var server = connected()
            #expect(server.receive(F.check(nominating: true), from: F.b, at: 1_000) == .handled)
            ids.insert(try #require(server.advance(to: 1_000).last).id)
        }
        #expect(ids.count == 50)
    }

    @Test func aLostCheckIsRepeatedUntilTheAddressIsSilent() {
        var server = connected()
        #expect(server.receive(F.check(nominating: true), from: F.b, at: 1_000) == .handled)
        _ = server.sent()
        var times = server.run(to: 8_000).filter { $0.sent.destination == F.b }.map(\.at)
        #expect(times == [1_000, 1_100, 1_300, 1_700, 2_500, 4_100, 5_700])
        #expect(server.receive(F.check(nominating: true), from: F.b, at: 8_000) == .handled)
        _ = server.sent()
        times = server.run(to: 8_400).filter { $0.sent.destination == F.b }.map(\.at)
        #expect(times == [8_000, 8_100, 8_300])
    }

    /// What the peer nominates last counts, and an address that answered a moment ago is believed.
    @Test func nominationsInTurn() throws {
        var server = connected()
        #expect(server.receive(F.check(nominating: true), from: F.b, at: 1_000) == .handled)
        let check = try #require(server.advance(to: 1_000).last)
        // Second thoughts before the answer is there.
        #expect(server.receive(F.check(nominating: true), from: F.a, at: 1_010) == .handled)
        #expect(server.receive(F.success(check.id), from: F.b, at: 1_020) == .handled)
        #expect(server.agent.remote == F.a)
        #expect(server.receive(F.check(nominating: true), from: F.b, at: 1_030) == .handled)
        #expect(server.agent.remote == F.b, "proven ten milliseconds ago")
    }

    @Test func rivalsAreBoundedAndForgotten() {
        var server = connected()
        for port in UInt16(1)...200 {
            server.agent.authenticatedMedia(from: F.a, now: F.ms(1_000))
            let source = TransportAddress(ipv4: 0x0A00_0001, port: port)
            #expect(server.receive(F.check(), from: source, at: 1_000) == .handled)
        }
        _ = server.sent()
        let sent = server.run(to: 4_000)
        #expect(Set(sent.map(\.sent.destination)).count == 5, "the address in use and four more")
        server.agent.authenticatedMedia(from: F.a, now: F.ms(4_000))
        #expect(server.run(to: 31_500).count < 60)
        server.agent.authenticatedMedia(from: F.a, now: F.ms(31_500))
        #expect(server.run(to: 50_000).isEmpty, "a server without rivals checks nobody")
    }

    /// The client, which checks what it selects anyway, lives on what comes from there as well.
    @Test func mediaFromElsewhereIsNoLifeOfAClient() throws {
        var client = AgentUnderTest(.client, candidates: [F.a])
        let check = try #require(client.advance(to: 0).first)
        #expect(client.receive(F.success(check.id), from: F.a, at: 10) == .handled)
        client.agent.authenticatedMedia(from: F.b, now: F.ms(20_000))
        _ = client.run(to: 30_010)
        #expect(client.agent.state == .failed && client.agent.remote == F.a)
    }
}
