// NTP time from our own clock, and the round trip computed from it (RFC 3550 §6.4.1).
import Testing
import WebRTC

@Suite("Report times")
struct ReportTimeTests {
    /// RFC 3550 figure 2: LSR 46853.125 s, DLSR 5.250 s, arrival 46864.500 s: 6.125 s on the way.
    @Test func exampleOfTheRFC() {
        let block = ReportBlock(
            ssrc: SSRC(1), lastSenderReport: 0xB705_2000, delaySinceLastSenderReport: 0x0005_4000)
        let arrival = NTPTime(rawValue: 0xB44D_B710_8000_0000)
        #expect(arrival.middle == 0xB710_8000)
        #expect(block.roundTrip(arrival: arrival) == .milliseconds(6_125))
    }

    @Test(
        arguments: [
            (0, 0, 5 << 16, nil), (65_536, 0, 65_536, 0), (65_536, 65_536, 65_536, nil),
            (0xFFFF_0000, 0x8000, 0x0000_0000, 500), (1, 0, 1 + 60 << 16, nil),
        ] as [(UInt32, UInt32, UInt32, Int64?)])
    func roundTrips(last: UInt32, delay: UInt32, arrival: UInt32, milliseconds: Int64?) {
        let block = ReportBlock(ssrc: SSRC(1), lastSenderReport: last, delaySinceLastSenderReport: delay)
        let trip = block.roundTrip(arrival: NTPTime(rawValue: UInt64(arrival) << 16))
        #expect(trip == milliseconds.map { .milliseconds($0) })
    }

    @Test func ntpFollowsTheInstant() {
        let origin = NTPTime(rawValue: 0xE000_0000_4000_0000)
        let cases: [(nanoseconds: Int64, ntp: UInt64)] = [
            (0, 0xE000_0000_4000_0000), (500_000_000, 0xE000_0000_C000_0000), (750_000_000, 0xE000_0001_0000_0000),
            (3_600_000_000_000, 0xE000_0E10_4000_0000), (-1_250_000_000, 0xDFFF_FFFF_0000_0000),
        ]
        for (nanoseconds, ntp) in cases {
            #expect(NTPTime(origin: origin, at: Instant(nanoseconds: nanoseconds)).rawValue == ntp)
        }
        // Any instant is a time, whatever it means.
        for nanoseconds in [Int64.min, .max] { _ = NTPTime(origin: origin, at: Instant(nanoseconds: nanoseconds)) }
    }
}
