// ICE-lite: what a server answers, and which address it takes from the checks it gets.
import Testing
import WebRTC

@Suite struct LiteServerTests {
    private typealias F = ICEFixture

    @Test func firstAuthenticatedCheckConnects() throws {
        var server = AgentUnderTest(.server)
        #expect(server.agent.state == .checking)
        #expect(server.agent.remote == nil)
        #expect(server.receive(F.check(id: 5), from: F.a) == .handled)
        let answer = try #require(server.sent().first)
        #expect(answer.destination == F.a)
        #expect(answer.message.messageClass == .success)
        #expect(answer.id == .init(high: 1, low: 5))
        #expect(answer.message.mappedAddress == F.a)
        #expect(answer.isSigned(with: F.local))
        #expect(server.agent.state == .connected)
        #expect(server.agent.remote == F.a)
        #expect(server.agent.roundTrip == nil)
        #expect(server.advance(to: 1_000).isEmpty, "a lite agent sends no checks")
    }

    @Test func mappedAddressOfIPv6() throws {
        var server = AgentUnderTest(.server)
        #expect(server.receive(F.check(), from: F.c) == .handled)
        #expect(try #require(server.sent().first).message.mappedAddress == F.c)
    }

    @Test func nominationSelects() {
        var server = AgentUnderTest(.server)
        #expect(server.receive(F.check(), from: F.a) == .handled)
        #expect(server.receive(F.check(), from: F.b) == .handled)
        #expect(server.agent.remote == F.a, "a check alone is answered but moves nothing")
        #expect(server.sent().map(\.destination) == [F.a, F.b])
        #expect(server.receive(F.check(nominating: true), from: F.b) == .handled)
        #expect(server.agent.remote == F.a, "not before it has answered")
        #expect(server.answersCheck(at: F.b) == .handled)
        #expect(server.agent.remote == F.b)
        #expect(server.receive(F.check(), from: F.a) == .handled)
        #expect(server.agent.remote == F.b, "the old pair is still checked, not selected")
        // The peer changed networks.
        #expect(server.receive(F.check(nominating: true), from: F.c) == .handled)
        #expect(server.answersCheck(at: F.c) == .handled)
        #expect(server.agent.remote == F.c)
    }

    @Test func wrongPasswordIsRefused() throws {
        var server = AgentUnderTest(.server)
        #expect(server.receive(F.check(password: "guess", nominating: true), from: F.a) == .dropped(.stunIntegrity))
        let answer = try #require(server.sent().first)
        #expect(answer.message.messageClass == .error)
        #expect(answer.message.errorCode == 401)
        #expect(!answer.message.hasIntegrity)
        #expect(server.agent.state == .checking)
        #expect(server.agent.remote == nil)
    }

    @Test func unknownUfragIsRefused() throws {
        var server = AgentUnderTest(.server)
        for stranger in ["STRANGER", "short"] {
            let to = ICECredentials(ufrag: stranger, password: F.local.password)
            #expect(server.receive(F.check(to: to), from: F.a) == .dropped(.unknownUfrag))
            #expect(try #require(server.sent().first).message.errorCode == 401)
        }
        #expect(server.agent.state == .checking)
    }

    @Test func unsignedRequestIsBad() throws {
        var server = AgentUnderTest(.server)
        let bare = STUNWriter(.request, transactionID: .init(high: 1, low: 1)).finish(key: nil)
        #expect(server.receive(bare, from: F.a) == .dropped(.malformedSTUN))
        #expect(try #require(server.sent().first).message.errorCode == 400)
        #expect(server.agent.state == .checking)
    }

    @Test func damagedFingerprintIsDropped() {
        var server = AgentUnderTest(.server)
        var bytes = F.check()
        bytes[bytes.count - 1] ^= 0xFF
        #expect(server.receive(bytes, from: F.a) == .dropped(.stunIntegrity))
        #expect(server.sent().isEmpty)
        #expect(server.receive([0, 1, 2, 3], from: F.a) == .dropped(.malformedSTUN))
    }

    @Test func unknownRequiredAttributeIsNamed() throws {
        var server = AgentUnderTest(.server)
        #expect(server.receive(F.check(extra: 0x7001), from: F.a) == .handled)
        let answer = try #require(server.sent().first)
        #expect(answer.message.errorCode == 420)
        #expect(answer.isSigned(with: F.local))
        #expect(answer.bytes.firstRange(of: [0x00, 0x0A, 0x00, 0x02, 0x70, 0x01]) != nil)
        #expect(server.agent.state == .checking)
        #expect(server.receive(F.check(extra: 0xC057), from: F.a) == .handled)
        #expect(server.agent.state == .connected, "optional attributes are skipped")
    }

