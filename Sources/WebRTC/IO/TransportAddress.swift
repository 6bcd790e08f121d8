/// An IP address and UDP port (RFC 8489 §2 "transport address"), as a plain value: the core knows no `sockaddr`.
package struct TransportAddress: Hashable, Sendable {
    /// IPv6 address in host byte order, or the IPv4 address in the low 32 bits of `low` when `isIPv4`.
    package var high: UInt64
    package var low: UInt64
    package var port: UInt16
    package var isIPv4: Bool
    /// Through which of the worker's sockets the address is reached: 0 is the worker's advertised port. Client sessions
    /// have a socket each, since two of them towards one server would share a 5-tuple, which DTLS cannot tell apart.
    package var socket: UInt16 = 0

    package init(ipv4 address: UInt32, port: UInt16) {
        (high, low, self.port, isIPv4) = (0, UInt64(address), port, true)
    }

    package init(ipv6High high: UInt64, low: UInt64, port: UInt16) {
        // An IPv4-mapped address (RFC 4291 §2.5.5.2) and the IPv4 address it maps are one peer.
        if high == 0, low >> 32 == 0xFFFF {
            (self.high, self.low, self.port, isIPv4) = (0, low & 0xFFFF_FFFF, port, true)
        } else {
            (self.high, self.low, self.port, isIPv4) = (high, low, port, false)
        }
    }

    /// Parses a literal IPv4 ("192.0.2.1") or IPv6 ("2001:db8::1", no zone) address. Names, `.local` included, give
    /// nil.
    package init?(_ literal: some StringProtocol, port: UInt16) {
        if let v4 = Self.parseIPv4(literal) {
            self.init(ipv4: v4, port: port)
        } else if let v6 = Self.parseIPv6(literal) {
            self.init(ipv6High: v6.high, low: v6.low, port: port)
        } else {
            return nil
        }
    }

    package var isLoopback: Bool { isIPv4 ? low >> 24 == 127 : high == 0 && low == 1 }
    /// 0.0.0.0 or ::
    package var isUnspecified: Bool { high == 0 && low == 0 }
    /// fe80::/10: needs a zone, so it is never advertised.
    package var isLinkLocal: Bool { isIPv4 ? low >> 16 == 0xA9FE : high >> 54 == 0x3FA }
}

extension TransportAddress: CustomStringConvertible {
    /// The address without the port; IPv6 in RFC 5952 lower case, longest zero run compressed.
    package var host: String {
        if isIPv4 { return (0..<4).map { String((low >> (24 - 8 * UInt64($0))) & 0xFF) }.joined(separator: ".") }
        let groups = (0..<8).map { i -> UInt64 in ((i < 4 ? high : low) >> (48 - 16 * UInt64(i & 3))) & 0xFFFF }
        var best = 0..<0
        var i = 0
        while i < 8 {
            guard groups[i] == 0 else { i += 1; continue }
            var j = i
            while j < 8, groups[j] == 0 { j += 1 }
            if j - i > best.count, j - i > 1 { best = i..<j }
            i = j
        }
        let hex = { (r: ArraySlice<UInt64>) in r.map { String($0, radix: 16) }.joined(separator: ":") }
        if best.isEmpty { return hex(groups[...]) }
        return hex(groups[..<best.lowerBound]) + "::" + hex(groups[best.upperBound...])
    }

    package var description: String { isIPv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }
}

extension TransportAddress {
    private static func parseIPv4(_ s: some StringProtocol) -> UInt32? {
        let parts = s.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            // No leading zeros: half the world reads them as octal (RFC 6943 §3.1.1).
            guard 1...3 ~= part.utf8.count, part.utf8.allSatisfy({ 48...57 ~= $0 }), let n = UInt32(part), n <= 255,
                part.utf8.count == 1 || part.utf8.first != 48
            else { return nil }
            value = value << 8 | n
        }
        return value
    }

    private static func parseIPv6(_ s: some StringProtocol) -> (high: UInt64, low: UInt64)? {
        guard s.utf8.count <= 45, s.contains(":") else { return nil }
        let halves = String(s).split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        guard halves.count <= 2, let head = groups(halves[0], endsAddress: halves.count == 1) else { return nil }
        var all = head
        if halves.count == 2 {
            guard let tail = groups(halves[1], endsAddress: true), head.count + tail.count < 8 else { return nil }
            all += Array(repeating: 0, count: 8 - head.count - tail.count) + tail
        }
        guard all.count == 8 else { return nil }
        let word = { (g: ArraySlice<UInt16>) in g.reduce(UInt64(0)) { $0 << 16 | UInt64($1) } }
        return (word(all[..<4]), word(all[4...]))
    }

    /// Colon-separated 16-bit groups; the last of the address may be a dotted IPv4 address.
    private static func groups(_ s: Substring, endsAddress: Bool) -> [UInt16]? {
        if s.isEmpty { return [] }
        var result: [UInt16] = []
        let parts = s.split(separator: ":", omittingEmptySubsequences: false)
        for (i, part) in parts.enumerated() {
            if endsAddress, i == parts.count - 1, let v4 = parseIPv4(part) {
                result += [UInt16(v4 >> 16), UInt16(v4 & 0xFFFF)]
            } else if 1...4 ~= part.utf8.count, part.utf8.allSatisfy(isHexDigit), let g = UInt16(part, radix: 16) {
                result.append(g)
            } else {
                return nil
            }
        }
        return result
    }

    /// `UInt16(_:radix:)` takes signs too.
    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
