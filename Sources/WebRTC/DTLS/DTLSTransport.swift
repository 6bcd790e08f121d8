internal import COpenSSL

/// One DTLS-SRTP association (RFC 5764) over datagrams that somebody else carries: OpenSSL does the cryptography and the
/// state machine, this gives it datagrams and time.
///
/// OpenSSL's retransmission timer only knows the real clock. It is used once per flight to have all repeats of the flight
/// made beforehand (`timerAsked`), then set to "never"; when they are sent is decided here.
///
/// Source addresses can be forged, so a record reaches OpenSSL only when the peer may have sent it in this state
/// (`DTLSRecordFilter`). Once connected OpenSSL's part is over and its memory free: what is left to do is `EstablishedDTLS`'s.
/// So no forged record makes OpenSSL answer with an alert, which the true peer would obey.
///
/// *Assumptions*: only datagrams from addresses that ICE has led here come in, so no cookie exchange is needed (RFC 6347
/// §4.2.1); an address that has not answered yet gets few repeats (`DTLSRetransmission`). *Not done*: application data (data
/// channels), DTLS 1.3, renegotiation.
@safe package final class DTLSTransport {
    package enum State {
        case idle
        case handshaking
        /// Handshake complete, certificate as the SDP says.
        case connected(SRTPKeyingMaterial)
        /// `.handshakeFailed` or `.fingerprintMismatch`.
        case failed(CloseReason)
        /// Either side sent close_notify, or the peer a fatal alert after the handshake.
        case closed
    }

    package private(set) var state = State.idle

    /// nil when the handshake is over. It owns `input` and `output`.
    private(set) var ssl: OpaquePointer?
    private let input: OpaquePointer
    private let output: OpaquePointer
    private let isClient: Bool
    private let remoteFingerprints: [Fingerprint]
    private let mtu: Int
    private var outgoing: [[UInt8]] = []
    private let filter: DTLSRecordFilter
    private var retransmission: DTLSRetransmission
    /// All that we have written, until it is known where the record numbers have got to.
    private var written: [DTLSRecord] = []
    private var established: EstablishedDTLS?
    /// Set by the certificate callback. Nothing counts as connected without `true`.
    private var fingerprintMatches: Bool?
    /// Where each repeat begins in what OpenSSL wrote since the last `collect`.
    private var repeatStarts: [Int] = []
    private var repeatsWanted = 0

    /// - Parameters:
    ///   - isProven: the peer has answered from the address to which we send.
    ///   - mtu: the largest datagram that `takeDatagrams` returns, in bytes of UDP payload.
    package init(
        context: DTLSContext, isClient: Bool, remoteFingerprints: [Fingerprint], isProven: Bool = false,
        mtu: Int = 1_200
    ) {
        precondition((256...Int(UInt16.max)).contains(mtu), "OpenSSL needs an MTU of at least 256 bytes")
        (self.isClient, self.remoteFingerprints, self.mtu) = (isClient, remoteFingerprints, mtu)
        filter = DTLSRecordFilter(isClient: isClient)
        retransmission = DTLSRetransmission(isClient: isClient, isProven: isProven)
        guard let ssl = unsafe SSL_new(context.context), let input = unsafe BIO_new(BIO_s_mem()),
            let output = unsafe BIO_new(BIO_s_mem())
        else { preconditionFailure("out of memory for a DTLS association") }
        unsafe (self.ssl, self.input, self.output) = (ssl, input, output)
        unsafe SSL_set_bio(ssl, input, output)
        unsafe precondition(shim_ssl_set_mtu(ssl, mtu) == 1, "OpenSSL takes any MTU in range")
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        unsafe DTLS_set_timer_cb(ssl) { ssl, duration in unsafe DTLSTransport.of(ssl)?.timerAsked(duration) ?? .max }
        unsafe isClient ? SSL_set_connect_state(ssl) : SSL_set_accept_state(ssl)
    }

    deinit { unsafe SSL_free(ssl) }

    /// Nothing more is asked of OpenSSL.
    private func release() {
        unsafe SSL_free(ssl)
        unsafe ssl = nil
        written = []
    }

    /// When `advance` has something to do.
    package var nextDeadline: Instant {
        guard case .handshaking = state else { return .distantFuture }
        return retransmission.nextDeadline
    }

    /// To the peer, as the handshake shows it; nil: not known.
    package var roundTrip: Interval? { retransmission.roundTrip }

    /// A client sends its ClientHello; a server waits for one.
    package func start(now: Instant) {
        guard isClient, case .idle = state else { return }
        handshake([], now: now)
    }

    /// Takes one datagram; read `state` and `takeDatagrams` afterwards.
    ///
    /// - Returns: false when there is nothing in it that this association waits for.
    @discardableResult
    package func receive(_ bytes: borrowing RawSpan, now: Instant) -> Bool {
        guard bytes.byteCount <= Int(UInt16.max) else { return false }
        let records = DTLSRecord.all(in: unsafe bytes.withUnsafeBytes { unsafe Array($0) }[...])
        let wanted = records.filter { filter.isWanted($0, in: phase, overhead: sealingOverhead) }
        guard !wanted.isEmpty else { return hearRefusal(records, now: now) }
        retransmission.heard(now: now)
        if established == nil { handshake(wanted, now: now) } else { wanted.forEach(hear) }
        return true
    }

    private func handshake(_ records: [DTLSRecord], now: Instant) {
        if case .idle = state { state = .handshaking }
        for record in records {
            unsafe record.bytes.withUnsafeBytes { unsafe _ = BIO_write(input, $0.baseAddress, Int32($0.count)) }
        }
        let keys = handshake()
        // One datagram at a time: whatever was not wanted must not be joined with the next.
        unsafe BIO_ctrl(input, BIO_CTRL_RESET, 0, nil)
        collect(isLast: keys != nil, now: now)
        if let keys { establish(keys, heard: records) }
        if case .failed = state { release() }
    }

    /// The handshake is done, and our part of it written.
    private func establish(_ material: SRTPKeyingMaterial, heard: [DTLSRecord]) {
        established = unsafe DTLSRecordKeys(ssl!, isClient: isClient).flatMap {
            EstablishedDTLS($0, isClient: isClient, written: written, heard: heard)
        }
        if established == nil { fail(.handshakeFailed) } else { state = .connected(material) }
        release()
    }

    private func hear(_ record: DTLSRecord) {
        switch established?.receive(record) {
        case .end: state = .closed
        case .flight(let records): outgoing += DTLSRecord.datagrams(of: records, mtu: mtu)
        case .nothing, nil: break
        }
    }

    /// Repeats the last flight when it is due, and gives up after the last repeat.
    package func advance(now: Instant) {
        guard case .handshaking = state else { return }
        switch retransmission.advance(now: now) {
        case .wait: break
        case .send(let datagrams): outgoing += datagrams
        case .giveUp:
            fail(.handshakeFailed)
            release()
        }
    }

    /// Everything to send now, one array per datagram, in order.
    package func takeDatagrams() -> [[UInt8]] {
        defer { outgoing = [] }
        return outgoing
    }

    /// Queues a close_notify where there is something to close.
    package func close() {
        switch state {
        case .connected:
            outgoing += [established?.goodbye()].compactMap { $0.map { Array($0.bytes) } }
            state = .closed
        case .idle, .handshaking:
            retransmission.end()
            state = .closed
            release()
        case .failed, .closed: break
        }
    }

    // MARK: What may come in

    private var phase: DTLSRecordFilter.Phase {
        switch state {
        case .idle: .idle
        case .handshaking: .handshaking
        case .connected: .connected
        case .failed, .closed: .over
        }
    }

    /// nil: nothing has been agreed yet.
    private var sealingOverhead: Int? {
        if let established { return established.overhead }
        guard let ssl = unsafe ssl, let cipher = unsafe SSL_get_pending_cipher(ssl) ?? SSL_get_current_cipher(ssl)
        else { return nil }
        return unsafe DTLSRecordKeys.Suite(cipher)?.overhead
    }

    private func hearRefusal(_ records: [DTLSRecord], now: Instant) -> Bool {
        guard case .handshaking = state, records.contains(where: \.endsInPlain) else { return false }
        retransmission.refused(now: now)
        return true
    }

    // MARK: Handshake

    /// Goes as far as it can; returns SRTP's keys when it is done.
    private func handshake() -> SRTPKeyingMaterial? {
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 { return finishHandshake() }
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: break
        default: fail(fingerprintMatches == false ? .fingerprintMismatch : .handshakeFailed)
        }
        return nil
    }

    private func finishHandshake() -> SRTPKeyingMaterial? {
        guard fingerprintMatches == true, let material = exportKeys() else {
            // Too late for an alert of the handshake, but the peer should not wait for media either.
            unsafe _ = SSL_shutdown(ssl)
            fail(fingerprintMatches == true ? .handshakeFailed : .fingerprintMismatch)
            return nil
        }
        retransmission.end()
        return material
    }

    private func fail(_ reason: CloseReason) {
        retransmission.end()
        state = .failed(reason)
    }

    /// RFC 5764 §4.2: client key, server key, client salt, server salt.
    private func exportKeys() -> SRTPKeyingMaterial? {
        guard let selected = unsafe SSL_get_selected_srtp_profile(ssl),
            let profile = unsafe SRTPProfile(rawValue: UInt16(truncatingIfNeeded: selected.pointee.id))
        else { return nil }
        let (key, salt) = (profile.keyLength, profile.saltLength)
        let label = "EXTRACTOR-dtls_srtp"
        var block = [UInt8](repeating: 0, count: 2 * (key + salt))
        defer { unsafe OPENSSL_cleanse(&block, block.count) }
        guard
            unsafe SSL_export_keying_material(ssl, &block, block.count, label, label.utf8.count, nil, 0, 0) == 1
        else { return nil }
        let client = (key: Array(block[..<key]), salt: Array(block[2 * key..<2 * key + salt]))
        let server = (key: Array(block[key..<2 * key]), salt: Array(block[(2 * key + salt)...]))
        let (local, remote) = isClient ? (client, server) : (server, client)
        return SRTPKeyingMaterial(
            profile: profile, localKey: local.key, localSalt: local.salt, remoteKey: remote.key, remoteSalt: remote.salt
        )
    }

    /// A record under our keys; nil: there are none, or no more. For tests.
    func seal(_ content: DTLSRecord.Content, _ plain: [UInt8]) -> DTLSRecord? { established?.seal(content, plain) }

    /// Moves what OpenSSL wrote to `outgoing`, and its repeats to `retransmission`.
    ///
    /// - Parameter isLast: the handshake is done, so there is nothing to wait for.
    private func collect(isLast: Bool, now: Instant) {
        defer { repeatStarts = [] }
        let pending = unsafe BIO_ctrl_pending(output)
        guard pending > 0 else { return }
        let written = unsafe [UInt8](unsafeUninitializedCapacity: pending) { buffer, count in
            count = unsafe max(0, Int(BIO_read(output, buffer.baseAddress, Int32(buffer.count))))
        }
        // The repeats made it large, and it would stay so: a BIO never shrinks by itself.
        unsafe BIO_ctrl(output, BIO_C_SET_BUF_MEM, Int(BIO_CLOSE), BUF_MEM_new())
        let starts = repeatStarts.filter { $0 < written.count }
        self.written += DTLSRecord.all(in: written[...])
        outgoing += datagrams(of: written[..<(starts.first ?? written.count)])
        guard case .handshaking = state, !isLast else { return }
        let ends = starts.dropFirst() + [written.count]
        let repeats = zip(starts, ends).map { datagrams(of: written[$0..<$1]) }
        retransmission.sent(repeats: repeats, now: now)
    }

    /// What of OpenSSL's own writing may leave: the handshake, and alerts only when it fails.
    private func datagrams(of written: ArraySlice<UInt8>) -> [[UInt8]] {
        let records = DTLSRecord.all(in: written)
        precondition(records.reduce(0) { $0 + $1.bytes.count } == written.count, "OpenSSL writes whole records")
        let mayAlert = if case .failed = state { true } else { false }
        let leaving = records.filter { record in
            switch record.content {
            case .changeCipherSpec, .handshake: true
            case .alert: mayAlert
            case .applicationData: false
            }
        }
        return DTLSRecord.datagrams(of: leaving, mtu: mtu)
    }

    // MARK: Called by OpenSSL

    /// The transport that owns an association.
    static func of(_ ssl: OpaquePointer?) -> DTLSTransport? {
        guard let ssl = unsafe ssl, let pointer = unsafe SSL_get_ex_data(ssl, 0) else { return nil }
        return unsafe Unmanaged<DTLSTransport>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// The peer's certificate against the SDP: one of its fingerprints has to match (RFC 8122 §5.1).
    func verify(_ certificate: OpaquePointer) -> Bool {
        let matches = remoteFingerprints.contains { unsafe Fingerprint($0.algorithm, of: certificate) == $0 }
        fingerprintMatches = matches
        return matches
    }

    /// How many microseconds until OpenSSL is to repeat the flight.
    ///
    /// It asks with 0 when the flight goes out. One microsecond is over before it starts to read, so it repeats the flight
    /// into our buffer and asks again, until it has made all the repeats and is told "never" (71 minutes).
    private func timerAsked(_ duration: UInt32) -> UInt32 {
        if duration == 0 {
            repeatsWanted = DTLSFlight.repeats
        } else {
            repeatStarts.append(unsafe BIO_ctrl_pending(output))
            repeatsWanted -= 1
        }
        return repeatsWanted > 0 ? 1 : .max
    }
}
