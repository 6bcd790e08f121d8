/// The ICE and DTLS lines of one m-section or of the session level.
struct TransportAttributes {
    var ufrag: String?
    var password: String?
    /// Those with a hash that we can check.
    var fingerprints: [Fingerprint] = []
    /// There was a fingerprint, but none that we can check.
    var hasUnknownFingerprint = false
    var setup: String?
    var candidates: [(address: TransportAddress, priority: UInt32)] = []
    var iceLite = false
    var iceOptions: [String] = []
    var endOfCandidates = false

    /// More than an honest peer has; the rest is ignored.
    static let maximumCandidates = 32
    static let maximumFingerprints = 16

    init(_ attributes: [SessionDescription.Attribute]) {
        for attribute in attributes {
            let value = attribute.value.trimmed
            switch attribute.name {
            case "ice-ufrag": ufrag = ufrag ?? value
            case "ice-pwd": password = password ?? value
            case "ice-lite": iceLite = true
            case "ice-options": iceOptions = value.words.map(String.init)
            case "setup": setup = setup ?? value.lowercased()
            case "end-of-candidates": endOfCandidates = true
            case "fingerprint":
                if let fingerprint = Fingerprint(attribute: value) {
                    if fingerprints.count < Self.maximumFingerprints { fingerprints.append(fingerprint) }
                } else {
                    hasUnknownFingerprint = true
                }
            case "candidate":
                if let candidate = Self.candidate(value), candidates.count < Self.maximumCandidates,
                    !candidates.contains(where: { $0.address == candidate.address })
                {
                    candidates.append(candidate)
                }
            default: break
            }
        }
    }

    /// Those of the strongest hash: each of them may be the certificate's, a weaker one may not (RFC 8122 §5.1).
    var preferredFingerprints: [Fingerprint] {
        let longest = fingerprints.map(\.bytes.count).max()
        return fingerprints.filter { $0.bytes.count == longest }
    }

    /// The candidate's address (RFC 8839 §5.1), or nil where it is of no use: TCP, RTCP's component, a name (mDNS and
    /// others: nothing here resolves), port 0, or an address that needs a zone.
    static func candidate(_ value: String) -> (address: TransportAddress, priority: UInt32)? {
        let parts = value.words
        guard parts.count >= 8, parts[1] == "1", parts[2].lowercased() == "udp", parts[6].lowercased() == "typ",
            let priority = UInt32(parts[3]), let port = UInt16(parts[5]), port != 0,
            let address = TransportAddress(parts[4], port: port), !address.isUnspecified, !address.isLinkLocal
        else { return nil }
        return (address, priority)
    }

    /// Best first; equal priorities stay in the order of the text.
    var addresses: [TransportAddress] {
        candidates.enumerated().sorted { ($1.element.priority, $0.offset) < ($0.element.priority, $1.offset) }
            .map(\.element.address)
    }
}

extension ICECredentials {
    /// Credentials of a peer; throws what is wrong with them (RFC 8839 §5.4).
    init(ufrag: String?, password: String?) throws(NegotiationError) {
        guard let ufrag, let password else { throw .malformed("a=ice-ufrag or a=ice-pwd is missing") }
        let isICE = { (text: String) in
            text.utf8.allSatisfy { c in
                switch c {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                    true
                // Not ice-char, but some stacks use them (`-` and `_` of base64url, `=` of padding).
                case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "="): true
                default: false
                }
            }
        }
        guard 4...256 ~= ufrag.utf8.count, isICE(ufrag) else {
            throw .malformed("a=ice-ufrag is not 4 to 256 ICE characters")
        }
        guard 22...256 ~= password.utf8.count, isICE(password) else {
            throw .malformed("a=ice-pwd is not 22 to 256 ICE characters")
        }
        self.init(ufrag: ufrag, password: password)
    }
}

extension Fingerprint {
    /// Parses "sha-256 AB:CD:…" (RFC 8122 §5); nil when malformed or of a hash that is not used here.
    init?(attribute value: String) {
        let parts = value.words
        guard parts.count == 2, let algorithm = Algorithm(rawValue: parts[0].lowercased()) else { return nil }
        var bytes: [UInt8] = []
        for pair in parts[1].split(separator: ":", omittingEmptySubsequences: false) {
            guard pair.utf8.count == 2, pair.first != "+", let byte = UInt8(pair, radix: 16) else { return nil }
            bytes.append(byte)
        }
        let length =
            switch algorithm {
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        guard bytes.count == length else { return nil }
        self.init(algorithm: algorithm, bytes: bytes)
    }

    /// The value of `a=fingerprint`.
    var attribute: String {
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }
        return algorithm.rawValue + " " + hex.joined(separator: ":")
    }
}
