internal import COpenSSL

/// HMAC-SHA1 of MESSAGE-INTEGRITY (RFC 8489 §14.5), by OpenSSL.
enum HMACSHA1 {
    static func authenticate(_ data: [UInt8], key: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        let done = unsafe HMAC(EVP_sha1(), key, Int32(key.count), data, data.count, &digest, &length) != nil
        precondition(done && length == 20, "HMAC-SHA1 is available and yields 20 bytes")
        return Array(digest[..<20])
    }
}

/// The CRC-32 of ISO 3309 (reflected polynomial 0xEDB88320), half a byte at a time: STUN messages are short and rare,
/// a table of 16 words lives in one cache line.
enum CRC32 {
    static func checksum(_ bytes: borrowing RawSpan, count: Int) -> UInt32 {
        let table: InlineArray<16, UInt32> = [
            0x0000_0000, 0x1DB7_1064, 0x3B6E_20C8, 0x26D9_30AC, 0x76DC_4190, 0x6B6B_51F4, 0x4DB2_6158, 0x5005_713C,
            0xEDB8_8320, 0xF00F_9344, 0xD6D6_A3E8, 0xCB61_B38C, 0x9B64_C2B0, 0x86D3_D2D4, 0xA00A_E278, 0xBDBD_F21C,
        ]
        var crc: UInt32 = 0xFFFF_FFFF
        for offset in 0..<count {
            crc ^= UInt32(unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
            crc = table[Int(crc & 15)] ^ crc >> 4
            crc = table[Int(crc & 15)] ^ crc >> 4
        }
        return ~crc
    }
}

extension STUNMessage.TransactionID {
    /// A new one by OpenSSL's generator. Its answer proves a round trip, so a peer that has seen thousands of them must not
    /// know the next.
    static func unguessable() -> Self {
        var (high, low): (UInt32, UInt64) = (0, 0)
        let done = unsafe RAND_bytes(&high, 4) == 1 && RAND_bytes(&low, 8) == 1
        precondition(done, "OpenSSL has randomness")
        return Self(high: high, low: low)
    }
}
