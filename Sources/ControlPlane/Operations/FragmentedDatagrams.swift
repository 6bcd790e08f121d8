/// How many datagrams the kernel has fragmented since they did not fit through their path, in the network namespace of
/// this process and since that began: only the kernel knows (RFC 4293 ipSystemStatsOutFragOKs).
package struct FragmentedDatagrams: Hashable, Sendable {
    package var ipv4: UInt64?
    package var ipv6: UInt64?

    /// What the kernel has counted so far; nil for what it does not say.
    static var now: FragmentedDatagrams {
        func text(_ file: String) -> String {
            guard case .text(let text) = TextFile.read("/proc/self/net/\(file)", atMost: 1 << 20) else { return "" }
            return text
        }
        return FragmentedDatagrams(snmp: text("snmp"), snmp6: text("snmp6"))
    }

    /// - Parameters:
    ///   - snmp: of each protocol a line of names and one of values, which begin with "Ip:".
    ///   - snmp6: a line for each value: name, blanks, value.
    init(snmp: String, snmp6: String) {
        let ip = Self.words(of: snmp).filter { $0.first == "Ip:" }
        if ip.count == 2, let column = ip[0].firstIndex(of: "FragOKs"), column < ip[1].count {
            ipv4 = UInt64(ip[1][column])
        }
        if let line = Self.words(of: snmp6).first(where: { $0.first == "Ip6FragOKs" }), line.count == 2 {
            ipv6 = UInt64(line[1])
        }
    }

    private static func words(of text: String) -> [[Substring]] {
        text.split(separator: "\n").map { line in line.split(whereSeparator: \.isWhitespace) }
    }
}
