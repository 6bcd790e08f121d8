// A watched peer that falls silent: when checks leave, and when it is taken for gone.
import Testing
import WebRTC

@Suite struct PeerWatchTests {
    /// A client that selected `a` at 0 ms, with a round trip of nothing, watched with 500 ms of silence.
    private func connected() -> AgentUnderTest {
        var client = AgentUnderTest(.client, candidates: [ICEFixture.a])
        for _ in 0..<2 {
            for check in client.advance(to: 0) {
                _ = client.receive(ICEFixture.success(check.id), from: ICEFixture.a)
            }
        }
        for check in client.sent() { _ = client.receive(ICEFixture.success(check.id), from: ICEFixture.a) }
        #expect(client.agent.state == .connected)
        client.agent.watch(silence: .milliseconds(500))
        return client
    }

    @Test func silenceIsCheckedEvery100msAndThenEverySecond() {
        var client = connected()
        let sent = client.run(to: 3_000).map(\.at)
        #expect(sent == [500, 600, 700, 800, 900, 1_000, 2_000, 3_000])
        #expect(client.agent.isUnreachable)
    }

    @Test func anAnswerEndsTheDoubt() throws {
        var client = connected()
        let check = try #require(client.run(to: 500).first?.sent)
        #expect(client.receive(ICEFixture.success(check.id), from: ICEFixture.a, at: 520) == .handled)
        #expect(client.run(to: 1_019).isEmpty)
        #expect(client.run(to: 1_020).count == 1)
        #expect(!client.agent.isUnreachable)
    }

    @Test func anAnswerThatIsNotThePeersEndsNothing() throws {
        var client = connected()
        let check = try #require(client.run(to: 500).first?.sent)
        let forged = ICEFixture.success(check.id, password: "another-password-0123456789")
        #expect(client.receive(forged, from: ICEFixture.a, at: 520) == .dropped(.stunIntegrity))
        _ = client.run(to: 1_000)
        #expect(client.agent.isUnreachable)
    }

    @Test func mediaEndsIt() {
        var client = connected()
        _ = client.run(to: 1_200)
        #expect(client.agent.isUnreachable)
        client.now = ICEFixture.ms(1_300)
        client.agent.authenticatedMedia(from: ICEFixture.a, now: client.now)
        #expect(client.agent.nextDeadline <= client.now, "it is due at once")
        #expect(client.advance(to: 1_300).isEmpty)
        #expect(!client.agent.isUnreachable)
    }

    @Test func verifyingChecksAtOnceAndLosesPatienceSooner() {
        var client = connected()
        client.now = ICEFixture.ms(100)
        client.agent.verify(now: client.now)
        #expect(client.run(to: 399).map(\.at) == [100, 200, 300])
        #expect(!client.agent.isUnreachable)
        _ = client.run(to: 400)
        #expect(client.agent.isUnreachable)
    }

    @Test func verifyingInDoubtShortensIt() {
        var client = connected()
        _ = client.run(to: 600)
        client.agent.verify(now: client.now)
        _ = client.run(to: 899)
        #expect(!client.agent.isUnreachable)
        _ = client.run(to: 900)
        #expect(client.agent.isUnreachable)
    }

    @Test func aServerIsNotWatched() {
        var server = AgentUnderTest(.server)
        _ = server.receive(ICEFixture.check(), from: ICEFixture.a, at: 0)
        server.agent.watch(silence: .milliseconds(500))
        server.agent.verify(now: server.now)
        _ = server.sent()
        #expect(server.run(to: 5_000).isEmpty)
        #expect(!server.agent.isUnreachable)
    }
}
