// What the kernel says of datagrams that it had to fragment, in the two formats that it has for it.

import Testing

@testable import ControlPlane

@Suite struct FragmentedDatagramsTests {
    @Test func isReadByTheNameOfTheColumn() {
        let counts = FragmentedDatagrams(
            snmp: """
                Ip: Forwarding DefaultTTL ReasmOKs FragOKs FragFails FragCreates
                Ip: 2 64 34 24 1 48
                Icmp: InMsgs InErrors
                Icmp: 5 0

                """,
            snmp6: """
                Ip6ReasmOKs                     \t2
                Ip6FragOKs                      \t18446744073709551615
                Ip6FragFails                    \t22

                """)
        #expect(counts.ipv4 == 24)
        #expect(counts.ipv6 == .max)
    }

    @Test(arguments: [
        ("", ""),
        ("Ip: FragOKs", "Ip6FragOKs"),
        ("Ip: FragOKs\nIp:", "Ip6FragOKs  "),
        ("Ip: FragOKs\nIp: -1", "Ip6FragOKs -1"),
        ("Ip: FragOKs\nIp: 99999999999999999999", "Ip6FragOKs 1 2"),
        ("Ip: A\nIp: 1", "Ip6FragCreates 7"),
    ])
    func isUnknownWhereTheKernelDoesNotSay(snmp: String, snmp6: String) {
        let counts = FragmentedDatagrams(snmp: snmp, snmp6: snmp6)
        #expect(counts.ipv4 == nil && counts.ipv6 == nil)
    }

    @Test func thisKernelSays() {
        #expect(FragmentedDatagrams.now.ipv4 != nil)
    }
}
