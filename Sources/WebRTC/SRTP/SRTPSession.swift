/// SRTP and SRTCP of one `PeerConnection`, both directions (RFC 3711, RFC 7714).
///
/// libsrtp2 opens RTP, and is there only when RTP comes: its session costs some 40 KiB, and a viewer sends RTCP alone.
/// Outgoing RTP, the hot path, is sealed by `RTPSealer`, SRTCP is `SRTCPCipher`'s.
@safe package final class SRTPSession {
    package enum Opened: Hashable {
        /// The plain packet is the first `length` bytes.
        case packet(length: Int)
        /// `.srtpAuthentication`, `.srtpReplay`, or `.unknownStream` beyond `maximumSources`.
        case dropped(DropReason)
    }

    /// Inbound SSRCs per session, RTP and RTCP senders together. They are searched per packet and never forgotten, by
    /// libsrtp2 too, so a peer must not choose their number. A publisher with simulcast and RTX needs about a dozen.
    package static let maximumSources = 64

    /// Bytes that sealing adds to an RTP packet: 16 under GCM, 10 under CM.
    package let overhead: Int

    private let sealer: RTPSealer
    private let outboundRTCP: SRTCPCipher
    private let inboundRTCP: SRTCPCipher
    /// One counter for all our SSRCs, which keeps each pair of SSRC and index unique. libsrtp2 begins at 1 as well.
    private var nextRTCPIndex: UInt32 = 1
    private let inboundRTP: LibSRTPReceiver
    private var sources: [UInt32] = []
    /// Of the SRTCP of each of `sources`.
    private var windows: [ReplayWindow] = []
    private var watch: SealingWatch?

    /// - Returns: nil when key lengths do not fit the profile, or a library lacks the algorithm.
    package init?(_ material: SRTPKeyingMaterial) {
        let profile = material.profile
        func keys(_ use: SRTPSessionKeys.Use, local: Bool) -> SRTPSessionKeys? {
            SRTPSessionKeys(
                use, profile: profile, masterKey: local ? material.localKey : material.remoteKey,
                masterSalt: local ? material.localSalt : material.remoteSalt)
        }
        guard let sealing = keys(.rtp, local: true), let sealer = RTPSealer(sealing),
            let outgoing = keys(.rtcp, local: true), let outboundRTCP = SRTCPCipher(outgoing, .seal),
            let incoming = keys(.rtcp, local: false), let inboundRTCP = SRTCPCipher(incoming, .open),
            let inboundRTP = LibSRTPReceiver(profile, key: material.remoteKey, salt: material.remoteSalt)
        else { return nil }
        overhead = sealer.tagLength
        self.sealer = sealer
        self.outboundRTCP = outboundRTCP
        self.inboundRTCP = inboundRTCP
        self.inboundRTP = inboundRTP
    }

    // MARK: Inbound

    /// Opens the packet in the first `length` bytes, in place.
    package func unprotectRTP(_ bytes: inout MutableRawSpan, length: Int) -> Opened {
        guard length >= 12 + overhead, length <= bytes.byteCount else { return .dropped(.srtpAuthentication) }
        return unsafe bytes.withUnsafeMutableBytes { buffer in
            let packet = buffer.baseAddress!
            let source = unsafe UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
            let isNew = !sources.contains(source)
            guard !isNew || sources.count < Self.maximumSources else { return .dropped(.unknownStream) }
            let opened = unsafe inboundRTP.open(packet, length)
            if isNew, case .packet = opened { _ = place(of: source) }
            return opened
        }
    }

    /// Opens the packet in the first `length` bytes, in place.
    package func unprotectRTCP(_ bytes: inout MutableRawSpan, length: Int) -> Opened {
        guard length <= bytes.byteCount else { return .dropped(.srtpAuthentication) }
        return unsafe bytes.withUnsafeMutableBytes { buffer in
            let packet = buffer.baseAddress!
            guard let index = unsafe inboundRTCP.index(of: packet, length) else {
                return .dropped(.srtpAuthentication)
            }
            let source = unsafe UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
            if let known = sources.firstIndex(of: source) {
                guard windows[known].isNew(UInt64(index)) else { return .dropped(.srtpReplay) }
            } else if sources.count == Self.maximumSources {
                return .dropped(.unknownStream)
            }
            let bytes = unsafe packet.assumingMemoryBound(to: UInt8.self)
            guard let plain = unsafe inboundRTCP.open(bytes, length, index: index) else {
                return .dropped(.srtpAuthentication)
            }
            windows[place(of: source)].take(UInt64(index))
            return .packet(length: plain)
        }
    }

    /// Only what verified takes a place.
    private func place(of source: UInt32) -> Int {
        if let known = sources.firstIndex(of: source) { return known }
        sources.append(source)
        windows.append(ReplayWindow())
        return sources.count - 1
    }

    // MARK: Outbound

    /// Seals a compound RTCP packet; nil when it is no RTCP, or the key has served its 2^31 packets.
    package func protectRTCP(_ plain: [UInt8]) -> [UInt8]? {
        guard plain.count >= SRTCPCipher.plainLength, plain.count <= Int(UInt16.max),
            nextRTCPIndex <= SRTCPCipher.lastIndex
        else { return nil }
        let index = nextRTCPIndex
        nextRTCPIndex += 1
        return unsafe [UInt8](unsafeUninitializedCapacity: plain.count + outboundRTCP.overhead) { packet, count in
            unsafe _ = packet.update(fromContentsOf: plain)
            unsafe outboundRTCP.seal(packet.baseAddress!, plain.count, index: index)
            count = plain.count + outboundRTCP.overhead
        }
    }

    /// Seals one RTP packet into `target`, where its header (with extensions) already lies, and behind it what stands before
    /// `payload` in this packet alone (RFC 4588 §4, a rewritten payload descriptor): the header is authenticated, that prefix
    /// is encrypted in place, payload and padding behind it, the tag is appended. So nobody copies a payload.
    ///
    /// The same packet may be sealed again, to the same bytes. A *different* packet under the same SSRC and index would
    /// give the key away (RFC 7714 §8.1): whoever numbers packets must not do that.
    ///
    /// - Parameters:
    ///   - target: room for header, prefix, payload, padding and `overhead`; does not overlap `payload`.
    ///   - padding: bytes of RTP padding (RFC 3550 §5.1), 0...255; the caller has set the P bit when it is not 0.
    ///   - index: rollover counter << 16 | sequence number, 48 bits.
    /// - Returns: the length of the whole packet in bytes.
    @unsafe package func sealRTP(
        at target: UnsafeMutableRawPointer, headerLength: Int, prefixLength: Int = 0, payload: UnsafeRawPointer,
        payloadLength: Int, padding: Int, index: UInt64
    ) -> Int {
        let length = unsafe sealer.seal(
            at: target, headerLength: headerLength, prefixLength: prefixLength, payload: payload,
            payloadLength: payloadLength, padding: padding, index: index)
        if let watch {
            let ssrc = unsafe UInt32(bigEndian: target.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
            let tag = unsafe target.loadUnaligned(fromByteOffset: length - 8, as: UInt64.self)
            precondition(watch.accepts(ssrc: ssrc, index: index, tag: tag), "an index is used for one packet only")
        }
        return length
    }

    /// From now on a second, different packet under one index stops the process; for tests.
    package func watchSealing() { watch = SealingWatch() }
}
