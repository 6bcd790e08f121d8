import Testing

@testable import WebRTC

@Suite struct DTLSRetransmissionTests {
    private static func ms(_ n: Int64) -> Instant { .zero + .milliseconds(n) }

    @Test func aProvenPeerGetsEveryRepeatAndIsThenGivenUp() {
        var retransmission = DTLSRetransmission(isClient: false, isProven: true)
        retransmission.sent(repeats: [[[1]], [[2]]], now: .zero)
        #expect(retransmission.advance(now: Self.ms(49)) == .wait)
        #expect(retransmission.advance(now: Self.ms(50)) == .send([[1]]))
        #expect(retransmission.advance(now: Self.ms(150)) == .send([[2]]))
        #expect(retransmission.advance(now: Self.ms(350)) == .giveUp)
    }

    /// What answers a repeat might answer what it repeats.
    @Test func onlyAFlightThatWasSentOnceTellsTheRoundTrip() {
        var retransmission = DTLSRetransmission(isClient: false, isProven: true)
        retransmission.heard(now: Self.ms(5))
        #expect(retransmission.roundTrip == nil)
        retransmission.sent(repeats: [[[1]], [[2]]], now: Self.ms(10))
        _ = retransmission.advance(now: Self.ms(60))
        retransmission.heard(now: Self.ms(90))
        #expect(retransmission.roundTrip == nil)
        retransmission.sent(repeats: [[[1]]], now: Self.ms(100))
        retransmission.heard(now: Self.ms(145))
        retransmission.heard(now: Self.ms(190))
        #expect(retransmission.roundTrip == .milliseconds(45))
    }

    @Test func anAlertWithoutKeysCountsWhenNothingFollows() {
        var retransmission = DTLSRetransmission(isClient: true, isProven: true)
        retransmission.refused(now: .zero)
        #expect(retransmission.nextDeadline == Self.ms(1_000))
        retransmission.heard(now: Self.ms(999))
        #expect(retransmission.nextDeadline == .distantFuture)
        retransmission.refused(now: Self.ms(2_000))
        retransmission.refused(now: Self.ms(2_900))
        #expect(retransmission.advance(now: Self.ms(3_000)) == .giveUp)
    }

    @Test(arguments: DTLSRecordFilter.Phase.allCases) func onlyTheServerWantsAFinishedOnceConnected(
        phase: DTLSRecordFilter.Phase
    ) throws {
        let bytes: [UInt8] = [22, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 0, 0, 48] + [UInt8](repeating: 0, count: 48)
        let finished = try #require(DTLSRecord.all(in: bytes[...]).first)
        let wanted = [true, false].map { DTLSRecordFilter(isClient: $0).isWanted(finished, in: phase, overhead: 24) }
        #expect(wanted == [phase == .handshaking, phase == .handshaking || phase == .connected])
        #expect(!DTLSRecordFilter(isClient: false).isWanted(finished, in: phase, overhead: nil))
    }
}
