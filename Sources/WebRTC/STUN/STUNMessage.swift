/// A STUN message (RFC 8489 §5) as a view: plain values and offsets into the datagram it was parsed from, which every
/// call that takes `in bytes` must be given again. Parsing allocates nothing: strangers send STUN too.
package struct STUNMessage: Sendable {
    package enum Class: UInt8, Hashable, Sendable { case request = 0, indication, success, error }

    /// 96 bits, chosen by the sender of a request and repeated in its answer.
    package struct TransactionID: Hashable, Sendable {
        package var high: UInt32
        package var low: UInt64

        package init(high: UInt32, low: UInt64) { (self.high, self.low) = (high, low) }
    }

    /// What the FINGERPRINT attribute says (RFC 8489 §14.7).
    package enum FingerprintCheck: Hashable, Sendable { case absent, valid, invalid }

    package static let headerLength = 20
    package static let magicCookie: UInt32 = 0x2112_A442
    /// The only method that ICE uses.
    package static let binding: UInt16 = 0x001

    package let messageClass: Class
    package let method: UInt16
    package let transactionID: TransactionID
    package private(set) var fingerprint = FingerprintCheck.absent
    /// PRIORITY (RFC 8445 §16.1).
    package private(set) var priority: UInt32?
    package private(set) var useCandidate = false
    /// Tie-breakers of ICE-CONTROLLING and ICE-CONTROLLED.
    package private(set) var controlling: UInt64?
    package private(set) var controlled: UInt64?
    /// 300...699.
    package private(set) var errorCode: Int?
    /// XOR-MAPPED-ADDRESS, decoded.
    package private(set) var mappedAddress: TransportAddress?
    /// Where the USERNAME text is.
    package private(set) var username: Range<Int>?
    /// Whether `unknownAttributes(in:)` has any.
    package private(set) var hasUnknownAttributes = false
    private var integrityOffset: Int?

    package var hasIntegrity: Bool { integrityOffset != nil }

    /// nil: malformed (length, cookie, an attribute out of bounds or of a wrong size, something behind FINGERPRINT).
    /// A FINGERPRINT that does not match is not malformed: see `fingerprint`.
    package static func parse(_ bytes: borrowing RawSpan) -> STUNMessage? {
        let end = bytes.byteCount
        guard end >= headerLength, end & 3 == 0, Int(uint16(bytes, 2)) == end - headerLength,
            uint32(bytes, 4) == magicCookie
        else { return nil }
        // 0 0 M11..M7 C1 M6..M4 C0 M3..M0 (RFC 8489 §5)
        let type = uint16(bytes, 0)
        guard type >> 14 == 0, let messageClass = Class(rawValue: UInt8(type >> 7 & 2 | type >> 4 & 1))
        else { return nil }
        var message = STUNMessage(
            messageClass: messageClass, method: type & 0xF | type >> 1 & 0x70 | type >> 2 & 0xF80,
            transactionID: TransactionID(high: uint32(bytes, 8), low: uint64(bytes, 12)))
        var offset = headerLength
        while offset < end {
            // Both the offset and the end are multiples of four, so four bytes are there, and so is all padding.
            let (attribute, length) = (uint16(bytes, offset), Int(uint16(bytes, offset + 2)))
            guard offset + 4 + length <= end else { return nil }
            if attribute == Attribute.fingerprint {
                guard length == 4, offset + 8 == end else { return nil }
                message.fingerprint =
                    CRC32.checksum(bytes, count: offset) ^ fingerprintMask == uint32(bytes, offset + 4)
                    ? .valid : .invalid
            } else if message.integrityOffset == nil {
                // What follows MESSAGE-INTEGRITY is not protected by it and is ignored (§14.5).
                guard message.read(attribute, at: offset + 4, length: length, in: bytes) else { return nil }
            }
            offset += 4 + (length + 3) & ~3
        }
        return message
    }

    private init(messageClass: Class, method: UInt16, transactionID: TransactionID) {
        (self.messageClass, self.method, self.transactionID) = (messageClass, method, transactionID)
    }

    /// False: the attribute has a size it cannot have. Of an attribute that comes twice the first counts (§14).
    private mutating func read(_ type: UInt16, at offset: Int, length: Int, in bytes: borrowing RawSpan) -> Bool {
        switch type {
        case Attribute.username:
            if username == nil { username = offset..<offset + length }
        case Attribute.messageIntegrity:
            guard length == Self.integrityLength else { return false }
            integrityOffset = offset - 4
        case Attribute.priority:
            guard length == 4 else { return false }
            if priority == nil { priority = Self.uint32(bytes, offset) }
        case Attribute.useCandidate:
            useCandidate = true
        case Attribute.iceControlling:
            guard length == 8 else { return false }
            if controlling == nil { controlling = Self.uint64(bytes, offset) }
        case Attribute.iceControlled:
            guard length == 8 else { return false }
            if controlled == nil { controlled = Self.uint64(bytes, offset) }
        case Attribute.errorCode:
            guard length >= 4 else { return false }
            let (hundreds, rest) = (Int(Self.uint8(bytes, offset + 2) & 7), Int(Self.uint8(bytes, offset + 3)))
            guard 3...6 ~= hundreds, rest < 100 else { return false }
            if errorCode == nil { errorCode = hundreds * 100 + rest }
        case Attribute.xorMappedAddress:
            guard length >= 4 else { return false }
            if mappedAddress == nil { mappedAddress = xorAddress(at: offset, length: length, in: bytes) }
        default:
            if !Attribute.isUnderstood(type) { hasUnknownAttributes = true }
        }
        return true
    }

    /// XOR-MAPPED-ADDRESS (§14.2): the address is masked with the cookie and, for IPv6, the transaction ID.
    private func xorAddress(at offset: Int, length: Int, in bytes: borrowing RawSpan) -> TransportAddress? {
        let port = Self.uint16(bytes, offset + 2) ^ UInt16(Self.magicCookie >> 16)
        switch (Self.uint8(bytes, offset + 1), length) {
        case (1, 8):
            return TransportAddress(ipv4: Self.uint32(bytes, offset + 4) ^ Self.magicCookie, port: port)
        case (2, 20):
            let mask = UInt64(Self.magicCookie) << 32 | UInt64(transactionID.high)
            return TransportAddress(
                ipv6High: Self.uint64(bytes, offset + 4) ^ mask,
                low: Self.uint64(bytes, offset + 12) ^ transactionID.low, port: port)
        default:
            return nil
        }
    }
}

