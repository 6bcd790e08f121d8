import CLinux
import Glibc
package import WebRTC

/// The one clock of the media plane: CLOCK_MONOTONIC, so `Instant` means the same in every worker of a host.
package enum MonotonicClock {
    package static func now() -> Instant { Instant(nanoseconds: read(CLOCK_MONOTONIC)) }

    /// The 64-bit NTP time (RFC 5905 §6) at `Instant.zero`, for the sender reports. Taken once per worker: a wall clock
    /// that is set later must not bend the media time line.
    package static func ntpOrigin() -> UInt64 {
        let secondsFrom1900To1970: UInt64 = 2_208_988_800
        let origin = UInt64(max(0, read(CLOCK_REALTIME) - read(CLOCK_MONOTONIC)))
        let (seconds, nanoseconds) = origin.quotientAndRemainder(dividingBy: 1_000_000_000)
        return (seconds + secondsFrom1900To1970) << 32 | (nanoseconds << 32) / 1_000_000_000
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        let status = unsafe clock_gettime(clock, &time)
        precondition(status == 0, "the clock exists")
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
