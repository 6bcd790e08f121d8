// The controlling client: when it sends which check, what it makes of the answers, and when it gives up.
import Testing
import WebRTC

@Suite struct ControllingClientTests {
    private typealias F = ICEFixture

    /// A client that has selected and nominated `a`, at 20 ms.
    private func connected() throws -> AgentUnderTest {
        var client = AgentUnderTest(.client, candidates: [F.a])
        let check = try #require(client.advance(to: 0).first)
        #expect(client.receive(F.success(check.id), from: F.a, at: 10) == .handled)
        let nomination = try #require(client.sent().first)
        #expect(client.receive(F.success(nomination.id), from: F.a, at: 20) == .handled)
        return client
    }

    @Test func checksCarryWhatRFC8445Asks() throws {
        var client = AgentUnderTest(.client, candidates: [F.a])
        let check = try #require(client.advance(to: 0).first)
        #expect(check.destination == F.a)
        #expect(check.message.messageClass == .request && check.message.method == STUNMessage.binding)
        #expect(check.username == "peer:LOCALufr")
        #expect(check.isSigned(with: F.remote))
        #expect(check.message.priority.map { $0 >> 24 } == 110, "a peer-reflexive candidate")
        #expect(check.message.controlling != nil && check.message.controlled == nil)
        #expect(!check.message.useCandidate)
        #expect(!check.message.hasUnknownAttributes)
    }

    @Test func checksArePacedAndInOrder() {
        var client = AgentUnderTest(.client, candidates: [F.a, F.b, F.a, F.c])
        let sent = client.run(to: 149)
        #expect(sent.map(\.at) == [0, 50, 100])
        #expect(sent.map(\.sent.destination) == [F.a, F.b, F.c], "a duplicate is not checked twice")
    }

    @Test func lostChecksAreRepeatedWithBackOff() {
        var client = AgentUnderTest(.client, candidates: [F.a])
        let sent = client.run(to: 8_000)
        #expect(sent.map(\.at) == [0, 100, 300, 700, 1_500, 3_100, 4_700, 6_300, 7_900])
        #expect(Set(sent.map(\.sent.id)).count == sent.count)
    }

    @Test func manyCandidatesNeverExceedThePaceNorTheBound() {
        let many = (0..<100).map { TransportAddress(ipv4: 0x0A00_0000, port: UInt16(1_000 + $0)) }
        var client = AgentUnderTest(.client, candidates: many)
        client.agent.addCandidates(many, now: .zero)
        let sent = client.run(to: 5_000)
        #expect(sent.count > 50)
        #expect(zip(sent, sent.dropFirst()).allSatisfy { $1.at - $0.at >= 50 })
        #expect(Set(sent.map(\.sent.destination)).count == ICEAgent.maximumCandidates)
    }

    @Test func unusableCandidatesAreIgnored() {
        var client = AgentUnderTest(
            .client, candidates: [TransportAddress(ipv4: 0, port: 9), TransportAddress(ipv4: 1, port: 0)])
        #expect(client.run(to: 5_000).isEmpty)
        client.agent.addCandidates([F.b], now: F.ms(5_000))
        #expect(client.run(to: 5_050).map(\.sent.destination) == [F.b], "trickled later")
    }

    @Test func firstAnswerIsSelectedAndNominated() throws {
        var client = AgentUnderTest(.client, candidates: [F.a, F.b])
        let checks = client.run(to: 60).map(\.sent)
        #expect(client.receive(F.success(checks[1].id), from: F.b, at: 80) == .handled)
        #expect(client.agent.state == .connected)
        #expect(client.agent.remote == F.b)
        #expect(client.agent.roundTrip == .milliseconds(30))
        let nomination = try #require(client.sent().first)
        #expect(nomination.destination == F.b && nomination.message.useCandidate)
        // Unanswered, the nomination is repeated; the other candidate is left alone.
        let repeated = client.run(to: 800)
        #expect(repeated.map(\.at) == [180, 380, 780])
        #expect(repeated.allSatisfy { $0.sent.destination == F.b && $0.sent.message.useCandidate })
        #expect(client.receive(F.success(try #require(repeated.last).sent.id), from: F.b, at: 810) == .handled)
        #expect(client.run(to: 4_000).isEmpty, "nominated: consent is next")
        #expect(client.receive(F.success(checks[0].id), from: F.a) == .dropped(.unexpectedSTUN))
        #expect(client.agent.remote == F.b)
    }

