/// Builds one STUN message (RFC 8489 §5); cold, so it makes an array. Attributes go out in the order they are added.
package struct STUNWriter {
    private typealias Attribute = STUNMessage.Attribute
    private var bytes: [UInt8] = []
    private let transactionID: STUNMessage.TransactionID

    package init(
        _ messageClass: STUNMessage.Class, transactionID: STUNMessage.TransactionID,
        method: UInt16 = STUNMessage.binding
    ) {
        precondition(method < 0x1000, "a STUN method has twelve bits")
        self.transactionID = transactionID
        bytes.reserveCapacity(128)
        let classBits = UInt16(messageClass.rawValue)
        let type = method & 0xF | (method & 0x70) << 1 | (method & 0xF80) << 2
        append(type | (classBits & 1) << 4 | (classBits & 2) << 7)
        append(UInt16(0))
        append(STUNMessage.magicCookie)
        append(transactionID.high)
        append(transactionID.low)
    }

    package mutating func addUsername(_ username: [UInt8]) { add(Attribute.username, username) }

    package mutating func addPriority(_ priority: UInt32) {
        beginAttribute(Attribute.priority, length: 4)
        append(priority)
    }

    package mutating func addUseCandidate() { beginAttribute(Attribute.useCandidate, length: 0) }

    package mutating func addControlling(tieBreaker: UInt64) {
        beginAttribute(Attribute.iceControlling, length: 8)
        append(tieBreaker)
    }

    package mutating func addControlled(tieBreaker: UInt64) {
        beginAttribute(Attribute.iceControlled, length: 8)
        append(tieBreaker)
    }

    /// `code` is 300...699 (§14.8).
    package mutating func addError(_ code: Int, reason: StaticString) {
        precondition(300...699 ~= code, "a STUN error code is 300 to 699")
        let text = Array(reason.description.utf8)
        add(Attribute.errorCode, [0, 0, UInt8(code / 100), UInt8(code % 100)] + text)
    }

    package mutating func addUnknownAttributes(_ types: [UInt16]) {
        add(Attribute.unknownAttributes, types.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] })
    }

    /// XOR-MAPPED-ADDRESS (§14.2).
    package mutating func addMappedAddress(_ address: TransportAddress) {
        beginAttribute(Attribute.xorMappedAddress, length: address.isIPv4 ? 8 : 20)
        append(UInt16(address.isIPv4 ? 1 : 2))
        append(address.port ^ UInt16(STUNMessage.magicCookie >> 16))
        if address.isIPv4 {
            append(UInt32(truncatingIfNeeded: address.low) ^ STUNMessage.magicCookie)
        } else {
            append(address.high ^ (UInt64(STUNMessage.magicCookie) << 32 | UInt64(transactionID.high)))
            append(address.low ^ transactionID.low)
        }
    }

    /// Any other attribute; the value is padded with zeros.
    package mutating func add(_ type: UInt16, _ value: [UInt8]) {
        beginAttribute(type, length: value.count)
        bytes += value
        while bytes.count & 3 != 0 { bytes.append(0) }
    }

    /// Ends with MESSAGE-INTEGRITY under `key`, the password, if there is one, and FINGERPRINT.
    package consuming func finish(key: [UInt8]?) -> [UInt8] {
        if let key {
            Self.setLength(of: &bytes, to: bytes.count + 4 + STUNMessage.integrityLength - STUNMessage.headerLength)
            add(Attribute.messageIntegrity, HMACSHA1.authenticate(bytes, key: key))
        }
        Self.setLength(of: &bytes, to: bytes.count + 8 - STUNMessage.headerLength)
        let checksum = CRC32.checksum(RawSpan(_elements: bytes.span), count: bytes.count)
        beginAttribute(Attribute.fingerprint, length: 4)
        append(checksum ^ STUNMessage.fingerprintMask)
        return bytes
    }

    static func setLength(of message: inout [UInt8], to length: Int) {
        precondition(length >= 0 && length <= 0xFFFF, "a STUN message's length has 16 bits")
        message[2] = UInt8(length >> 8)
        message[3] = UInt8(length & 0xFF)
    }

    private mutating func beginAttribute(_ type: UInt16, length: Int) {
        append(type)
        append(UInt16(length))
    }

    private mutating func append(_ value: UInt16) {
        for shift in [8, 0] { bytes.append(UInt8(value >> shift & 0xFF)) }
    }
    private mutating func append(_ value: UInt32) {
        append(UInt16(value >> 16))
        append(UInt16(value & 0xFFFF))
    }
    private mutating func append(_ value: UInt64) {
        append(UInt32(value >> 32))
        append(UInt32(value & 0xFFFF_FFFF))
    }
}
