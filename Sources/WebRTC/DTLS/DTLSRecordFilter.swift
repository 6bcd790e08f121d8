/// Which records of a datagram OpenSSL gets: those that the peer may have sent in this phase, as far as a header shows it,
/// and that we still have use for.
struct DTLSRecordFilter {
    enum Phase: CaseIterable { case idle, handshaking, connected, over }

    let isClient: Bool

    /// Once connected that is an alert under the keys and, for the server, the client's Finished, which asks for ours
    /// again. Cipher suites with AEAD pad nothing, so both have one length only.
    ///
    /// - Parameter overhead: what the agreed cipher suite adds to a fragment; nil: nothing has been agreed yet.
    func isWanted(_ record: DTLSRecord, in phase: Phase, overhead: Int?) -> Bool {
        let length = record.fragment.count
        let isSealed = { (plain: Int) in overhead.map { plain + $0 == length } ?? false }
        switch (phase, record.epoch, record.content) {
        case (.idle, 0, .handshake): return !isClient && length >= DTLSRecord.shortestHandshake
        case (.handshaking, 0, .handshake): return length >= DTLSRecord.shortestHandshake
        case (.handshaking, 0, .changeCipherSpec): return record.fragment.elementsEqual([1])
        case (.handshaking, 1, .handshake): return isSealed(DTLSRecord.finishedLength)
        case (.connected, 1, .handshake): return !isClient && isSealed(DTLSRecord.finishedLength)
        case (.handshaking, 1, .alert), (.connected, 1, .alert): return isSealed(DTLSRecord.alertLength)
        default: return false
        }
    }
}