    @Test func answersThatDoNotCount() throws {
        var client = AgentUnderTest(.client, candidates: [F.a])
        let check = try #require(client.advance(to: 0).first)
        #expect(client.receive(F.success(check.id, password: "guess"), from: F.a) == .dropped(.stunIntegrity))
        #expect(client.receive(F.success(check.id), from: F.b) == .dropped(.unexpectedSTUN), "not symmetric")
        #expect(client.receive(F.success(.init(high: 9, low: 9)), from: F.a) == .dropped(.unexpectedSTUN))
        #expect(client.agent.state == .checking)
        #expect(client.receive(F.success(check.id), from: F.a) == .handled)
        #expect(client.receive(F.success(check.id), from: F.a) == .dropped(.unexpectedSTUN), "a duplicate")
    }

    @Test func answerToAnEarlierAttemptCounts() {
        var client = AgentUnderTest(.client, candidates: [F.a])
        let sent = client.run(to: 320).map(\.sent)
        #expect(sent.count == 3)
        #expect(client.receive(F.success(sent[0].id), from: F.a, at: 330) == .handled)
        #expect(client.agent.roundTrip == .milliseconds(330))
    }

    @Test func roundTripIsSmoothed() throws {
        var client = try connected()
        #expect(client.agent.roundTrip == .milliseconds(10))
        let consent = try #require(client.run(to: 6_100).last)
        #expect(client.receive(F.success(consent.sent.id), from: F.a, at: consent.at + 90) == .handled)
        // 10 + (90 - 10) / 8, less the part of a millisecond by which the check left later.
        #expect(client.agent.roundTrip?.milliseconds == 19)
    }

    @Test func refusalIsNotTheEnd() throws {
        var client = AgentUnderTest(.client, candidates: [F.a])
        let check = try #require(client.advance(to: 0).first)
        #expect(client.receive(F.failure(check.id, 401, password: nil), from: F.a, at: 10) == .handled)
        #expect(client.agent.state == .checking)
        #expect(client.run(to: 110).map(\.at) == [100])
    }

