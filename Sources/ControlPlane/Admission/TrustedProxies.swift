package import WebRTC

/// Who in front of the public listener is believed when it says for whom it asks.
package struct TrustedProxies: Sendable {
    private let blocks: [AddressBlock]

    package init(_ blocks: [AddressBlock]) { self.blocks = blocks }

    package func contains(_ address: TransportAddress) -> Bool { blocks.contains { $0.contains(address) } }

    /// The client behind `remote`. Each proxy puts the address of whoever asked it at the right end of `X-Forwarded-For`, so
    /// the right-most that is no proxy of ours was seen by one of them; what is left of it anybody may have written.
    ///
    /// - Parameter forwardedFor: the field, of several lines joined by commas; items may have a port.
    /// - Returns: `remote` where it is no proxy or does not say; the nearest proxy that is known where the item before it
    ///   is no address. The port means nothing.
    package func client(behind remote: TransportAddress, forwardedFor: String?) -> TransportAddress {
        var client = remote
        var rest = (forwardedFor ?? "")[...]
        while contains(client), !rest.isEmpty {
            let start = rest.lastIndex(of: ",").map { rest.index(after: $0) } ?? rest.startIndex
            guard let address = Self.address(rest[start...]) else { return client }
            client = address
            rest = rest[..<start].dropLast()
        }
        return client
    }

    private static func address(_ item: Substring) -> TransportAddress? {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        var text = item.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        if let address = TransportAddress(text, port: 0) { return address }
        if text.hasPrefix("["), text.hasSuffix("]") { return TransportAddress(text.dropFirst().dropLast(), port: 0) }
        return TopologySyntax.hostAndPort(text).flatMap { TransportAddress($0.host, port: 0) }
    }
}
