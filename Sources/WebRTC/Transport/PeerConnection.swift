/// One peer's transport: ICE, DTLS and SRTP in one object, sans I/O. It turns datagrams into authenticated RTP and RTCP
/// and back; what the packets mean is `Forwarding`'s business.
///
/// Calls come in four kinds: `receive` and `advance` (bytes and time in), commands (`restartICE`, `close`, …), `send…`
/// (bytes out, into the `Outbox`), and getters. After each of the first two look at `state`.
package final class PeerConnection {
    package enum State: Hashable {
        case connecting
        case connected(SRTPProfile)
        case closed(CloseReason)
    }

    package enum Received {
        /// STUN or DTLS, consumed. `authenticated`: the source address proved that it knows the ICE password.
        case control(authenticated: Bool)
        /// The datagram's first `length` bytes are now one decrypted RTP packet.
        case rtp(length: Int)
        /// … one decrypted RTCP compound packet.
        case rtcp(length: Int)
        case dropped(DropReason)
    }

    package private(set) var state = State.connecting
    /// nil until the handshake is done. The fan-out seals with it directly.
    package private(set) var srtp: SRTPSession?
    package var log = ProtocolLog()
    package private(set) var datagramsIn: UInt64 = 0
    package private(set) var bytesIn: UInt64 = 0
    package var datagramsOut: UInt64 = 0
    package var bytesOut: UInt64 = 0
    /// Share of outgoing DTLS, RTP and RTCP datagrams to lose on purpose, 0...1.
    package var impairment = 0.0
    /// Datagrams that the impairment took.
    package private(set) var impaired: UInt64 = 0

    private var ice: ICEAgent
    private let dtls: DTLSTransport
    private let setupDeadline: Instant
    private let silence: Interval?
    private var wasUnreachable = false
    private var random: SeededGenerator
    private var selected: TransportAddress?
    private var hasStarted = false
    private let watchesSealing: Bool

    /// - Parameters:
    ///   - silence: a client whose peer sends nothing for so long checks it (`isUnreachable`); nil: it does not.
    ///   - watchesSealing: as `SRTPSession.watchSealing`.
    package init(
        parameters: TransportParameters, context: DTLSContext, setupTimeout: Interval, consentTimeout: Interval,
        silence: Interval? = nil, watchesSealing: Bool = false, now: Instant, seed: UInt64
    ) {
        (self.silence, self.watchesSealing) = (silence, watchesSealing)
        random = SeededGenerator(seed: seed)
        ice = ICEAgent(
            role: parameters.role, local: parameters.localICE, remote: parameters.remoteICE,
            candidates: parameters.remoteCandidates, setupTimeout: setupTimeout, consentTimeout: consentTimeout,
            now: now, seed: random.next())
        dtls = DTLSTransport(
            context: context, isClient: parameters.dtlsActive, remoteFingerprints: parameters.remoteFingerprints,
            // A client's candidates are its server's own word, over HTTP, and are sent checks as often.
            isProven: parameters.role == .client)
        setupDeadline = now + setupTimeout
        log.append(.opened, at: now)
    }

    // MARK: Getters

    /// Where datagrams go: the selected pair's remote address.
    package var remote: TransportAddress? { ice.remote }
    /// Keys under which STUN for this session arrives; two during an ICE restart.
    package var localUfragKeys: [UInt64] { ice.localUfragKeys }
    /// Whether the peer was heard from `address`, to which we send, within the last `time`.
    package func lives(at address: TransportAddress, within time: Interval, now: Instant) -> Bool {
        ice.remote == address && now < ice.lastLife + time
    }
    /// Measured by our own connectivity checks; nil for ICE-lite.
    package var roundTrip: Interval? { ice.roundTrip }
    /// As the handshake shows it, the peer's computing included; nil: not known.
    package var handshakeRoundTrip: Interval? { dtls.roundTrip }
    /// A watched peer sends nothing and answers no checks.
    package var isUnreachable: Bool { ice.isUnreachable }
    package var isClosed: Bool { if case .closed = state { true } else { false } }

    package var nextDeadline: Instant {
        switch state {
        case .connecting: min(setupDeadline, ice.nextDeadline, dtls.nextDeadline)
        case .connected: min(ice.nextDeadline, dtls.nextDeadline)
        case .closed: .distantFuture
        }
    }

    // MARK: Bytes and time in

    /// `datagram` is exactly what arrived; media is decrypted in place. The caller passes only STUN from addresses that
    /// have not authenticated yet.
    package func receive(
        _ datagram: inout MutableRawSpan, from source: TransportAddress, now: Instant, outbox: Outbox
    ) -> Received {
        if isClosed { return .dropped(.sessionClosed) }
        datagramsIn += 1
        bytesIn += UInt64(datagram.byteCount)
        switch DatagramClass.classify(datagram.bytes) {
        case .stun:
            let received = ice.receive(datagram.bytes, from: source, now: now, outbox: outbox)
            settle(now: now, outbox: outbox)
            if case .dropped(let reason) = received { return .dropped(reason) }
            return .control(authenticated: true)
        case .dtls:
            guard dtls.receive(datagram.bytes, now: now) else { return .dropped(.malformedDTLS) }
            settle(now: now, outbox: outbox)
            return .control(authenticated: false)
        case .rtp:
            guard let srtp else { return .dropped(.beforeKeys) }
            return media(srtp.unprotectRTP(&datagram, length: datagram.byteCount), isRTCP: false, source, now)
        case .rtcp:
            guard let srtp else { return .dropped(.beforeKeys) }
            return media(srtp.unprotectRTCP(&datagram, length: datagram.byteCount), isRTCP: true, source, now)
        case .unknown:
            return .dropped(.unclassified)
        }
    }

    /// Media from `source`, decrypted or not to be decrypted.
    func media(
        _ opened: SRTPSession.Opened, isRTCP: Bool, _ source: TransportAddress, _ now: Instant
    ) -> Received {
        switch opened {
        case .packet(let length):
            ice.authenticatedMedia(from: source, now: now)
            return isRTCP ? .rtcp(length: length) : .rtp(length: length)
        case .dropped(let reason):
            return .dropped(reason)
        }
    }

    package func advance(now: Instant, outbox: Outbox) {
        if isClosed { return }
        ice.advance(now: now, outbox: outbox)
        dtls.advance(now: now)
        settle(now: now, outbox: outbox)
    }

    // MARK: Commands

    package func addRemoteCandidates(_ candidates: [TransportAddress], now: Instant) {
        ice.addCandidates(candidates, now: now)
        log.append(.candidatesAdded(candidates.count), at: now)
    }

    /// There is reason to doubt that the peer lives: it is checked now.
    package func verify(now: Instant, outbox: Outbox) {
        guard srtp != nil, !isClosed else { return }
        log.append(.verifying, at: now)
        ice.verify(now: now)
        advance(now: now, outbox: outbox)
    }

    package func restartICE(
        local: ICECredentials, remote: ICECredentials, candidates: [TransportAddress], now: Instant
    ) {
        ice.restart(local: local, remote: remote, candidates: candidates, now: now)
        log.append(.iceRestarted, at: now)
    }

    /// Stops. Consent ends at once (RFC 7675 §5.2).
    ///
    /// - Parameter plain: an RTCP compound packet that says good-bye.
    /// - Returns: that packet, protected, and DTLS close_notify, to be sent to `remote` in this order. They do not go to an
    ///   outbox here: more sessions may end together than it has room for.
    package func close(_ reason: CloseReason, saying plain: [UInt8]?, now: Instant) -> [[UInt8]] {
        if isClosed { return [] }
        let goodbye = plain.flatMap { srtp?.protectRTCP($0) }
        dtls.close()
        let datagrams = ([goodbye].compactMap { $0 } + dtls.takeDatagrams()).filter { _ in !losesDatagram() }
        finish(reason, now: now)
        guard remote != nil else { return [] }
        datagramsOut += UInt64(datagrams.count)
        bytesOut += datagrams.reduce(0) { $0 + UInt64($1.count) }
        return datagrams
    }

    // MARK: Bytes out

    /// Protects and queues one RTCP compound packet; false when not connected or the outbox is full.
    @discardableResult
    package func sendRTCP(_ plain: [UInt8], outbox: Outbox) -> Bool {
        guard let srtp, let remote, let sealed = srtp.protectRTCP(plain) else { return false }
        return transmit(sealed, to: remote, outbox: outbox)
    }

    /// Whether the impairment takes this datagram.
    package func losesDatagram() -> Bool {
        guard impairment > 0, Double.random(in: 0..<1, using: &random) < impairment else { return false }
        impaired += 1
        return true
    }

    private func transmit(_ bytes: [UInt8], to destination: TransportAddress, outbox: Outbox) -> Bool {
        if losesDatagram() { return true }
        guard outbox.append(bytes, to: destination) else { return false }
        datagramsOut += 1
        bytesOut += UInt64(bytes.count)
        return true
    }

    // MARK: The transport's own progress

    /// Brings ICE, DTLS and our own state in step after anything happened.
    private func settle(now: Instant, outbox: Outbox) {
        if ice.remote != selected, let remote = ice.remote {
            selected = remote
            log.append(.remoteSelected(remote), at: now)
        }
        // The first flight of a client with one candidate goes with its first check: the peer has the check by then, and a
        // round trip is saved.
        if !hasStarted, ice.state == .connected || ice.asked != nil {
            hasStarted = true
            log.append(.handshakeStarted, at: now)
            dtls.start(now: now)
        }
        sendHandshake(outbox: outbox)
        switch dtls.state {
        // The answers to the check may be lost, and the handshake be over before it.
        case .connected(let keys) where srtp == nil && ice.remote != nil:
            guard let session = SRTPSession(keys) else { return finish(.handshakeFailed, now: now) }
            use(session, profile: keys.profile, now: now)
        case .failed(let reason): return finish(reason, now: now)
        case .closed: return finish(.peerClosed, now: now)
        default: break
        }
        if ice.isUnreachable != wasUnreachable {
            wasUnreachable.toggle()
            log.append(wasUnreachable ? .unreachable : .reachable, at: now)
        }
        if ice.state == .failed { return finish(srtp == nil ? .setupTimeout : .consentExpired, now: now) }
        if srtp == nil, now >= setupDeadline { finish(.setupTimeout, now: now) }
    }

    /// There are keys: media flows from now on.
    func use(_ session: SRTPSession, profile: SRTPProfile, now: Instant) {
        srtp = session
        if watchesSealing { session.watchSealing() }
        state = .connected(profile)
        log.append(.connected(profile), at: now)
        if let silence { ice.watch(silence: silence) }
    }

    private func sendHandshake(outbox: Outbox) {
        let datagrams = dtls.takeDatagrams()
        guard let remote = ice.remote ?? ice.asked else { return }
        for bytes in datagrams { _ = transmit(bytes, to: remote, outbox: outbox) }
    }

    private func finish(_ reason: CloseReason, now: Instant) {
        state = .closed(reason)
        log.append(.closed(reason), at: now)
    }
}