    @Test func roleConflictSwitchesTheRole() throws {
        var client = AgentUnderTest(.client, candidates: [F.a])
        let check = try #require(client.advance(to: 0).first)
        #expect(client.receive(F.failure(check.id, 487, password: "guess"), from: F.a) == .dropped(.stunIntegrity))
        #expect(client.receive(F.failure(check.id, 487), from: F.a, at: 10) == .handled)
        let again = try #require(client.run(to: 60).first?.sent)
        let tieBreaker = try #require(again.message.controlled)
        #expect(again.message.controlling == nil)
        #expect(tieBreaker != check.message.controlling, "RFC 8445 §7.2.5.1: a new tie-breaker")
        #expect(client.receive(F.success(again.id), from: F.a) == .handled)
        #expect(client.agent.state == .connected)
        #expect(client.sent().isEmpty, "a controlled agent nominates nothing")
        // The peer nominates another pair: it is checked first, then used.
        #expect(client.receive(F.check(nominating: true), from: F.b, at: 100) == .handled)
        #expect(client.agent.remote == F.a)
        #expect(client.sent().map(\.message.messageClass) == [.success])
        let triggered = try #require(client.run(to: 200).first { $0.sent.destination == F.b }?.sent)
        #expect(client.receive(F.success(triggered.id), from: F.b) == .handled)
        #expect(client.agent.remote == F.b)
        #expect(client.receive(F.check(), from: F.c, at: 300) == .handled)
        #expect(
            client.run(to: 400).allSatisfy { $0.sent.destination == F.b || $0.sent.message.messageClass == .success })
        #expect(client.agent.remote == F.b)
    }

    @Test func peerThatControlsTooLosesOrWinsByTieBreaker() throws {
        var client = AgentUnderTest(.client, candidates: [F.a])
        let ours = try #require(client.advance(to: 0).first?.message.controlling)
        #expect(client.receive(F.check(claim: .controlling(ours - 1)), from: F.a) == .handled)
        let refusal = try #require(client.sent().first)
        #expect(refusal.message.errorCode == 487 && refusal.isSigned(with: F.local))
        #expect(client.receive(F.check(claim: .controlling(ours + 1)), from: F.a) == .handled)
        #expect(try #require(client.sent().first).message.messageClass == .success)
        let next = try #require(client.run(to: 200).first?.sent)
        #expect(next.message.controlled == ours)
    }

    @Test func fullPeerIsAnsweredAndCheckedWhereItSendsFrom() throws {
        var client = AgentUnderTest(.client)
        #expect(client.run(to: 1_000).isEmpty, "no candidates: the peer's are hidden")
        #expect(client.receive(F.check(claim: .controlled(1)), from: F.c) == .handled)
        let answer = try #require(client.sent().first)
        #expect(answer.message.messageClass == .success && answer.isSigned(with: F.local))
        #expect(client.agent.state == .checking, "answering proves nothing to us")
        let triggered = try #require(client.run(to: 1_050).first?.sent)
        #expect(triggered.destination == F.c && triggered.message.messageClass == .request)
        #expect(client.receive(F.success(triggered.id), from: F.c) == .handled)
        #expect(client.agent.remote == F.c)
        // In use, a check from elsewhere is answered and that is all.
        _ = client.sent()
        #expect(client.receive(F.check(claim: .controlled(1)), from: F.b) == .handled)
        #expect(
            client.run(to: 1_150).allSatisfy { $0.sent.destination == F.c || $0.sent.message.messageClass == .success })
        #expect(client.agent.remote == F.c)
    }

    @Test func checksFromManySourcesAreBounded() {
        var client = AgentUnderTest(.client)
        for port in UInt16(1)...200 {
            let source = TransportAddress(ipv4: 0x0A00_0001, port: port)
            #expect(client.receive(F.check(claim: .controlled(1)), from: source) == .handled)
        }
        _ = client.sent()
        #expect(Set(client.run(to: 10_000).map(\.sent.destination)).count == ICEAgent.maximumCandidates)
    }

    @Test func consentIsKeptWithJitter() throws {
        var client = try connected()
        var times: [Int64] = [20]
        for _ in 0..<40 {
            let next = (client.agent.nextDeadline - .zero).milliseconds
            let sent = client.run(to: next + 1)
            let consent = try #require(sent.first?.sent)
            #expect(sent.count == 1 && consent.message.useCandidate && consent.isSigned(with: F.remote))
            times.append(next)
            #expect(client.receive(F.success(consent.id), from: F.a) == .handled)
        }
        let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
        #expect(gaps.allSatisfy { 3_999...6_001 ~= $0 })
        #expect((gaps.min() ?? 0) < 4_500 && (gaps.max() ?? 0) > 5_500, "spread: \(gaps)")
        #expect(client.agent.state == .connected)
    }

    @Test func lostConsentEndsTheSession() throws {
        var client = try connected()
        let sent = client.run(to: 30_019)
        #expect(client.agent.state == .connected)
        #expect(5...7 ~= sent.count)
        // A check of the peer is no consent to what we send.
        #expect(client.receive(F.check(claim: .controlled(1)), from: F.a) == .handled)
        _ = client.advance(to: 30_020)
        #expect(client.agent.state == .failed)
        #expect(client.agent.nextDeadline == .distantFuture)
        #expect(client.advance(to: 60_000).isEmpty)
    }

    @Test func authenticatedMediaIsLife() throws {
        var client = try connected()
        _ = client.run(to: 25_000)
        client.agent.authenticatedMedia(from: F.a, now: F.ms(25_000))
        _ = client.run(to: 54_999)
        #expect(client.agent.state == .connected)
        _ = client.run(to: 55_000)
        #expect(client.agent.state == .failed)
    }

    @Test func noAnswerFailsAtTheSetupTimeout() {
        var client = AgentUnderTest(.client, candidates: [F.a, F.b])
        _ = client.run(to: 14_999)
        #expect(client.agent.state == .checking)
        client.agent.authenticatedMedia(from: F.a, now: F.ms(14_999))
        _ = client.run(to: 15_000)
        #expect(client.agent.state == .failed)
        #expect(client.run(to: 60_000).isEmpty)
    }

    @Test func mutatedAnswersNeverConnect() throws {
        var generator = SeededGenerator(seed: 7675)
        for _ in 0..<3_000 {
            var client = AgentUnderTest(.client, candidates: [F.a])
            let check = try #require(client.advance(to: 0).first)
            let original = F.success(check.id)
            let bytes = STUNMutationTests.mutate(original, using: &generator)
            _ = client.receive(bytes, from: F.a)
            if client.agent.state == .connected {
                #expect(STUNMutationTests.signedPart(bytes) == STUNMutationTests.signedPart(original))
            }
        }
    }
}