    @Test func controlledPeerMustSwitch() throws {
        var server = AgentUnderTest(.server)
        for tieBreaker in [UInt64.min, .max] {
            #expect(server.receive(F.check(claim: .controlled(tieBreaker)), from: F.a) == .handled)
            let answer = try #require(server.sent().first)
            #expect(answer.message.errorCode == 487)
            #expect(answer.isSigned(with: F.local))
        }
        #expect(server.agent.state == .checking)
        #expect(server.receive(F.check(claim: .none), from: F.a) == .handled)
        #expect(server.agent.state == .connected)
    }

    @Test func answersAndIndicationsProveNothing() {
        var server = AgentUnderTest(.server)
        #expect(server.receive(F.success(.init(high: 1, low: 1)), from: F.a) == .dropped(.unexpectedSTUN))
        #expect(server.receive(F.failure(.init(high: 1, low: 1), 487), from: F.a) == .dropped(.unexpectedSTUN))
        let keepalive = STUNWriter(.indication, transactionID: .init(high: 1, low: 1)).finish(key: nil)
        #expect(server.receive(keepalive, from: F.a) == .dropped(.unexpectedSTUN))
        let allocate = STUNWriter(.request, transactionID: .init(high: 1, low: 1), method: 3).finish(key: nil)
        #expect(server.receive(allocate, from: F.a) == .dropped(.unexpectedSTUN))
        #expect(server.agent.state == .checking)
        #expect(server.sent().isEmpty)
    }

    /// Whoever has seen our ufrag can send an indication with it from any address. It must not pass for the peer's.
    @Test func indicationIsNoClaimToAnAddress() {
        var server = AgentUnderTest(.server)
        #expect(server.receive(F.check(nominating: true), from: F.a) == .handled)
        var writer = STUNWriter(.indication, transactionID: .init(high: 1, low: 1))
        writer.addUsername(Array("\(F.local.ufrag):\(F.remote.ufrag)".utf8))
        let keepalive = writer.finish(key: nil)
        #expect(server.receive(keepalive, from: F.a) == .handled)
        #expect(server.receive(keepalive, from: F.b) == .dropped(.unexpectedSTUN))
        #expect(server.agent.remote == F.a)
    }

    @Test func fullOutboxIsReported() {
        var server = AgentUnderTest(.server)
        while server.outbox.append([UInt8](repeating: 0, count: 1_500), to: F.b) {}
        // A response is short; fill the rest of the slab too.
        while server.outbox.append([0], to: F.b) {}
        #expect(server.receive(F.check(), from: F.a) == .dropped(.outboxFull))
    }

    @Test func halfOpenSessionFails() {
        var server = AgentUnderTest(.server)
        #expect(server.agent.nextDeadline == F.ms(15_000))
        #expect(server.receive(F.check(password: "guess"), from: F.a, at: 14_000) == .dropped(.stunIntegrity))
        _ = server.advance(to: 14_999)
        #expect(server.agent.state == .checking)
        _ = server.advance(to: 15_000)
        #expect(server.agent.state == .failed)
        #expect(server.agent.nextDeadline == .distantFuture)
        #expect(server.receive(F.check(), from: F.a) == .dropped(.sessionClosed))
    }

    @Test func silenceEndsTheSession() {
        var server = AgentUnderTest(.server)
        #expect(server.receive(F.check(), from: F.a, at: 1_000) == .handled)
        #expect(server.agent.nextDeadline == F.ms(31_000))
        #expect(server.receive(F.check(), from: F.a, at: 20_000) == .handled)
        _ = server.advance(to: 31_000)
        #expect(server.agent.state == .connected)
        // Pion sends no checks while it sends RTCP.
        server.agent.authenticatedMedia(from: F.a, now: F.ms(45_000))
        #expect(server.agent.nextDeadline == F.ms(75_000))
        // Nor is it life where we do not send to, and what does not verify.
        server.agent.authenticatedMedia(from: F.b, now: F.ms(60_000))
        #expect(server.receive(F.check(password: "guess"), from: F.a, at: 70_000) == .dropped(.stunIntegrity))
        _ = server.advance(to: 74_999)
        #expect(server.agent.state == .connected)
        _ = server.advance(to: 75_000)
        #expect(server.agent.state == .failed)
    }

    @Test func mutatedChecksNeverConnect() {
        var generator = SeededGenerator(seed: 8445)
        var server = AgentUnderTest(.server)
        var reached = 0
        for _ in 0..<10_000 {
            let original = F.check(nominating: true)
            let bytes = STUNMutationTests.mutate(original, using: &generator)
            let received = server.receive(bytes, from: F.a)
            _ = server.sent()
            if received != .dropped(.malformedSTUN) { reached += 1 }
            if server.agent.state == .connected {
                #expect(STUNMutationTests.signedPart(bytes) == STUNMutationTests.signedPart(original))
                server = AgentUnderTest(.server)
            }
        }
        #expect(reached > 1_000)
    }
}