extension STUNMessage {
    /// The local user fragment of a request (USERNAME up to its colon, RFC 8445 §7.2.2) as `ICECredentials.ufragKey`
    /// makes it; nil when it is not eight bytes long and so not of our making.
    package func localUfragKey(in bytes: borrowing RawSpan) -> UInt64? {
        let length = ICECredentials.localUfragLength
        guard let username, username.count > length, username.upperBound <= bytes.byteCount,
            Self.uint8(bytes, username.lowerBound + length) == UInt8(ascii: ":")
        else { return nil }
        var key: UInt64 = 0
        for i in 0..<length {
            let byte = Self.uint8(bytes, username.lowerBound + i)
            guard byte != UInt8(ascii: ":") else { return nil }
            key = key << 8 | UInt64(byte)
        }
        return key
    }

    /// Whether MESSAGE-INTEGRITY is there and is the HMAC-SHA1 under `key`, the password (§14.5). Compared in constant
    /// time.
    package func verifyIntegrity(key: [UInt8], in bytes: borrowing RawSpan) -> Bool {
        guard let integrityOffset, integrityOffset + 4 + Self.integrityLength <= bytes.byteCount else { return false }
        var covered = unsafe bytes.withUnsafeBytes { unsafe Array($0[..<integrityOffset]) }
        // The length counts the message as if it ended with MESSAGE-INTEGRITY.
        STUNWriter.setLength(of: &covered, to: integrityOffset + 4 + Self.integrityLength - Self.headerLength)
        let expected = HMACSHA1.authenticate(covered, key: key)
        var difference: UInt8 = 0
        for i in 0..<Self.integrityLength { difference |= expected[i] ^ Self.uint8(bytes, integrityOffset + 4 + i) }
        return difference == 0
    }

    /// Comprehension-required attributes that we do not know (§6.3.1), at most 16, for the answer 420.
    package func unknownAttributes(in bytes: borrowing RawSpan) -> [UInt16] {
        var found: [UInt16] = []
        var offset = Self.headerLength
        let end = integrityOffset ?? bytes.byteCount
        while offset + 4 <= end, found.count < 16 {
            let type = Self.uint16(bytes, offset)
            if !Attribute.isUnderstood(type), !found.contains(type) { found.append(type) }
            offset += 4 + (Int(Self.uint16(bytes, offset + 2)) + 3) & ~3
        }
        return found
    }
}

extension STUNMessage {
    static let fingerprintMask: UInt32 = 0x5354_554E
    static let integrityLength = 20

    /// RFC 8489 §18.3, RFC 8445 §16.1.
    enum Attribute {
        static var username: UInt16 { 0x0006 }
        static var messageIntegrity: UInt16 { 0x0008 }
        static var errorCode: UInt16 { 0x0009 }
        static var unknownAttributes: UInt16 { 0x000A }
        static var messageIntegritySHA256: UInt16 { 0x001C }
        static var xorMappedAddress: UInt16 { 0x0020 }
        static var priority: UInt16 { 0x0024 }
        static var useCandidate: UInt16 { 0x0025 }
        static var fingerprint: UInt16 { 0x8028 }
        static var iceControlled: UInt16 { 0x8029 }
        static var iceControlling: UInt16 { 0x802A }

        /// The upper half of the number space may be ignored; of the lower half we also let pass MAPPED-ADDRESS, REALM
        /// and NONCE, which change nothing for short-term credentials, and the SHA-256 twin of the SHA-1 we verify.
        static func isUnderstood(_ type: UInt16) -> Bool {
            switch type {
            case 0x8000...: true
            case username, messageIntegrity, errorCode, unknownAttributes, messageIntegritySHA256, xorMappedAddress,
                priority, useCandidate:
                true
            case 0x0001, 0x0014, 0x0015: true
            default: false
            }
        }
    }

    // Big-endian loads. They are bounds-checked and trap, so whoever calls has looked at the length before.
    private static func uint8(_ bytes: borrowing RawSpan, _ offset: Int) -> UInt8 {
        unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }
    private static func uint16(_ bytes: borrowing RawSpan, _ offset: Int) -> UInt16 {
        unsafe UInt16(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }
    private static func uint32(_ bytes: borrowing RawSpan, _ offset: Int) -> UInt32 {
        unsafe UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
    private static func uint64(_ bytes: borrowing RawSpan, _ offset: Int) -> UInt64 {
        unsafe UInt64(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
