// A restart is make-before-break: the pair in use keeps working, under its own credentials, until the new credentials
// lead to one.
import Testing
import WebRTC

@Suite struct ICERestartTests {
    private typealias F = ICEFixture
    private static let newKey = F.newLocal.ufragKey
    private static let oldKey = F.local.ufragKey

    private func restarted(at ms: Int64) -> AgentUnderTest {
        var server = AgentUnderTest(.server)
        #expect(server.receive(F.check(nominating: true), from: F.a) == .handled)
        server.agent.restart(local: F.newLocal, remote: F.newRemote, candidates: [], now: F.ms(ms))
        _ = server.sent()
        return server
    }

    @Test func serverAnswersTheOldPairUntilTheNewOneIsNominated() throws {
        var server = restarted(at: 1_000)
        #expect(server.agent.state == .connected)
        #expect(server.agent.isRestarting)
        #expect(server.agent.localUfragKeys.map(Optional.some) == [Self.newKey, Self.oldKey])
        #expect(server.receive(F.check(nominating: true), from: F.a, at: 1_100) == .handled)
        #expect(try #require(server.sent().first).isSigned(with: F.local))
        #expect(server.agent.remote == F.a)
        // The new credentials are at work, but nothing is nominated yet.
        #expect(server.receive(F.check(to: F.newLocal, from: F.newRemote), from: F.b, at: 1_200) == .handled)
        #expect(try #require(server.sent().first).isSigned(with: F.newLocal))
        #expect(server.agent.remote == F.a)
        #expect(server.receive(F.check(), from: F.a, at: 1_300) == .handled)
        #expect(
            server.receive(F.check(to: F.newLocal, from: F.newRemote, nominating: true), from: F.b, at: 1_400)
                == .handled)
        #expect(server.agent.remote == F.a && server.agent.isRestarting)
        #expect(server.answersCheck(at: F.b, as: F.newRemote) == .handled)
        #expect(server.agent.remote == F.b)
        #expect(!server.agent.isRestarting)
        #expect(server.agent.localUfragKeys.map(Optional.some) == [Self.newKey])
        _ = server.sent()
        // A late check of the old pair.
        #expect(server.receive(F.check(nominating: true), from: F.a, at: 1_500) == .dropped(.unknownUfrag))
        #expect(try #require(server.sent().first).message.errorCode == 401)
        #expect(server.agent.remote == F.b)
    }

    @Test func credentialsOfTwoGenerationsDoNotMix() {
        var server = restarted(at: 0)
        #expect(
            server.receive(F.check(to: F.newLocal, password: F.local.password), from: F.b) == .dropped(.stunIntegrity))
        #expect(
            server.receive(F.check(to: F.local, password: F.newLocal.password), from: F.b) == .dropped(.stunIntegrity))
        #expect(server.agent.remote == F.a)
    }

    @Test func restartThatLeadsNowhereKeepsTheSession() {
        var server = restarted(at: 1_000)
        for ms in stride(from: Int64(5_000), through: 100_000, by: 5_000) {
            #expect(server.receive(F.check(), from: F.a, at: ms) == .handled)
            _ = server.advance(to: ms)
        }
        #expect(server.agent.state == .connected)
        _ = server.advance(to: 130_000)
        #expect(server.agent.state == .failed)
    }

    @Test func secondRestartKeepsThePairInUse() {
        var server = restarted(at: 1_000)
        let third = ICECredentials(ufrag: "THIRDufr", password: "third-password-0123456789")
        server.agent.restart(local: third, remote: F.newRemote, candidates: [], now: F.ms(2_000))
        #expect(server.agent.localUfragKeys.map(Optional.some) == [third.ufragKey, Self.oldKey])
        #expect(server.receive(F.check(to: F.newLocal, nominating: true), from: F.b) == .dropped(.unknownUfrag))
        #expect(server.receive(F.check(nominating: true), from: F.a) == .handled)
        #expect(server.receive(F.check(to: third, nominating: true), from: F.b) == .handled)
        #expect(server.answersCheck(at: F.b, as: F.newRemote) == .handled)
        #expect(server.agent.remote == F.b)
        #expect(server.agent.localUfragKeys.map(Optional.some) == [third.ufragKey])
    }

    @Test func restartBeforeTheFirstPairGivesItTimeAgain() {
        var server = AgentUnderTest(.server)
        _ = server.advance(to: 10_000)
        server.agent.restart(local: F.newLocal, remote: F.newRemote, candidates: [], now: F.ms(10_000))
        _ = server.advance(to: 24_999)
        #expect(server.agent.state == .checking)
        _ = server.advance(to: 25_000)
        #expect(server.agent.state == .failed)
    }

    @Test func clientKeepsConsentOnTheOldPairWhileItChecksNewCandidates() throws {
        var client = AgentUnderTest(.client, candidates: [F.a])
        let first = try #require(client.advance(to: 0).first)
        #expect(client.receive(F.success(first.id), from: F.a, at: 10) == .handled)
        let nomination = try #require(client.sent().first)
        #expect(client.receive(F.success(nomination.id), from: F.a, at: 20) == .handled)
        client.agent.restart(local: F.newLocal, remote: F.newRemote, candidates: [F.b], now: F.ms(1_000))
        #expect(client.agent.remote == F.a)
        let sent = client.run(to: 8_000)
        let old = sent.filter { $0.sent.destination == F.a }.map(\.sent)
        let new = sent.filter { $0.sent.destination == F.b }.map(\.sent)
        #expect(old.count == 1 && old.allSatisfy { $0.isSigned(with: F.remote) && $0.username == "peer:LOCALufr" })
        #expect(
            new.count >= 5 && new.allSatisfy { $0.isSigned(with: F.newRemote) && $0.username == "newpeer:NEWlocal" })
        // An answer under the old password is no answer to the new check.
        let last = try #require(new.last)
        #expect(client.receive(F.success(last.id), from: F.b) == .dropped(.stunIntegrity))
        #expect(client.agent.remote == F.a)
        #expect(client.receive(F.success(last.id, password: F.newRemote.password), from: F.b) == .handled)
        #expect(client.agent.remote == F.b)
        #expect(!client.agent.isRestarting)
        let renomination = try #require(client.sent().first)
        #expect(renomination.message.useCandidate && renomination.isSigned(with: F.newRemote))
    }

    @Test func clientGivesUpARestartButNotThePair() throws {
        var client = AgentUnderTest(.client, candidates: [F.a])
        let first = try #require(client.advance(to: 0).first)
        #expect(client.receive(F.success(first.id), from: F.a, at: 10) == .handled)
        client.agent.restart(local: F.newLocal, remote: F.newRemote, candidates: [F.b], now: F.ms(1_000))
        _ = client.sent()
        client.agent.authenticatedMedia(from: F.a, now: F.ms(15_000))
        let sent = client.run(to: 30_000)
        #expect(sent.filter { $0.sent.destination == F.b }.allSatisfy { $0.at < 16_000 })
        #expect(client.agent.state == .connected)
        #expect(client.agent.remote == F.a)
    }
}
