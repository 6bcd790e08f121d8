import Routing
import WebRTC

/// The little languages inside the topology's scalars: names, listen addresses, URLs.
enum TopologySyntax {
    /// Labels joined by dots, upper case allowed; not an address.
    static func isHostname(_ text: some StringProtocol) -> Bool {
        let labels = text.lowercased().split(separator: ".", omittingEmptySubsequences: false)
        return text.utf8.count <= 253 && labels.allSatisfy { NodeName.isValid($0) }
            && labels.last?.utf8.allSatisfy(isDigit) == false
    }

    /// A broadcast name in which `*` may stand for any run of characters.
    static func isBroadcastPattern(_ text: String) -> Bool {
        1...128 ~= text.utf8.count
            && text.utf8.allSatisfy {
                isLower($0) || isDigit($0) || isUpper($0) || "._~-*".utf8.contains($0)
            }
    }

    /// Codes of GeoIP2, from the continent down. Names of cities are none: they are not codes.
    static func isPlace(_ text: String) -> Bool {
        let codes = text.split(separator: "/", omittingEmptySubsequences: false)
        let isCode = { (code: Substring, lengths: ClosedRange<Int>) in
            lengths ~= code.utf8.count && code.utf8.allSatisfy { isDigit($0) || isUpper($0) }
        }
        guard 1...3 ~= codes.count, ["AF", "AN", "AS", "EU", "NA", "OC", "SA"].contains(codes[0]) else { return false }
        return codes.dropFirst().prefix(1).allSatisfy { isCode($0, 2...2) }
            && codes.dropFirst(2).allSatisfy { isCode($0, 1...3) }
    }

    static func isEnvironmentName(_ text: String) -> Bool {
        !text.isEmpty && !isDigit(text.utf8.first ?? 0)
            && text.utf8.allSatisfy {
                isLower($0) || isDigit($0) || isUpper($0) || $0 == UInt8(ascii: "_")
            }
    }

    static let bearerTokenRule =
        "the token has characters that a Bearer token cannot have (RFC 6750: A-Za-z0-9-._~+/=)"

    /// What an Authorization header can carry as a Bearer token (RFC 6750 §2.1, `b64token`).
    static func isBearerToken(_ text: some StringProtocol) -> Bool {
        let body = text.utf8.prefix { $0 != UInt8(ascii: "=") }
        return !body.isEmpty && text.utf8.dropFirst(body.count).allSatisfy { $0 == UInt8(ascii: "=") }
            && body.allSatisfy {
                isLower($0) || isDigit($0) || isUpper($0) || "-._~+/".utf8.contains($0)
            }
    }

    /// `host:port` or `[v6]:port`; nil: neither, or a port outside 1...65535.
    static func hostAndPort(_ text: some StringProtocol) -> (host: String, port: Int)? {
        guard let (host, rest) = splitHost(text), rest.hasPrefix(":"), let port = port(rest.dropFirst()) else {
            return nil
        }
        return (host, port)
    }

    /// `http://host[:port]`, without user, path (a lone `/` is dropped), query and fragment. `url` is canonical.
    static func baseURL(_ text: String) -> (url: String, host: String, port: Int)? {
        let schemes = [("http://", 80), ("https://", 443)]
        guard let (scheme, standard) = schemes.first(where: { text.hasPrefix($0.0) }) else { return nil }
        var authority = text.dropFirst(scheme.utf8.count)
        if authority.hasSuffix("/") { authority = authority.dropLast() }
        guard let (host, rest) = splitHost(authority) else { return nil }
        guard !rest.isEmpty else { return (scheme + authority, host, standard) }
        guard rest.hasPrefix(":"), let port = port(rest.dropFirst()) else { return nil }
        return (scheme + authority, host, port)
    }

    /// What a Host field says (RFC 9110 §7.2): a host and perhaps a port. nil: neither, so nothing to build a URL from.
    static func authority(_ text: String) -> (text: String, host: String)? {
        guard let (host, rest) = splitHost(text), rest.isEmpty || rest.hasPrefix(":") && port(rest.dropFirst()) != nil
        else { return nil }
        return (text, host)
    }

    /// The URL of a listener whose `url` the file leaves out.
    static func defaultURL(host: String, port: Int, scheme: String) -> String {
        guard let address = TransportAddress(host, port: 0) else { return "\(scheme)://\(host):\(port)" }
        if address.isUnspecified { return "\(scheme)://127.0.0.1:\(port)" }
        return address.isIPv4 ? "\(scheme)://\(host):\(port)" : "\(scheme)://[\(host)]:\(port)"
    }

    /// One name for every way to write the same machine.
    static func machine(_ host: String) -> String {
        if host.lowercased() == "localhost" { return "loopback" }
        guard let address = TransportAddress(host, port: 0) else { return host.lowercased() }
        return address.isLoopback ? "loopback" : address.host
    }

    /// Listeners on these two hosts of one machine cannot have the same port.
    static func collide(_ a: String, _ b: String) -> Bool {
        let canonical = { (host: String) -> String in
            host.lowercased() == "localhost" ? "127.0.0.1" : TransportAddress(host, port: 0)?.host ?? host.lowercased()
        }
        let (a, b) = (canonical(a), canonical(b))
        let any = ["0.0.0.0", "::"]
        return a == b || any.contains(a) || any.contains(b)
    }

    /// The host in front, without brackets, and what follows it.
    private static func splitHost<S: StringProtocol>(_ text: S) -> (host: String, rest: S.SubSequence)?
    where S.SubSequence: StringProtocol {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let host = String(text[text.index(after: text.startIndex)..<end])
            guard TransportAddress(host, port: 0)?.isIPv4 == false else { return nil }
            return (host, text[text.index(after: end)...])
        }
        let end = text.firstIndex(of: ":") ?? text.endIndex
        let host = String(text[..<end])
        guard TransportAddress(host, port: 0) != nil || isHostname(host) else { return nil }
        return (host, text[end...])
    }

    private static func port(_ text: some StringProtocol) -> Int? {
        guard 1...5 ~= text.utf8.count, text.utf8.allSatisfy(isDigit), let port = Int(text), 1...65_535 ~= port
        else { return nil }
        return port
    }

    private static func isUpper(_ byte: UInt8) -> Bool { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte }
    private static func isLower(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte }
    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
}

/// UDP ports that browsers refuse as ICE candidates (Chromium's restricted ports, net/base/port_util.cc), beside all
/// below 1024.
enum RestrictedPort {
    private static let listed: Set<Int> = [
        1_719, 1_720, 1_723, 2_049, 3_659, 4_045, 4_190, 5_060, 5_061, 6_000, 6_566, 6_665, 6_666, 6_667, 6_668, 6_669,
        6_697, 10_080,
    ]

    static func first(in ports: ClosedRange<Int>) -> Int? { ports.first { $0 < 1_024 || listed.contains($0) } }
}
