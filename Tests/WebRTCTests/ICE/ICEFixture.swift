// Two sides that know each other, and one agent with its outbox and clock, for transcripts: event, expected answer.
import Testing
import WebRTC

enum ICEFixture {
    static let local = ICECredentials(ufrag: "LOCALufr", password: "local-password-0123456789")
    static let remote = ICECredentials(ufrag: "peer", password: "remote-password-0123456789")
    static let newLocal = ICECredentials(ufrag: "NEWlocal", password: "new-local-password-0123456789")
    static let newRemote = ICECredentials(ufrag: "newpeer", password: "new-remote-password-0123456789")
    static let a = TransportAddress(ipv4: 0xC000_0201, port: 1_001)
    static let b = TransportAddress(ipv4: 0xC000_0202, port: 1_002)
    static let c = TransportAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 3, port: 1_003)

    /// The role attribute of a check and its tie-breaker.
    enum RoleClaim { case controlling(UInt64), controlled(UInt64), none }

    /// A check as `from` sends it to `to`.
    static func check(
        to: ICECredentials = local, from: ICECredentials = remote, password: String? = nil, nominating: Bool = false,
        claim: RoleClaim = .controlling(1), id: UInt64 = 77, extra: UInt16? = nil
    ) -> [UInt8] {
        var writer = STUNWriter(.request, transactionID: .init(high: 1, low: id))
        writer.addUsername(Array("\(to.ufrag):\(from.ufrag)".utf8))
        writer.addPriority(0x6E7F_00FF)
        switch claim {
        case .controlling(let tieBreaker): writer.addControlling(tieBreaker: tieBreaker)
        case .controlled(let tieBreaker): writer.addControlled(tieBreaker: tieBreaker)
        case .none: break
        }
        if nominating { writer.addUseCandidate() }
        if let extra { writer.add(extra, [1, 2, 3, 4]) }
        return writer.finish(key: Array((password ?? to.password).utf8))
    }

    static func success(_ id: STUNMessage.TransactionID, password: String = remote.password) -> [UInt8] {
        var writer = STUNWriter(.success, transactionID: id)
        writer.addMappedAddress(a)
        return writer.finish(key: Array(password.utf8))
    }

    static func failure(_ id: STUNMessage.TransactionID, _ code: Int, password: String? = remote.password) -> [UInt8] {
        var writer = STUNWriter(.error, transactionID: id)
        writer.addError(code, reason: "no")
        return writer.finish(key: password.map { Array($0.utf8) })
    }

    /// Times on a page of their own, so that a transcript shows the clock.
    static func ms(_ n: Int64) -> Instant { Instant.zero + .milliseconds(n) }
}

/// One datagram that an agent sent, taken apart.
struct SentSTUN {
    var destination: TransportAddress
    var bytes: [UInt8]
    var message: STUNMessage

    var id: STUNMessage.TransactionID { message.transactionID }
    func isSigned(with credentials: ICECredentials) -> Bool {
        message.verifyIntegrity(key: Array(credentials.password.utf8), in: bytes)
    }
    var username: String? { message.username.map { String(decoding: bytes[$0], as: UTF8.self) } }
}

struct AgentUnderTest {
    var agent: ICEAgent
    let outbox = Outbox()
    var now = Instant.zero

    init(_ role: TransportParameters.Role, candidates: [TransportAddress] = [], seed: UInt64 = 1) {
        agent = ICEAgent(
            role: role, local: ICEFixture.local, remote: ICEFixture.remote, candidates: candidates,
            setupTimeout: .seconds(Int64(15)), consentTimeout: .seconds(Int64(30)), now: .zero, seed: seed)
    }

    mutating func receive(_ bytes: [UInt8], from source: TransportAddress, at ms: Int64? = nil) -> ICEAgent.Received {
        if let ms { now = ICEFixture.ms(ms) }
        return agent.receive(bytes, from: source, now: now, outbox: outbox)
    }

    /// Advances and returns what was sent since the last look.
    mutating func advance(to ms: Int64) -> [SentSTUN] {
        now = ICEFixture.ms(ms)
        agent.advance(now: now, outbox: outbox)
        return sent()
    }

    /// Answers the check that the agent sends to `address` now, as the peer would; nil: it sends none.
    mutating func answersCheck(at address: TransportAddress, as peer: ICECredentials = ICEFixture.remote)
        -> ICEAgent.Received?
    {
        agent.advance(now: now, outbox: outbox)
        guard let check = sent().last(where: { $0.destination == address && $0.message.messageClass == .request })
        else { return nil }
        return receive(ICEFixture.success(check.id, password: peer.password), from: address)
    }

    /// Follows the agent's own deadlines up to `ms`; everything sent on the way, with its time.
    mutating func run(to ms: Int64) -> [(at: Int64, sent: SentSTUN)] {
        var all: [(at: Int64, sent: SentSTUN)] = []
        var turns = 0
        while agent.nextDeadline <= ICEFixture.ms(ms) {
            turns += 1
            precondition(turns < 10_000, "nextDeadline makes progress")
            now = max(now, agent.nextDeadline)
            agent.advance(now: now, outbox: outbox)
            all += sent().map { ((now - .zero).milliseconds, $0) }
        }
        now = ICEFixture.ms(ms)
        return all
    }

    func sent() -> [SentSTUN] {
        defer { outbox.removeAll() }
        return outbox.datagramsForTesting().compactMap { datagram in
            let message = STUNMessage.parse(datagram.bytes)
            #expect(message?.fingerprint == .valid)
            return message.map { SentSTUN(destination: datagram.destination, bytes: datagram.bytes, message: $0) }
        }
    }
}
