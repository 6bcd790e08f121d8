/// The DTLS record layer as far as it concerns datagrams (RFC 6347 §4.1):
///
///     type(1) version(2) epoch(2) sequence(6) length(2) fragment(length)
struct DTLSRecord: Hashable {
    enum Content: UInt8 { case changeCipherSpec = 20, alert, handshake, applicationData }

    /// Of DTLS 1.0 (a ClientHello may say so) and 1.2.
    static let versions: ClosedRange<UInt16> = 0xFEFD...0xFEFF
    static let headerLength = 13
    /// Handshake messages have a header of their own (§4.2.2).
    static let shortestHandshake = 12
    /// That header, and the 12 bytes of verify_data that every cipher suite of ours has (RFC 5246 §7.4.9).
    static let finishedLength = 24
    static let alertLength = 2

    let content: Content
    let version: UInt16
    let epoch: UInt16
    /// The whole record, header and all.
    let bytes: ArraySlice<UInt8>

    /// 48 bits.
    var sequence: UInt64 {
        bytes.dropFirst(5).prefix(6).reduce(0) { $0 << 8 | UInt64($1) }
    }

    var fragment: ArraySlice<UInt8> { bytes.dropFirst(Self.headerLength) }

    /// An alert that ends something, not under any keys: fatal, or close_notify (RFC 5246 §7.2).
    var endsInPlain: Bool {
        epoch == 0 && content == .alert && fragment.count == Self.alertLength
            && (fragment.first == 2 || fragment.last == 0)
    }

    /// All records of a datagram up to the first that is not all there, or nothing that we know.
    static func all(in datagram: ArraySlice<UInt8>) -> [DTLSRecord] {
        var records: [DTLSRecord] = []
        var rest = datagram
        while let record = DTLSRecord(firstOf: rest) {
            records.append(record)
            rest = rest.dropFirst(record.bytes.count)
        }
        return records
    }

    /// A record of DTLS 1.2.
    init(_ content: Content, epoch: UInt16, sequence: UInt64, fragment: [UInt8]) {
        (self.content, self.epoch, version) = (content, epoch, 0xFEFD)
        let length = UInt16(truncatingIfNeeded: fragment.count)
        let header: [UInt8] = [content.rawValue, 0xFE, 0xFD, UInt8(epoch >> 8), UInt8(epoch & 0xFF)]
        let number = (0..<6).map { UInt8(truncatingIfNeeded: sequence >> (40 - 8 * UInt64($0))) }
        bytes = (header + number + [UInt8(length >> 8), UInt8(length & 0xFF)] + fragment)[...]
    }

    private init?(firstOf datagram: ArraySlice<UInt8>) {
        guard datagram.count >= Self.headerLength else { return nil }
        let number = { (offset: Int) in
            UInt16(datagram[datagram.startIndex + offset]) << 8 | UInt16(datagram[datagram.startIndex + offset + 1])
        }
        let length = Self.headerLength + Int(number(11))
        guard let content = Content(rawValue: datagram[datagram.startIndex]), Self.versions.contains(number(1)),
            length <= datagram.count
        else { return nil }
        (self.content, version, epoch, bytes) = (content, number(1), number(3), datagram.prefix(length))
    }

    /// Packs records into datagrams of at most `mtu` bytes, in order. A record is never divided; OpenSSL was told the same
    /// limit.
    static func datagrams(of records: [DTLSRecord], mtu: Int) -> [[UInt8]] {
        var datagrams: [[UInt8]] = []
        for record in records {
            if let last = datagrams.last, last.count + record.bytes.count <= mtu {
                datagrams[datagrams.count - 1] += record.bytes
            } else {
                datagrams.append(Array(record.bytes))
            }
        }
        return datagrams
    }
}
