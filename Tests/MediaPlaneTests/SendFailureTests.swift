// What follows from each way in which the kernel refuses a message, as a table.

import Glibc
import Testing
import WebRTC

@testable import MediaPlane

@Suite struct SendFailureTests {
    @Test(arguments: [
        (EINTR, SendFailure.again, SendFailure.again),
        (EAGAIN, .full, .full),
        (ENOBUFS, .full, .full),
        (EIO, .split, .drop),
        (EINVAL, .split, .drop),
        (EMSGSIZE, .split, .drop),
        (EOPNOTSUPP, .split, .drop),
        (ENETUNREACH, .drop, .drop),
        (EPERM, .drop, .drop),
        (EAFNOSUPPORT, .drop, .drop),
    ])
    func classified(code: Int32, run: SendFailure, single: SendFailure) {
        #expect(SendFailure.classify(code, isRun: true) == run)
        #expect(SendFailure.classify(code, isRun: false) == single)
    }

    private let now = Instant(nanoseconds: 1_000_000_000)

    private func viewer(_ number: Int, port: UInt16 = 5_000) -> TransportAddress {
        TransportAddress(ipv4: 0x0A00_0000 + UInt32(number), port: port)
    }

    @Test func aDeviceThatCannotSegmentTurnsItOffForGood() {
        var policy = SegmentationPolicy(isPossible: true)
        policy.refused(EIO, to: viewer(1), now: now)
        #expect(!policy.isEnabled)
        policy.accepted()
        policy.advance(now: now + .seconds(Int64(3_600)))
        #expect(!policy.isEnabled)
    }

    /// Neither when all of a worker's viewers are behind it, nor when others are not.
    @Test(arguments: [EINVAL, EMSGSIZE]) func oneNarrowPathTurnsItOffForNobodyElse(code: Int32) {
        var policy = SegmentationPolicy(isPossible: true)
        for port in 0..<1_000 { policy.refused(code, to: viewer(1, port: UInt16(port)), now: now) }
        #expect(policy.isEnabled && policy.takesRun(to: viewer(2)))
        #expect(!policy.takesRun(to: viewer(1)), "known, whatever its port: the kernel is not asked again")
        for round in 0..<100 {
            for i in 0..<SegmentationPolicy.refusalsInARow - 1 {
                policy.refused(code, to: viewer(10 + round * 100 + i), now: now)
            }
            policy.accepted()
        }
        #expect(policy.isEnabled && policy.takesRun(to: viewer(2)))
    }

    /// This node's own link is narrow.
    @Test func manyNarrowPathsInARowTurnItOffForAWhile() {
        var policy = SegmentationPolicy(isPossible: true)
        for i in 0..<SegmentationPolicy.refusalsInARow {
            #expect(policy.takesRun(to: viewer(i)))
            policy.refused(EMSGSIZE, to: viewer(i), now: now + .seconds(Int64(i)))
        }
        #expect(!policy.isEnabled && !policy.takesRun(to: viewer(1_000)))
        policy.advance(now: now + SegmentationPolicy.memory - .milliseconds(1))
        #expect(!policy.isEnabled)
        policy.advance(now: now + SegmentationPolicy.memory)
        #expect(policy.isEnabled && policy.takesRun(to: viewer(1)), "the link may be another one now")
    }

    /// Those beyond the bound are refused each time, which counts.
    @Test func narrowPathsAreBounded() {
        var policy = SegmentationPolicy(isPossible: true)
        for i in 0..<SegmentationPolicy.mostNarrow {
            policy.refused(EMSGSIZE, to: viewer(i), now: now)
            policy.accepted()
        }
        policy.refused(EMSGSIZE, to: viewer(5_000), now: now)
        #expect(policy.isEnabled && policy.takesRun(to: viewer(5_000)))
        #expect(policy.refusals == 1)
    }

    @Test func anOldKernelNeverTurnsItOn() {
        var policy = SegmentationPolicy(isPossible: false)
        policy.accepted()
        #expect(!policy.isEnabled)
    }
}
