// The keyframe firewall: however many viewers ask, the source hears at most one request per interval, and hears it
// again until a keyframe comes.

import Testing
import WebRTC

@testable import Forwarding

@Suite struct KeyframeRequestTests {
    private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    @Test func nothingIsSentUnasked() {
        var requests = KeyframeRequests()
        #expect(!requests.isPending)
        #expect(requests.nextDeadline == .distantFuture)
        expect(requests.due(now: at(10_000)), is: false)
        requests.keyframeArrived(now: at(10_001))
        expect(requests.due(now: at(20_000)), is: false)
    }

    @Test func theFirstRequestGoesAtOnce() {
        var requests = KeyframeRequests()
        requests.want(now: at(5))
        #expect(requests.isPending)
        #expect(requests.nextDeadline == at(5))
        expect(requests.due(now: at(5)), is: true)
        expect(requests.due(now: at(5)), is: false)
        #expect(requests.nextDeadline == at(1_005))
    }

    @Test func whatComesAnywayIsNotAskedForUntilItIsLate() {
        var requests = KeyframeRequests()
        requests.expect(until: at(300))
        requests.want(now: at(5))
        expect(requests.due(now: at(299)), is: false)
        #expect(requests.nextDeadline == at(300))
        expect(requests.due(now: at(300)), is: true)
        requests.keyframeArrived(now: at(320))
        requests.want(now: at(2_000))
        expect(requests.due(now: at(2_000)), is: true)
    }

    @Test func laterRequestsDoNotPostponeTheFirst() {
        var requests = KeyframeRequests()
        requests.want(now: at(5))
        requests.want(now: at(7))
        #expect(requests.nextDeadline == at(5))
    }

    @Test func manyViewersAreOneRequest() {
        var requests = KeyframeRequests()
        var sent: [Int64] = []
        for t in Int64(0)..<3_000 {
            requests.want(now: at(t))
            requests.want(now: at(t))
            if requests.due(now: at(t)) { sent.append(t) }
        }
        #expect(sent == [0, 1_000, 2_000])
    }

    @Test func itIsRepeatedUntilAKeyframeArrives() {
        var requests = KeyframeRequests(interval: .milliseconds(500))
        requests.want(now: at(100))
        var sent: [Int64] = []
        for t in Int64(0)..<5_000 {
            if requests.due(now: at(t)) { sent.append(t) }
            if t == 1_700 { requests.keyframeArrived(now: at(t)) }
        }
        #expect(sent == [100, 600, 1_100, 1_600])
        #expect(!requests.isPending)
        #expect(requests.nextDeadline == .distantFuture)
    }

    @Test func aKeyframeBetweenTwoRequestsDoesNotShortenTheInterval() {
        var requests = KeyframeRequests()
        requests.want(now: at(0))
        expect(requests.due(now: at(0)), is: true)
        requests.keyframeArrived(now: at(80))
        requests.want(now: at(200))
        #expect(requests.nextDeadline == at(1_000))
        expect(requests.due(now: at(999)), is: false)
        expect(requests.due(now: at(1_000)), is: true)
    }

    @Test func anUnaskedKeyframeSatisfiesWhatWasOpen() {
        var requests = KeyframeRequests()
        requests.want(now: at(0))
        requests.keyframeArrived(now: at(0))
        #expect(!requests.isPending)
        expect(requests.due(now: at(100)), is: false)
    }

    /// keyframe at 1000; request at, with age: whether it stays open.
    @Test(arguments: [
        (1_000, 0, false), (1_001, 0, true), (1_050, 40, true), (1_050, 50, false), (1_050, 200, false),
        (1_400, 100, true),
    ])
    func aRequestFromBeforeTheKeyframeIsSatisfied(time: Int64, age: Int64, open: Bool) {
        var requests = KeyframeRequests()
        requests.keyframeArrived(now: at(1_000))
        requests.want(now: at(time), age: .milliseconds(age))
        #expect(requests.isPending == open)
        expect(requests.due(now: at(time)), is: open)
    }

    @Test func cancelEndsTheRepetition() {
        var requests = KeyframeRequests()
        requests.want(now: at(0))
        expect(requests.due(now: at(0)), is: true)
        requests.cancel()
        expect(requests.due(now: at(5_000)), is: false)
        requests.want(now: at(6_000))
        expect(requests.due(now: at(6_000)), is: true)
    }

    @Test func aLateTurnDoesNotSendTwice() {
        var requests = KeyframeRequests()
        requests.want(now: at(0))
        expect(requests.due(now: at(7_300)), is: true)
        expect(requests.due(now: at(7_301)), is: false)
        #expect(requests.nextDeadline == at(8_300))
    }
}
