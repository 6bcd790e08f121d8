// What follows from each way in which the kernel refuses a message, as a table.

import Glibc
import Testing

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

    @Test func aDeviceThatCannotSegmentTurnsItOffForGood() {
        var policy = SegmentationPolicy(isEnabled: true)
        policy.refused(EIO)
        #expect(!policy.isEnabled)
        policy.accepted()
        #expect(!policy.isEnabled)
    }

    @Test func oneNarrowPathDoesNotTurnItOff() {
        var policy = SegmentationPolicy(isEnabled: true)
        for _ in 0..<1_000 {
            for _ in 0..<SegmentationPolicy.refusalsInARow - 1 { policy.refused(EMSGSIZE) }
            policy.accepted()
        }
        #expect(policy.isEnabled)
        for _ in 0..<SegmentationPolicy.refusalsInARow { policy.refused(EINVAL) }
        #expect(!policy.isEnabled)
    }

    @Test func anOldKernelNeverTurnsItOn() {
        var policy = SegmentationPolicy(isEnabled: false)
        policy.accepted()
        #expect(!policy.isEnabled)
    }
}
