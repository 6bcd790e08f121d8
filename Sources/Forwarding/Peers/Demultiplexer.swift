import WebRTC

/// Whose datagram? STUN is found by the user fragment that it names, everything else by where it comes from.
struct Demultiplexer {
    /// What leads to one peer.
    struct Ways {
        /// Oldest first.
        fileprivate(set) var addresses: [TransportAddress] = []
        fileprivate(set) var ufragKeys: [UInt64] = []
    }

    enum Owner {
        case peer(Peer)
        case nobody(DropReason)
    }

    static let maximumAddresses = 8

    private var byAddress: [TransportAddress: Peer] = [:]
    private var byUfrag: [UInt64: Peer] = [:]

    var isEmpty: Bool { byAddress.isEmpty && byUfrag.isEmpty }

    /// Who gets a datagram: who owns its source address, or, for STUN, whose user fragment it names. A stranger's datagram
    /// costs a parse and a look-up, and allocates nothing.
    func owner(of bytes: borrowing RawSpan, _ kind: DatagramClass, from source: TransportAddress) -> Owner {
        guard kind == .stun else {
            if let known = byAddress[source] { return .peer(known) }
            return .nobody(kind == .unknown ? .unclassified : .unknownSource)
        }
        guard let message = STUNMessage.parse(bytes) else { return .nobody(.malformedSTUN) }
        if let key = message.localUfragKey(in: bytes), let peer = byUfrag[key] { return .peer(peer) }
        guard message.messageClass != .request else { return .nobody(.unknownUfrag) }
        // Responses to our own checks carry no USERNAME: they come from where a check was sent to.
        return byAddress[source].map { .peer($0) } ?? .nobody(.unexpectedSTUN)
    }

    func owner(of address: TransportAddress) -> Peer? { byAddress[address] }

    /// Media and DTLS from `address` belong to `peer` from now on, unless another one lives there: a check proves who sends
    /// it, not from where.
    mutating func remember(_ address: TransportAddress, for peer: Peer, now: Instant) {
        if let owner = byAddress[address] {
            if owner === peer || owner.isAlive(at: address, now: now) { return }
            owner.ways.addresses.removeAll { $0 == address }
        }
        byAddress[address] = peer
        peer.ways.addresses.append(address)
        if peer.ways.addresses.count > Self.maximumAddresses,
            let oldest = peer.ways.addresses.firstIndex(where: { $0 != peer.transport.remote })
        {
            byAddress[peer.ways.addresses.remove(at: oldest)] = nil
        }
    }

    /// Answers to a client's checks come from the candidates, and name no user fragment. A server makes no checks: what
    /// its peer's SDP claims leads nowhere until it has authenticated.
    mutating func expectAnswers(from candidates: [TransportAddress], for peer: Peer, now: Instant) {
        guard peer.isClient else { return }
        for address in candidates where byAddress[address] == nil { remember(address, for: peer, now: now) }
    }

    /// User fragments come and go with ICE restarts.
    mutating func followUfrags(of peer: Peer) {
        let keys = peer.transport.localUfragKeys
        guard keys != peer.ways.ufragKeys else { return }
        forgetUfrags(of: peer)
        for key in keys { byUfrag[key] = peer }
        peer.ways.ufragKeys = keys
    }

    mutating func forget(_ peer: Peer) {
        forgetUfrags(of: peer)
        for address in peer.ways.addresses where byAddress[address] === peer { byAddress[address] = nil }
        peer.ways.addresses = []
    }

    private mutating func forgetUfrags(of peer: Peer) {
        for key in peer.ways.ufragKeys where byUfrag[key] === peer { byUfrag[key] = nil }
        peer.ways.ufragKeys = []
    }

    /// Every way leads to a peer of these, for tests.
    func leadsOnly(to peers: [SessionID: Peer]) -> Bool {
        let ends = Array(byAddress.values) + Array(byUfrag.values)
        return ends.allSatisfy { peers[$0.id] === $0 && $0.ways.addresses.count <= Self.maximumAddresses }
    }
}
