package import WebRTC

/// The records of a DNS answer that discovery looks at (RFC 1035 §4, RFC 3596, RFC 2782). Bounded and total: any bytes
/// give a message or nil.
package struct DNSMessage: Hashable, Sendable {
    package struct Service: Hashable, Sendable {
        package var priority: Int
        package var weight: Int
        package var port: UInt16
        /// Without the final dot; empty: the service is decidedly not there.
        package var target: String
    }

    package enum Kind: UInt16, Sendable {
        case a = 1
        case aaaa = 28
        case srv = 33
    }

    /// Of the answer section, port 0; in its order.
    package private(set) var addresses: [TransportAddress] = []
    package private(set) var services: [Service] = []
    /// Smallest of the answer section, aliases included; nil without records.
    package private(set) var secondsToLive: UInt32?

    /// More records of one answer are not read.
    package static let mostRecords = 4_096
    /// A name is put together from one or two places; a chain of thousands for each record is an attack.
    static let mostPointers = 16

    package static func parse(_ bytes: [UInt8]) -> DNSMessage? {
        var reader = Reader(bytes: bytes)
        // ID and flags: the resolver has checked them.
        guard reader.skip(4), let questions = reader.uint16(), let answers = reader.uint16(), reader.skip(4)
        else { return nil }
        for _ in 0..<questions { guard reader.name() != nil, reader.skip(4) else { return nil } }
        var message = DNSMessage()
        for _ in 0..<min(Int(answers), mostRecords) {
            guard message.read(from: &reader) else { return nil }
        }
        return message
    }

    private mutating func read(from reader: inout Reader) -> Bool {
        guard reader.name() != nil, let type = reader.uint16(), let family = reader.uint16(),
            let seconds = reader.uint32(), let length = reader.uint16(), reader.bytes.count - reader.position >= length
        else { return false }
        let end = reader.position + Int(length)
        defer { reader.position = end }
        guard family == 1 else { return true }
        // RFC 2181 §8: a set top bit counts as zero.
        secondsToLive = min(secondsToLive ?? .max, seconds >> 31 == 0 ? seconds : 0)
        switch Kind(rawValue: type) {
        case .a:
            guard length == 4, let address = reader.uint32() else { return false }
            addresses.append(.init(ipv4: address, port: 0))
        case .aaaa:
            guard length == 16, let a = reader.uint32(), let b = reader.uint32(), let c = reader.uint32(),
                let d = reader.uint32()
            else { return false }
            addresses.append(
                .init(ipv6High: UInt64(a) << 32 | UInt64(b), low: UInt64(c) << 32 | UInt64(d), port: 0))
        case .srv:
            guard let priority = reader.uint16(), let weight = reader.uint16(), let port = reader.uint16(),
                let target = reader.name(), reader.position <= end
            else { return false }
            services.append(.init(priority: Int(priority), weight: Int(weight), port: port, target: target))
        case nil: break
        }
        return true
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func skip(_ count: Int) -> Bool {
            guard bytes.count - position >= count else { return false }
            position += count
            return true
        }

        mutating func uint16() -> UInt16? {
            guard skip(2) else { return nil }
            return UInt16(bytes[position - 2]) << 8 | UInt16(bytes[position - 1])
        }

        mutating func uint32() -> UInt32? {
            guard let high = uint16(), let low = uint16() else { return nil }
            return UInt32(high) << 16 | UInt32(low)
        }

        /// Labels joined by dots, compression followed (RFC 1035 §4.1.4). Pointers lead backwards only, so it ends.
        mutating func name() -> String? {
            var text = ""
            var place = position
            var limit = position
            var pointers = 0
            while place < bytes.count {
                let length = Int(bytes[place])
                switch length >> 6 {
                case 0:
                    if pointers == 0 { position = place + length + 1 }
                    if length == 0 { return text }
                    guard place + length < bytes.count, text.utf8.count + length < 255 else { return nil }
                    let label = bytes[place + 1...place + length]
                    guard label.allSatisfy({ 33...126 ~= $0 && $0 != UInt8(ascii: ".") }) else { return nil }
                    text += (text.isEmpty ? "" : ".") + String(decoding: label, as: UTF8.self)
                    place += length + 1
                case 3:
                    guard place + 1 < bytes.count else { return nil }
                    let target = (length & 0x3F) << 8 | Int(bytes[place + 1])
                    guard target < limit, pointers < DNSMessage.mostPointers else { return nil }
                    if pointers == 0 { position = place + 2 }
                    pointers += 1
                    (place, limit) = (target, target)
                default: return nil
                }
            }
            return nil
        }
    }
}
