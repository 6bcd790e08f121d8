/// The DTLS record layer as far as it concerns datagrams (RFC 6347 §4.1):
///
///     type(1) version(2) epoch(2) sequence(6) length(2) fragment(length)
enum DTLSRecord {
    static let headerLength = 13

    /// Whether a datagram can be DTLS at all: a known content type, version 1.x, and a fragment that is all there.
    ///
    /// Application data before the keys is refused here: OpenSSL would take it as a reason to end the handshake, which one
    /// forged datagram must not achieve.
    static func accepts(_ datagram: borrowing RawSpan) -> Bool {
        guard datagram.byteCount >= headerLength else { return false }
        let header = unsafe datagram.withUnsafeBytes { unsafe Array($0.prefix(headerLength)) }
        let isPlain = header[3] == 0 && header[4] == 0
        let length = Int(header[11]) << 8 | Int(header[12])
        return (20...(isPlain ? 22 : 23)).contains(header[0]) && header[1] == 0xFE
            && headerLength + length <= datagram.byteCount
    }

    /// Splits a run of whole records, as OpenSSL wrote them, into datagrams of at most `mtu` bytes.
    ///
    /// A record is never divided; OpenSSL was told the same limit.
    static func datagrams(of records: ArraySlice<UInt8>, mtu: Int) -> [[UInt8]] {
        var datagrams: [[UInt8]] = []
        var start = records.startIndex
        var end = start
        while records.endIndex - end >= headerLength {
            let next = end + headerLength + Int(records[end + 11]) << 8 + Int(records[end + 12])
            precondition(next <= records.endIndex, "OpenSSL writes whole records")
            if next - start > mtu, end > start {
                datagrams.append(Array(records[start..<end]))
                start = end
            }
            end = next
        }
        if end > start { datagrams.append(Array(records[start..<end])) }
        return datagrams
    }
}
