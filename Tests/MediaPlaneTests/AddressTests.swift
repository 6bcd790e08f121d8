// Which addresses become candidates, and the clock's two zeros.

import Glibc
import Testing
import WebRTC

@testable import MediaPlane

@Suite struct AddressTests {
    @Test func theHostHasLoopbackAndNothingLinkLocal() {
        let addresses = hostAddresses()
        #expect(addresses.contains(TransportAddress("127.0.0.1", port: 0)!))
        #expect(!addresses.contains { $0.isLinkLocal || $0.isUnspecified })
        #expect(Set(addresses).count == addresses.count)
        // Loopback comes last.
        let firstLoopback = addresses.firstIndex(where: \.isLoopback)!
        #expect(!addresses[firstLoopback...].contains { !$0.isLoopback })
    }

    @Test func aSocketAdvertisesWhatItReceivesOn() {
        let hosts = ["192.0.2.1", "2001:db8::1", "127.0.0.1", "::1"].map { TransportAddress($0, port: 0)! }
        let any4 = TransportAddress("0.0.0.0", port: 5_000)!
        #expect(any4.reachableHostAddresses(hosts) == [hosts[0], hosts[2]])
        #expect(TransportAddress("::", port: 5_000)!.reachableHostAddresses(hosts) == hosts)
        let one = TransportAddress("192.0.2.7", port: 5_000)!
        #expect(one.reachableHostAddresses(hosts) == [one])
    }

    @Test func theWallClockIsTheOriginPlusTheInstant() {
        let now = MonotonicClock.now()
        let seconds = Double(MonotonicClock.ntpOrigin()) / 4_294_967_296 - 2_208_988_800 + Double(now.nanoseconds) / 1e9
        #expect(abs(seconds - Double(time(nil))) < 2)
        #expect(MonotonicClock.now() >= now)
    }
}
