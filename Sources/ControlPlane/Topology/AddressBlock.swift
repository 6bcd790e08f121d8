package import WebRTC

/// Addresses with the same beginning (RFC 4632 §3.1, RFC 4291 §2.3). One of IPv4-mapped addresses is that of the IPv4
/// addresses.
package struct AddressBlock: Hashable, Sendable, CustomStringConvertible {
    private let first: TransportAddress
    /// Bits that all of them share, of 32 or 128.
    private let length: Int

    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// - Parameter text: `10.0.0.0/8`, `2001:db8::/32`, or a single address.
    package init(_ text: String) throws(Failure) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = TransportAddress(parts[0], port: 0) else {
            throw Failure(description: "expected an IP address or a block such as 10.0.0.0/8")
        }
        let most = parts[0].contains(":") ? 128 : 32
        guard let length = parts.count == 1 ? most : Self.length(parts[1], most) else {
            throw Failure(description: "expected 1 to \(most) after the slash")
        }
        let isMapped = first.isIPv4 && most == 128
        guard !isMapped || length > 96 else {
            throw Failure(description: "expected 97 to 128 after the slash of an IPv4-mapped address")
        }
        (self.first, self.length) = (first, isMapped ? length - 96 : length)
        guard self.first == masked(first) else {
            throw Failure(description: "has bits behind its length; expected \(masked(first).host)/\(length)")
        }
    }

    package var description: String { "\(first.host)/\(length)" }

    /// Not 0, which is everybody.
    private static func length(_ digits: Substring, _ most: Int) -> Int? {
        guard 1...3 ~= digits.utf8.count, digits.utf8.allSatisfy({ 48...57 ~= $0 }), let length = Int(digits),
            1...most ~= length
        else { return nil }
        return length
    }

    package func contains(_ address: TransportAddress) -> Bool {
        address.isIPv4 == first.isIPv4 && masked(address) == first
    }

    private func masked(_ address: TransportAddress) -> TransportAddress {
        guard !address.isIPv4 else {
            return TransportAddress(ipv4: UInt32(truncatingIfNeeded: address.low) & ~(.max >> length), port: 0)
        }
        // A shift by as many bits as there are leaves none.
        return TransportAddress(
            ipv6High: address.high & ~(.max >> min(length, 64)), low: address.low & ~(.max >> max(length - 64, 0)),
            port: 0)
    }
}
